using Npgsql;

namespace Benchmarks.Citus;

/// <summary>Databases on a cluster: made empty, and dropped when the benchmark has ended.</summary>
/// <param name="coordinator">A superuser's connection string of a database that has the nodes in
/// <c>pg_dist_node</c>. The nodes let the same user in by the same password.</param>
internal sealed class CitusDatabases(string coordinator) : IAsyncDisposable
{
    private readonly List<(string Server, string Name)> _made = [];

    /// <summary>A new database with nothing in it, on the coordinator's server.</summary>
    /// <returns>Its connection string.</returns>
    public async Task<string> CreateAsync(string name, CancellationToken ct)
    {
        await ExecuteAsync(coordinator, $"CREATE DATABASE {name} TEMPLATE template0", ct);
        _made.Add((coordinator, name));
        return Of(coordinator, name);
    }

    /// <summary>The same, spread over the cluster's nodes.</summary>
    public async Task<string> CreateSpreadAsync(string name, CancellationToken ct)
    {
        var database = await CreateAsync(name, ct);
        await ExecuteAsync(database, "CREATE EXTENSION citus", ct);
        foreach (var (host, port, isCoordinator) in await NodesAsync(ct))
        {
            if (isCoordinator)
            {
                await ExecuteAsync(database, $"SELECT citus_set_coordinator_host('{host}', {port})", ct);
                continue;
            }

            var node = new NpgsqlConnectionStringBuilder(coordinator) { Host = host, Port = port }.ConnectionString;
            await ExecuteAsync(node, $"CREATE DATABASE {name} TEMPLATE template0", ct);
            _made.Add((node, name));
            await ExecuteAsync(Of(node, name), "CREATE EXTENSION citus", ct);
            await ExecuteAsync(database, $"SELECT citus_add_node('{host}', {port})", ct);
        }

        return database;
    }

    /// <summary>The server and the cluster as they describe themselves.</summary>
    public async Task<string> DescriptionAsync(CancellationToken ct)
    {
        await using var connection = await OpenAsync(coordinator, ct);
        await using var ask = new NpgsqlCommand(
            """
            SELECT format('Citus %s on PostgreSQL %s, %s nodes besides the coordinator, fsync %s',
                (SELECT extversion FROM pg_extension WHERE extname = 'citus'),
                split_part(current_setting('server_version'), ' ', 1),
                (SELECT count(*) FROM pg_dist_node WHERE groupid <> 0), current_setting('fsync'))
            """, connection);
        return (string)(await ask.ExecuteScalarAsync(ct))!;
    }

    public async ValueTask DisposeAsync()
    {
        // The coordinator's comes first: it would look for its nodes' otherwise.
        foreach (var (server, name) in _made)
        {
            await ExecuteAsync(server, $"DROP DATABASE IF EXISTS {name} WITH (FORCE)", CancellationToken.None);
        }
    }

    private async Task<List<(string Host, int Port, bool IsCoordinator)>> NodesAsync(CancellationToken ct)
    {
        await using var connection = await OpenAsync(coordinator, ct);
        await using var ask = new NpgsqlCommand(
            "SELECT nodename, nodeport, groupid = 0 FROM pg_dist_node WHERE isactive ORDER BY groupid", connection);
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var nodes = new List<(string, int, bool)>();
        while (await rows.ReadAsync(ct))
        {
            nodes.Add((rows.GetString(0), rows.GetInt32(1), rows.GetBoolean(2)));
        }

        return nodes;
    }

    private static string Of(string server, string database) =>
        new NpgsqlConnectionStringBuilder(server) { Database = database }.ConnectionString;

    private static async Task<NpgsqlConnection> OpenAsync(string connectionString, CancellationToken ct)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(ct);
        return connection;
    }

    private static async Task ExecuteAsync(string connectionString, string sql, CancellationToken ct)
    {
        await using var connection = await OpenAsync(connectionString, ct);
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }
}
