using Tenancy.Roles;

namespace Tenancy.Sql;

/// <summary>
/// Summarizes SQL in a few words that are the same for all tenants: <c>SELECT invoices</c>. They name database spans,
/// so no schema's name is among them.
/// </summary>
/// <param name="Name">The operations with their tables, the first three that differ: <c>INSERT invoices; INSERT
/// invoice_lines</c>.</param>
/// <param name="Operation">The operation; of several <c>BATCH</c>, and which if all are the same.</param>
/// <param name="Table">The table of the only operation; null where there are several or none.</param>
/// <param name="Schema">The schema of the table or of all the tables, as written; null where none is.</param>
internal sealed record StatementSummary(string Name, string Operation, string? Table, string? Schema)
{
    /// <summary>
    /// The script of a group's migrations may have a hundred thousand characters. Its first statements say what it
    /// does.
    /// </summary>
    private const int MostRead = 4096;

    private const int MostNamed = 3;

    // Npgsql asks for a span's name, then for its attributes, on the same thread about the same text.
    [ThreadStatic]
    private static (string Text, StatementSummary Summary) _last;

    public static StatementSummary Of(string sql)
    {
        if (!ReferenceEquals(_last.Text, sql))
        {
            _last = (sql, Of([sql[TenantRoleSql.Length(sql)..]]));
        }

        return _last.Summary;
    }

    public static StatementSummary Of(IEnumerable<string> batch)
    {
        var found = new List<StatementShape>();
        var more = false;
        foreach (var sql in batch)
        {
            more |= Read(sql, found);
        }

        return found switch
        {
            [] => new("SQL", "SQL", null, null),
            [var one] when !more => new(one.Words, one.Operation, one.Table, one.Schema),
            [var first, ..] => new(
                string.Join("; ", found.Select(one => one.Words)) + (more ? "; ..." : ""),
                !more && found.TrueForAll(one => one.Operation == first.Operation)
                    ? $"BATCH {first.Operation}"
                    : "BATCH",
                null,
                found.TrueForAll(one => one.Schema == first.Schema) ? first.Schema : null),
        };
    }

    /// <returns>Whether there is more than is named.</returns>
    private static bool Read(ReadOnlySpan<char> sql, List<StatementShape> found)
    {
        var tokens = new SqlTokens(sql[..Math.Min(sql.Length, MostRead)]);
        var reader = new StatementShapeReader();
        while (true)
        {
            var end = !tokens.Next(out var kind, out var from, out var to);
            var token = sql[from..to];
            if (end || token is ";")
            {
                if (reader.End() is { } shape && !found.Contains(shape))
                {
                    if (found.Count == MostNamed)
                    {
                        return true;
                    }

                    found.Add(shape);
                }

                if (end)
                {
                    return false;
                }
            }
            else if (kind != SqlToken.Comment && !char.IsWhiteSpace(token[0]))
            {
                reader.Read(kind, token);
            }
        }
    }
}
