using Tenancy;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>Canaries first, and nobody else if they fail.</summary>
public sealed class RingsTests(App app)
{
    private static readonly CompiledMigrations Old = TestFleet.Build("m1_a");
    private static readonly CompiledMigrations New = TestFleet.Build("m1_a", "m2_b");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_ring_starts_when_the_one_before_is_done()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 9);
        for (var at = 0; at < 9; at++)
        {
            // The last by name go first.
            await fleet.MoveAsync(schemas[at], 2 - (at / 3));
        }

        var rings = new List<int>();
        var report = await fleet.Migrator(New)
            .RunAsync(
                new() { Group = 2 }, new Watcher(progress => rings.Add(progress.Ring)), CancellationToken.None, Ct);

        Assert.Equal(9, report.Migrated);
        Assert.Equal([0, 1, 2], rings.Distinct());
        Assert.Equal(rings.Order(), rings);
        Assert.True(
            await fleet.ScalarAsync(
                "SELECT max(migrated_at) FILTER (WHERE ring = 0) < min(migrated_at) FILTER (WHERE ring = 1) AND " +
                "max(migrated_at) FILTER (WHERE ring = 1) < min(migrated_at) FILTER (WHERE ring = 2) FROM " +
                "tenancy.schemas") is true);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_failure_in_ring_zero_halts_before_the_next_ring(bool isolate)
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 8);
        await fleet.MoveAsync(schemas[0], 0);
        await fleet.MoveAsync(schemas[1], 0);
        await fleet.ScalarAsync($"CREATE TABLE {schemas[0].Qualify("m2_b")} (by_hand int)");

        var report = await fleet.Migrator(New).RunAsync(new() { Isolate = isolate, Workers = 1 }, Ct);

        Assert.Equal(FleetOutcome.Halted, report.Outcome);
        Assert.Contains("ring 0", report.Reason, StringComparison.Ordinal);
        Assert.Equal(schemas[0], Assert.Single(report.Failed).Schema);
        Assert.Equal(isolate ? 1 : 0, report.Migrated);
        Assert.Equal(6L,
            await fleet.ScalarAsync(
                $"SELECT count(*) FROM tenancy.schemas WHERE ring = 1 AND version = '{Old.Target}' AND state = 'ready'"));
        Assert.Equal("halted", await fleet.ScalarAsync("SELECT outcome FROM tenancy.runs"));

        // Mended, the same command does the rest.
        await fleet.ScalarAsync($"DROP TABLE {schemas[0].Qualify("m2_b")}");
        Assert.Equal(FleetOutcome.Done, (await fleet.Migrator(New).RunAsync(new(), Ct)).Outcome);
        Assert.Equal(8L,
            await fleet.ScalarAsync(
                $"SELECT count(*) FROM tenancy.schemas WHERE version = '{New.Target}' AND state = 'ready'"));
    }

    [Fact]
    public async Task A_migration_that_is_wrong_for_everybody_halts_early()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(Old, 60);
        var wrong = TestFleet.Build(
            Old.Migrations[0], TestFleet.Step("m2_wrong", "ALTER TABLE \"__Tenant__\".nothing ADD y int"));

        var report = await fleet.Migrator(wrong).RunAsync(new() { Workers = 2, Group = 5 }, Ct);

        // One may fail in a ring of 60; two workers have one each in hand when the second has failed.
        Assert.Equal(FleetOutcome.Halted, report.Outcome);
        Assert.InRange(report.Failed.Count, 2, 3);
        Assert.Equal(report.Failed.Count,
            Convert.ToInt32(
                await fleet.ScalarAsync("SELECT count(*) FROM tenancy.schemas WHERE state = 'failed'"), null));
    }

    [Fact]
    public async Task Isolated_everybody_of_the_last_ring_is_tried()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 12);
        foreach (var broken in schemas.Where((_, at) => at % 3 == 0))
        {
            await fleet.ScalarAsync($"CREATE TABLE {broken.Qualify("m2_b")} (by_hand int)");
        }

        var report = await fleet.Migrator(New).RunAsync(new() { Isolate = true }, Ct);

        Assert.Equal((FleetOutcome.Done, 8, 4), (report.Outcome, report.Migrated, report.Failed.Count));
    }

    [Fact]
    public async Task One_ring_one_customer_and_the_failed_can_be_asked_for()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 6);
        await fleet.MoveAsync(schemas[5], 3);
        await fleet.ScalarAsync($"CREATE TABLE {schemas[2].Qualify("m2_b")} (by_hand int)");

        Assert.Equal(1, (await fleet.Migrator(New).RunAsync(new() { Ring = 3 }, Ct)).Migrated);
        Assert.Equal(1, (await fleet.Migrator(New).RunAsync(new() { Only = [schemas[1]] }, Ct)).Migrated);
        Assert.Single((await fleet.Migrator(New).RunAsync(new() { Only = [schemas[2]] }, Ct)).Failed);
        await fleet.ScalarAsync($"DROP TABLE {schemas[2].Qualify("m2_b")}");

        var retry = await fleet.Migrator(New).RunAsync(new() { OnlyFailed = true }, Ct);

        Assert.Equal((1, 0), (retry.Migrated, retry.Failed.Count));
        Assert.Equal(
            3L, await fleet.ScalarAsync($"SELECT count(*) FROM tenancy.schemas WHERE version = '{New.Target}'"));
        Assert.Equal("retry", await fleet.ScalarAsync("SELECT kind FROM tenancy.runs ORDER BY id DESC LIMIT 1"));
    }

    [Fact]
    public async Task Up_to_a_migration_and_no_further()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var build = TestFleet.Build("m1_a", "m2_b", "m3_c");
        var schemas = await fleet.ProvisionAsync(Old, 3);

        await fleet.Migrator(build).RunAsync(new() { To = "m2_b" }, Ct);
        var named = await Assert.ThrowsAsync<ArgumentException>(() =>
            fleet.Migrator(build).RunAsync(new() { To = "m4_d" }, Ct));

        Assert.Equal("m1_a,m2_b", await fleet.TablesAsync(schemas[0]));
        Assert.Contains("m3_c", named.Message, StringComparison.Ordinal);
    }

    /// <summary>Told at once, in order, unlike <see cref="Progress{T}"/>.</summary>
    private sealed class Watcher(Action<FleetProgress> told) : IProgress<FleetProgress>
    {
        private readonly Lock _lock = new();

        public void Report(FleetProgress value)
        {
            lock (_lock)
            {
                told(value);
            }
        }
    }
}
