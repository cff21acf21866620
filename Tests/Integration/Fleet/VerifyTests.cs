using Npgsql;
using Tenancy;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Fleet;

public sealed class VerifyTests(App app)
{
    private static readonly CompiledMigrations Old = DriftFleet.Migrations(("m1_a", "CREATE TABLE \"__Tenant__\".a (x int);"));
    private static readonly CompiledMigrations New = DriftFleet.Migrations(
        ("m1_a", "CREATE TABLE \"__Tenant__\".a (x int);"),
        ("m2_y", "ALTER TABLE \"__Tenant__\".a ADD y int;"),
        ("m3_z", "ALTER TABLE \"__Tenant__\".a ADD z int;"));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_fleet_as_the_migrations_made_it_is_clean_and_the_reference_leaves_nothing_behind()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(New, 7);
        var before = await SchemasAsync(fleet);
        var verifier = new FleetVerifier(fleet.Database, New, new(fleet.Database, New), new(), TimeProvider.System) { Chunk = 3 };

        var report = await verifier.VerifyAsync(new() { Workers = 2, Registered = _ => Names(schemas.Select(schema => schema.Value)) }, Ct);

        Assert.True(report.IsClean);
        Assert.Equal(7, report.Checked);
        Assert.Equal(before, await SchemasAsync(fleet));
    }

    [Fact]
    public async Task One_schema_that_differs_is_found_among_the_others()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(New, 7);
        await fleet.ScalarAsync($"ALTER TABLE {schemas[4].Quoted}.a ALTER x TYPE bigint");
        var verifier = new FleetVerifier(fleet.Database, New, new(fleet.Database, New), new(), TimeProvider.System) { Chunk = 3 };

        var report = await verifier.VerifyAsync(new() { Workers = 2 }, Ct);
        var others = await verifier.VerifyAsync(new() { Only = [.. schemas.Except([schemas[4]])] }, Ct);

        var drift = Assert.Single(report.Drifted);
        Assert.Equal(schemas[4], drift.Schema);
        Assert.Equal(["column a.x: type bigint, and the migrations make it integer"], drift.Differences);
        Assert.Equal((6, true), (others.Checked, others.IsClean));
    }

    [Fact]
    public async Task A_migration_merged_late_puts_its_column_elsewhere_which_is_no_drift()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(New.Only(new HashSet<string> { "m1_a", "m3_z" }), 4);
        Assert.Equal(4, (await fleet.Migrator(New).RunAsync(new(), Ct)).Migrated);
        Assert.Equal("x,z,y", await fleet.ScalarAsync($"SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = '{schemas[0]}.a'::regclass AND attnum > 0"));
        // Columns of the same type, so that a key by number would look the same in both.
        await fleet.ScalarAsync($"CREATE INDEX ix_a ON {schemas[1].Quoted}.a (y)");
        var build = DriftFleet.Migrations(
            ("m1_a", "CREATE TABLE \"__Tenant__\".a (x int);"), ("m2_y", "ALTER TABLE \"__Tenant__\".a ADD y int;"),
            ("m3_z", "ALTER TABLE \"__Tenant__\".a ADD z int; CREATE INDEX ix_a ON \"__Tenant__\".a (z);"));

        var clean = await DriftFleet.Verifier(fleet, New).VerifyAsync(new() { Only = [.. schemas.Except([schemas[1]])] }, Ct);
        var drifted = await DriftFleet.Verifier(fleet, build).VerifyAsync(new() { Only = [schemas[1]] }, Ct);

        Assert.Equal((3, true), (clean.Checked, clean.IsClean));
        Assert.Equal(["index ix_a of a: CREATE INDEX ix_a ON a USING btree (y), and the migrations make it CREATE INDEX ix_a ON a USING btree (z)"], Assert.Single(drifted.Drifted).Differences);
    }

    [Fact]
    public async Task A_schema_at_another_version_is_compared_with_that_versions_migrations()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var behind = Assert.Single(await fleet.ProvisionAsync(New.Only(new HashSet<string> { "m1_a", "m3_z" }), 1));
        var archived = Assert.Single(await fleet.ProvisionAsync(Old, 1));
        await fleet.ProvisionAsync(New, 1);
        await fleet.ScalarAsync($"UPDATE tenancy.schemas SET state = 'archived' WHERE schema = '{archived}'");

        var clean = await DriftFleet.Verifier(fleet, New).VerifyAsync(ct: Ct);
        await fleet.ScalarAsync($"ALTER TABLE {behind.Quoted}.a ADD y int; ALTER TABLE {archived.Quoted}.a ADD y int");
        var drifted = await DriftFleet.Verifier(fleet, New).VerifyAsync(ct: Ct);

        Assert.Equal((3, true), (clean.Checked, clean.IsClean));
        Assert.Equal([behind, archived], drifted.Drifted.Select(drift => drift.Schema));
        Assert.All(drifted.Drifted, drift => Assert.Equal(["column a.y is in no migration"], drift.Differences));
    }

    [Fact]
    public async Task A_schema_ahead_of_the_build_is_not_compared_and_the_report_says_so()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var ahead = Assert.Single(await fleet.ProvisionAsync(New, 1));

        var report = await DriftFleet.Verifier(fleet, Old).VerifyAsync(ct: Ct);

        Assert.True(report.IsClean);
        Assert.Equal(0, report.Checked);
        Assert.Equal([new(ahead, "it has m2_y, m3_z, which this build doesn't know")], report.Incomparable);
    }

    [Fact]
    public async Task A_migration_begun_outside_a_transaction_is_waited_for()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schema = Assert.Single(await fleet.ProvisionAsync(Old, 1));
        await fleet.ScalarAsync($"ALTER TABLE {schema.Quoted}.a ADD y int; UPDATE tenancy.schemas SET unfinished = 'm2_y'");

        var report = await DriftFleet.Verifier(fleet, New).VerifyAsync(ct: Ct);

        Assert.Empty(report.Drifted);
        Assert.Contains("m2_y", Assert.Single(report.Incomparable).Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_history_that_is_not_what_the_ledger_says_is_told_with_both()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 2);
        await fleet.ScalarAsync($"INSERT INTO {schemas[0].Quoted}.\"__EFMigrationsHistory\" VALUES ('m2_y', '10')");
        await fleet.ScalarAsync($"UPDATE tenancy.schemas SET version = 'unheard of' WHERE schema = '{schemas[1]}'");

        var report = await DriftFleet.Verifier(fleet, New).VerifyAsync(ct: Ct);

        Assert.Equal([schemas[0], schemas[1]], report.Drifted.Select(drift => drift.Schema));
        Assert.Equal([$"the ledger says version {Old.Target} (migrations m1_a), the schema's history has m1_a, m2_y"], report.Drifted[0].Differences);
        Assert.Equal(["the ledger says version unheard of (migrations unknown), the schema's history has m1_a"], report.Drifted[1].Differences);
    }

    [Fact]
    public async Task What_ledger_and_catalog_do_not_both_have_is_told()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 4);
        await fleet.ScalarAsync(
            $"""
            DROP SCHEMA {schemas[0].Quoted} CASCADE;
            DROP SCHEMA {schemas[1].Quoted} CASCADE; UPDATE tenancy.schemas SET state = 'dropping' WHERE schema = '{schemas[1]}';
            DROP TABLE {schemas[2].Quoted}.a; UPDATE tenancy.schemas SET state = 'provisioning' WHERE schema = '{schemas[2]}';
            DELETE FROM tenancy.schemas WHERE schema = '{schemas[3]}';
            CREATE SCHEMA shared; CREATE TABLE shared."__EFMigrationsHistory" (x int);
            CREATE SCHEMA unrelated;
            """);
        var options = new TenancyOptions();
        options.SharedSchemas.Add("shared");

        var report = await DriftFleet.Verifier(fleet, Old, options).VerifyAsync(ct: Ct);

        Assert.Equal(schemas[0], Assert.Single(report.Drifted).Schema);
        Assert.Equal(["the ledger says it is ready, and there is no such schema"], report.Drifted[0].Differences);
        Assert.Equal([schemas[3].Value], report.Strays);
        Assert.Equal(0, report.Checked);
    }

    [Fact]
    public async Task The_registry_is_compared_with_both()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(Old, 5);
        await fleet.ScalarAsync(
            $"""
            UPDATE tenancy.schemas SET state = 'spare' WHERE schema = '{schemas[2]}';
            UPDATE tenancy.schemas SET state = 'archived' WHERE schema = '{schemas[3]}';
            UPDATE tenancy.schemas SET state = 'suspended' WHERE schema = '{schemas[4]}';
            """);

        // Created after the registry's answer began, and so in neither list.
        var report = await DriftFleet.Verifier(fleet, Old).VerifyAsync(
            new() { Registered = async _ => [schemas[0].Value, "customer_gone", (await fleet.ProvisionAsync(Old, 1))[0].Value] }, Ct);

        Assert.Equal(["customer_gone"], report.Missing);
        Assert.Equal([schemas[1], schemas[4]], report.Unregistered);
        Assert.Empty(report.Drifted);
        Assert.False(report.IsClean);
    }

    [Fact]
    public async Task A_literal_that_looks_like_the_schemas_name_is_data()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var build = DriftFleet.Migrations(("m1_a", "CREATE TABLE \"__Tenant__\".a (x text CONSTRAINT ck_a CHECK (x <> 'c_000.a'));"));
        var schemas = await fleet.ProvisionAsync(build, 2);
        Assert.Equal("c_000", schemas[0].Value);

        var clean = await DriftFleet.Verifier(fleet, build).VerifyAsync(ct: Ct);
        await fleet.ScalarAsync("ALTER TABLE c_000.a DROP CONSTRAINT ck_a, ADD CONSTRAINT ck_a CHECK (x <> 'a')");
        await fleet.ScalarAsync("ALTER TABLE c_001.a DROP CONSTRAINT ck_a, ADD CONSTRAINT ck_a CHECK (x <> 'c_001.a')");
        var drifted = await DriftFleet.Verifier(fleet, build).VerifyAsync(ct: Ct);

        Assert.True(clean.IsClean);
        Assert.Equal(
            ["constraint ck_a of a: CHECK (x <> 'a'::text), and the migrations make it CHECK (x <> 'c_000.a'::text)",
             "constraint ck_a of a: CHECK (x <> 'c_001.a'::text), and the migrations make it CHECK (x <> 'c_000.a'::text)"],
            drifted.Drifted.SelectMany(drift => drift.Differences));
    }

    [Fact]
    public async Task A_name_that_two_tenants_use_is_each_ones_own()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(New, 2);
        await fleet.ScalarAsync($"CREATE VIEW {schemas[0].Quoted}.v AS SELECT x FROM {schemas[1].Quoted}.a");
        await fleet.ScalarAsync($"CREATE VIEW {schemas[1].Quoted}.v AS SELECT x FROM {schemas[1].Quoted}.a");
        var build = DriftFleet.Migrations(
            ("m1_a", "CREATE TABLE \"__Tenant__\".a (x int, y int, z int); CREATE VIEW \"__Tenant__\".v AS SELECT x FROM \"__Tenant__\".a;"),
            ("m2_y", "SELECT 1;"),
            ("m3_z", "SELECT 1;"));

        var report = await DriftFleet.Verifier(fleet, build).VerifyAsync(ct: Ct);

        Assert.Equal(schemas[0], Assert.Single(report.Drifted).Schema);
        Assert.Equal([$"view v: definition SELECT a.x FROM {schemas[1]}.a;, and the migrations make it SELECT a.x FROM a;"], report.Drifted[0].Differences);
    }

    [Fact]
    public async Task Nobody_is_accused_while_a_run_is_on()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(Old, TestDepth.Of(normal: 40, full: 300));
        var verifier = new FleetVerifier(fleet.Database, New, new(fleet.Database, New), new(), TimeProvider.System) { Chunk = 10 };

        var run = fleet.Migrator(New).RunAsync(new() { Workers = 2, Group = 1 }, Ct);
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
        var schemas = await fleet.ProvisionAsync(New, 3);
        await using var connection = await fleet.Database.OpenConnectionAsync(Ct);
        await using var migrating = await connection.BeginTransactionAsync(Ct);
        // What EF's own MigrateAsync does.
        await using var locks = new NpgsqlCommand($"LOCK TABLE {schemas[1].Qualify("__EFMigrationsHistory")} IN ACCESS EXCLUSIVE MODE", connection);
        await locks.ExecuteNonQueryAsync(Ct);
        var verifier = new FleetVerifier(fleet.Database, New, new(fleet.Database, New), new(), TimeProvider.System) { LockTimeout = TimeSpan.FromMilliseconds(100) };

        var report = await verifier.VerifyAsync(ct: Ct);

        Assert.Equal((2, true), (report.Checked, report.IsClean));
        Assert.Equal(schemas[1], Assert.Single(report.Incomparable).Schema);
        Assert.Contains("55P03", report.Incomparable[0].Reason, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_migration_that_fails_here_fails_the_comparison_and_leaves_nothing_behind()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(Old, 1);
        var before = await SchemasAsync(fleet);
        var broken = DriftFleet.Migrations(("m1_a", "CREATE TABLE \"__Tenant__\".a (x int); SELECT * FROM \"__Tenant__\".gone;"));

        var error = await Assert.ThrowsAsync<PostgresException>(() => DriftFleet.Verifier(fleet, broken).VerifyAsync(ct: Ct));

        Assert.Equal("42P01", error.SqlState);
        Assert.Equal(before, await SchemasAsync(fleet));
    }

    [Fact]
    public async Task Cancelled_while_the_reference_is_made_it_leaves_nothing_behind()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(Old, 1);
        var before = await SchemasAsync(fleet);
        var endless = DriftFleet.Migrations(("m1_a", "CREATE TABLE \"__Tenant__\".a (x int); SELECT pg_sleep(3600);"));
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Ct);

        var verifying = DriftFleet.Verifier(fleet, endless).VerifyAsync(ct: cancel.Token);
        while (await fleet.ScalarAsync("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'") is 0L)
        {
            await Task.Delay(10, Ct);
        }

        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => verifying);

        Assert.Equal(before, await SchemasAsync(fleet));
        Assert.Equal(0L, await fleet.ScalarAsync("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"));
    }

    [Fact]
    public async Task One_connection_is_enough_and_goes_back_as_it_came()
    {
        var connectionString = await app.Server.ConnectionStringAsync(Ct);
        await using var fleet = await TestFleet.StartAsync(connectionString);
        await fleet.ProvisionAsync(New, 2);
        await fleet.ProvisionAsync(Old, 1);
        await using var one = TenantDataSource.Create(new() { ConnectionString = new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 1 }.ConnectionString });
        await using var session = one.CreateCommand("SELECT concat_ws(' ', pg_backend_pid(), current_setting('search_path'), current_setting('jit'), current_setting('lock_timeout'))");
        var before = await session.ExecuteScalarAsync(Ct);

        Assert.True((await new FleetVerifier(one, New, new(one, New), new(), TimeProvider.System) { Chunk = 1 }.VerifyAsync(ct: Ct)).IsClean);

        Assert.Equal(before, await session.ExecuteScalarAsync(Ct));
    }

    [Fact]
    public async Task The_comparison_passes_a_pooler()
    {
        var connectionString = await app.Server.ConnectionStringAsync(Ct);
        await using var fleet = await TestFleet.StartAsync(connectionString);
        var schemas = await fleet.ProvisionAsync(New, 5);
        await fleet.ScalarAsync($"CREATE TABLE {schemas[3].Quoted}.by_hand (x int)");
        await using var pooler = await PgBouncer.StartAsync(connectionString, Ct);
        await using var source = TenantDataSource.Create(new() { ConnectionString = pooler.ConnectionString });

        var report = await new FleetVerifier(source, New, new(source, New), new(), TimeProvider.System) { Chunk = 1 }.VerifyAsync(ct: Ct);

        Assert.Equal(["table by_hand is in no migration"], Assert.Single(report.Drifted).Differences);
        Assert.Equal(5, report.Checked);
    }

    [Fact]
    public async Task A_name_that_nobody_knows_is_told_where_it_was_asked_for()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(Old, 2);

        var report = await DriftFleet.Verifier(fleet, Old).VerifyAsync(new() { Only = [SchemaName.Parse("customer_gone")] }, Ct);

        Assert.Equal(["there is neither such a schema nor a ledger row"], Assert.Single(report.Drifted).Differences);
        Assert.Equal(0, report.Checked);
    }

    private static Task<IReadOnlyCollection<string>> Names(IEnumerable<string> names) => Task.FromResult<IReadOnlyCollection<string>>([.. names]);

    private static async Task<object?> SchemasAsync(TestFleet fleet) => await fleet.ScalarAsync("SELECT string_agg(nspname, ',' ORDER BY nspname) FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'");
}
