using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Isolation;

public sealed class LeaseTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_context_that_went_back_to_the_pool_has_forgotten_its_tenant()
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        await using var services = OneContext();
        var pool = services.GetRequiredService<IDbContextFactory<InvoicingContext>>();
        InvoicingContext leased;
        await using (leased = services.GetRequiredService<TenantContextFactory<InvoicingContext>>().Create(acme))
        {
            Assert.Empty(await leased.Contacts.ToListAsync(Ct));
        }

        await using var again = pool.CreateDbContext();

        Assert.Same(leased, again);
        await Assert.ThrowsAsync<NoTenantException>(() => again.Contacts.ToListAsync(Ct));
    }

    [Fact]
    public async Task A_scope_without_a_tenant_gets_no_context()
    {
        await using var scope = app.Services.CreateAsyncScope();

        Assert.Throws<NoTenantException>(scope.ServiceProvider.GetRequiredService<InvoicingContext>);
    }

    [Fact]
    public async Task A_leased_context_cannot_turn_to_another_tenant()
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        var globex = (await app.NewCustomerAsync()).Tenant;
        await using var db = app.Invoicing.Create(acme);

        Assert.Contains(globex.Slug, Assert.Throws<InvalidOperationException>(() => db.For(globex)).Message, StringComparison.Ordinal);
        Assert.Same(db, db.For(acme));
    }

    [Fact]
    public async Task A_statement_that_escapes_the_stamp_fails_instead_of_reading_rows()
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        await using var db = app.Invoicing.Create(acme);
        await db.Database.OpenConnectionAsync(Ct);

        await using var command = db.Database.GetDbConnection().CreateCommand();
        command.CommandText = "SELECT * FROM \"__Tenant__\".contacts";
        Assert.Equal(PostgresErrorCodes.UndefinedTable, (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteScalarAsync(Ct))).SqlState);
        command.CommandText = "SELECT * FROM contacts";
        Assert.Equal(PostgresErrorCodes.UndefinedTable, (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteScalarAsync(Ct))).SqlState);
    }

    [Fact]
    public async Task Data_that_looks_like_the_placeholder_is_kept_as_it_is()
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        const string Looks = "\"__Tenant__\".contacts '\"__Tenant__\"'";
        await using (var db = app.Invoicing.Create(acme))
        {
            db.Contacts.Add(new Contact { Name = Looks });
            await db.SaveChangesAsync(Ct);
        }

        await using var again = app.Invoicing.Create(acme);
        // A constant, which EF writes into the statement itself.
        Assert.Single(await again.Contacts.Where(c => c.Name == "\"__Tenant__\".contacts '\"__Tenant__\"'").ToListAsync(Ct));
        Assert.Equal(1, await again.Database.ExecuteSqlRawAsync(
            "UPDATE \"__Tenant__\".contacts SET email = '\"__Tenant__\"' /* \"__Tenant__\" */", Ct));
        Assert.Equal(new { Name = Looks, Email = (string?)"\"__Tenant__\"" }, await again.Contacts.Select(c => new { c.Name, c.Email }).SingleAsync(Ct));
    }

    /// <summary>A provider of its own over the same database, so that the pool of contexts is not shared with other tests.</summary>
    private ServiceProvider OneContext() => new ServiceCollection()
        .AddTenancy<InvoicingContext>(options =>
        {
            options.ConnectionString = app.ConnectionString;
            options.TenantConnectionString = $"{app.ServingConnectionString};Maximum Pool Size=1;Application Name=lease-{Guid.NewGuid():n}";
        })
        .BuildServiceProvider();
}
