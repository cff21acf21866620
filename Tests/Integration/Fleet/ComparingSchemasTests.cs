using Tenancy;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>Schemas against what their version's migrations make.</summary>
public sealed class ComparingSchemasTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_fleet_as_the_migrations_made_it_is_clean_and_the_reference_leaves_nothing_behind()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(DriftFleet.New, 7);
        var before = await DriftFleet.SchemasAsync(fleet);
        var verifier = new FleetVerifier(fleet.Database, DriftFleet.New, new(fleet.Database, DriftFleet.New), new(),
            TimeProvider.System) { Chunk = 3 };

        var report = await verifier.VerifyAsync(
            new() { Workers = 2,
                Registered = _ =>
                    Task.FromResult<IReadOnlyCollection<string>>([.. schemas.Select(schema => schema.Value)]) }, Ct);

        Assert.True(report.IsClean);
        Assert.Equal(7, report.Checked);
        Assert.Equal(before, await DriftFleet.SchemasAsync(fleet));
    }

    [Fact]
    public async Task One_schema_that_differs_is_found_among_the_others()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(DriftFleet.New, 7);
        await fleet.ScalarAsync($"ALTER TABLE {schemas[4].Quoted}.a ALTER x TYPE bigint");
        var verifier = new FleetVerifier(fleet.Database, DriftFleet.New, new(fleet.Database, DriftFleet.New), new(),
            TimeProvider.System) { Chunk = 3 };

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
        var schemas = await fleet.ProvisionAsync(DriftFleet.New.Only(new HashSet<string> { "m1_a", "m3_z" }), 4);
        Assert.Equal(4, (await fleet.Migrator(DriftFleet.New).RunAsync(new(), Ct)).Migrated);
        Assert.Equal("x,z,y",
            await fleet.ScalarAsync(
                "SELECT string_agg(attname, ',' ORDER BY attnum) FROM pg_attribute WHERE attrelid = " +
                $"'{schemas[0]}.a'::regclass AND attnum > 0"));
        // Columns of the same type, so that a key by number would look the same in both.
        await fleet.ScalarAsync($"CREATE INDEX ix_a ON {schemas[1].Quoted}.a (y)");
        var build = DriftFleet.Migrations(
            ("m1_a", "CREATE TABLE \"__Tenant__\".a (x int);"), ("m2_y", "ALTER TABLE \"__Tenant__\".a ADD y int;"),
            ("m3_z", "ALTER TABLE \"__Tenant__\".a ADD z int; CREATE INDEX ix_a ON \"__Tenant__\".a (z);"));

        var clean = await DriftFleet.Verifier(fleet, DriftFleet.New)
            .VerifyAsync(new() { Only = [.. schemas.Except([schemas[1]])] }, Ct);
        var drifted = await DriftFleet.Verifier(fleet, build).VerifyAsync(new() { Only = [schemas[1]] }, Ct);

        Assert.Equal((3, true), (clean.Checked, clean.IsClean));
        Assert.Equal(
            ["index ix_a of a: CREATE INDEX ix_a ON a USING btree (y), and the migrations make it CREATE INDEX ix_a " +
                "ON a USING btree (z)"], Assert.Single(drifted.Drifted).Differences);
    }

    [Fact]
    public async Task A_schema_at_another_version_is_compared_with_that_versions_migrations()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var behind = Assert.Single(
            await fleet.ProvisionAsync(DriftFleet.New.Only(new HashSet<string> { "m1_a", "m3_z" }), 1));
        var archived = Assert.Single(await fleet.ProvisionAsync(DriftFleet.Old, 1));
        await fleet.ProvisionAsync(DriftFleet.New, 1);
        await fleet.ScalarAsync($"UPDATE tenancy.schemas SET state = 'archived' WHERE schema = '{archived}'");

        var clean = await DriftFleet.Verifier(fleet, DriftFleet.New).VerifyAsync(ct: Ct);
        await fleet.ScalarAsync($"ALTER TABLE {behind.Quoted}.a ADD y int; ALTER TABLE {archived.Quoted}.a ADD y int");
        var drifted = await DriftFleet.Verifier(fleet, DriftFleet.New).VerifyAsync(ct: Ct);

        Assert.Equal((3, true), (clean.Checked, clean.IsClean));
        Assert.Equal([behind, archived], drifted.Drifted.Select(drift => drift.Schema));
        Assert.All(drifted.Drifted, drift => Assert.Equal(["column a.y is in no migration"], drift.Differences));
    }

    [Fact]
    public async Task A_schema_ahead_of_the_build_is_not_compared_and_the_report_says_so()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var ahead = Assert.Single(await fleet.ProvisionAsync(DriftFleet.New, 1));

        var report = await DriftFleet.Verifier(fleet, DriftFleet.Old).VerifyAsync(ct: Ct);

        Assert.True(report.IsClean);
        Assert.Equal(0, report.Checked);
        Assert.Equal([new(ahead, "it has m2_y, m3_z, which this build doesn't know")], report.Incomparable);
    }

    [Fact]
    public async Task A_literal_that_looks_like_the_schemas_name_is_data()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var build = DriftFleet.Migrations(
            ("m1_a", "CREATE TABLE \"__Tenant__\".a (x text CONSTRAINT ck_a CHECK (x <> 'c_000.a'));"));
        var schemas = await fleet.ProvisionAsync(build, 2);
        Assert.Equal("c_000", schemas[0].Value);

        var clean = await DriftFleet.Verifier(fleet, build).VerifyAsync(ct: Ct);
        await fleet.ScalarAsync(
            "ALTER TABLE c_000.a DROP CONSTRAINT ck_a; ALTER TABLE c_000.a ADD CONSTRAINT ck_a CHECK (x <> 'a')");
        await fleet.ScalarAsync(
            "ALTER TABLE c_001.a DROP CONSTRAINT ck_a; ALTER TABLE c_001.a ADD CONSTRAINT ck_a CHECK (x <> 'c_001.a')");
        var drifted = await DriftFleet.Verifier(fleet, build).VerifyAsync(ct: Ct);

        Assert.True(clean.IsClean);
        Assert.Equal(
            ["constraint ck_a of a: CHECK (x <> 'a'::text), and the migrations make it CHECK (x <> 'c_000.a'::text)",
             "constraint ck_a of a: CHECK (x <> 'c_001.a'::text), and the migrations make it CHECK (x <> " +
             "'c_000.a'::text)"],
            drifted.Drifted.SelectMany(drift => drift.Differences));
    }

    [Fact]
    public async Task A_name_that_two_tenants_use_is_each_ones_own()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(DriftFleet.New, 2);
        await fleet.ScalarAsync($"CREATE VIEW {schemas[0].Quoted}.v AS SELECT x FROM {schemas[1].Quoted}.a");
        await fleet.ScalarAsync($"CREATE VIEW {schemas[1].Quoted}.v AS SELECT x FROM {schemas[1].Quoted}.a");
        var build = DriftFleet.Migrations(
            ("m1_a",
                "CREATE TABLE \"__Tenant__\".a (x int, y int, z int); CREATE VIEW \"__Tenant__\".v AS SELECT x FROM " +
                "\"__Tenant__\".a;"),
            ("m2_y", "SELECT 1;"),
            ("m3_z", "SELECT 1;"));

        var report = await DriftFleet.Verifier(fleet, build).VerifyAsync(ct: Ct);

        Assert.Equal(schemas[0], Assert.Single(report.Drifted).Schema);
        var (theirs, own) = (await fleet.ViewAsync(schemas[0], "v"), await fleet.ViewAsync(schemas[1], "v"));
        Assert.Contains($"FROM {schemas[1]}.a", theirs, StringComparison.Ordinal);
        Assert.Equal([$"view v: definition {theirs}, and the migrations make it {own}"], report.Drifted[0].Differences);
    }
}
