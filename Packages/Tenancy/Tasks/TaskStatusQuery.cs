using Npgsql;
using Tenancy.Ledgers;

namespace Tenancy.Tasks;

/// <summary>The question how far the tasks are.</summary>
internal static class TaskStatusQuery
{
    private const string Query =
        $"""
        WITH visited AS (SELECT s.schema FROM tenancy.schemas AS s WHERE {TaskDue.Visited}),
        tried AS (SELECT t.* FROM tenancy.tasks AS t JOIN visited USING (schema)),
        failed AS (
            SELECT DISTINCT ON (task) task, schema, last_error, failed_at FROM tried
            WHERE done_at IS NULL AND last_error IS NOT NULL ORDER BY task, failed_at DESC)
        SELECT n.task, count(tried.done_at)::int,
            (count(*) FILTER (WHERE tried.done_at IS NULL AND tried.last_error IS NOT NULL))::int,
            (SELECT count(*) FROM visited)::int, failed.schema, failed.last_error, failed.failed_at
        FROM (SELECT unnest($1) AS task UNION SELECT task FROM tenancy.tasks) AS n
        LEFT JOIN tried ON tried.task = n.task LEFT JOIN failed ON failed.task = n.task
        GROUP BY n.task, failed.schema, failed.last_error, failed.failed_at ORDER BY n.task COLLATE "C"
        """;

    public static async Task<IReadOnlyList<TenantTaskStatus>> RunAsync(
        NpgsqlDataSource database, IReadOnlyList<string> registered, CancellationToken ct)
    {
        await using var ask = database.CreateCommand(Query);
        ask.Parameters.Add(LedgerTable.Texts([.. registered]));
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var tasks = new List<TenantTaskStatus>();
        while (await rows.ReadAsync(ct))
        {
            var (name, done, failed) = (rows.GetString(0), rows.GetInt32(1), rows.GetInt32(2));
            var hasFailed = !await rows.IsDBNullAsync(4, ct);
            tasks.Add(new(
                name, registered.Contains(name), done, failed, rows.GetInt32(3) - done - failed,
                hasFailed ? rows.GetString(4) : null, hasFailed ? rows.GetString(5) : null,
                hasFailed ? rows.GetFieldValue<DateTimeOffset>(6) : null));
        }

        return tasks;
    }
}
