using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Doctor;

/// <summary>Faults that need a server with settings of its own.</summary>
public sealed class SmallServerTests(SmallServer server) : IClassFixture<SmallServer>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>
    /// The lock table has more room than the settings promise: this many tables fill it for certain.
    /// </summary>
    private const int Tables = 3000;

    [Fact]
    public async Task A_lock_table_too_small_for_a_dump_is_found_until_the_tables_are_gone()
    {
        var database = await server.DatabaseAsync();
        Assert.Equal(DoctorVerdict.Ok, (await database.FindAsync("dump-locks")).Verdict);
        Assert.Equal((0, ""), await Dump.RunAsync(database));

        await database.ExecuteAsync(
            $"DO $$ BEGIN FOR i IN 1..{Tables} LOOP EXECUTE 'CREATE TABLE public.t_' || i || ' (x int)'; COMMIT; " +
            "END LOOP; END $$");
        var found = await database.FindAsync("dump-locks");
        var (code, error) = await Dump.RunAsync(database);
        await database.ExecuteAsync(
            $"DO $$ BEGIN FOR i IN 1..{Tables} LOOP EXECUTE 'DROP TABLE public.t_' || i; COMMIT; END LOOP; END $$");

        Assert.Equal((DoctorVerdict.Over, 200), (found.Verdict, found.Limit));
        Assert.True(found.Value > Tables);
        Assert.Contains("Set max_locks_per_transaction to 192 ", found.Advice, StringComparison.Ordinal);
        Assert.NotEqual(0, code);
        Assert.Contains("out of shared memory", error, StringComparison.Ordinal);
        Assert.Equal(DoctorVerdict.Ok, (await database.FindAsync("dump-locks")).Verdict);
    }

    [Fact]
    public async Task A_lock_table_too_small_for_a_run_is_found()
    {
        var database = await server.DatabaseAsync();

        var found = await database.FindAsync("run-locks");

        Assert.Equal((DoctorVerdict.Over, 100), (found.Verdict, found.Limit));
        Assert.Contains("A group may have 1 of 50 schemas.", found.Says, StringComparison.Ordinal);
        Assert.Contains("max_locks_per_transaction", found.Advice, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_prepared_transaction_is_found_until_it_is_ended()
    {
        var database = await server.DatabaseAsync();
        database.Limits.TransactionAge = TimeSpan.Zero;
        Assert.Equal(DoctorVerdict.Ok, (await database.FindAsync("prepared-transaction")).Verdict);

        await database.ExecuteAsync("BEGIN", "CREATE TABLE public.p (x int)", "PREPARE TRANSACTION 'lost'");
        var found = await database.FindAsync("prepared-transaction");
        await database.ExecuteAsync("ROLLBACK PREPARED 'lost'");

        Assert.Equal(DoctorVerdict.Over, found.Verdict);
        Assert.StartsWith("'lost' of ", Assert.Single(found.Names), StringComparison.Ordinal);
        Assert.Equal(DoctorVerdict.Ok, (await database.FindAsync("prepared-transaction")).Verdict);
    }

    [Fact]
    public async Task A_slot_that_keeps_rows_is_found_until_it_is_dropped()
    {
        var database = await server.DatabaseAsync();
        database.Limits.ReplicationLag = 5;
        Assert.Equal(DoctorVerdict.Ok, (await database.FindAsync("replication")).Verdict);

        await database.ExecuteAsync("SELECT pg_create_logical_replication_slot('left', 'pgoutput')",
            "DO $$ BEGIN FOR i IN 1..10 LOOP PERFORM pg_current_xact_id(); COMMIT; END LOOP; END $$");
        var found = await database.FindAsync("replication");
        await database.ExecuteAsync("SELECT pg_drop_replication_slot('left')");

        Assert.Equal(["slot left (nobody uses it)"], found.Names);
        Assert.True(found is { Verdict: DoctorVerdict.Over, Value: >= 10 });
        Assert.Equal(DoctorVerdict.Ok, (await database.FindAsync("replication")).Verdict);
    }

    [Fact]
    public async Task Evictions_from_pg_stat_statements_are_found_until_its_statistics_are_reset()
    {
        var database = await server.DatabaseAsync();
        Assert.Contains("no pg_stat_statements", (await database.FindAsync("statement-evictions")).Says,
            StringComparison.Ordinal);
        await database.ExecuteAsync("CREATE SCHEMA \"Stats\"", "CREATE EXTENSION pg_stat_statements SCHEMA \"Stats\"",
            "SELECT \"Stats\".pg_stat_statements_reset()");

        // 400 statements that differ in their columns, for 100 places.
        await using (var connection = await database.OpenAsync())
        {
            foreach (var at in Enumerable.Range(1, 400))
            {
                await using var command = new NpgsqlCommand(
                    $"SELECT {string.Join(", ", Enumerable.Repeat("1", at))}", connection);
                await command.ExecuteNonQueryAsync(Ct);
            }
        }

        var found = await database.FindAsync("statement-evictions");
        Assert.Equal(DoctorVerdict.Over, found.Verdict);
        Assert.Contains("pg_stat_statements.max", found.Advice, StringComparison.Ordinal);

        database.Limits.StatementEvictionsPerHour = 1000;
        Assert.Equal(DoctorVerdict.Ok, (await database.FindAsync("statement-evictions")).Verdict);
    }
}
