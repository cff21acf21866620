using Npgsql;
using Tenancy;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Citus;

/// <summary>A database of one test's own whose last node can be lost and found.</summary>
internal sealed class BreakableDatabase : IAsyncDisposable
{
    private readonly ServerProxy _proxy;

    private BreakableDatabase(string connectionString, ServerProxy proxy) =>
        (ConnectionString, _proxy) = (connectionString, proxy);

    public string ConnectionString { get; }

    /// <summary>The node that can be lost, as errors name it.</summary>
    public string Node => $"127.0.0.1:{_proxy.Port}";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<BreakableDatabase> CreateAsync(App app)
    {
        CitusCluster.SkipWithout();
        var nodes = await CitusCluster.NodesAsync(Ct);
        var (host, port, _) = nodes.Last(node => !node.IsCoordinator);
        Assert.SkipUnless(host == "127.0.0.1", $"The cluster's node {host} isn't on this machine.");
        Assert.SkipUnless(nodes.Count(node => !node.IsCoordinator) > 1, "The cluster has one node.");
        var proxy = new ServerProxy(port);
        return new(await app.Server.ConnectionStringAsync(
            Ct, new Dictionary<int, int> { [port] = proxy.Port }), proxy);
    }

    public void Lose() => _proxy.Lose();

    public void Find() => _proxy.Find();

    /// <summary>Whether the schema's tables are on the node that can be lost.</summary>
    public async Task<bool> IsOnItAsync(SchemaName schema)
    {
        await using var connection = new NpgsqlConnection($"{ConnectionString};Pooling=false");
        await connection.OpenAsync(Ct);
        await using var ask = new NpgsqlCommand(
            $"""
            SELECT nodeport = {_proxy.Port} FROM pg_dist_shard JOIN pg_dist_placement USING (shardid)
            JOIN pg_dist_node USING (groupid) JOIN pg_class AS c ON c.oid = logicalrelid
            WHERE relnamespace = '{schema.Quoted}'::regnamespace LIMIT 1
            """, connection);
        return (bool)(await ask.ExecuteScalarAsync(Ct))!;
    }

    public ValueTask DisposeAsync() => _proxy.DisposeAsync();
}
