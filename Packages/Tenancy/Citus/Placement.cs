using Npgsql;
using Tenancy.Ledgers;

namespace Tenancy.Citus;

/// <summary>Something of a tenant that Citus should have placed on a node, and hasn't.</summary>
/// <param name="Schema">The tenant's.</param>
/// <param name="Table">The table; null where it is the whole schema.</param>
/// <param name="Apart">The table is distributed, and not together with the schema's others.</param>
internal sealed record Misplaced(SchemaName Schema, string? Table, bool Apart)
{
    /// <summary>The finding, as <c>verify</c> says it.</summary>
    public string Words => Table is null
        ? "the schema isn't distributed: its tables are on the coordinator alone"
        : Apart
            ? $"table {Table} isn't placed together with the schema's other tables"
            : $"table {Table} isn't distributed: it is on the coordinator alone";
}

/// <summary>Where Citus has tenants' schemas and tables.</summary>
internal static class Placement
{
    /// <summary>
    /// What of these schemas isn't on a node, in their order. A schema without tables is none: Citus knows it all the
    /// same.
    /// </summary>
    /// <param name="database">The owner's, on a Citus cluster.</param>
    /// <param name="schemas">Those that exist.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task<IReadOnlyList<Misplaced>> FindAsync(
        NpgsqlDataSource database, IReadOnlyCollection<string> schemas, CancellationToken ct)
    {
        await using var ask = database.CreateCommand(
            """
            SELECT n.nspname::text, c.relname::text, p.logicalrelid IS NOT NULL
            FROM pg_catalog.pg_namespace AS n
            LEFT JOIN pg_catalog.pg_dist_schema AS s ON s.schemaid = n.oid
            LEFT JOIN pg_catalog.pg_class AS c
                ON c.relnamespace = n.oid AND c.relkind IN ('r', 'p') AND s.schemaid IS NOT NULL
            LEFT JOIN pg_catalog.pg_dist_partition AS p ON p.logicalrelid = c.oid
            WHERE n.nspname = ANY ($1) AND (s.schemaid IS NULL
                OR c.oid IS NOT NULL AND p.colocationid IS DISTINCT FROM s.colocationid)
            ORDER BY n.nspname::text COLLATE "C", c.relname::text COLLATE "C"
            """);
        ask.Parameters.Add(LedgerTable.Texts([.. schemas]));
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var found = new List<Misplaced>();
        while (await rows.ReadAsync(ct))
        {
            found.Add(new(SchemaName.Parse(rows.GetString(0)),
                await rows.IsDBNullAsync(1, ct) ? null : rows.GetString(1), rows.GetBoolean(2)));
        }

        return found;
    }
}
