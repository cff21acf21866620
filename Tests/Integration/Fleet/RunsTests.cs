using System.Diagnostics;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>A run is seen, and ended, from outside.</summary>
public sealed class RunsTests(App app)
{
    private static readonly CompiledMigrations Old = TestFleet.Build("m1_a");
    private static readonly CompiledMigrations New = TestFleet.Build("m1_a", "m2_b");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_run_says_who_asked_what_for_and_how_it_ended()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 5);
        await fleet.ScalarAsync($"CREATE TABLE {schemas[2].Qualify("m2_b")} (by_hand int)");

        var report = await fleet.Migrator(New).RunAsync(new(), Ct);

        var run = Assert.Single((await fleet.Reader(New).StatusAsync(Ct)).Runs);
        Assert.Equal((report.Run!.Value, "migrate", "m2_b", 5, 4, 1, 1, "done"),
            (run.Id, run.Kind, run.Target, run.Total, run.Migrated, run.Failed, run.Ring!.Value, run.Outcome));
        Assert.Equal($"{Environment.UserName}@{Environment.MachineName}", run.AskedBy);
        Assert.NotNull(run.EndedAt);
    }

    [Fact]
    public async Task With_nothing_pending_there_is_no_run()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(New, 3);

        Assert.Null((await fleet.Migrator(New).RunAsync(new(), Ct)).Run);
        // Nor when schemas are only ahead of the build.
        Assert.Null((await fleet.Migrator(Old).RunAsync(new(), Ct)).Run);
        Assert.Equal(0L, await fleet.ScalarAsync("SELECT count(*) FROM tenancy.runs"));
    }

    [Fact]
    public async Task Asked_to_halt_it_ends_after_the_groups_in_hand()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 8);
        // One row is held, so the run can't end by itself.
        await using var holder = await HoldAsync(fleet, schemas[7]);

        var run = fleet.Migrator(New).RunAsync(new() { Group = 3 }, Ct);
        await Eventually.HoldsAsync(async () => await fleet.Migrator(New).HaltAsync("a test", Ct) > 0);
        var report = await run;

        Assert.Equal((FleetOutcome.Halted, "a test"), (report.Outcome, report.Reason));
        Assert.Empty(report.Failed);
        Assert.Equal(Old.Target, (await fleet.LedgerAsync(schemas[7])).Version);
        Assert.Equal("halted", await fleet.ScalarAsync("SELECT outcome FROM tenancy.runs"));
    }

    [Fact]
    public async Task Told_to_stop_it_ends_after_the_groups_in_hand_and_says_so()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 4);
        await using var holder = await HoldAsync(fleet, schemas[3]);
        using var stop = new CancellationTokenSource();

        var run = fleet.Migrator(New).RunAsync(new() { Group = 1 }, null, stop.Token, Ct);
        await Eventually.HoldsAsync(async () => await fleet.ScalarAsync(
            $"SELECT count(*) FROM tenancy.schemas WHERE version = '{New.Target}'") is 3L);
        await stop.CancelAsync();
        var report = await run;

        Assert.Equal((FleetOutcome.Cancelled, 3), (report.Outcome, report.Migrated));
        Assert.Equal("cancelled", await fleet.ScalarAsync("SELECT outcome FROM tenancy.runs"));
    }

    [Fact]
    public async Task A_row_that_somebody_holds_for_too_long_fails_that_schema_alone_and_is_not_touched()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 4);
        await using var holder = await HoldAsync(fleet, schemas[1]);

        var report = await fleet.Migrator(New).RunAsync(new() { Patience = TimeSpan.FromMilliseconds(500) }, Ct);

        Assert.Equal(3, report.Migrated);
        Assert.Contains("locked by another session", Assert.Single(report.Failed).Error, StringComparison.Ordinal);
        Assert.Equal((Old.Target, "ready", 0, null), await fleet.LedgerAsync(schemas[1]));
    }

    [Fact]
    public async Task A_run_nobody_hears_of_any_more_is_silent_and_then_lost()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(Old, 1);
        await fleet.ScalarAsync("""
            INSERT INTO tenancy.runs (id, kind, asked_by, target, total, heartbeat_at)
            VALUES (gen_random_uuid(), 'migrate', 'somebody@elsewhere', 'm2_b', 9, clock_timestamp() - interval '2 minutes')
            """);

        Assert.Equal("silent", Assert.Single((await fleet.Reader(New).StatusAsync(Ct)).Runs).Outcome);
        Assert.Equal(0, await fleet.Migrator(New).HaltAsync("a test", Ct));
        await fleet.Migrator(New).RunAsync(new(), Ct);

        Assert.Equal(["done", "lost"], (await fleet.Reader(New).StatusAsync(Ct)).Runs.Select(run => run.Outcome));
    }

    [Fact]
    public async Task A_run_is_a_span_with_one_for_each_group_and_one_for_each_that_failed()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 6);
        await fleet.ScalarAsync($"CREATE TABLE {schemas[4].Qualify("m2_b")} (by_hand int)");
        using var spans = new Spans();

        await fleet.Migrator(New).RunAsync(new() { Workers = 1, Group = 3, GroupTime = TimeSpan.FromHours(1) }, Ct);

        var run = Assert.Single(spans.Of(TenancyTelemetry.MigrateFleet));
        Assert.Equal((5, 1), (run.GetTagItem(TenancyTelemetry.Migrated), run.GetTagItem(TenancyTelemetry.Failed)));
        var groups = spans.Of(TenancyTelemetry.MigrateGroup).Where(span => span.ParentSpanId == run.SpanId).ToList();
        // The first alone, three, the two that are left; and those two, because one fails, each alone.
        Assert.Equal([1, 1, 1, 2, 3], groups.Select(group => (int)group.GetTagItem(TenancyTelemetry.Schemas)!).Order());
        var failed = Assert.Single(spans.Of(TenancyTelemetry.MigrateFailed));
        Assert.Equal(ActivityStatusCode.Error, failed.Status);
        Assert.EndsWith(
            $"|{schemas[4]}", (string)failed.GetTagItem(TenancyTelemetry.Namespace)!, StringComparison.Ordinal);
        Assert.StartsWith("m2_b: 42P07", failed.StatusDescription, StringComparison.Ordinal);
    }

    private static async Task<NpgsqlConnection> HoldAsync(TestFleet fleet, SchemaName schema)
    {
        var connection = await fleet.Database.OpenConnectionAsync(Ct);
        await connection.BeginTransactionAsync(Ct);
        await using var hold = new NpgsqlCommand(
            $"SELECT schema FROM tenancy.schemas WHERE schema = '{schema}' FOR UPDATE", connection);
        await hold.ExecuteScalarAsync(Ct);
        return connection;
    }
}
