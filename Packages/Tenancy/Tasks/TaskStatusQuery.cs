using Npgsql;
using Tenancy.Ledgers;

namespace Tenancy.Tasks;

/// <summary>The questions how far tasks are in one database.</summary>
internal static class TaskStatusQuery
{
    /// <summary>One look at each ledger row and at each row of the tasks, whatever the number of tasks.</summary>
    private const string Figures =
        $"""
        SELECT count(*)::int FROM tenancy.schemas AS s WHERE {TaskDue.Visited};
        WITH figures AS (
            SELECT t.task, count(t.done_at) FILTER (WHERE s.schema IS NOT NULL)::int AS done,
                count(*) FILTER (WHERE {Failed})::int AS failed,
                (array_agg(t.schema ORDER BY t.failed_at DESC) FILTER (WHERE {Failed}))[1] AS last
            FROM tenancy.tasks AS t LEFT JOIN tenancy.schemas AS s ON s.schema = t.schema AND {TaskDue.Visited}
            GROUP BY t.task)
        SELECT f.task, f.done, f.failed, f.last, t.last_error, t.failed_at
        FROM figures AS f LEFT JOIN tenancy.tasks AS t ON t.task = f.task AND t.schema = f.last
        """;

    private const string Failed = "s.schema IS NOT NULL AND t.done_at IS NULL AND t.last_error IS NOT NULL";

    public static async Task<TaskFigures> FiguresAsync(NpgsqlDataSource database, CancellationToken ct)
    {
        await using var ask = database.CreateCommand(Figures);
        await using var rows = await ask.ExecuteReaderAsync(ct);
        await rows.ReadAsync(ct);
        var visited = rows.GetInt32(0);
        await rows.NextResultAsync(ct);
        var tried = new Dictionary<string, (int, int, LastFailure?)>(StringComparer.Ordinal);
        while (await rows.ReadAsync(ct))
        {
            tried.Add(rows.GetString(0), (rows.GetInt32(1), rows.GetInt32(2), await rows.IsDBNullAsync(4, ct)
                ? null
                : new(rows.GetString(3), rows.GetString(4), rows.TimeOrNull(5))));
        }

        return new(visited, tried);
    }

    public static async Task<IReadOnlyList<TenantTaskAttempt>> AttemptsAsync(
        NpgsqlDataSource database, string? name, string task, CancellationToken ct)
    {
        await using var ask = database.CreateCommand(
            $"""
            SELECT s.schema, t.done_at, coalesce(t.attempts, 0), t.last_error, t.failed_at
            FROM tenancy.schemas AS s LEFT JOIN tenancy.tasks AS t ON t.task = $1 AND t.schema = s.schema
            WHERE {TaskDue.Visited}
            """);
        ask.Parameters.Add(LedgerTable.Text(task));
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var attempts = new List<TenantTaskAttempt>();
        while (await rows.ReadAsync(ct))
        {
            attempts.Add(new(
                name, rows.GetString(0), rows.TimeOrNull(1), rows.GetInt32(2), rows.TextOrNull(3),
                rows.TimeOrNull(4)));
        }

        return attempts;
    }
}

/// <summary>How far the tasks are in one database.</summary>
/// <param name="visited">How many tenants a task visits.</param>
/// <param name="tried">By task: how many of them have done it, how many failed, and the last failure.</param>
internal sealed class TaskFigures(
    int visited, IReadOnlyDictionary<string, (int Done, int Failed, LastFailure? Last)> tried)
{
    /// <summary>The tasks that a tenant has tried.</summary>
    public IEnumerable<string> Tried => tried.Keys;

    public (int Done, int Failed, int Left, LastFailure? Last) Of(string task)
    {
        var (done, failed, last) = tried.GetValueOrDefault(task);
        return (done, failed, visited - done - failed, last);
    }
}

/// <summary>The last attempt of a task that failed.</summary>
/// <param name="Schema">Whose.</param>
/// <param name="Error">What it said.</param>
/// <param name="At">When.</param>
internal sealed record LastFailure(string Schema, string Error, DateTimeOffset? At);
