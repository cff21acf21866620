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
        var (acme, globex) = ((await app.NewCustomerAsync()).Tenant, (await app.NewCustomerAsync()).Tenant);
        await using var services = OneContext();
        InvoicingContext leased;
        await using (var scope = services.CreateAsyncScope())
        {
            leased = ContextOf(scope, acme);
            leased.Contacts.Add(new Contact { Name = acme.Slug });
            await leased.SaveChangesAsync(Ct);
        }

        // Between two leases it serves nobody.
        Assert.Throws<ObjectDisposedException>(leased.Tenant);

        await using var next = services.CreateAsyncScope();
        var again = ContextOf(next, globex);
        Assert.Same(leased, again);
        Assert.Empty(again.ChangeTracker.Entries());
        Assert.Empty(await again.Contacts.ToListAsync(Ct));
    }

    /// <summary>
    /// A handler that disposes of the injected context, and the scope after it: the second time it may be somebody
    /// else's.
    /// </summary>
    [Fact]
    public async Task A_context_disposed_of_twice_ends_nobody_elses_lease()
    {
        var (acme, globex, initech) = ((await app.NewCustomerAsync()).Tenant, (await app.NewCustomerAsync()).Tenant,
            (await app.NewCustomerAsync()).Tenant);
        await using var services = OneContext();
        await using var second = services.CreateAsyncScope();
        InvoicingContext mine;
        await using (var first = services.CreateAsyncScope())
        {
            await using (ContextOf(first, acme))
            {
            }

            mine = ContextOf(second, globex);
        }

        await using var third = services.CreateAsyncScope();
        Assert.NotSame(mine, ContextOf(third, initech));
        Assert.Equal(globex, mine.Tenant());
        Assert.Empty(await mine.Contacts.ToListAsync(Ct));
    }

    [Fact]
    public async Task A_context_of_the_factorys_serves_nobody_once_it_is_disposed_of()
    {
        var (acme, globex) = ((await app.NewCustomerAsync()).Tenant, (await app.NewCustomerAsync()).Tenant);
        var db = app.Invoicing.Create(acme);
        await db.DisposeAsync();
        await using var other = app.Invoicing.Create(globex);
        await db.DisposeAsync();

        Assert.NotSame(db, other);
        await Assert.ThrowsAsync<ObjectDisposedException>(() => db.Contacts.ToListAsync(Ct));
        Assert.Empty(await other.Contacts.ToListAsync(Ct));
    }

    [Fact]
    public async Task A_leased_context_cannot_turn_to_another_tenant()
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        var globex = (await app.NewCustomerAsync()).Tenant;
        await using var db = app.Invoicing.Create(acme);

        Assert.Contains(globex.Slug, Assert.Throws<InvalidOperationException>(() => db.For(globex)).Message,
            StringComparison.Ordinal);
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
        Assert.Equal(PostgresErrorCodes.UndefinedTable,
            (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteScalarAsync(Ct))).SqlState);
        command.CommandText = "SELECT * FROM contacts";
        Assert.Equal(PostgresErrorCodes.UndefinedTable,
            (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteScalarAsync(Ct))).SqlState);
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
        Assert.Single(
            await again.Contacts.Where(c => c.Name == "\"__Tenant__\".contacts '\"__Tenant__\"'").ToListAsync(Ct));
        Assert.Equal(1, await again.Database.ExecuteSqlRawAsync(
            "UPDATE \"__Tenant__\".contacts SET email = '\"__Tenant__\"' /* \"__Tenant__\" */", Ct));
        Assert.Equal(new { Name = Looks, Email = (string?)"\"__Tenant__\"" },
            await again.Contacts.Select(c => new { c.Name, c.Email }).SingleAsync(Ct));
    }

    private static InvoicingContext ContextOf(AsyncServiceScope scope, Tenant tenant)
    {
        scope.ServiceProvider.GetRequiredService<CurrentTenant>().Choose(tenant);
        return scope.ServiceProvider.GetRequiredService<InvoicingContext>();
    }

    /// <summary>
    /// A provider of its own over the same database, so that the pool of contexts is not shared with other tests.
    /// </summary>
    private ServiceProvider OneContext() => new ServiceCollection()
        .AddTenancy<InvoicingContext>(options =>
        {
            options.ConnectionString = app.ConnectionString;
            options.TenantConnectionString =
                $"{app.ServingConnectionString};Maximum Pool Size=1;Application Name=lease-{Guid.NewGuid():n}";
        })
        .BuildServiceProvider();
}
