using Tenancy;
using Tenancy.Ledgers;
using Tests.Integration.Fleet;
using Xunit;

namespace Tests.Integration.Citus;

/// <summary>
/// Tables that stay on the coordinator, without a word from Citus, are found and moved to their node.
/// </summary>
public sealed class VerifyingPlacementTests(App app)
{
    private static readonly CompiledMigrations InBlock = DriftFleet.Migrations(
        ("m1_block",
            """
            DO $$ BEGIN
                CREATE TABLE "__Tenant__".contacts (id int PRIMARY KEY, number int GENERATED ALWAYS AS IDENTITY);
                CREATE TABLE "__Tenant__".invoices (
                    id int PRIMARY KEY, contact int REFERENCES "__Tenant__".contacts (id));
            END $$;
            """));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Tables_that_a_block_made_are_found_and_brought_to_their_node_with_their_rows()
    {
        await using var citus = await CitusFleet.StartAsync(app);
        var schemas = await citus.Fleet.ProvisionAsync(InBlock, 2);
        var schema = schemas[0];
        await citus.ExecuteAsync(
            $"INSERT INTO {schema}.contacts (id) VALUES (7); INSERT INTO {schema}.invoices VALUES (1, 7)");
        var verifier = citus.Verifier(InBlock);

        var found = await verifier.VerifyAsync(ct: Ct);
        var mended = await verifier.MendPlacementAsync(ct: Ct);
        var after = await verifier.VerifyAsync(ct: Ct);

        Assert.Equal(schemas, found.Drifted.Select(drift => drift.Schema));
        Assert.Equal(
            ["table contacts isn't distributed: it is on the coordinator alone",
                "table invoices isn't distributed: it is on the coordinator alone"], found.Drifted[0].Differences);
        Assert.Equal([null, null], mended.Select(one => one.Problem));
        Assert.Equal(["contacts", "invoices"], mended[0].Tables);
        Assert.True(after.IsClean);
        Assert.Equal("contacts,invoices", await citus.DistributedAsync(schema));
        Assert.Equal(7, await citus.Fleet.ScalarAsync($"SELECT contact FROM {schema}.invoices"));
        Assert.Empty(await verifier.MendPlacementAsync(ct: Ct));
    }

    [Fact]
    public async Task A_schema_that_Citus_does_not_know_is_found_and_placed()
    {
        await using var citus = await CitusFleet.StartAsync(app);
        var schema = SchemaName.Parse("c_without");
        var script = CitusFleet.Old.CreateScript(schema);
        await new SchemaVersions(citus.Database, CitusFleet.Old).RecordAsync(CitusFleet.Old.Ids, Ct);
        await citus.ExecuteAsync(
            $"{LedgerTable.Reserved(schema)}{script[script.IndexOf("CREATE SCHEMA", StringComparison.Ordinal)..]}" +
            LedgerTable.Created(schema, CitusFleet.Old.Target, "ready"));
        var verifier = citus.Verifier(CitusFleet.Old);

        var found = await verifier.VerifyAsync(ct: Ct);
        var mended = Assert.Single(await verifier.MendPlacementAsync([schema], Ct));

        Assert.Equal(["the schema isn't distributed: its tables are on the coordinator alone"],
            Assert.Single(found.Drifted).Differences);
        Assert.Equal($"The schema {schema} moved from the coordinator to a node.", $"{mended}");
        Assert.Equal("contacts,invoices", await citus.DistributedAsync(schema));
        Assert.True((await verifier.VerifyAsync(ct: Ct)).IsClean);
    }

    [Fact]
    public async Task What_Citus_refuses_to_place_is_named_with_what_to_do_and_the_others_are_placed()
    {
        await using var citus = await CitusFleet.StartAsync(app);
        var schemas = await citus.Fleet.ProvisionAsync(InBlock, 2);
        await citus.ExecuteAsync(
            $"""
            CREATE FUNCTION {schemas[0]}.stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
            CREATE TRIGGER stamping BEFORE UPDATE ON {schemas[0]}.invoices
                FOR EACH ROW EXECUTE FUNCTION {schemas[0]}.stamp();
            """);

        var mended = await citus.Verifier(InBlock).MendPlacementAsync(ct: Ct);

        Assert.Equal(schemas, mended.Select(one => one.Schema));
        Assert.Contains("trigger", mended[0].Problem, StringComparison.Ordinal);
        Assert.Contains("change it to what Citus allows", $"{mended[0]}", StringComparison.Ordinal);
        Assert.Null(mended[1].Problem);
        Assert.Equal(["", "contacts,invoices"],
            [await citus.DistributedAsync(schemas[0]), await citus.DistributedAsync(schemas[1])]);
    }

    [Fact]
    public async Task A_table_that_was_distributed_by_hand_apart_from_the_others_is_found()
    {
        await using var citus = await CitusFleet.StartAsync(app);
        var schema = Assert.Single(await citus.Fleet.ProvisionAsync(InBlock, 1));
        await citus.ExecuteAsync($"ALTER TABLE {schema}.invoices DROP CONSTRAINT invoices_contact_fkey; " +
            $"SELECT create_distributed_table('{schema}.invoices', NULL)");
        var verifier = citus.Verifier(InBlock);

        var found = Assert.Single((await verifier.VerifyAsync(ct: Ct)).Drifted).Differences;
        var mended = Assert.Single(await verifier.MendPlacementAsync(ct: Ct));

        Assert.Contains("table invoices isn't placed together with the schema's other tables", found);
        Assert.Contains("undistribute_table", mended.Problem, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_Citus_nothing_is_found_and_nothing_is_mended()
    {
        CitusCluster.SkipOn("The test is about PostgreSQL without Citus.");
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(InBlock, 1);
        var verifier = DriftFleet.Verifier(fleet, InBlock);

        Assert.True((await verifier.VerifyAsync(ct: Ct)).IsClean);
        Assert.Empty(await verifier.MendPlacementAsync(ct: Ct));
    }
}
