using Npgsql;
using Tenancy;
using Tenancy.Citus;
using Tenancy.Migrations;
using Tests.Integration.Citus;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>Many schemas in one transaction, and the guilty alone.</summary>
public sealed class GroupsTests(App app)
{
    private static readonly CompiledMigrations Old = TestFleet.Build("m1_a");
    private static readonly CompiledMigrations New = TestFleet.Build("m1_a", "m2_b");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_of_two_hundred_fails_and_only_that_one()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 200);
        var guilty = schemas[113];
        await fleet.ScalarAsync($"CREATE TABLE {guilty.Qualify("m2_b")} (by_hand int)");

        var report = await fleet.Migrator(New).RunAsync(new(), Ct);

        Assert.Equal((FleetOutcome.Done, 199), (report.Outcome, report.Migrated));
        Assert.Equal(guilty, Assert.Single(report.Failed).Schema);
        Assert.Equal(199L,
            await fleet.ScalarAsync(
                $"SELECT count(*) FROM tenancy.schemas WHERE version = '{New.Target}' AND state = 'ready' AND " +
                "last_error IS NULL"));
        Assert.Equal(200L, await fleet.ScalarAsync("SELECT count(*) FROM pg_class WHERE relname = 'm2_b'"));
        Assert.Equal((Old.Target, "failed", 1, Assert.Single(report.Failed).Error), await fleet.LedgerAsync(guilty));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public async Task Replicas_share_the_work_do_nothing_twice_and_try_a_broken_one_once(int replicas)
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 60);
        // No key keeps a second application out: it would be counted.
        var counting = TestFleet.Build(
            TestFleet.Step("m1_a", "CREATE TABLE \"__Tenant__\".m1_a (x int)"),
            TestFleet.Step("m2_count", "INSERT INTO \"__Tenant__\".m1_a VALUES (1)"));
        await fleet.ScalarAsync($"ALTER TABLE {schemas[31].Qualify("m1_a")} ADD CHECK (x <> 1)");
        var reports = await Task.WhenAll(
            Enumerable.Range(0, replicas)
                .Select(_ => fleet.Migrator(counting).RunAsync(new() { Workers = 2, Group = 5 }, Ct)));

        Assert.Equal(59, reports.Sum(report => report.Migrated));
        foreach (var schema in schemas)
        {
            Assert.Equal(schema == schemas[31] ? 0L : 1L,
                await fleet.ScalarAsync($"SELECT count(*) FROM {schema.Qualify("m1_a")}"));
        }

        Assert.Equal("failed", (await fleet.LedgerAsync(schemas[31])).State);
        // A run that began after the failure may have tried again; within one, and among those at the same time, it is
        // tried once.
        Assert.InRange((await fleet.LedgerAsync(schemas[31])).Attempts, 1, reports.Sum(report => report.Failed.Count));
    }

    [Fact]
    public async Task Customers_that_come_and_go_during_a_run_are_left_whole()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 40);
        var provisioner = new SchemaProvisioner(New, new(fleet.Database, New), new());

        var run = fleet.Migrator(New).RunAsync(new() { Workers = 2, Group = 3 }, Ct);
        foreach (var gone in schemas.Where((_, at) => at % 7 == 3))
        {
            await fleet.DropAsync(gone);
        }

        for (var i = 0; i < 5; i++)
        {
            await using var connection = await fleet.Database.OpenConnectionAsync(Ct);
            await using var transaction = await connection.BeginTransactionAsync(Ct);
            await provisioner.CreateAsync(
                transaction, await provisioner.ReserveAsync(transaction, $"new_{i}", ct: Ct), Ct);
            await transaction.CommitAsync(Ct);
        }

        Assert.Empty((await run).Failed);
        Assert.Empty((await fleet.Migrator(New).RunAsync(new(), Ct)).Failed);
        Assert.Equal(39L,
            await fleet.ScalarAsync(
                $"SELECT count(*) FROM tenancy.schemas WHERE state = 'ready' AND version = '{New.Target}'"));
        Assert.Equal(6L, await fleet.ScalarAsync("SELECT count(*) FROM tenancy.schemas WHERE state = 'dropping'"));
        Assert.Equal(39L, await fleet.ScalarAsync("SELECT count(*) FROM pg_class WHERE relname = 'm2_b'"));
    }

    [Fact]
    public async Task A_group_is_no_larger_than_the_servers_lock_table_allows()
    {
        Assert.SkipUnless(TestDepth.IsFull, "It makes thousands of tables: at full depth only.");
        CitusCluster.SkipOn("It fills the lock table with new tables, which take Citus seven times as long.");
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(Old, 10);
        var capacity = (int)(await fleet.ScalarAsync(
            "SELECT current_setting('max_locks_per_transaction')::int * (current_setting('max_connections')::int " +
            "+ current_setting('max_prepared_transactions')::int)"))!;
        // Some four locks for each table with its key and its toast table: of two workers, each may hold three schemas.
        var tables = string.Join(";\n",
            Enumerable.Range(0, capacity / 2 / 2 / 3 / 4 - 5)
                .Select(table => $"CREATE TABLE \"__Tenant__\".t{table} (id int PRIMARY KEY, name text)"));
        var large = TestFleet.Build(Old.Migrations[0], TestFleet.Step("m2_large", tables));

        // Time for all of them in one group.
        var report = await fleet.Migrator(large).RunAsync(new() { Workers = 2, GroupTime = TimeSpan.FromHours(1) }, Ct);

        Assert.Equal((10, 0), (report.Migrated, report.Failed.Count));
        // A group is a transaction, which each of its rows in the ledger names.
        Assert.Equal(3L, await fleet.ScalarAsync(
            "SELECT max(size) FROM (SELECT count(*) AS size FROM tenancy.schemas GROUP BY xmin) AS groups"));
    }

    [Fact]
    public async Task Locks_are_estimated_rather_too_high_than_too_low()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schema = Assert.Single(await fleet.ProvisionAsync(Old, 1));
        const string Sql = """
            CREATE TABLE "__Tenant__".parent (id int PRIMARY KEY, name text UNIQUE);
            CREATE TABLE "__Tenant__".child (id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY, parent int REFERENCES "__Tenant__".parent (id), note text);
            CREATE INDEX ix_child ON "__Tenant__".child (parent);
            ALTER TABLE "__Tenant__".m1_a ADD COLUMN y int;
            DROP TABLE "__Tenant__".m1_a;
            """;
        await using var connection = await fleet.Database.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await using var run = new NpgsqlCommand(MigrationSql.InTransaction(Sql).Script(schema), connection);
        await run.ExecuteNonQueryAsync(Ct);
        await using var count = new NpgsqlCommand(
            "SELECT count(DISTINCT (l.locktype, l.classid, l.objid, l.relation)) FROM pg_locks l WHERE l.pid = " +
            "pg_backend_pid() AND l.locktype IN ('relation', 'object') AND coalesce(l.relation, l.objid) >= 16384",
                connection);
        var taken = (long)(await count.ExecuteScalarAsync(Ct))!;

        var estimated = LockEstimate.Of(Sql) * (CitusCluster.IsConfigured ? CitusLimits.LocksPerEntry : 1);
        Assert.InRange(estimated, taken, 3 * taken);
    }
}
