using Npgsql;
using NpgsqlTypes;
using Tenancy.Ledgers;

namespace Tenancy.Tasks;

/// <summary>A tenant's ledger row that this transaction holds, and what it means for the task.</summary>
/// <param name="Version">The schema's version.</param>
/// <param name="Failed">Whether its last migration failed.</param>
/// <param name="Over">Another process has done the task there, or failed, since this one looked.</param>
internal sealed record ClaimedTenant(string Version, bool Failed, bool Over);

/// <summary>The statements of <c>tenancy.tasks</c>.</summary>
internal static class TasksTable
{
    /// <summary>
    /// Each ring in which the task is due, in order: for how many tenants it is, and how many the ring has in all.
    /// </summary>
    public static async Task<IReadOnlyList<(int Ring, int Due, int Size)>> RingsAsync(
        NpgsqlDataSource database, TaskDue due, CancellationToken ct)
    {
        await using var ask = database.CreateCommand(
            $"""
            SELECT s.ring, count(*) FILTER (WHERE {TaskDue.InAnyRing})::int, count(*)::int
            FROM tenancy.schemas AS s WHERE {TaskDue.Visited} AND ($5 IS NULL OR s.ring = $5)
            GROUP BY s.ring ORDER BY s.ring
            """);
        ask.Parameters.AddRange(due.Parameters);
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var rings = new List<(int, int Due, int)>();
        while (await rows.ReadAsync(ct))
        {
            rings.Add((rows.GetInt32(0), rows.GetInt32(1), rows.GetInt32(2)));
        }

        return [.. rings.Where(ring => ring.Due > 0)];
    }

    public static async Task<IReadOnlyList<SchemaName>> ListAsync(
        NpgsqlDataSource database, TaskDue due, CancellationToken ct)
    {
        await using var ask = database.CreateCommand(
            $"SELECT s.schema FROM tenancy.schemas AS s WHERE {TaskDue.Condition} ORDER BY s.schema");
        ask.Parameters.AddRange(due.Parameters);
        return await ask.SchemasAsync(ct);
    }

    /// <summary>In how many schemas of a ring the task has failed since then.</summary>
    public static async Task<int> FailedSinceAsync(
        NpgsqlDataSource database, string task, int ring, DateTime since, CancellationToken ct)
    {
        await using var count = database.CreateCommand(
            $"""
            SELECT count(*)::int FROM tenancy.schemas AS s JOIN tenancy.tasks AS t ON t.schema = s.schema
            WHERE {TaskDue.Visited} AND s.ring = $1 AND t.task = $2 AND t.failed_at >= $3 AND t.last_error IS NOT NULL
            """);
        count.Parameters.Add(new NpgsqlParameter<int> { TypedValue = ring });
        count.Parameters.Add(LedgerTable.Text(task));
        count.Parameters.Add(
            new NpgsqlParameter<DateTime> { TypedValue = since, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        return (int)(await count.ExecuteScalarAsync(ct))!;
    }

    /// <summary>
    /// Locks the ledger row of the next tenant that is due and that nobody else holds; sets the transaction's time
    /// limits in the same round trip.
    /// </summary>
    /// <param name="connection">In a transaction.</param>
    /// <param name="due">Whom.</param>
    /// <param name="after">Only schemas after this one; empty for all.</param>
    /// <param name="plan">Has the time limits.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>Null when there is none.</returns>
    public static async Task<SchemaName?> ClaimAsync(
        NpgsqlConnection connection, TaskDue due, string after, FleetPlan plan, CancellationToken ct)
    {
        await using var batch = connection.CreateBatch();
        RunLimits.AddTo(batch, connection.PostgreSqlVersion, plan.LockTimeout, plan.StatementTimeout);
        var claim = new NpgsqlBatchCommand(
            $"""
            SELECT s.schema FROM tenancy.schemas AS s WHERE {TaskDue.Condition} AND s.schema > $6 ORDER BY s.schema
            LIMIT 1 FOR UPDATE OF s SKIP LOCKED
            """);
        claim.Parameters.AddRange(due.Parameters);
        claim.Parameters.Add(LedgerTable.Text(after));
        batch.BatchCommands.Add(claim);
        return await batch.ExecuteScalarAsync(ct) is string schema ? SchemaName.Parse(schema) : null;
    }

    /// <summary>
    /// What a claimed row says now. The claim's own snapshot may be older than another process' commit: that process
    /// held the row, wrote "done" into the other table, and let go before the claim came to the row.
    /// </summary>
    public static async Task<ClaimedTenant> ReadAsync(
        NpgsqlConnection connection, TaskDue due, SchemaName schema, CancellationToken ct)
    {
        await using var read = new NpgsqlCommand(
            """
            SELECT s.version, s.state = 'failed', t.done_at IS NOT NULL OR coalesce(t.failed_at >= $3, false)
            FROM tenancy.schemas AS s LEFT JOIN tenancy.tasks AS t ON t.task = $1 AND t.schema = s.schema
            WHERE s.schema = $2
            """, connection)
        {
            Parameters =
            {
                LedgerTable.Text(due.Task), LedgerTable.Text(schema.Value),
                new NpgsqlParameter<DateTime> { TypedValue = due.Since, NpgsqlDbType = NpgsqlDbType.TimestampTz },
            },
        };
        await using var row = await read.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        return new(row.GetString(0), row.GetBoolean(1), row.GetBoolean(2));
    }

    /// <summary>Adds the statement that records the task as done in the transaction that did it.</summary>
    public static void AddDone(NpgsqlBatch batch, string task, SchemaName schema) => batch.BatchCommands.Add(new(
        """
        INSERT INTO tenancy.tasks (task, schema, done_at) VALUES ($1, $2, clock_timestamp())
        ON CONFLICT (task, schema) DO UPDATE SET done_at = EXCLUDED.done_at, attempts = 0, last_error = NULL
        """) { Parameters = { LedgerTable.Text(task), LedgerTable.Text(schema.Value) } });

    /// <summary>Records a failed attempt, unless another process has done the task meanwhile.</summary>
    public static async Task FailAsync(NpgsqlCommand command, string task, SchemaName schema, string error,
        CancellationToken ct)
    {
        command.CommandText =
            """
            INSERT INTO tenancy.tasks AS t (task, schema, attempts, last_error, failed_at)
            VALUES ($1, $2, 1, $3, clock_timestamp())
            ON CONFLICT (task, schema) DO UPDATE
            SET attempts = t.attempts + 1, last_error = EXCLUDED.last_error, failed_at = EXCLUDED.failed_at
            WHERE t.done_at IS NULL
            """;
        command.Parameters.AddRange(
            new[] { LedgerTable.Text(task), LedgerTable.Text(schema.Value), LedgerTable.Text(error) });
        await command.ExecuteNonQueryAsync(ct);
    }
}
