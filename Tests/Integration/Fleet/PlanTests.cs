using Npgsql;
using Tenancy;
using Tests.Integration.Citus;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>What is said before anything is done: plan, status and script; and the way back.</summary>
public sealed class PlanTests(App app)
{
    private static readonly CompiledMigrations Build = TestFleet.Build("m1_a", "m2_b", "m3_c");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_migration_merged_late_is_told_as_such_and_applied_and_nothing_else_is()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var late = Assert.Single(await fleet.ProvisionAsync(TestFleet.Build("m1_a", "m3_c"), 1));
        await fleet.ScalarAsync($"INSERT INTO {late.Qualify("m3_c")} VALUES (1)");

        var planned = Assert.Single(await fleet.Reader(Build).PlanAsync(new(), Ct));
        var group = Assert.Single((await fleet.Reader(Build).StatusAsync(Ct)).Groups);

        Assert.Equal(
            [new PlannedStep("m2_b", Late: true, OutsideTransaction: false, BreaksOlderBuilds: false)], planned.Steps);
        Assert.Equal(("m3_c", VersionStanding.Behind), (group.Last, group.Standing));
        Assert.Equal(["m2_b"], group.Late);

        await fleet.Migrator(Build).RunAsync(new(), Ct);
        Assert.Equal("m1_a,m2_b,m3_c", await fleet.TablesAsync(late));
        Assert.Equal(1L, await fleet.ScalarAsync($"SELECT count(*) FROM {late.Qualify("m3_c")}"));
        Assert.Equal((Build.Target, "ready", 0, null), await fleet.LedgerAsync(late));
        Assert.Empty(await fleet.Reader(Build).PlanAsync(new(), Ct));
    }

    [Fact]
    public async Task The_status_names_as_many_failures_as_were_asked_for_and_counts_all()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(TestFleet.Build("m1_a"), 4);
        foreach (var schema in schemas[1..])
        {
            await fleet.ScalarAsync($"CREATE TABLE {schema.Qualify("m2_b")} (by_hand int)");
        }

        await fleet.Migrator(Build).RunAsync(new() { Only = schemas[1..] }, Ct);

        var first = await fleet.Reader(Build).OverviewAsync(2, Ct);
        Assert.Equal([schemas[1].Value, schemas[2].Value], first.Failures.Select(failure => failure.Schema));
        Assert.Equal(3, first.Groups.Sum(group => group.Failed));
        Assert.Empty((await fleet.Reader(Build).OverviewAsync(0, Ct)).Failures);
        Assert.Equal(3, (await fleet.Reader(Build).StatusAsync(Ct)).Failures.Count);
    }

    [Fact]
    public async Task Plan_and_status_go_by_ring_and_version_and_change_nothing()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(TestFleet.Build("m1_a"), 4);
        await fleet.MoveAsync(schemas[0], 0);
        await fleet.Migrator(Build).RunAsync(new() { Only = [schemas[1]], To = "m2_b" }, Ct);
        await fleet.Migrator(Build).RunAsync(new() { Only = [schemas[2]] }, Ct);

        var plan = await fleet.Reader(Build).PlanAsync(new(), Ct);
        var status = await fleet.Reader(Build).StatusAsync(Ct);

        Assert.Equal(
            [(0, "m1_a", "m2_b,m3_c", schemas[0]), (1, "m1_a", "m2_b,m3_c", schemas[3]),
                (1, "m2_b", "m3_c", schemas[1])],
            plan.Select(group =>
                (group.Ring, group.Last, string.Join(',', group.Steps.Select(step => step.Migration)),
                    Assert.Single(group.Schemas))).OrderBy(group => group.Item1).ThenBy(group => group.Item2));
        Assert.Equal((4, 3), (status.Total, status.Behind));
        Assert.Equal(
            [schemas[0].Value, schemas[1].Value, schemas[3].Value], status.Laggards.Select(laggard => laggard.Schema));
        Assert.Equal("m1_a", await fleet.TablesAsync(schemas[3]));
    }

    [Fact]
    public async Task The_script_does_by_hand_what_a_run_does()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schema = Assert.Single(await fleet.ProvisionAsync(TestFleet.Build("m1_a"), 1));

        var script = await fleet.Reader(Build).ScriptAsync(schema, new(), Ct);
        await fleet.ScalarAsync(script);

        Assert.Equal("m1_a,m2_b,m3_c", await fleet.TablesAsync(schema));
        Assert.Equal((Build.Target, "ready", 0, null), await fleet.LedgerAsync(schema));
        Assert.Equal("", await fleet.Reader(Build).ScriptAsync(schema, new(), Ct));
    }

    [Fact]
    public async Task The_script_makes_what_the_owner_has_whoever_runs_it()
    {
        CitusCluster.SkipOn("Citus logs in to its nodes as the role that a statement runs as: this one has no login.");
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schema = Assert.Single(await fleet.ProvisionAsync(TestFleet.Build("m1_a"), 1));
        var owner = $"owner_{Guid.NewGuid():n}";
        await fleet.ScalarAsync(
            $"CREATE ROLE {owner}; ALTER SCHEMA {schema.Quoted} OWNER TO {owner}; " +
            $"GRANT USAGE ON SCHEMA tenancy TO {owner}; GRANT ALL ON ALL TABLES IN SCHEMA tenancy TO {owner}; " +
            $"GRANT ALL ON {schema.Qualify("__EFMigrationsHistory")} TO {owner}");

        await fleet.ScalarAsync(await fleet.Reader(Build).ScriptAsync(schema, new(), Ct));

        Assert.Equal(owner, await fleet.ScalarAsync(
            $"SELECT tableowner::text FROM pg_tables WHERE schemaname = '{schema}' AND tablename = 'm2_b'"));
    }

    [Fact]
    public async Task Down_takes_the_newest_back_first_and_up_brings_them_again()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Build, 25);

        var down = await fleet.Migrator(Build).RunAsync(new() { Down = true, To = "m1_a" }, Ct);

        Assert.Equal((25, 0), (down.Migrated, down.Failed.Count));
        Assert.Equal("m1_a", await fleet.TablesAsync(schemas[24]));
        Assert.Equal((TestFleet.Build("m1_a").Target, "ready", 0, null), await fleet.LedgerAsync(schemas[0]));
        Assert.Equal(0, (await fleet.Migrator(Build).RunAsync(new() { Down = true, To = "m1_a" }, Ct)).Migrated);

        Assert.Equal(25, (await fleet.Migrator(Build).RunAsync(new(), Ct)).Migrated);
        Assert.Equal("m1_a,m2_b,m3_c", await fleet.TablesAsync(schemas[13]));
    }

    [Fact]
    public async Task What_the_build_does_not_know_it_does_not_take_back()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var ahead = Assert.Single(await fleet.ProvisionAsync(TestFleet.Build("m1_a", "m2_b", "m3_c", "m4_newer"), 1));

        var report = await fleet.Migrator(Build).RunAsync(new() { Down = true, To = "m1_a" }, Ct);

        Assert.Contains(
            "m4_newer, which this build doesn't know", Assert.Single(report.Failed).Error, StringComparison.Ordinal);
        Assert.Equal("m1_a,m2_b,m3_c,m4_newer", await fleet.TablesAsync(ahead));
        // It has all its migrations: whoever served it goes on, and no retry would have anything to do.
        Assert.Equal("ready", (await fleet.LedgerAsync(ahead)).State);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task While_a_run_goes_the_other_way_nothing_is_done(bool down)
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var build = down ? Build : TestFleet.Build("m1_a");
        await fleet.ProvisionAsync(build, 1);
        var plan = down ? new FleetPlan { Down = true, To = "m1_a" } : new FleetPlan();
        await fleet.ScalarAsync(
            "INSERT INTO tenancy.runs (id, kind, asked_by, target, total) VALUES " +
            $"(gen_random_uuid(), '{(down ? "migrate" : "down")}', 'another', '', 0)");

        var report = await fleet.Migrator(Build).RunAsync(plan, Ct);

        Assert.Equal((FleetOutcome.Halted, 0, 0), (report.Outcome, report.Migrated, report.Failed.Count));
        Assert.StartsWith("another run ", report.Reason, StringComparison.Ordinal);
        await fleet.ScalarAsync("UPDATE tenancy.runs SET ended_at = clock_timestamp(), outcome = 'done' " +
            "WHERE asked_by = 'another'");
        Assert.Equal(1, (await fleet.Migrator(Build).RunAsync(plan, Ct)).Migrated);
    }

    [Fact]
    public async Task A_schema_whose_ledger_is_wrong_about_it_is_put_right_by_its_own_history()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Build, 3);
        await fleet.ScalarAsync($"UPDATE tenancy.schemas SET version = '' WHERE schema = '{schemas[1]}'");

        var report = await fleet.Migrator(Build).RunAsync(new(), Ct);

        Assert.Equal((1, 0), (report.Migrated, report.Failed.Count));
        Assert.Equal((Build.Target, "ready", 0, null), await fleet.LedgerAsync(schemas[1]));
    }

    [Fact]
    public async Task A_database_without_a_ledger_is_told_by_its_error()
    {
        await using var empty = NpgsqlDataSource.Create(await app.Server.ConnectionStringAsync(Ct));

        var error = await Assert.ThrowsAsync<PostgresException>(() =>
            new FleetReader(empty, Build, new(empty, Build)).StatusAsync(Ct));

        Assert.Equal(PostgresErrorCodes.UndefinedTable, error.SqlState);
    }
}
