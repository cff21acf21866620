using System.Data;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tests.Integration.Customers;
using Tests.Integration.Fleet;
using Xunit;

namespace Tests.Integration.Doctor;

/// <summary>What would block a run, or be blocked by it.</summary>
public sealed class SessionsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_transaction_that_stays_open_is_found_until_it_ends()
    {
        await using var database = await Examination.StartAsync(app);
        database.Limits.TransactionAge = TimeSpan.Zero;
        Assert.Equal(DoctorVerdict.Ok, (await database.FindAsync("old-transaction")).Verdict);

        await using var session = await database.OpenAsync("forgotten");
        await using (var transaction = await session.BeginTransactionAsync(IsolationLevel.RepeatableRead, Ct))
        {
            await using var read = new NpgsqlCommand("SELECT count(*) FROM pg_class", session);
            await read.ExecuteScalarAsync(Ct);
            var found = await database.FindAsync("old-transaction");
            database.Limits.TransactionAge = TimeSpan.FromHours(1);

            Assert.Equal(DoctorVerdict.Over, found.Verdict);
            Assert.Contains(
                $"pid {session.ProcessID} (forgotten)", Assert.Single(found.Names), StringComparison.Ordinal);
            Assert.Equal(DoctorVerdict.Ok, (await database.FindAsync("old-transaction")).Verdict);
        }

        database.Limits.TransactionAge = TimeSpan.Zero;
        Assert.Equal(DoctorVerdict.Ok, (await database.FindAsync("old-transaction")).Verdict);
    }

    [Fact]
    public async Task A_dump_is_found_until_it_ends_and_a_plan_and_a_run_warn_of_it()
    {
        await using var database = await Examination.StartAsync(app);
        await database.CreateAsync("one");
        // So that something is pending.
        await database.ExecuteAsync(
            $"UPDATE tenancy.schemas SET version = '{CompiledMigrations.Fingerprint([])}', state = 'ready'");
        Assert.Equal(DoctorVerdict.Ok, (await database.FindAsync("dump")).Verdict);

        await using var dump = await database.DumpAsync();
        var found = await database.FindAsync("dump");
        var (code, plan) = await Job.RunAsync(database.ConnectionString, "Production", "plan");
        var (_, run) = await Job.RunAsync(database.ConnectionString, "Production", "migrate", "--lock-timeout", "10");
        await dump.EndAsync();

        Assert.Equal((DoctorVerdict.Over, 1), (found.Verdict, found.Value));
        Assert.Contains("pg_dump", Assert.Single(found.Names), StringComparison.Ordinal);
        Assert.Equal(0, code);
        Assert.Contains("Dumps in progress (dump): over the limit", plan, StringComparison.Ordinal);
        Assert.Contains("A dump holds a lock on each table until it ends.", run, StringComparison.Ordinal);
        Assert.Equal(DoctorVerdict.Ok, (await database.FindAsync("dump")).Verdict);
    }

    [Fact]
    public async Task Reading_many_tenants_tables_in_one_transaction_is_a_dump_whatever_it_is_called()
    {
        await using var database = await Examination.StartAsync(app);
        await database.ExecuteAsync(
            """
            DO $$ BEGIN FOR i IN 1..20 LOOP
                EXECUTE format('CREATE SCHEMA t_%1$s; CREATE TABLE t_%1$s.a (x int); CREATE TABLE t_%1$s.b (x int)', i);
                INSERT INTO tenancy.schemas (schema, state) VALUES ('t_' || i, 'ready');
            END LOOP; END $$
            """);
        await using var session = await database.OpenAsync("a backup");
        await using var transaction = await session.BeginTransactionAsync(Ct);
        Assert.Equal(DoctorVerdict.Ok, await ReadAsync(19));
        Assert.Equal(DoctorVerdict.Over, await ReadAsync(20));
        Assert.Contains("40 tables of 20 tenants", (await database.FindAsync("dump")).Says, StringComparison.Ordinal);
        Assert.Equal(["dump", "old-transaction", "prepared-transaction", "replication"],
            (await database.Doctor.BlockersAsync(Ct)).Select(finding => finding.Id));

        async Task<DoctorVerdict> ReadAsync(int tenants)
        {
            await using var read = new NpgsqlCommand(
                string.Concat(Enumerable.Range(1, tenants).Select(at => $"TABLE t_{at}.a; TABLE t_{at}.b;")), session);
            await read.ExecuteNonQueryAsync(Ct);
            return (await database.FindAsync("dump")).Verdict;
        }
    }

    [Fact]
    public async Task A_login_that_may_not_see_the_others_says_so_and_what_to_grant()
    {
        await using var database = await Examination.StartAsync(app);
        await database.CreateAsync("one");
        var login = app.Server.AsNewLogin(database.ConnectionString);
        var (user, password) = (new NpgsqlConnectionStringBuilder(login).Username,
            new NpgsqlConnectionStringBuilder(login).Password);
        await database.ExecuteAsync(
            $"CREATE ROLE {user} LOGIN PASSWORD '{password}'; GRANT tenancy_registry TO {user}");
        await using var other = await database.OpenAsync("hidden");
        await using var transaction = await other.BeginTransactionAsync(Ct);
        await using (var read = new NpgsqlCommand("TABLE customer_one.invoices", other))
        {
            await read.ExecuteNonQueryAsync(Ct);
        }

        await using var application = CustomersDatabase.Over($"{login};Pooling=false");
        var doctor = application.GetRequiredService<TenancyDoctor>();
        var blind = (await doctor.ExamineAsync(Ct)).Findings;
        await database.ExecuteAsync($"GRANT pg_read_all_stats TO {user}");
        var seeing = (await doctor.ExamineAsync(Ct)).Findings;

        foreach (var id in (string[])["dump", "old-transaction"])
        {
            var unknown = Assert.Single(blind, finding => finding.Id == id);
            Assert.Equal((DoctorVerdict.Unknown, null), (unknown.Verdict, unknown.Value));
            Assert.Contains($"GRANT pg_read_all_stats TO \"{user}\"", unknown.Advice, StringComparison.Ordinal);
            Assert.Equal(DoctorVerdict.Ok, Assert.Single(seeing, finding => finding.Id == id).Verdict);
        }

        // Catalogs and registry are anybody's.
        Assert.Equal(["dump", "old-transaction"],
            blind.Where(finding => finding.Verdict == DoctorVerdict.Unknown).Select(finding => finding.Id));
    }
}
