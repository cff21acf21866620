using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Fleet;

public sealed class FleetMigratorTests(App app)
{
    private static readonly CompiledMigrations Old = TestFleet.Build("m1_a");
    private static readonly CompiledMigrations New = TestFleet.Build("m1_a", "m2_b", "m3_c");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Npgsql takes the body's semicolons for the ends of statements.</summary>
    [Fact]
    public async Task A_function_with_an_atomic_body_is_made_for_new_customers_and_old_ones()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var old = TestFleet.Build("m1_a");
        var build = TestFleet.Build(
            old.Migrations[0],
            TestFleet.Step(
                "m2_f",
                "CREATE FUNCTION \"__Tenant__\".f() RETURNS bigint LANGUAGE sql BEGIN ATOMIC SELECT 1; SELECT count(*) FROM " +
                "\"__Tenant__\".m1_a; END;",
                "DROP FUNCTION \"__Tenant__\".f()"));
        var schemas = await fleet.ProvisionAsync(old, 5);

        var report = await fleet.Migrator(build).RunAsync(new(), Ct);
        var made = Assert.Single(await fleet.ProvisionAsync(build, 1));

        Assert.Equal((5, 0), (report.Migrated, report.Failed.Count));
        foreach (var schema in schemas.Append(made))
        {
            Assert.Equal(0L, await fleet.ScalarAsync($"SELECT {schema.Qualify("f")}()"));
        }
    }

    [Fact]
    public async Task Every_schema_comes_to_the_builds_version_and_a_second_run_finds_nothing()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 12);

        var report = await fleet.Migrator(New).RunAsync(new(), Ct);
        var again = await fleet.Migrator(New).RunAsync(new(), Ct);

        Assert.Equal((12, 0), (report.Migrated, report.Failed.Count));
        Assert.Equal((0, 0), (again.Migrated, again.Failed.Count));
        foreach (var schema in schemas)
        {
            Assert.Equal("m1_a,m2_b,m3_c", await fleet.TablesAsync(schema));
            Assert.Equal((New.Target, "ready", 0, null), await fleet.LedgerAsync(schema));
        }
    }

    [Fact]
    public async Task One_broken_schema_stays_as_it_was_and_the_others_are_migrated()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 5);
        var broken = schemas[2];
        await fleet.ScalarAsync($"CREATE TABLE {broken.Qualify("m3_c")} (by_hand int)");

        var report = await fleet.Migrator(New).RunAsync(new(), Ct);

        Assert.Equal(4, report.Migrated);
        var failed = Assert.Single(report.Failed);
        Assert.Equal(broken, failed.Schema);
        Assert.StartsWith("m3_c: 42P07", failed.Error, StringComparison.Ordinal);
        // m2_b had succeeded and went back with the rest of its transaction.
        Assert.Equal("m1_a,m3_c", await fleet.TablesAsync(broken));
        Assert.Equal((Old.Target, "failed", 1, failed.Error), await fleet.LedgerAsync(broken));

        // Mended by hand, the next run takes only that one.
        await fleet.ScalarAsync($"DROP TABLE {broken.Qualify("m3_c")}");
        Assert.Equal((1, 0),
            await fleet.Migrator(New).RunAsync(new(), Ct) is var rerun
                ? (rerun.Migrated, rerun.Failed.Count)
                : default);
        Assert.Equal((New.Target, "ready", 0, null), await fleet.LedgerAsync(broken));
    }

    [Fact]
    public async Task A_migration_merged_late_is_noticed_and_applied()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schema = Assert.Single(await fleet.ProvisionAsync(TestFleet.Build("m1_a", "m3_c"), 1));

        var report = await fleet.Migrator(New).RunAsync(new(), Ct);

        Assert.Equal(1, report.Migrated);
        Assert.Equal("m1_a,m2_b,m3_c", await fleet.TablesAsync(schema));
    }

    [Fact]
    public async Task A_schema_ahead_of_the_build_is_left_as_it_is()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schema = Assert.Single(await fleet.ProvisionAsync(New, 1));

        var report = await fleet.Migrator(Old).RunAsync(new(), Ct);

        Assert.Empty(report.Failed);
        Assert.Equal("m1_a,m2_b,m3_c", await fleet.TablesAsync(schema));
        Assert.Equal((New.Target, "ready", 0, null), await fleet.LedgerAsync(schema));
        var (old, @new) = (new SchemaVersions(fleet.Database, Old), new SchemaVersions(fleet.Database, New));
        await old.LearnAsync([New.Target], Ct);
        Assert.Equal(
            (VersionStanding.Ahead, VersionStanding.Current), (old.StandingOf(New.Target), old.StandingOf(Old.Target)));
        Assert.Equal(VersionStanding.Behind, @new.StandingOf(Old.Target));
    }

    [Fact]
    public async Task Several_processes_share_the_work_and_do_nothing_twice()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 30);

        var reports = await Task.WhenAll(
            Enumerable.Range(0, 3).Select(_ => fleet.Migrator(New).RunAsync(new() { Workers = 2 }, Ct)));

        Assert.Equal(30, reports.Sum(report => report.Migrated));
        Assert.All(reports, report => Assert.Empty(report.Failed));
        foreach (var schema in schemas)
        {
            Assert.Equal("m1_a,m2_b,m3_c", await fleet.TablesAsync(schema));
        }
    }

    [Fact]
    public async Task A_lock_held_by_live_traffic_is_waited_for_in_short_spells_and_blames_nobody()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schema = Assert.Single(await fleet.ProvisionAsync(Old, 1));
        var alter = new CompiledMigrations(
            [.. Old.Migrations,
                new("m2_alter",
                    "ALTER TABLE \"__Tenant__\".m1_a ADD y int; INSERT INTO \"__Tenant__\".\"__EFMigrationsHistory\" " +
                    "VALUES ('m2_alter', '10');")],
            "", "__EFMigrationsHistory");
        await using var traffic = await fleet.Database.OpenConnectionAsync(Ct);
        var reading = await traffic.BeginTransactionAsync(Ct);
        await using (var read = new NpgsqlCommand($"SELECT count(*) FROM {schema.Qualify("m1_a")}", traffic))
        {
            await read.ExecuteScalarAsync(Ct);
        }

        var run = fleet.Migrator(alter).RunAsync(
            new() { LockTimeout = TimeSpan.FromMilliseconds(50), Attempts = 1000 }, Ct);
        // Each spell has its own moment at which it began to wait. In between, other traffic gets the lock.
        var spells = new HashSet<object>();
        await Eventually.HoldsAsync(async () =>
            await fleet.ScalarAsync(
                "SELECT min(waitstart) FROM pg_locks WHERE NOT granted AND database = (SELECT oid FROM pg_database " +
                "WHERE datname = current_database())") is DateTime began
                && spells.Add(began) && spells.Count == 3);
        Assert.False(run.IsCompleted);

        await reading.RollbackAsync(Ct);
        var report = await run;

        Assert.Equal((1, 0), (report.Migrated, report.Failed.Count));
        Assert.Equal((alter.Target, "ready", 0, null), await fleet.LedgerAsync(schema));
    }

    [Fact]
    public async Task Interrupted_at_any_moment_the_next_run_ends_the_work()
    {
        const int Customers = 20;
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, Customers);
        var build = TestFleet.Build(
            Old.Migrations[0],
            TestFleet.Step(
                "m2_b", "SELECT pg_sleep(0.01); CREATE TABLE \"__Tenant__\".m2_b (x int)",
                "DROP TABLE \"__Tenant__\".m2_b"));
        var random = new Random(TestSeed.Say());

        for (var round = 0; round < TestDepth.Of(normal: 4, full: 20); round++)
        {
            // One row is held, so that the run can't end by itself, however late the interruption comes.
            await using var holder = await fleet.Database.OpenConnectionAsync(Ct);
            await using var holding = await holder.BeginTransactionAsync(Ct);
            await using (var hold = new NpgsqlCommand(
                $"SELECT schema FROM tenancy.schemas WHERE schema = '{schemas[random.Next(Customers)]}' FOR UPDATE",
                holder))
            {
                await hold.ExecuteScalarAsync(Ct);
            }

            using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            var enough = random.Next(1, Customers / 2);
            var run = fleet.Migrator(build).RunAsync(new() { Workers = 2, Group = 2 }, interrupt.Token);
            await Eventually.HoldsAsync(async () => await DoneAsync() >= enough);
            await interrupt.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => run);
            await holding.RollbackAsync(Ct);

            // Whole or not at all: the ledger says what the catalog says.
            Assert.InRange(await DoneAsync(), enough, Customers - 1);
            foreach (var schema in schemas)
            {
                var expected = (await fleet.LedgerAsync(schema)).Version == build.Target ? "m1_a,m2_b" : "m1_a";
                Assert.Equal(expected, await fleet.TablesAsync(schema));
            }

            Assert.Empty((await fleet.Migrator(build).RunAsync(new(), Ct)).Failed);
            foreach (var schema in schemas)
            {
                Assert.Equal((build.Target, "ready", 0, null), await fleet.LedgerAsync(schema));
            }

            await fleet.Migrator(build).RunAsync(new() { Down = true, To = "m1_a" }, Ct);
        }

        async Task<long> DoneAsync() => (long)(await fleet.ScalarAsync(
            $"SELECT count(*) FROM tenancy.schemas WHERE version = '{build.Target}'"))!;
    }

    [Fact]
    public async Task A_backend_that_is_ended_fails_the_run_and_not_the_customer()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schema = Assert.Single(await fleet.ProvisionAsync(Old, 1));
        var suicidal = new CompiledMigrations(
            [.. Old.Migrations, new("m2_end", "SELECT pg_terminate_backend(pg_backend_pid());")], "",
            "__EFMigrationsHistory");

        await Assert.ThrowsAnyAsync<NpgsqlException>(() =>
            fleet.Migrator(suicidal).RunAsync(new() { Workers = 1, Patience = TimeSpan.FromSeconds(1) }, Ct));

        Assert.Equal((Old.Target, "ready", 0, null), await fleet.LedgerAsync(schema));
    }
}
