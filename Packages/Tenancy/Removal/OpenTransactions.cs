using Npgsql;
using Tenancy.Ledgers;

namespace Tenancy.Removal;

/// <summary>Transactions that hold locks on a tenant's tables: its requests that are under way.</summary>
internal static class OpenTransactions
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// Waits until there are none, twice in a row: a request may just have found its tenant. It asks the server's lock
    /// table and takes no lock, so that nothing queues behind it.
    /// </summary>
    /// <returns>The process ids of the backends that are still at it when the time is over.</returns>
    public static async Task<IReadOnlyList<int>> WaitAsync(
        NpgsqlDataSource database, SchemaName schema, TimeSpan atMost, TimeProvider time, CancellationToken ct)
    {
        var started = time.GetTimestamp();
        await using var connection = await database.OpenConnectionAsync(ct);
        for (var quiet = 0; ;)
        {
            var open = await FindAsync(connection, schema, ct);
            quiet = open.Count == 0 ? quiet + 1 : 0;
            if (quiet == 2 || time.GetElapsedTime(started) >= atMost)
            {
                return open;
            }

            await Task.Delay(Pause, time, ct);
        }
    }

    private static async Task<IReadOnlyList<int>> FindAsync(
        NpgsqlConnection connection, SchemaName schema, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(
            """
            SELECT DISTINCT l.pid FROM pg_catalog.pg_locks AS l JOIN pg_catalog.pg_class AS c ON c.oid = l.relation
            JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
            WHERE n.nspname = $1 AND l.granted AND l.pid <> pg_catalog.pg_backend_pid()
                AND l.database = (SELECT oid FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database())
            ORDER BY 1
            """, connection) { Parameters = { LedgerTable.Text(schema.Value) } };
        var open = new List<int>();
        await using var rows = await ask.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            open.Add(rows.GetInt32(0));
        }

        return open;
    }
}
