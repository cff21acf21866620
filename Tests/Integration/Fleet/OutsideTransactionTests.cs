using Npgsql;
using Tenancy;
using Tests.Integration.Citus;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>Migrations that can't run in a transaction: nobody protects them but the ledger.</summary>
public sealed class OutsideTransactionTests(App app)
{
    private static readonly CompiledMigrations Old = TestFleet.Build("m1_a");

    private static readonly CompiledMigrations New = TestFleet.Build(
        Old.Migrations[0],
        TestFleet.Step("m2_b", "ALTER TABLE \"__Tenant__\".m1_a ADD y int", "ALTER TABLE \"__Tenant__\".m1_a DROP y"),
        TestFleet.Outside("m3_index", "CREATE UNIQUE INDEX CONCURRENTLY ix_x ON \"__Tenant__\".m1_a (x)",
            "DROP INDEX CONCURRENTLY \"__Tenant__\".ix_x"),
        TestFleet.Step("m4_d", "CREATE TABLE \"__Tenant__\".m4_d (x int)", "DROP TABLE \"__Tenant__\".m4_d"));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_comes_before_and_after_it_has_transactions_of_its_own()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 12);

        var report = await fleet.Migrator(New).RunAsync(new() { Group = 4 }, Ct);

        Assert.Equal((12, 0), (report.Migrated, report.Failed.Count));
        foreach (var schema in schemas)
        {
            Assert.Equal((New.Target, "ready", 0, null), await fleet.LedgerAsync(schema));
            Assert.Equal("m1_a,m4_d", await fleet.TablesAsync(schema));
            Assert.True(await IsValidAsync(fleet, schema));
        }

        Assert.Equal(0L, await fleet.ScalarAsync("SELECT count(*) FROM tenancy.schemas WHERE unfinished IS NOT NULL"));
    }

    [Fact]
    public async Task A_new_customer_has_it_in_the_one_transaction_of_all()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);

        var schema = Assert.Single(await fleet.ProvisionAsync(New, 1));

        Assert.True(await IsValidAsync(fleet, schema));
        Assert.Equal(4L, await fleet.ScalarAsync($"SELECT count(*) FROM {schema.Qualify("__EFMigrationsHistory")}"));
    }

    [Fact]
    public async Task One_that_failed_leaves_an_invalid_index_which_the_next_try_drops_first()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 3);
        await fleet.ScalarAsync($"INSERT INTO {schemas[1].Qualify("m1_a")} VALUES (1), (1)");

        var report = await fleet.Migrator(New).RunAsync(new(), Ct);

        Assert.Equal(2, report.Migrated);
        Assert.StartsWith("m3_index: 23505", Assert.Single(report.Failed).Error, StringComparison.Ordinal);
        Assert.False(await IsValidAsync(fleet, schemas[1]));
        Assert.Equal((TestFleet.Build([.. New.Migrations.Take(2)]).Target, "failed", 1, report.Failed[0].Error),
            await fleet.LedgerAsync(schemas[1]));
        Assert.Equal("m3_index", Assert.Single((await fleet.Reader(New).StatusAsync(Ct)).Failures).Unfinished);

        await fleet.ScalarAsync($"DELETE FROM {schemas[1].Qualify("m1_a")}");
        Assert.Equal(1, (await fleet.Migrator(New).RunAsync(new() { OnlyFailed = true }, Ct)).Migrated);
        Assert.True(await IsValidAsync(fleet, schemas[1]));
        Assert.Equal((New.Target, "ready", 0, null), await fleet.LedgerAsync(schemas[1]));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_that_was_killed_before_its_history_row_is_done_again(bool valid)
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schema = Assert.Single(await fleet.ProvisionAsync(Old, 1));
        await fleet.Migrator(New).RunAsync(new() { To = "m2_b" }, Ct);
        await fleet.ScalarAsync(
            $"CREATE INDEX ix_x ON {schema.Qualify("m1_a")} (y); UPDATE tenancy.schemas SET unfinished = 'm3_index'");
        if (!valid)
        {
            await fleet.ScalarAsync(
                $"UPDATE pg_index SET indisvalid = false WHERE indexrelid = '{schema.Qualify("ix_x")}'::regclass");
        }

        var report = await fleet.Migrator(New).RunAsync(new(), Ct);

        Assert.Equal((1, 0), (report.Migrated, report.Failed.Count));
        Assert.True(await IsValidAsync(fleet, schema));
        Assert.Equal(
            "x", await fleet.ScalarAsync($"SELECT pg_get_indexdef('{schema.Qualify("ix_x")}'::regclass, 1, true)"));
    }

    /// <summary>The claim's transaction waits without a statement while the index is built over another one.</summary>
    [Fact]
    public async Task Limits_of_the_database_do_not_end_a_run()
    {
        CitusCluster.SkipOn("Outside a transaction Citus' nodes have limits of their own (docs/citus.md).");
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 2);
        await fleet.ScalarAsync($"INSERT INTO {schemas[0].Qualify("m1_a")} VALUES (1)");
        await fleet.ScalarAsync(
            "CREATE FUNCTION public.slowly(x int) RETURNS int LANGUAGE plpgsql IMMUTABLE AS " +
            "'BEGIN PERFORM pg_sleep(1); RETURN x; END'");
        foreach (var limit in new[] { "idle_in_transaction_session_timeout", "statement_timeout", "lock_timeout" })
        {
            await fleet.ScalarAsync(
                $"DO $$ BEGIN EXECUTE format('ALTER DATABASE %I SET {limit} = 300', current_database()); END $$");
        }

        fleet.Database.Clear();
        var slow = TestFleet.Build(
            Old.Migrations[0],
            TestFleet.Outside(
                "m3_index", "CREATE INDEX CONCURRENTLY ix_x ON \"__Tenant__\".m1_a (public.slowly(x))",
                "DROP INDEX CONCURRENTLY \"__Tenant__\".ix_x"));

        var report = await fleet.Migrator(slow).RunAsync(new(), Ct);

        Assert.Equal((2, 0), (report.Migrated, report.Failed.Count));
    }

    [Fact]
    public async Task An_index_made_by_hand_is_never_dropped_for_one_that_begins()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schema = Assert.Single(await fleet.ProvisionAsync(Old, 1));
        await fleet.ScalarAsync($"CREATE INDEX ix_x ON {schema.Qualify("m1_a")} (x)");

        var report = await fleet.Migrator(New).RunAsync(new(), Ct);

        Assert.StartsWith("m3_index: 42P07", Assert.Single(report.Failed).Error, StringComparison.Ordinal);
        Assert.DoesNotContain("UNIQUE",
            (string)(await fleet.ScalarAsync($"SELECT pg_get_indexdef('{schema.Qualify("ix_x")}'::regclass)"))!,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task While_it_runs_nobody_else_may_have_the_schema()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schema = Assert.Single(await fleet.ProvisionAsync(Old, 1));
        await using var writer = await fleet.Database.OpenConnectionAsync(Ct);
        var writing = await writer.BeginTransactionAsync(Ct);
        await using (var insert = new NpgsqlCommand($"INSERT INTO {schema.Qualify("m1_a")} VALUES (7)", writer))
        {
            await insert.ExecuteNonQueryAsync(Ct);
        }

        // The step before waits for no writer, the index for all of them.
        await writing.CommitAsync(Ct);
        await fleet.Migrator(New).RunAsync(new() { To = "m2_b" }, Ct);
        var again = await writer.BeginTransactionAsync(Ct);
        await using (var insert = new NpgsqlCommand($"INSERT INTO {schema.Qualify("m1_a")} VALUES (8)", writer))
        {
            await insert.ExecuteNonQueryAsync(Ct);
        }

        var run = fleet.Migrator(New).RunAsync(new(), Ct);
        await Eventually.HoldsAsync(async () => await fleet.ScalarAsync(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND query LIKE 'CREATE UNIQUE " +
            "INDEX CONCURRENTLY%' AND wait_event_type = 'Lock'") is > 0L);

        Assert.Equal(DBNull.Value,
            await fleet.ScalarAsync("SELECT (SELECT schema FROM tenancy.schemas FOR UPDATE SKIP LOCKED)"));
        await again.CommitAsync(Ct);
        Assert.Equal((1, 0), (await run) is var report ? (report.Migrated, report.Failed.Count) : default);
    }

    [Fact]
    public async Task A_pool_that_can_not_hold_the_second_connections_is_refused_before_anything_is_begun()
    {
        await using var fleet = await TestFleet.StartAsync(
            await app.Server.ConnectionStringAsync(Ct) + ";Maximum Pool Size=8");
        var schema = Assert.Single(await fleet.ProvisionAsync(Old, 1));

        var refused = await Assert.ThrowsAsync<ArgumentException>(() =>
            fleet.Migrator(New).RunAsync(new() { Workers = 4 }, Ct));

        Assert.Contains(
            "need 9 connections for these migrations, and the pool has 8", refused.Message, StringComparison.Ordinal);
        Assert.Equal("m1_a", await fleet.TablesAsync(schema));
        Assert.Equal(1, (await fleet.Migrator(New).RunAsync(new() { Workers = 3 }, Ct)).Migrated);
    }

    [Fact]
    public async Task Down_and_up_again()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(New, 4);

        var down = await fleet.Migrator(New).RunAsync(new() { Down = true, To = "m1_a" }, Ct);

        Assert.Equal((4, 0), (down.Migrated, down.Failed.Count));
        foreach (var schema in schemas)
        {
            Assert.Equal((Old.Target, "ready", 0, null), await fleet.LedgerAsync(schema));
            Assert.Equal("m1_a", await fleet.TablesAsync(schema));
        }

        Assert.Equal(0L, await fleet.ScalarAsync("SELECT count(*) FROM pg_class WHERE relname = 'ix_x'"));
        Assert.Equal(4, (await fleet.Migrator(New).RunAsync(new(), Ct)).Migrated);
        Assert.True(await IsValidAsync(fleet, schemas[3]));
    }

    private static async Task<bool> IsValidAsync(TestFleet fleet, SchemaName schema) =>
        await fleet.ScalarAsync(
            "SELECT indisvalid AND indisunique FROM pg_index WHERE indexrelid = " +
            $"to_regclass('{schema.Qualify("ix_x")}')") is true;
}
