using System.Net;
using System.Net.Http.Json;
using System.Text;
using Data.Invoicing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy;
using Tests.Integration.Fleet;
using Tests.Integration.Invoicing;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Roles;

/// <summary>A role for each tenant: the switch travels with each statement, and the server holds the wall.</summary>
public sealed class TenantRolesTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_way_of_EFs_runs_as_the_tenants_role_and_says_what_it_says_without()
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server);
        var acme = await fleet.NewAsync("acme");
        await using var db = fleet.For(acme);

        Assert.Equal(fleet.RoleOf(acme),
            await db.Database.SqlQuery<string>($"SELECT current_user::text AS \"Value\"").SingleAsync(Ct));
        var contacts = Enumerable.Range(0, 5).Select(NewContact).ToList();
        db.AddRange(contacts);
        Assert.Equal(5, await db.SaveChangesAsync(Ct));
        contacts[1].Name = "changed";
        db.Remove(contacts[0]);
        db.Add(NewContact(9));
        Assert.Equal(3, db.SaveChanges());
        var all = new List<string>();
        await foreach (var contact in db.Contacts.AsNoTracking().OrderBy(c => c.Name).AsAsyncEnumerable())
        {
            all.Add(contact.Name);
        }

        Assert.Equal(["2", "3", "4", "9", "changed"], all);
        Assert.Equal(all, db.Contacts.OrderBy(c => c.Name).Select(c => c.Name));
        Assert.Equal(5, await db.Contacts.CountAsync(Ct));
        Assert.Equal(1, await db.Contacts.Where(c => c.Name == "2").ExecuteUpdateAsync(
            set => set.SetProperty(c => c.Email, "new"), Ct));
        Assert.Equal(4, db.Database.ExecuteSql(
            $"UPDATE \"__Tenant__\".contacts SET email = 'x' || name WHERE name <> {"2"}"));
        Assert.Equal(5, await db.Contacts.ExecuteDeleteAsync(Ct));
        Assert.NotEmpty(await db.Currencies.ToListAsync(Ct));
        db.Add(Invoices.New());
        await db.SaveChangesAsync(Ct);
        Assert.Single((await db.Invoices.Include(i => i.Lines).AsNoTracking().SingleAsync(Ct)).Lines);
        Assert.Single(await db.Invoices.AsSplitQuery().Include(i => i.Lines).AsNoTracking().ToListAsync(Ct));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_row_that_is_gone_is_that_rows_conflict_wherever_it_stands_in_the_batch(bool async)
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server);
        var acme = await fleet.NewAsync("acme");
        for (var gone = 0; gone < 4; gone++)
        {
            await using var db = fleet.For(acme);
            var contacts = Enumerable.Range(10 * gone, 4).Select(NewContact).OrderBy(c => c.Id).ToList();
            db.AddRange(contacts);
            await db.SaveChangesAsync(Ct);
            await fleet.OwnerAsync($"DELETE FROM {acme.Schema.Qualify("contacts")} WHERE id = '{contacts[gone].Id}'");
            contacts.ForEach(contact => contact.Name += " changed");

            var conflict = async
                ? await Assert.ThrowsAsync<DbUpdateConcurrencyException>(() => db.SaveChangesAsync(Ct))
                : Assert.Throws<DbUpdateConcurrencyException>(() => db.SaveChanges());

            Assert.Same(contacts[gone], Assert.Single(conflict.Entries).Entity);
        }
    }

    [Fact]
    public async Task A_violated_constraint_is_the_provider_s_exception_with_its_entry()
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server);
        await using var db = fleet.For(await fleet.NewAsync("acme"));
        db.Add(NewContact(1));
        await db.SaveChangesAsync(Ct);
        db.Add(NewContact(1));

        var error = await Assert.ThrowsAsync<DbUpdateException>(() => db.SaveChangesAsync(Ct));

        Assert.Equal(
            PostgresErrorCodes.UniqueViolation, Assert.IsType<PostgresException>(error.InnerException).SqlState);
        Assert.Single(error.Entries);
    }

    [Fact]
    public async Task The_login_has_no_rights_of_its_own_and_keeps_none_of_the_tenants()
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server,
            options => options.TenantConnectionString += ";Maximum Pool Size=1");
        var acme = await fleet.NewAsync("acme");
        await using (var db = fleet.For(acme))
        {
            await using var transaction = await db.Database.BeginTransactionAsync(Ct);
            Assert.Empty(await db.Contacts.ToListAsync(Ct));
            await transaction.CreateSavepointAsync("here", Ct);
            Assert.Empty(await db.Invoices.ToListAsync(Ct));
            await transaction.RollbackToSavepointAsync("here", Ct);
            Assert.Empty(await db.Invoices.ToListAsync(Ct));
            await transaction.CommitAsync(Ct);
            Assert.Empty(await db.Contacts.ToListAsync(Ct));
            await db.Database.OpenConnectionAsync(Ct);
            await using var bare = db.Database.GetDbConnection().CreateCommand();
            bare.CommandText = "SELECT current_user = session_user";
            Assert.Equal(true, await bare.ExecuteScalarAsync(Ct));
            bare.CommandText = $"SELECT count(*) FROM {acme.Schema.Qualify("contacts")}";
            await RefusedAsync(() => bare.ExecuteScalarAsync(Ct));
            bare.CommandText = "SELECT count(*) FROM public.currencies";
            await RefusedAsync(() => bare.ExecuteScalarAsync(Ct));
        }

        await using var connection = await fleet.Login.OpenConnectionAsync(Ct);
        await using var stamped = connection.CreateTenantCommand(acme, "SELECT count(*) FROM \"__Tenant__\".contacts");
        await RefusedAsync(() => stamped.ExecuteScalarAsync(Ct));
    }

    [Theory]
    [InlineData("SELECT l.id FROM \"__Tenant__\".invoice_lines l JOIN \"__Tenant__\".contacts OTHER ON CASE WHEN true " +
        "THEN true END, OTHER.contacts")]
    [InlineData("SELECT * FROM OTHER.contacts")]
    [InlineData("INSERT INTO OTHER.contacts SELECT * FROM \"__Tenant__\".contacts")]
    [InlineData("UPDATE OTHER.invoices SET paid_on = NULL")]
    [InlineData("DELETE FROM OTHER.invoices")]
    [InlineData("TRUNCATE OTHER.invoices")]
    [InlineData("SELECT query_to_xml('SELECT name FROM OTHER.contacts', true, false, '')")]
    [InlineData("SELECT * FROM ts_stat('SELECT to_tsvector(name) FROM OTHER.contacts')")]
    [InlineData("SELECT name FROM public.customers")]
    [InlineData("SELECT * FROM tenancy.schemas")]
    [InlineData("UPDATE public.currencies SET decimals = 0")]
    [InlineData("DELETE FROM \"__Tenant__\".\"__EFMigrationsHistory\"")]
    [InlineData("ALTER TABLE \"__Tenant__\".contacts ADD x int")]
    [InlineData("CREATE TABLE \"__Tenant__\".mine ()")]
    [InlineData("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = session_user AND pid <> " +
        "pg_backend_pid()")]
    [InlineData("RESET ROLE; SELECT * FROM OTHER.contacts")]
    [InlineData("RESET ROLE; SELECT * FROM \"__Tenant__\".contacts")]
    [InlineData("DO $$ BEGIN EXECUTE 'SELECT * FROM OTHER.contacts'; END $$")]
    public async Task Without_the_guard_the_server_refuses(string attack)
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server, options => options.Unguarded = true);
        var acme = await fleet.NewAsync("acme");
        var globex = await fleet.NewAsync("globex");
        await using (var victim = fleet.For(globex))
        {
            victim.Add(NewContact(1));
            await victim.SaveChangesAsync(Ct);
            // An idle backend of the login's.
            await using var idle = await fleet.Login.OpenConnectionAsync(Ct);
        }

        await using var db = fleet.For(acme);
        db.Add(NewContact(1));
        await db.SaveChangesAsync(Ct);
        var sql = attack.Replace("OTHER", globex.Schema.Value, StringComparison.Ordinal);

        await RefusedAsync(() => db.Database.ExecuteSqlRawAsync(sql, Ct));
    }

    [Theory]
    [InlineData("SELECT count(*)::int AS \"Value\" FROM pg_stats WHERE schemaname LIKE 'customer%'")]
    [InlineData("SELECT count(*)::int AS \"Value\" FROM pg_stat_activity WHERE usename = session_user AND query LIKE " +
        "'%contacts%' AND pid <> pg_backend_pid()")]
    public async Task Without_the_guard_the_catalogs_show_nothing_of_others(string look)
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server, options => options.Unguarded = true);
        var (acme, globex) = (await fleet.NewAsync("acme"), await fleet.NewAsync("globex"));
        await using var victim = fleet.For(globex);
        victim.AddRange(Enumerable.Range(0, 50).Select(NewContact));
        await victim.SaveChangesAsync(Ct);
        await fleet.OwnerAsync($"ANALYZE {globex.Schema.Qualify("contacts")}");
        await using var open = await victim.Database.BeginTransactionAsync(Ct);
        Assert.Equal(50, await victim.Contacts.CountAsync(Ct));

        await using var db = fleet.For(acme);
        Assert.Equal(0, await db.Database.SqlQueryRaw<int>(look).SingleAsync(Ct));
    }

    [Fact]
    public async Task A_spare_brings_its_role_along_and_verify_finds_nothing()
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server, options => options.WarmPool = 1);
        var made = await fleet.NewAsync("made");
        await using (var connection = await fleet.Owner.OpenConnectionAsync(Ct))
        await using (var transaction = await connection.BeginTransactionAsync(Ct))
        {
            await fleet.Services.GetRequiredService<SchemaProvisioner>().CreateSpareAsync(transaction, Ct);
            await transaction.CommitAsync(Ct);
        }

        var given = await fleet.NewAsync("given");

        await using var db = fleet.For(given);
        db.Add(NewContact(1));
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
    public async Task Hand_written_commands_COPY_and_reading_across_tenants_switch_too()
    {
        await using var fleet = await RoleFleet.StartAsync(app.Server);
        var (acme, globex) = (await fleet.NewAsync("acme"), await fleet.NewAsync("globex"));
        await using (var db = fleet.For(acme))
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => db.CopyAsync([NewContact(1)], Ct));
            await using var transaction = await db.Database.BeginTransactionAsync(Ct);
            await db.CopyAsync([NewContact(1), NewContact(2)], Ct);
            await transaction.CommitAsync(Ct);
            const string Count = "SELECT count(*) FROM \"__Tenant__\".contacts WHERE name <> $1";
            Assert.Throws<InvalidOperationException>(() => db.CreateTenantCommand(Count));
            await using var another = await db.Database.BeginTransactionAsync(Ct);
            await db.SwitchToTenantRoleAsync(Ct);
            await using var count = db.CreateTenantCommand(Count);
            count.Parameters.AddWithValue("1");
            Assert.Equal(1L, await count.ExecuteScalarAsync(Ct));
        }

        await using var scope = fleet.Services.CreateAsyncScope();
        var across = scope.ServiceProvider.GetRequiredService<AcrossTenants<InvoicingContext>>();
        var rows = new Dictionary<string, int>();
        await foreach (var tenant in across.ReadAsync([acme, globex], db => db.Contacts.Select(c => c.Name), ct: Ct))
        {
            rows[tenant.Tenant.Slug] = tenant.Rows.Count;
        }

        Assert.Equal(new() { ["acme"] = 2, ["globex"] = 0 }, rows);
    }

    [Fact]
    public async Task Through_a_pooler_each_statement_is_its_own_tenants()
    {
        await using var bouncer = await PgBouncer.StartAsync(app.ConnectionString, Ct);
        await using var fleet = await RoleFleet.StartAsync(app.Server);
        var tenants = new List<Tenant>();
        for (var number = 0; number < 4; number++)
        {
            tenants.Add(await fleet.NewAsync($"t{number}"));
        }

        // The pooler knows the server's user alone, which may become any role.
        var pooled = new NpgsqlConnectionStringBuilder(bouncer.ConnectionString)
        {
            Database = new NpgsqlConnectionStringBuilder(fleet.Owner.ConnectionString).Database, MaxPoolSize = 12,
        }.ConnectionString;
        await using var services = new ServiceCollection().AddLogging().AddTenancy<InvoicingContext>(options =>
        {
            options.ConnectionString = fleet.Services.GetRequiredService<TenancyOptions>().TenantConnectionString!;
            options.TenantConnectionString = pooled;
            options.TenantRoles = new("unused");
        }).BuildServiceProvider();
        var contexts = services.GetRequiredService<TenantContextFactory<InvoicingContext>>();
        var roles = tenants.Select(fleet.RoleOf).ToList();

        await Task.WhenAll(Enumerable.Range(0, 12).Select(async worker =>
        {
            for (var turn = 0; turn < 20; turn++)
            {
                var at = (worker + turn) % tenants.Count;
                await using var db = contexts.Create(tenants[at]);
                Assert.Equal(roles[at],
                    await db.Database.SqlQuery<string>($"SELECT current_user::text AS \"Value\"").SingleAsync(Ct));
                db.Add(NewContact(1000 + 100 * worker + turn));
                await db.SaveChangesAsync(Ct);
            }
        }));

        await using var direct = NpgsqlDataSource.Create(pooled);
        for (var asked = 0; asked < 20; asked++)
        {
            await using var who = direct.CreateCommand("SELECT current_user = session_user");
            Assert.Equal(true, await who.ExecuteScalarAsync(Ct));
        }
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
        var database = await app.Server.ConnectionStringAsync(Ct);
        var login = app.Server.AsNewLogin(database);
        Assert.Equal(0, (await Job.RunWithLoginAsync(database, login)).ExitCode);
        var (code, output) = await Job.RunWithLoginAsync(database, login, ("Tenancy__TenantRoles", "true"));
        Assert.True(code == 0, output);
        await using var api = new WebApplicationFactory<Api.Paging>().WithWebHostBuilder(host => host
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
            using var import = new HttpRequestMessage(HttpMethod.Post, "/invoices/import")
            {
                Content = new StringContent(CsvFiles.Of(CsvFiles.Row("1"), CsvFiles.Row("2")), Encoding.UTF8, "text/csv"),
                Headers = { { "X-Customer", slug } },
            };
            using var imported = await http.SendAsync(import, Ct);
            Assert.Equal(HttpStatusCode.OK, imported.StatusCode);
        }

        using var report = await http.GetAsync("/reports/receivables", Ct);
        Assert.Equal(HttpStatusCode.OK, report.StatusCode);
        using var health = await http.GetAsync("/health", Ct);
        Assert.NotEqual(HttpStatusCode.ServiceUnavailable, health.StatusCode);
        await using var direct = NpgsqlDataSource.Create(login);
        await using var bare = direct.CreateCommand("SELECT count(*) FROM customer_acme.contacts");
        await RefusedAsync(() => bare.ExecuteScalarAsync(Ct));
        // Without the option the login has its rights again.
        Assert.Equal(0, (await Job.RunWithLoginAsync(database, login)).ExitCode);
        Assert.IsType<long>(await bare.ExecuteScalarAsync(Ct));
    }

    [Fact]
    public void Roles_need_a_login_that_is_not_the_owners()
    {
        var services = new ServiceCollection().AddLogging().AddTenancy<InvoicingContext>(options =>
        {
            options.ConnectionString = "Host=localhost;Username=owner";
            options.TenantConnectionString = "Host=localhost;Username=owner;Maximum Pool Size=3";
            options.TenantRoles = new("shared");
        }).BuildServiceProvider();

        var error = Assert.ThrowsAny<Exception>(services.GetRequiredService<TenancyOptions>);

        Assert.Contains("TenantConnectionString, with another user name", error.Message, StringComparison.Ordinal);
    }

    private static async Task RefusedAsync(Func<Task> act) => Assert.Equal(
        PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(act)).SqlState);

    private static Contact NewContact(int number) => new()
    {
        Id = Guid.CreateVersion7(), Name = $"{number}", Email = $"{number}@example.com",
        CreatedAt = TimeProvider.System.GetUtcNow(),
    };
}
