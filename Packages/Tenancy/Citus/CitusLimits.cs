using Npgsql;

namespace Tenancy.Citus;

/// <summary>The smallest node's share in a migration run.</summary>
/// <param name="Locks">Entries of its lock table.</param>
/// <param name="Connections">The connections that it lets ordinary logins have.</param>
/// <param name="PoolSize">How many connections one session of the coordinator may open to a node.</param>
internal sealed record CitusLimits(long Locks, int Connections, int PoolSize)
{
    /// <summary>
    /// A statement locks the table's entry on every node, and on one the table itself besides.
    /// </summary>
    public const int LocksPerEntry = 2;

    /// <summary>SQL: <see cref="LocksPerEntry"/> on a cluster, 1 on PostgreSQL alone.</summary>
    public const string PerEntry = $"(1 + ({CitusEngine.Exists})::int)";

    /// <summary>
    /// How many workers leave half of a node's connections to everybody else. A worker's session opens one connection
    /// to each node for what it changes, and more, for a moment, for a query over many schemas.
    /// </summary>
    public int Workers => Math.Max(1, Connections / 2 / PoolSize);

    /// <exception cref="PostgresException">The login may not ask the nodes.</exception>
    public static async Task<CitusLimits> ReadAsync(NpgsqlDataSource database, CancellationToken ct)
    {
        await using var ask = database.CreateCommand(
            """
            SELECT min(split_part(result, ' ', 1)::bigint), min(split_part(result, ' ', 2)::int),
                current_setting('citus.max_adaptive_executor_pool_size')::int
            FROM run_command_on_all_nodes(
                $$
                SELECT concat_ws(' ', current_setting('max_locks_per_transaction')::bigint
                        * (current_setting('max_connections')::bigint + current_setting('max_prepared_transactions')::bigint),
                    current_setting('max_connections')::int - current_setting('superuser_reserved_connections')::int)
                $$, give_warning_for_connection_errors := true)
            WHERE success
            """);
        await using var row = await ask.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        return new(row.GetInt64(0), row.GetInt32(1), row.GetInt32(2));
    }
}
