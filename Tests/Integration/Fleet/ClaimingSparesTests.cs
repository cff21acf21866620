using Tenancy;
using Tenancy.Migrations;
using Tenancy.Provisioning;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>How one of the schemas made beforehand becomes a tenant's.</summary>
public sealed class ClaimingSparesTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_spare_whose_new_owner_was_rolled_back_is_there_again()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var pool = new WarmPool(fleet, WarmPool.Old, 1);
        await pool.Keeper().FillAsync(Ct);
        var spare = Assert.Single(await pool.SparesAsync());

        await using (var connection = await fleet.Database.OpenConnectionAsync(Ct))
        await using (var transaction = await connection.BeginTransactionAsync(Ct))
        {
            Assert.Equal("c_acme", (await pool.Provisioner.ProvisionAsync(transaction, "c_acme", ct: Ct)).Value);
        }

        Assert.Equal([spare], await pool.SparesAsync());
        Assert.Equal(spare, await pool.ProvisionAsync("c_acme"));
        Assert.Empty(await pool.SparesAsync());
    }

    [Fact]
    public async Task Two_at_the_same_time_take_different_spares_and_neither_waits()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var pool = new WarmPool(fleet, WarmPool.Old, 2);
        await pool.Keeper().FillAsync(Ct);
        await using var one = await fleet.Database.OpenConnectionAsync(Ct);
        await using var other = await fleet.Database.OpenConnectionAsync(Ct);
        await using var first = await one.BeginTransactionAsync(Ct);
        await using var second = await other.BeginTransactionAsync(Ct);

        await pool.Provisioner.ProvisionAsync(first, "c_one", ct: Ct);
        await pool.Provisioner.ProvisionAsync(second, "c_other", ring: 0, ct: Ct);
        await second.CommitAsync(Ct);
        await first.CommitAsync(Ct);

        Assert.Empty(await pool.SparesAsync());
        Assert.Equal("m1_a", await fleet.TablesAsync(SchemaName.Parse("c_one")));
        Assert.Equal((WarmPool.Old.Target, "ready", 0, null), await fleet.LedgerAsync(SchemaName.Parse("c_other")));
        Assert.Equal(0, await fleet.ScalarAsync("SELECT ring FROM tenancy.schemas WHERE schema = 'c_other'"));
    }

    [Fact]
    public async Task A_spare_behind_the_build_waits_for_the_fleets_migration()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await new WarmPool(fleet, WarmPool.Old, 1).Keeper().FillAsync(Ct);
        var pool = new WarmPool(fleet, WarmPool.New, 1);
        var spare = Assert.Single(await pool.SparesAsync());

        Assert.NotEqual(spare, await pool.ProvisionAsync("c_before"));
        Assert.Equal([spare], await pool.SparesAsync());
        Assert.Equal(1, (await fleet.Migrator(WarmPool.New).RunAsync(new(), Ct)).Migrated);
        Assert.Equal([spare], await pool.SparesAsync());

        Assert.Equal(spare, await pool.ProvisionAsync("c_after"));
        Assert.Equal("m1_a,m2_b", await fleet.TablesAsync(SchemaName.Parse("c_after")));
        Assert.Equal((WarmPool.New.Target, "ready", 0, null), await fleet.LedgerAsync(SchemaName.Parse("c_after")));
    }

    [Fact]
    public async Task A_spare_that_is_being_migrated_or_was_dropped_by_hand_is_nobodys()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var pool = new WarmPool(fleet, WarmPool.Old, 2);
        await pool.Keeper().FillAsync(Ct);
        var dropped = (string)(await fleet.ScalarAsync("SELECT min(schema) FROM tenancy.schemas"))!;
        await fleet.ScalarAsync($"DROP SCHEMA \"{dropped}\" CASCADE");
        await fleet.ScalarAsync($"UPDATE tenancy.schemas SET unfinished = 'm2_b' WHERE schema <> '{dropped}'");
        var begun = Assert.Single(await pool.SparesAsync());

        Assert.NotEqual(begun, await pool.ProvisionAsync("c_acme"));
        await pool.Keeper().FillAsync(Ct);

        Assert.Equal(3, (await pool.SparesAsync()).Length);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_migration_that_takes_no_transaction_is_in_a_new_schema_like_the_others(int warmPool)
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var build = new CompiledMigrations(
            [
                .. WarmPool.Old.Migrations,
                new("m2_index", MigrationSql.Outside(
                    "CREATE INDEX CONCURRENTLY ix_x ON \"__Tenant__\".m1_a (x);\n",
                    "INSERT INTO \"__Tenant__\".\"__EFMigrationsHistory\" VALUES ('m2_index', '10');\n"),
                    new(() => throw new NotSupportedException())),
                new("m3_vacuum", MigrationSql.Outside(
                    "VACUUM \"__Tenant__\".m1_a;\n",
                    "INSERT INTO \"__Tenant__\".\"__EFMigrationsHistory\" VALUES ('m3_vacuum', '10');\n"),
                    new(() => throw new NotSupportedException())),
            ],
            "CREATE TABLE \"__Tenant__\".\"__EFMigrationsHistory\" (\"MigrationId\" text PRIMARY KEY, " +
            "\"ProductVersion\" text NOT NULL);\n", "__EFMigrationsHistory");
        var pool = new WarmPool(fleet, build, warmPool);
        await pool.Keeper().FillAsync(Ct);

        await pool.ProvisionAsync("c_acme");

        Assert.Equal(true,
            await fleet.ScalarAsync("SELECT indisvalid FROM pg_index WHERE indexrelid = 'c_acme.ix_x'::regclass"));
        Assert.Equal(3L, await fleet.ScalarAsync("SELECT count(*) FROM c_acme.\"__EFMigrationsHistory\""));
        Assert.Equal((build.Target, "ready", 0, null), await fleet.LedgerAsync(SchemaName.Parse("c_acme")));
        Assert.Equal(0, (await fleet.Migrator(build).RunAsync(new(), Ct)).Migrated);
    }

    [Fact]
    public async Task Among_ten_thousand_tenants_a_spare_is_found_by_an_index()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var pool = new WarmPool(fleet, WarmPool.Old, 3);
        await pool.Keeper().FillAsync(Ct);
        await fleet.ScalarAsync(
            "INSERT INTO tenancy.schemas (schema, state, version, ring) SELECT 'customer_' || n, 'ready', " +
            $"'{WarmPool.Old.Target}', 1 FROM generate_series(1, 10000) AS n");

        foreach (var statistics in new[] { "SELECT 1", "ANALYZE tenancy.schemas" })
        {
            await fleet.ScalarAsync(statistics);
            await using var connection = await fleet.Database.OpenConnectionAsync(Ct);
            await using var transaction = await connection.BeginTransactionAsync(Ct);
            var (reserved, spare) = await SpareSchemas.ClaimAsync(
                transaction, WarmPool.Old.Target, SchemaName.Parse("c_acme"), 1, Ct);
            Assert.True(reserved && spare is not null);
            await transaction.RollbackAsync(Ct);
            var plan = await pool.ExplainAsync(connection);
            Assert.DoesNotContain("Seq Scan on schemas", plan, StringComparison.Ordinal);
            Assert.Contains("pk_schemas", plan, StringComparison.Ordinal);
        }
    }
}
