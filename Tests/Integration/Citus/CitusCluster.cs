using Npgsql;
using Xunit;

namespace Tests.Integration.Citus;

/// <summary>
/// The Citus cluster of a test run: <c>TEST_CITUS</c> is a connection string of its coordinator, of a superuser whom
/// the nodes let in by the same password, and of a database that has the nodes in <c>pg_dist_node</c>. All tests run on
/// it then; without it, those of Citus are skipped.
/// </summary>
internal static class CitusCluster
{
    /// <summary>The environment variable.</summary>
    public const string Variable = "TEST_CITUS";

    private const int ChangingRoles = 4711;

    /// <summary>
    /// The first right that a database gives to a role makes Citus alter the role on each node, which fails where
    /// another database's does the same. So a new database gives one while it is alone.
    /// </summary>
    private const string KnowRole =
        """
        DO $$ BEGIN CREATE ROLE tenancy_api NOLOGIN; EXCEPTION WHEN duplicate_object THEN NULL; END $$;
        BEGIN;
        SET LOCAL citus.enable_schema_based_sharding TO on;
        CREATE SCHEMA knows_role;
        GRANT USAGE ON SCHEMA knows_role TO tenancy_api;
        COMMIT;
        DROP SCHEMA knows_role;
        """;

    /// <summary>The coordinator's connection string; null where there is no cluster.</summary>
    public static string? Coordinator { get; } =
        Environment.GetEnvironmentVariable(Variable) is { Length: > 0 } given ? given : null;

    /// <summary>Whether the environment names a cluster.</summary>
    public static bool IsConfigured => Coordinator is not null;

    /// <summary>Skips the test where there is no cluster.</summary>
    public static void SkipWithout() => Assert.SkipUnless(
        IsConfigured, $"{Variable} names no coordinator of a Citus cluster.");

    /// <summary>Skips the test on a cluster.</summary>
    /// <param name="reason">What Citus doesn't do, and what that means for the test.</param>
    public static void SkipOn(string reason) => Assert.SkipWhen(IsConfigured, reason);

    /// <summary>
    /// Held while roles change: all databases of a cluster share them, and two changes at once fail on a node ("tuple
    /// concurrently updated"). Disposing of it lets the next one in, whatever process it is. Null without a cluster.
    /// </summary>
    public static async Task<NpgsqlConnection?> AloneAsync(CancellationToken ct)
    {
        if (!IsConfigured)
        {
            return null;
        }

        var alone = await OpenAsync(Coordinator!, ct);
        await ExecuteAsync(alone, $"SELECT pg_advisory_lock({ChangingRoles})", ct);
        return alone;
    }

    /// <summary>Spreads a new database over the nodes.</summary>
    /// <param name="database">On the coordinator, empty.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="instead">A port of this machine that leads to a worker, by the worker's own; null for none.</param>
    /// <param name="registers">Whether the coordinator is told of the nodes.</param>
    public static async Task AddAsync(
        string database, CancellationToken ct, IReadOnlyDictionary<int, int>? instead = null, bool registers = true)
    {
        var name = new NpgsqlConnectionStringBuilder(database).Database!;
        // A node that is added gets the roles.
        await using var alone = await AloneAsync(ct);
        await using var coordinator = await OpenAsync(database, ct);
        await ExecuteAsync(coordinator, "CREATE EXTENSION citus", ct);
        foreach (var (host, port, isCoordinator) in await NodesAsync(ct))
        {
            if (isCoordinator)
            {
                if (registers)
                {
                    await ExecuteAsync(coordinator, $"SELECT citus_set_coordinator_host('{host}', {port})", ct);
                }

                continue;
            }

            await using (var maintenance = await OpenAsync(Node(Coordinator!, host, port), ct))
            {
                await ExecuteAsync(maintenance, $"CREATE DATABASE {name}", ct);
            }

            await using (var worker = await OpenAsync(Node(database, host, port), ct))
            {
                await ExecuteAsync(worker, "CREATE EXTENSION citus", ct);
            }

            if (registers)
            {
                var way = instead?.GetValueOrDefault(port, port) ?? port;
                await ExecuteAsync(coordinator, $"SELECT citus_add_node('{host}', {way})", ct);
            }
        }

        if (registers)
        {
            await ExecuteAsync(coordinator, KnowRole, ct);
        }
    }

    /// <summary>Drops a database from the workers.</summary>
    public static async Task RemoveAsync(string database)
    {
        var name = new NpgsqlConnectionStringBuilder(database).Database!;
        foreach (var (host, port, _) in (await NodesAsync(CancellationToken.None)).Where(node => !node.IsCoordinator))
        {
            await using var worker = await OpenAsync(Node(Coordinator!, host, port), CancellationToken.None);
            await ExecuteAsync(worker, $"DROP DATABASE IF EXISTS {name} WITH (FORCE)", CancellationToken.None);
        }
    }

    /// <summary>
    /// Puts a shared table on all nodes, where tenants' tables are joined to it. Nothing in a database without Citus.
    /// </summary>
    public static async Task ShareAsync(string database, string table, CancellationToken ct)
    {
        if (!IsConfigured)
        {
            return;
        }

        // Citus gives the table's rights to the nodes' roles.
        await using var alone = await AloneAsync(ct);
        await using var coordinator = await OpenAsync(database, ct);
        await using var ask = new NpgsqlCommand("SELECT 1 FROM pg_extension WHERE extname = 'citus'", coordinator);
        if (await ask.ExecuteScalarAsync(ct) is null)
        {
            return;
        }

        await ExecuteAsync(coordinator,
            $"SELECT create_reference_table('{table}') WHERE NOT EXISTS (SELECT FROM pg_dist_partition WHERE " +
            $"logicalrelid = '{table}'::regclass)", ct);
    }

    /// <summary>The nodes as the cluster's own database names them.</summary>
    public static async Task<IReadOnlyList<(string Host, int Port, bool IsCoordinator)>> NodesAsync(
        CancellationToken ct)
    {
        await using var coordinator = await OpenAsync(Coordinator!, ct);
        await using var ask = new NpgsqlCommand(
            "SELECT nodename, nodeport, groupid = 0 FROM pg_dist_node WHERE isactive ORDER BY groupid", coordinator);
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var nodes = new List<(string, int, bool)>();
        while (await rows.ReadAsync(ct))
        {
            nodes.Add((rows.GetString(0), rows.GetInt32(1), rows.GetBoolean(2)));
        }

        return nodes;
    }

    /// <summary>The same database on a node.</summary>
    public static string Node(string database, string host, int port) =>
        new NpgsqlConnectionStringBuilder(database) { Host = host, Port = port }.ConnectionString;

    /// <summary>Says one statement to the coordinator, in the cluster's own database.</summary>
    public static async Task ExecuteAsync(string sql)
    {
        await using var coordinator = await OpenAsync(Coordinator!, CancellationToken.None);
        await ExecuteAsync(coordinator, sql, CancellationToken.None);
    }

    private static async Task<NpgsqlConnection> OpenAsync(string connectionString, CancellationToken ct)
    {
        var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(ct);
        return connection;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
