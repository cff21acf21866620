// What a context does after its scope is what is tested.
#pragma warning disable TEN002

using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Logging;
using Tenancy;
using Xunit;

namespace Tests.Integration.Isolation;

/// <summary>
/// Health checks, Identity's validators, hubs and hosted services resolve a context before a tenant is known. It serves
/// nobody until the scope chooses, and then whom the scope has chosen.
/// </summary>
public sealed class EarlyContextTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_context_resolved_before_the_choice_serves_nobody_and_then_the_chosen(bool pooled)
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        await using var services = Services(app.ConnectionString, pooled);
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<InvoicingContext>();

        await Assert.ThrowsAsync<NoTenantException>(() => db.Contacts.ToListAsync(Ct));
        Assert.Throws<NoTenantException>(() => db.Tenant());
        await Assert.ThrowsAsync<NoTenantException>(() => db.Database.OpenConnectionAsync(Ct));
        scope.ServiceProvider.GetRequiredService<CurrentTenant>().Choose(acme);

        Assert.Equal(acme, db.Tenant());
        Assert.Empty(await db.Contacts.ToListAsync(Ct));
        Assert.Same(db, scope.ServiceProvider.GetRequiredService<InvoicingContext>());
    }

    [Fact]
    public async Task A_choice_that_comes_after_the_lease_reaches_nobody_elses_lease()
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        await using var services = Services(app.ConnectionString, pooled: true);
        InvoicingContext early;
        CurrentTenant late;
        await using (var scope = services.CreateAsyncScope())
        {
            early = scope.ServiceProvider.GetRequiredService<InvoicingContext>();
            late = scope.ServiceProvider.GetRequiredService<CurrentTenant>();
        }

        await using var next = services.CreateAsyncScope();
        var db = next.ServiceProvider.GetRequiredService<InvoicingContext>();
        Assert.Same(early, db);
        late.Choose(acme);

        await Assert.ThrowsAsync<NoTenantException>(() => db.Contacts.ToListAsync(Ct));
    }

    [Fact]
    public async Task A_context_bound_by_hand_and_a_scope_that_chooses_another_is_an_error()
    {
        var (acme, globex) = ((await app.NewCustomerAsync()).Tenant, (await app.NewCustomerAsync()).Tenant);
        await using var services = Services(app.ConnectionString, pooled: true);
        await using var scope = services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<InvoicingContext>().For(acme);
        Assert.Empty(await db.Contacts.ToListAsync(Ct));
        scope.ServiceProvider.GetRequiredService<CurrentTenant>().Choose(globex);

        var error = await Assert.ThrowsAsync<InvalidOperationException>(() => db.Contacts.ToListAsync(Ct));

        Assert.Contains(globex.Slug, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_health_check_of_the_context_says_whether_the_server_answers()
    {
        await using var well = Services(app.ConnectionString, pooled: true);
        await using var ill = Services("Host=127.0.0.1;Port=1;Timeout=1", pooled: true);

        Assert.Equal(HealthStatus.Healthy, await CheckAsync(well));
        Assert.Equal(HealthStatus.Unhealthy, await CheckAsync(ill));

        static async Task<HealthStatus> CheckAsync(IServiceProvider services) =>
            (await services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Ct)).Status;
    }

    private static ServiceProvider Services(string connectionString, bool pooled)
    {
        var services = new ServiceCollection().AddLogging(logging => logging.ClearProviders())
            .AddTenancy<InvoicingContext>(options =>
            {
                options.ConnectionString = connectionString;
                if (!pooled)
                {
                    options.PerScope();
                }
            });
        services.AddHealthChecks().AddDbContextCheck<InvoicingContext>();
        return services.BuildServiceProvider(validateScopes: true);
    }
}
