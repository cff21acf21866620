using Tenancy;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>What ledger, history, catalog and registry say of the same schemas.</summary>
public sealed class LedgerAgainstCatalogTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>As after a restored backup: the schema lacks what the ledger says it has.</summary>
    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_history_older_than_the_ledger_is_believed_where_it_is_asked(bool named)
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var build = TestFleet.Build("m1_a", "m2_b");
        var schemas = await fleet.ProvisionAsync(build, 3);
        await fleet.ScalarAsync($"DROP TABLE {schemas[1].Qualify("m2_b")}; DELETE FROM " +
            $"{schemas[1].Qualify("__EFMigrationsHistory")} WHERE \"MigrationId\" = 'm2_b'");
        Assert.Equal(0, (await fleet.Migrator(build).RunAsync(new(), Ct)).Migrated);

        if (!named)
        {
            Assert.Equal([schemas[1]], await DriftFleet.Verifier(fleet, build).MendLedgerAsync(ct: Ct));
            Assert.Empty(await DriftFleet.Verifier(fleet, build).MendLedgerAsync(ct: Ct));
        }

        var report = await fleet.Migrator(build).RunAsync(named ? new() { Only = [schemas[1]] } : new(), Ct);

        Assert.Equal((1, 0), (report.Migrated, report.Failed.Count));
        Assert.Equal("m1_a,m2_b", await fleet.TablesAsync(schemas[1]));
        Assert.Equal((build.Target, "ready", 0, null), await fleet.LedgerAsync(schemas[1]));
    }

    [Fact]
    public async Task A_history_that_is_not_what_the_ledger_says_is_told_with_both()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(DriftFleet.Old, 2);
        await fleet.ScalarAsync($"INSERT INTO {schemas[0].Quoted}.\"__EFMigrationsHistory\" VALUES ('m2_y', '10')");
        await fleet.ScalarAsync($"UPDATE tenancy.schemas SET version = 'unheard of' WHERE schema = '{schemas[1]}'");

        var report = await DriftFleet.Verifier(fleet, DriftFleet.New).VerifyAsync(ct: Ct);

        Assert.Equal([schemas[0], schemas[1]], report.Drifted.Select(drift => drift.Schema));
        Assert.Equal(
            [$"the ledger says version {DriftFleet.Old.Target} (migrations m1_a), the schema's history has m1_a, m2_y"],
            report.Drifted[0].Differences);
        Assert.Equal(["the ledger says version unheard of (migrations unknown), the schema's history has m1_a"],
            report.Drifted[1].Differences);
    }

    [Fact]
    public async Task What_ledger_and_catalog_do_not_both_have_is_told()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(DriftFleet.Old, 4);
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

        var report = await DriftFleet.Verifier(fleet, DriftFleet.Old, options).VerifyAsync(ct: Ct);

        Assert.Equal(schemas[0], Assert.Single(report.Drifted).Schema);
        Assert.Equal(["the ledger says it is ready, and there is no such schema"], report.Drifted[0].Differences);
        Assert.Equal([schemas[3].Value], report.Strays);
        Assert.Equal(0, report.Checked);
    }

    [Fact]
    public async Task The_registry_is_compared_with_both()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(DriftFleet.Old, 5);
        await fleet.ScalarAsync(
            $"""
            UPDATE tenancy.schemas SET state = 'spare' WHERE schema = '{schemas[2]}';
            UPDATE tenancy.schemas SET state = 'archived' WHERE schema = '{schemas[3]}';
            UPDATE tenancy.schemas SET state = 'suspended' WHERE schema = '{schemas[4]}';
            """);

        // Created after the registry's answer began, and so in neither list.
        var report = await DriftFleet.Verifier(fleet, DriftFleet.Old).VerifyAsync(
            new() { Registered = async _ =>
                [schemas[0].Value, "customer_gone", (await fleet.ProvisionAsync(DriftFleet.Old, 1))[0].Value] }, Ct);

        Assert.Equal(["customer_gone"], report.Missing);
        Assert.Equal([schemas[1], schemas[4]], report.Unregistered);
        Assert.Empty(report.Drifted);
        Assert.False(report.IsClean);
    }

    [Fact]
    public async Task A_name_that_nobody_knows_is_told_where_it_was_asked_for()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(DriftFleet.Old, 2);

        var report = await DriftFleet.Verifier(fleet, DriftFleet.Old)
            .VerifyAsync(new() { Only = [SchemaName.Parse("customer_gone")] }, Ct);

        Assert.Equal(["there is neither such a schema nor a ledger row"], Assert.Single(report.Drifted).Differences);
        Assert.Equal(0, report.Checked);
    }
}
