using Data;
using Data.Customers;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Roles;

/// <summary>The migrations that make the role and let it at the rows, each on a database of its own.</summary>
public sealed class GrantingTests(App app)
{
    private const string Ungranted = "20261123005123_Initial";
    private const string Roleless = "20261123005116_Initial";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Customers_from_before_the_grant_are_served_after_the_fleet_was_migrated_and_new_ones_at_once()
    {
        var (owner, tenants) = await DatabaseAsync();
        await using var services = Services(owner, tenants);
        var leases = services.GetRequiredService<TenantContextFactory<InvoicingContext>>();
        var before = new Tenant(Guid.NewGuid(), "before", SchemaName.Parse("customer_before"));
        await using (var db = AsOwner(owner, before))
        {
            await db.GetService<IMigrator>().MigrateAsync(Ungranted, Ct);
        }

        await ScalarAsync(owner,
            $"INSERT INTO tenancy.schemas (schema, state, version) VALUES ('{before.Schema}', 'ready', " +
            $"'{CompiledMigrations.Fingerprint([Ungranted])}')");
        await using (var db = leases.Create(before))
        {
            Assert.Equal(
                "42501", (await Assert.ThrowsAsync<PostgresException>(() => db.Contacts.ToListAsync(Ct))).SqlState);
        }

        var report = await services.GetRequiredService<FleetMigrator>().RunAsync(new(), Ct);
        await using var scope = services.CreateAsyncScope();
        var after = (await scope.ServiceProvider.GetRequiredService<CustomerRegistry>()
            .CreateAsync("after", "After", ct: Ct)).AsTenant();

        Assert.Equal((1, 0), (report.Migrated, report.Failed.Count));
        foreach (var tenant in new[] { before, after })
        {
            await using var db = leases.Create(tenant);
            db.Invoices.Add(Invoices.New());
            await db.SaveChangesAsync(Ct);
            Assert.Equal("Euro", await Invoices.CurrencyAsync(db, Ct));
        }
    }

    [Fact]
    public async Task Both_migrations_can_be_taken_back_and_applied_again()
    {
        var (owner, tenants) = await DatabaseAsync();
        await using var services = Services(owner, tenants);
        await using var scope = services.CreateAsyncScope();
        var acme = (await scope.ServiceProvider.GetRequiredService<CustomerRegistry>()
            .CreateAsync("acme", "Acme", ct: Ct)).AsTenant();
        var leases = services.GetRequiredService<TenantContextFactory<InvoicingContext>>();
        await using var own = AsOwner(owner, acme);
        await using var shared = Shared(owner);

        await own.GetService<IMigrator>().MigrateAsync(Ungranted, Ct);
        await shared.GetService<IMigrator>().MigrateAsync(Roleless, Ct);

        Assert.Equal(0L,
            await ScalarAsync(owner,
                "SELECT count(*) FROM pg_shdepend WHERE refobjid = 'tenancy_api'::regrole AND dbid = (SELECT oid " +
                "FROM pg_database WHERE datname = current_database())"));
        await using (var db = leases.Create(acme))
        {
            Assert.Equal(
                "42501", (await Assert.ThrowsAsync<PostgresException>(() => db.Contacts.ToListAsync(Ct))).SqlState);
        }

        await shared.Database.MigrateAsync(Ct);
        await own.Database.MigrateAsync(Ct);
        await using var again = leases.Create(acme);
        Assert.Empty(await again.Contacts.ToListAsync(Ct));
    }

    [Fact]
    public async Task Migrations_of_two_databases_that_make_the_role_at_once_both_succeed_and_it_goes_with_the_last()
    {
        var role = new NpgsqlConnectionStringBuilder(app.Server.AsNewLogin(app.ConnectionString)).Username!;
        await using var one = NpgsqlDataSource.Create(app.ConnectionString);
        await using var other = NpgsqlDataSource.Create(await app.Server.ConnectionStringAsync(Ct));
        await using var first = await one.OpenConnectionAsync(Ct);
        await using var second = await other.OpenConnectionAsync(Ct);
        await using var uncommitted = await first.BeginTransactionAsync(Ct);
        await ExecuteAsync(first, Sql(migration => migration.CreateTenancyRole(role)));

        // It doesn't see the first's role, and waits for its end at the unique index.
        var waiting = ExecuteAsync(second, Sql(migration => migration.CreateTenancyRole(role)));
        while (await ScalarAsync(app.ConnectionString,
            $"SELECT wait_event_type FROM pg_stat_activity WHERE pid = {second.ProcessID}") is not "Lock")
        {
            Assert.False(waiting.IsCompleted);
        }

        await uncommitted.CommitAsync(Ct);
        await waiting;
        Assert.Equal(false,
            await ScalarAsync(app.ConnectionString, $"SELECT rolcanlogin FROM pg_roles WHERE rolname = '{role}'"));

        await ExecuteAsync(first, $"CREATE SCHEMA {role}; GRANT USAGE ON SCHEMA {role} TO {role}");
        await ExecuteAsync(second, Sql(migration => migration.DropTenancyRole(role)));
        Assert.Equal(
            1L, await ScalarAsync(app.ConnectionString, $"SELECT count(*) FROM pg_roles WHERE rolname = '{role}'"));
        await ExecuteAsync(first, $"DROP SCHEMA {role}");
        await ExecuteAsync(second, Sql(migration => migration.DropTenancyRole(role)));
        Assert.Equal(
            0L, await ScalarAsync(app.ConnectionString, $"SELECT count(*) FROM pg_roles WHERE rolname = '{role}'"));
    }

    [Fact]
    public async Task A_login_that_may_not_create_roles_is_told_what_an_administrator_has_to_run()
    {
        await using var serving = NpgsqlDataSource.Create(app.ServingConnectionString);
        await using var connection = await serving.OpenConnectionAsync(Ct);

        var refused = await Assert.ThrowsAsync<PostgresException>(() =>
            ExecuteAsync(connection, Sql(migration => migration.CreateTenancyRole("nobody_has_this_role"))));

        Assert.Equal("42501", refused.SqlState);
        Assert.Contains("CREATE ROLE \"nobody_has_this_role\" NOLOGIN;", refused.MessageText, StringComparison.Ordinal);
        Assert.Contains("CREATEROLE", refused.MessageText, StringComparison.Ordinal);
    }

    private async Task<(string Owner, string Tenants)> DatabaseAsync()
    {
        var owner = await app.Server.ConnectionStringAsync(Ct);
        await using var shared = Shared(owner);
        await shared.Database.MigrateAsync(Ct);
        return (owner, await app.Server.AddTenantsLoginAsync(owner, Ct));
    }

    private static ServiceProvider Services(string owner, string tenants) => new ServiceCollection().AddLogging()
        .AddData(App.Configuration(owner, tenants))
        .BuildServiceProvider();

    private static CustomersContext Shared(string owner) =>
        new(new DbContextOptionsBuilder<CustomersContext>().UseNpgsql(owner, CustomersContext.History).Options);

    private static InvoicingContext AsOwner(string owner, Tenant tenant)
    {
        var options = new DbContextOptionsBuilder<InvoicingContext>();
        options.UseNpgsql(owner).UseTenancy();
        return new InvoicingContext(options.Options).For(tenant);
    }

    private static string Sql(Action<MigrationBuilder> step)
    {
        var migration = new MigrationBuilder("Npgsql");
        step(migration);
        return Assert.IsType<SqlOperation>(Assert.Single(migration.Operations)).Sql;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private static async Task<object?> ScalarAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }
}
