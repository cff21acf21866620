using Npgsql;

namespace Tenancy.Doctor;

/// <summary>What the parts of an examination have in common.</summary>
/// <param name="Connection">The connection that they ask, without a transaction.</param>
/// <param name="Options">Limits, and what all tenants share.</param>
/// <param name="Server">The server's settings.</param>
internal sealed record Examined(NpgsqlConnection Connection, TenancyOptions Options, ServerSettings Server)
{
    private const int Seconds = 30;

    public DoctorLimits Limits => Options.Doctor;

    /// <summary>Asks in a transaction of its own, so that no snapshot is held longer than one question takes.</summary>
    public async Task<List<T>> ReadAsync<T>(
        string sql, Func<NpgsqlDataReader, T> row, CancellationToken ct, params NpgsqlParameter[] parameters)
    {
        await using var transaction = await Connection.BeginTransactionAsync(ct);
        // By default a session keeps each table's statistics that it has looked at until its transaction ends.
        await using (var set = new NpgsqlCommand(
            $"SET LOCAL statement_timeout = '{Seconds}s'; SET LOCAL stats_fetch_consistency = none", Connection))
        {
            await set.ExecuteNonQueryAsync(ct);
        }

        var found = new List<T>();
        await using (var ask = new NpgsqlCommand(sql, Connection) { CommandTimeout = 2 * Seconds })
        {
            ask.Parameters.AddRange(parameters);
            await using var rows = await ask.ExecuteReaderAsync(ct);
            while (await rows.ReadAsync(ct))
            {
                found.Add(row(rows));
            }
        }

        await transaction.CommitAsync(ct);
        return found;
    }
}

/// <summary>The server's settings, and what this login may see.</summary>
/// <param name="User">This login.</param>
/// <param name="SeesAll">Whether it sees other users' sessions and all statistics.</param>
/// <param name="LocksPerTransaction"><c>max_locks_per_transaction</c>.</param>
/// <param name="Transactions">How many transactions the lock table is made for.</param>
/// <param name="FreezeMaxAge"><c>autovacuum_freeze_max_age</c>.</param>
/// <param name="Vacuums">Whether autovacuum is on.</param>
/// <param name="Counts">Whether dead rows are counted at all: <c>track_counts</c>.</param>
internal sealed record ServerSettings(string User, bool SeesAll, long LocksPerTransaction, long Transactions,
    long FreezeMaxAge, bool Vacuums, bool Counts)
{
    /// <summary>How many entries the server's lock table has, for all sessions together.</summary>
    public long Locks => LocksPerTransaction * Transactions;

    /// <summary>What to run, so that this login sees what it doesn't.</summary>
    public string Grant => $"Let an administrator run: GRANT pg_read_all_stats TO \"{User}\".";

    public static async Task<ServerSettings> ReadAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(
            """
            SELECT current_user::text, pg_catalog.pg_has_role(current_user, 'pg_read_all_stats', 'USAGE'),
                pg_catalog.current_setting('max_locks_per_transaction')::bigint,
                pg_catalog.current_setting('max_connections')::bigint + pg_catalog.current_setting('max_prepared_transactions')::bigint,
                pg_catalog.current_setting('autovacuum_freeze_max_age')::bigint,
                pg_catalog.current_setting('autovacuum')::bool, pg_catalog.current_setting('track_counts')::bool
            """, connection);
        await using var row = await ask.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        return new(row.GetString(0), row.GetBoolean(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4),
            row.GetBoolean(5), row.GetBoolean(6));
    }
}
