using Data;
using Data.Customers;
using Data.Invoicing;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tests.Integration.Customers;
using Xunit;

namespace Tests.Integration.Citus;

/// <summary>
/// A database of one test's own on the cluster (<see cref="CitusCluster"/>), with the sample's registry.
/// </summary>
internal sealed class MoveCluster : IAsyncDisposable
{
    /// <summary>Places schemas on nodes; not for the shared ones.</summary>
    private const string Sharded = ";Options=-c citus.enable_schema_based_sharding=on";

    private readonly string _name = $"test_move_{Guid.NewGuid():n}";
    private readonly Lazy<ServiceProvider> _application;

    private MoveCluster(string coordinator)
    {
        ConnectionString = On(coordinator, _name);
        Database = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder($"{ConnectionString}{Sharded}"));
        _application = new(() => new ServiceCollection().AddLogging()
            .AddData(new ConfigurationBuilder().AddInMemoryCollection(
                [new($"ConnectionStrings:{DataRegistration.ConnectionName}", $"{ConnectionString}{Sharded}")]).Build())
            .BuildServiceProvider());
    }

    public string ConnectionString { get; }

    public NpgsqlDataSource Database { get; }

    public IServiceProvider Application => _application.Value;

    /// <summary>The nodes; the coordinator first.</summary>
    public IReadOnlyList<TenantNode> Nodes { get; private init; } = [];

    public TenantNode Coordinator => Nodes[0];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="registers">Whether the coordinator is told which nodes there are, and the registry is made.</param>
    public static async Task<MoveCluster> CreateAsync(bool registers = true)
    {
        CitusCluster.SkipWithout();
        var cluster = new MoveCluster(CitusCluster.Coordinator!)
        {
            Nodes = [.. (await CitusCluster.NodesAsync(Ct)).Select(node => new TenantNode(node.Host, node.Port))],
        };
        await CitusCluster.ExecuteAsync($"CREATE DATABASE {cluster._name}");
        await CitusCluster.AddAsync(cluster.ConnectionString, Ct, registers: registers);
        if (registers)
        {
            await CustomersDatabase.MigrateAsync(cluster.ConnectionString);
        }

        return cluster;
    }

    public async Task<Tenant> AddCustomerAsync(string slug)
    {
        await using var scope = Application.CreateAsyncScope();
        return (await scope.ServiceProvider.GetRequiredService<CustomerRegistry>()
            .CreateAsync(slug, "A test's customer", ct: Ct)).AsTenant();
    }

    public Task<MovedTenant?> MoveAsync(
        string slug, TenantNode to, TenantMoveLimits? limits = null, IProgress<TenantMoveProgress>? progress = null) =>
        Application.GetRequiredService<TenantMove>().MoveAsync(slug, to, limits, progress, Ct);

    public InvoicingContext Invoicing(Tenant tenant) =>
        Application.GetRequiredService<TenantContextFactory<InvoicingContext>>().Create(tenant);

    /// <summary>The workers that the tenant isn't on.</summary>
    public async Task<TenantNode> OtherNodeAsync(Tenant tenant)
    {
        var port = await PortAsync(tenant);
        return Nodes.Skip(1).First(node => node.Port != port);
    }

    /// <summary>The port of the only node that has the tenant's tables.</summary>
    public async Task<int> PortAsync(Tenant tenant) => (int)(await ScalarAsync(
        $"""
        SELECT DISTINCT nodeport
        FROM pg_dist_shard JOIN pg_dist_placement USING (shardid) JOIN pg_dist_node USING (groupid)
        WHERE logicalrelid IN (SELECT oid FROM pg_class WHERE relnamespace = '{tenant.Schema}'::regnamespace)
        """))!;

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    public async Task<object?> ScalarAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }

    public async ValueTask DisposeAsync()
    {
        if (_application.IsValueCreated)
        {
            await _application.Value.DisposeAsync();
        }

        await Database.DisposeAsync();
        // The coordinator last: its database knows the nodes, whose clean-up it may be doing.
        await CitusCluster.RemoveAsync(ConnectionString);
        await CitusCluster.ExecuteAsync($"DROP DATABASE IF EXISTS {_name} WITH (FORCE)");
    }

    private static string On(string server, string database) =>
        new NpgsqlConnectionStringBuilder(server) { Database = database }.ConnectionString;
}
