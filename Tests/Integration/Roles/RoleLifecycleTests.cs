using System.Net;
using System.Net.Http.Json;
using System.Text;
using Microsoft.AspNetCore.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy;
using Tests.Integration.Fleet;
using Tests.Integration.Invoicing;
using Xunit;

namespace Tests.Integration.Roles;

/// <summary>Whoever makes, renames or drops a tenant's schema does so with its role.</summary>
public sealed class RoleLifecycleTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_spare_brings_its_role_along_and_verify_finds_nothing()
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server, options => options.WarmPool = 1);
        var made = await fleet.NewAsync("made");
        await fleet.NewSpareAsync();

        var given = await fleet.NewAsync("given");

        await using var db = fleet.For(given);
        db.Add(RoleFleet.NewContact(1));
        await db.SaveChangesAsync(Ct);
        Assert.Equal(0L, await fleet.OwnerAsync("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'spare%'"));
        var report = await fleet.Services.GetRequiredService<FleetVerifier>().VerifyAsync(ct: Ct);
        Assert.Equal(2, report.Checked);
        Assert.True(report.IsClean, report.ToString());
        await fleet.OwnerAsync($"REVOKE INSERT ON {made.Schema.Qualify("contacts")} FROM {fleet.RoleOf(made)}");
        var drifted = await fleet.Services.GetRequiredService<FleetVerifier>().VerifyAsync(ct: Ct);
        Assert.Contains("the tenant's role", Assert.Single(Assert.Single(drifted.Drifted).Differences),
            StringComparison.Ordinal);
    }

    /// <summary>During a deployment, or after the option was turned on, a build without it makes spares.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_spare_without_a_role_gets_one_as_it_is_given_away(bool another)
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server, options => options.WarmPool = 1);
        await fleet.NewSpareAsync();
        if (another)
        {
            // Left by a customer of that name, whom the other build has dropped.
            await fleet.OwnerAsync($"CREATE ROLE \"{fleet.Sql.Name(SchemaName.Parse("customer_given"))}\"");
        }
        else
        {
            await fleet.OwnerAsync(fleet.Sql.Drop(SchemaName.Parse(
                (string)(await fleet.OwnerAsync("SELECT schema FROM tenancy.schemas WHERE state = 'spare'"))!)));
        }

        var given = await fleet.NewAsync("given");

        await using var db = fleet.For(given);
        db.Add(RoleFleet.NewContact(1));
        await db.SaveChangesAsync(Ct);
        Assert.Equal(0L, await fleet.OwnerAsync("SELECT count(*) FROM tenancy.schemas WHERE state = 'spare'"));
        Assert.Equal(0L, await fleet.OwnerAsync("SELECT count(*) FROM pg_roles WHERE rolname LIKE 'spare%'"));
        var report = await fleet.Services.GetRequiredService<FleetVerifier>().VerifyAsync(ct: Ct);
        Assert.True(report.IsClean, report.ToString());
    }

    [Fact]
    public async Task A_customer_of_a_build_without_roles_gets_one_soon()
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server);
        var (late, old) = (await fleet.NewAsync("late"), await fleet.NewAsync("old"));
        await fleet.OwnerAsync(fleet.Sql.Drop(late.Schema));
        await fleet.OwnerAsync(fleet.Sql.Drop(old.Schema));
        // The job's, before this process started.
        await fleet.OwnerAsync(
            $"UPDATE tenancy.schemas SET created_at = now() - interval '1 hour' WHERE schema = '{old.Schema.Value}'");
        using var keeper = ActivatorUtilities.CreateInstance<LateTenantMigrator>(fleet.Services, TimeProvider.System);

        await keeper.MigrateAsync(Ct);

        await using var db = fleet.For(late);
        Assert.Empty(await db.Contacts.ToListAsync(Ct));
        Assert.Equal(1, await fleet.Services.GetRequiredService<TenantRoles>().EnsureAsync(Ct));
    }

    [Fact]
    public async Task Customers_of_before_get_their_roles_and_later_tables_are_theirs_and_a_dropped_one_leaves_nothing()
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server);
        var acme = await fleet.NewAsync("acme");
        var role = fleet.RoleOf(acme);
        await fleet.OwnerAsync(fleet.Sql.Drop(acme.Schema));
        await using (var without = fleet.For(acme))
        {
            await Assert.ThrowsAsync<PostgresException>(() => without.Contacts.ToListAsync(Ct));
        }

        Assert.Equal(1, await fleet.Services.GetRequiredService<TenantRoles>().EnsureAsync(Ct));
        Assert.Equal(0, await fleet.Services.GetRequiredService<TenantRoles>().EnsureAsync(Ct));
        await fleet.OwnerAsync(
            $"CREATE TABLE {acme.Schema.Qualify("later")} (id int GENERATED ALWAYS AS IDENTITY, n serial)");
        await using (var db = fleet.For(acme))
        {
            Assert.Empty(await db.Contacts.ToListAsync(Ct));
            Assert.Equal(1, await db.Database.ExecuteSqlAsync($"INSERT INTO \"__Tenant__\".later DEFAULT VALUES", Ct));
        }

        await using var connection = await fleet.Owner.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await fleet.Services.GetRequiredService<TenantRoles>().DropAsync(transaction, acme.Schema, Ct);
        await transaction.CommitAsync(Ct);
        Assert.Equal(0L, await fleet.OwnerAsync($"SELECT count(*) FROM pg_roles WHERE rolname = '{role}'"));
    }

    [Fact]
    public async Task An_owner_who_is_no_superuser_makes_and_drops_them()
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server);
        var owner = new NpgsqlConnectionStringBuilder(app.Server.AsNewLogin(fleet.Owner.ConnectionString));
        var (shared, login) = (fleet.Services.GetRequiredService<TenancyOptions>().TenantRoles!.Shared,
            new NpgsqlConnectionStringBuilder(fleet.Login.ConnectionString).Username);
        await fleet.OwnerAsync(
            $"CREATE ROLE {owner.Username} LOGIN CREATEROLE PASSWORD '{owner.Password}'; " +
            $"GRANT CREATE ON DATABASE {owner.Database} TO {owner.Username}; " +
            $"GRANT {shared} TO {owner.Username} WITH ADMIN OPTION");
        await using var source = NpgsqlDataSource.Create(owner.ConnectionString);
        var schema = SchemaName.Parse("customer_by_another");

        await using (var make = source.CreateCommand(
            $"CREATE SCHEMA {schema.Quoted}; CREATE TABLE {schema.Qualify("things")} (id serial); " +
            fleet.Sql.Create(schema, login!, "history")))
        {
            await make.ExecuteNonQueryAsync(Ct);
        }

        await using (var act = fleet.Login.CreateCommand(
            $"{fleet.Sql.Switch(schema)}INSERT INTO {schema.Qualify("things")} DEFAULT VALUES"))
        {
            Assert.Equal(1, await act.ExecuteNonQueryAsync(Ct));
        }

        await using var drop = source.CreateCommand(
            $"{fleet.Sql.Drop(schema)}DROP SCHEMA {schema.Quoted} CASCADE");
        await drop.ExecuteNonQueryAsync(Ct);
        await fleet.OwnerAsync($"DROP OWNED BY {owner.Username}");
    }

    [Fact]
    public async Task The_job_gives_the_customers_of_before_their_roles_and_the_api_serves_all_by_them()
    {
        Citus.CitusCluster.SkipOn(
            "Citus logs in to its nodes as the role of the moment, and a tenant's role can't log in.");
        var database = await app.Server.ConnectionStringAsync(Ct);
        var login = app.Server.AsNewLogin(database);
        Assert.Equal(0, (await Job.RunWithLoginAsync(database, login)).ExitCode);
        var (code, output) = await Job.RunWithLoginAsync(database, login, ("Tenancy:TenantRoles", "true"));
        Assert.True(code == 0, output);
        await using var api = new ApiFactory().WithWebHostBuilder(host => host
            .UseEnvironment("Development")
            .UseSetting("ConnectionStrings:tenants", database)
            .UseSetting("ConnectionStrings:tenantsApi", login)
            .UseSetting("Tenancy:TenantRoles", "true")
            .ConfigureLogging(logging => logging.ClearProviders()));
        using var http = api.CreateClient();
        using var created = await http.PostAsJsonAsync("/customers", new { slug = "later", name = "Later" }, Ct);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);

        foreach (var slug in new[] { "acme", "later" })
        {
            using var request = new HttpRequestMessage(HttpMethod.Get, "/invoices");
            request.Headers.Add("X-Customer", slug);
            using var answer = await http.SendAsync(request, Ct);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            foreach (var (key, isReplayed) in new[] { ("", false), ("one", false), ("one", true) })
            {
                using var import = new HttpRequestMessage(HttpMethod.Post, "/invoices/import")
                {
                    Content = new StringContent(
                        CsvFiles.Of(CsvFiles.Row("1"), CsvFiles.Row("2")), Encoding.UTF8, "text/csv"),
                    Headers = { { "X-Customer", slug } },
                };
                if (key.Length > 0)
                {
                    import.Headers.Add("Idempotency-Key", key);
                }

                using var imported = await http.SendAsync(import, Ct);
                Assert.Equal(HttpStatusCode.OK, imported.StatusCode);
                Assert.Equal(isReplayed, imported.Headers.Contains("Idempotent-Replayed"));
            }
        }

        using var report = await http.GetAsync("/reports/receivables", Ct);
        Assert.Equal(HttpStatusCode.OK, report.StatusCode);
        using var health = await http.GetAsync("/health", Ct);
        Assert.NotEqual(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        await using var direct = NpgsqlDataSource.Create(login);
        await using var bare = direct.CreateCommand("SELECT count(*) FROM customer_acme.contacts");
        await RoleFleet.RefusedAsync(() => bare.ExecuteScalarAsync(Ct));
        // Without the option the login has its rights again.
        Assert.Equal(0, (await Job.RunWithLoginAsync(database, login)).ExitCode);
        Assert.IsType<long>(await bare.ExecuteScalarAsync(Ct));
    }
}
