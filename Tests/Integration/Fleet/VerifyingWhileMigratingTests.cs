using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>A comparison while migrations are under way, by the fleet's run or by hand.</summary>
public sealed class VerifyingWhileMigratingTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_migration_begun_outside_a_transaction_is_waited_for()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schema = Assert.Single(await fleet.ProvisionAsync(DriftFleet.Old, 1));
        await fleet.ScalarAsync(
            $"ALTER TABLE {schema.Quoted}.a ADD y int; UPDATE tenancy.schemas SET unfinished = 'm2_y'");

        var report = await DriftFleet.Verifier(fleet, DriftFleet.New).VerifyAsync(ct: Ct);

        Assert.Empty(report.Drifted);
        Assert.Contains("m2_y", Assert.Single(report.Incomparable).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_is_accused_while_a_run_is_on()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(DriftFleet.Old, TestDepth.Of(normal: 40, full: 300));
        var verifier = new FleetVerifier(fleet.Database, DriftFleet.New, new(fleet.Database, DriftFleet.New), new(),
            TimeProvider.System) { Chunk = 10 };

        var run = fleet.Migrator(DriftFleet.New).RunAsync(new() { Workers = 2, Group = 1 }, Ct);
        var reports = new List<DriftReport>();
        while (!run.IsCompleted)
        {
            reports.Add(await verifier.VerifyAsync(new() { Workers = 2 }, Ct));
        }

        Assert.Empty((await run).Failed);
        reports.Add(await verifier.VerifyAsync(ct: Ct));
        Assert.All(reports, report => Assert.Equal([], report.Drifted.SelectMany(drift => drift.Differences)));
        Assert.Equal(reports[0].Checked, reports[^1].Checked);
    }

    [Fact]
    public async Task A_history_that_somebody_has_locked_keeps_one_schema_from_being_compared_and_no_other()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(DriftFleet.New, 3);
        await using var connection = await fleet.Database.OpenConnectionAsync(Ct);
        await using var migrating = await connection.BeginTransactionAsync(Ct);
        // What EF's own MigrateAsync does.
        await using var locks = new NpgsqlCommand(
            $"LOCK TABLE {schemas[1].Qualify("__EFMigrationsHistory")} IN ACCESS EXCLUSIVE MODE", connection);
        await locks.ExecuteNonQueryAsync(Ct);
        var verifier = new FleetVerifier(fleet.Database, DriftFleet.New, new(fleet.Database, DriftFleet.New), new(),
            TimeProvider.System) { LockTimeout = TimeSpan.FromMilliseconds(100) };

        var report = await verifier.VerifyAsync(ct: Ct);

        Assert.Equal((2, true), (report.Checked, report.IsClean));
        Assert.Equal(schemas[1], Assert.Single(report.Incomparable).Schema);
        Assert.Contains("55P03", report.Incomparable[0].Reason, StringComparison.Ordinal);
    }
}
