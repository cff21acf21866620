using Microsoft.Extensions.DependencyInjection;
using Tenancy;
using Tests.Integration.Customers;
using Xunit;

namespace Tests.Integration.Citus;

/// <summary>Every schema of a tenant is on a node of the cluster, whoever makes it; nothing else is.</summary>
public sealed class PlacementTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_customers_tables_are_on_a_node_and_the_librarys_own_stay_on_the_coordinator()
    {
        await using var citus = await CitusFleet.StartAsync(app);

        var schema = Assert.Single(await citus.Fleet.ProvisionAsync(CitusFleet.New, 1));

        Assert.Equal("contacts,invoices,lines", await citus.DistributedAsync(schema));
        Assert.Equal("public.currencies", await citus.Fleet.ScalarAsync(
            "SELECT string_agg(n.nspname || '.' || relname, ',') FROM pg_dist_partition JOIN pg_class AS c ON " +
            $"c.oid = logicalrelid JOIN pg_namespace AS n ON n.oid = relnamespace WHERE nspname <> '{schema}'"));
    }

    [Fact]
    public async Task A_spare_schema_is_on_a_node_before_and_after_somebody_gets_it()
    {
        CitusCluster.SkipWithout();
        await using var database = await CustomersDatabase.CreateAsync(app);
        var application = database.Application(warmPool: 1);
        await CustomersDatabase.Keeper(application).FillAsync(Ct);

        var before = await DistributedAsync(database);
        var customer = await CustomersDatabase.CreateAsync(application, App.NewSlug());

        Assert.StartsWith("spare_", before, StringComparison.Ordinal);
        Assert.Equal(customer.Schema, await DistributedAsync(database));
    }

    [Fact]
    public async Task A_clone_and_an_import_are_on_a_node()
    {
        CitusCluster.SkipWithout();
        await using var database = await CustomersDatabase.CreateAsync(app);
        var application = database.Application();
        var customer = await CustomersDatabase.CreateAsync(application, App.NewSlug(), async db =>
        {
            db.Contacts.Add(new() { Name = "Ada Moreau" });
            await db.SaveChangesAsync(Ct);
        });
        var transfer = application.GetRequiredService<TenantTransfer>();
        using var file = new MemoryStream();
        await transfer.ExportAsync(customer.Slug, file, Ct);
        file.Position = 0;

        var imported = await transfer.ImportAsync(file, App.NewSlug(), ct: Ct);
        var clone = await transfer.CloneAsync(customer.Slug, App.NewSlug(), ct: Ct);

        foreach (var schema in new[] { imported.Tenant.Schema, clone.Tenant.Schema })
        {
            Assert.Contains(schema.Value, await DistributedAsync(database), StringComparison.Ordinal);
            Assert.Equal(1L, await database.ScalarAsync<long>($"SELECT count(*) FROM {schema.Qualify("contacts")}"));
        }

        Assert.True((await application.GetRequiredService<FleetVerifier>().VerifyAsync(ct: Ct)).IsClean);
    }

    [Fact]
    public async Task A_migration_of_many_schemas_at_once_puts_each_new_table_on_its_node()
    {
        await using var citus = await CitusFleet.StartAsync(app);
        var schemas = await citus.Fleet.ProvisionAsync(CitusFleet.Old, 12);

        var report = await citus.Fleet.Migrator(CitusFleet.New).RunAsync(new() { Workers = 2 }, Ct);

        Assert.Empty(report.Failed);
        foreach (var schema in schemas)
        {
            Assert.Equal("contacts,invoices,lines", await citus.DistributedAsync(schema));
        }

        Assert.True((await citus.Verifier(CitusFleet.New).VerifyAsync(ct: Ct)).IsClean);
    }

    [Fact]
    public async Task A_runs_limit_for_locks_holds_on_the_nodes()
    {
        await using var citus = await CitusFleet.StartAsync(app);
        var schema = Assert.Single(await citus.Fleet.ProvisionAsync(CitusFleet.Old, 1));
        var (host, port, shard) = await citus.ShardAsync(schema, "invoices");
        await using var node = new Npgsql.NpgsqlConnection(
            $"{CitusCluster.Node(citus.ConnectionString, host, port)};Pooling=false");
        await node.OpenAsync(Ct);
        await using var held = await node.BeginTransactionAsync(Ct);
        await using var hold = new Npgsql.NpgsqlCommand(
            $"SET LOCAL citus.enable_manual_changes_to_shards TO on; LOCK TABLE {schema}.{shard}", node);
        await hold.ExecuteNonQueryAsync(Ct);
        // Without the limit the run would wait for as long as this test.
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        patience.CancelAfter(TimeSpan.FromMinutes(2));

        var report = await citus.Fleet.Migrator(CitusFleet.New).RunAsync(
            new() { LockTimeout = TimeSpan.FromMilliseconds(200), Attempts = 1 }, patience.Token);

        Assert.Contains("55P03", Assert.Single(report.Failed).Error, StringComparison.Ordinal);
    }

    /// <summary>The schemas that Citus has on nodes.</summary>
    private static Task<string> DistributedAsync(CustomersDatabase database) => database.ScalarAsync<string>(
        "SELECT string_agg(schema_name::text, ',' ORDER BY schema_name::text) FROM citus_schemas");
}
