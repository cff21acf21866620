using Data;
using Data.Customers;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tests.Integration.Customers;
using Xunit;

namespace Tests.Integration.Citus;

/// <summary>
/// A database of one test's own on the Citus cluster of <c>TEST_CITUS</c>, a connection string of its coordinator and
/// of a superuser, with the sample's registry. Without that variable the test is skipped.
/// </summary>
internal sealed class MoveCluster : IAsyncDisposable
{
    private const string Variable = "TEST_CITUS";

    /// <summary>Places schemas on nodes; not for the shared ones.</summary>
    private const string Sharded = ";Options=-c citus.enable_schema_based_sharding=on";

    private readonly string _coordinator;
    private readonly string _name = $"test_move_{Guid.NewGuid():n}";
    private readonly Lazy<ServiceProvider> _application;

    private MoveCluster(string coordinator)
    {
        _coordinator = coordinator;
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
    public IReadOnlyList<TenantNode> Nodes { get; private set; } = [];

    public TenantNode Coordinator => Nodes[0];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <param name="registers">Whether the coordinator is told which nodes there are, and the registry is made.</param>
    public static async Task<MoveCluster> CreateAsync(bool registers = true)
    {
        var coordinator = Environment.GetEnvironmentVariable(Variable);
        Assert.SkipWhen(string.IsNullOrEmpty(coordinator), $"{Variable} names no coordinator of a Citus cluster.");
        var cluster = new MoveCluster(coordinator);
        await cluster.CreateNodesAsync();
        if (registers)
        {
            await cluster.RegisterNodesAsync();
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
        foreach (var node in Nodes.Reverse())
        {
            await OnNodeAsync(node, MaintenanceName, $"DROP DATABASE IF EXISTS {_name} WITH (FORCE)");
        }
    }

    private string MaintenanceName => new NpgsqlConnectionStringBuilder(_coordinator).Database!;

    private async Task CreateNodesAsync()
    {
        var nodes = new List<TenantNode>();
        await using (var connection = new NpgsqlConnection($"{_coordinator};Pooling=false"))
        {
            await connection.OpenAsync(Ct);
            await using var ask = new NpgsqlCommand(
                "SELECT nodename, nodeport FROM pg_dist_node WHERE noderole = 'primary' ORDER BY groupid", connection);
            await using var rows = await ask.ExecuteReaderAsync(Ct);
            while (await rows.ReadAsync(Ct))
            {
                nodes.Add(new(rows.GetString(0), rows.GetInt32(1)));
            }
        }

        Nodes = nodes;
        foreach (var node in Nodes)
        {
            await OnNodeAsync(node, MaintenanceName, $"CREATE DATABASE {_name}");
            await OnNodeAsync(node, _name, "CREATE EXTENSION citus");
        }
    }

    private async Task RegisterNodesAsync()
    {
        await OnNodeAsync(
            Coordinator, _name, $"SELECT citus_set_coordinator_host('{Coordinator.Host}', {Coordinator.Port})");
        foreach (var node in Nodes.Skip(1))
        {
            // Citus copies the server's roles to the node. Another test may be making or dropping one: then it gives up.
            for (var attempt = 1; ; attempt++)
            {
                try
                {
                    await OnNodeAsync(Coordinator, _name, $"SELECT citus_add_node('{node.Host}', {node.Port})");
                    break;
                }
                catch (PostgresException e) when (e.SqlState == "XX000" && attempt < 10)
                {
                }
            }
        }
    }

    private async Task OnNodeAsync(TenantNode node, string database, string sql)
    {
        await using var connection = new NpgsqlConnection(new NpgsqlConnectionStringBuilder(_coordinator)
        {
            Host = node.Host, Port = node.Port, Database = database, Pooling = false,
        }.ConnectionString);
        await connection.OpenAsync(CancellationToken.None);
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 120 };
        await command.ExecuteNonQueryAsync(CancellationToken.None);
    }

    private static string On(string server, string database) =>
        new NpgsqlConnectionStringBuilder(server) { Database = database }.ConnectionString;
}
