using Tenancy;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>How many schemas share a transaction, and as what their migrations are sent.</summary>
public sealed class GroupSizesTests(App app)
{
    private static readonly CompiledMigrations Old = TestFleet.Build("m1_a");
    private static readonly CompiledMigrations New = TestFleet.Build("m1_a", "m2_b");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_worker_begins_with_one_and_then_takes_as_many_as_its_time_lets_expect()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(Old, 30);

        Assert.Equal([1, 8, 8, 8, 5],
            await SizesAsync(fleet, New, new() { Workers = 1, Group = 8, GroupTime = TimeSpan.FromHours(1) }));
    }

    [Fact]
    public async Task What_takes_longer_than_a_group_may_last_is_migrated_one_by_one()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(Old, 7);

        Assert.Equal(Enumerable.Repeat(1, 7),
            await SizesAsync(fleet, New, new() { Workers = 1, GroupTime = TimeSpan.FromTicks(1) }));
    }

    [Fact]
    public async Task Towards_the_end_the_rest_is_shared()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(Old, 40);

        // 38 are left after one for each of the two: half of them is the most that one takes.
        Assert.All(await SizesAsync(fleet, New, new() { Workers = 2, GroupTime = TimeSpan.FromHours(1) }),
            size => Assert.InRange(size, 1, 19));
    }

    [Fact]
    public async Task A_statement_that_runs_only_by_itself_does_not_keep_a_group_from_being_migrated()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 12);
        var into = TestFleet.Build(
            Old.Migrations[0], TestFleet.Step("m2_into", "SELECT 1 AS x INTO \"__Tenant__\".copied"));

        var report = await fleet.Migrator(into)
            .RunAsync(new() { Workers = 1, Group = 4, GroupTime = TimeSpan.FromHours(1) }, Ct);

        Assert.Equal((12, 0), (report.Migrated, report.Failed.Count));
        Assert.Equal(
            (long)schemas.Count, await fleet.ScalarAsync("SELECT count(*) FROM pg_class WHERE relname = 'copied'"));
    }

    [Fact]
    public async Task A_migration_may_have_dollar_quotes_of_its_own()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 6);
        var quoted = TestFleet.Build(
            Old.Migrations[0],
            TestFleet.Step("m2_quoted",
                "CREATE TABLE \"__Tenant__\".quoted AS SELECT $statements$a $statements1$ 'b'$statements$ " +
                "|| $$c$$ AS x"));

        var sizes = await SizesAsync(fleet, quoted, new() { Workers = 1, GroupTime = TimeSpan.FromHours(1) });

        Assert.Equal([1, 5], sizes);
        Assert.Equal("a $statements1$ 'b'c", await fleet.ScalarAsync($"SELECT x FROM {schemas[5].Qualify("quoted")}"));
    }

    [Fact]
    public async Task With_a_limit_for_each_statement_each_is_sent_alone()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(Old, 6);
        // Five of these in one statement would take longer than one may.
        var slow = TestFleet.Build(Old.Migrations[0],
            TestFleet.Step("m2_slow", "CREATE TABLE \"__Tenant__\".slow AS SELECT 1 AS x FROM pg_sleep(0.3)"));

        var report = await fleet.Migrator(slow)
            .RunAsync(
                new() { Workers = 1, GroupTime = TimeSpan.FromHours(1), StatementTimeout = TimeSpan.FromSeconds(1.2) },
                Ct);

        Assert.Equal((6, 0), (report.Migrated, report.Failed.Count));
    }

    /// <summary>Of the groups that a run makes, in order.</summary>
    private static async Task<IReadOnlyList<int>> SizesAsync(TestFleet fleet, CompiledMigrations build, FleetPlan plan)
    {
        using var spans = new Spans();
        var report = await fleet.Migrator(build).RunAsync(plan, Ct);
        Assert.Empty(report.Failed);
        List<int> sizes = [.. spans.Of(TenancyTelemetry.MigrateGroup)
            .Select(group => (int)group.GetTagItem(TenancyTelemetry.Schemas)!)];
        Assert.Equal(report.Migrated, sizes.Sum());
        return sizes;
    }
}
