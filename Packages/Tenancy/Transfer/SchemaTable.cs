using Npgsql;
using Tenancy.Ledgers;

namespace Tenancy.Transfer;

/// <summary>A table of a tenant's schema, and its columns that take values.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Columns">In the table's order, generated ones left out.</param>
/// <param name="IsPartitioned">Then its rows are in its partitions, which aren't listed themselves.</param>
/// <param name="HasTriggers">Of the migrations' own.</param>
internal sealed record SchemaTable(string Name, IReadOnlyList<string> Columns, bool IsPartitioned, bool HasTriggers)
{
    /// <summary>SQL: $1 is the schema, $2 the table of the history. Each catalog is read by an index.</summary>
    /// <remarks>One condition for a table and its partitions would read all tenants' triggers for each table.
    /// Without OFFSET, PostgreSQL may read all of them once, to look the tables up in a hash.</remarks>
    internal const string Query =
        $$"""
        SELECT c.relname::text, c.relkind = 'p',
            coalesce((SELECT array_agg(a.attname::text ORDER BY a.attnum) FROM pg_catalog.pg_attribute AS a
                WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped AND a.attgenerated = ''), '{}'),
            EXISTS (SELECT FROM pg_catalog.pg_trigger AS t WHERE t.tgrelid = c.oid AND NOT t.tgisinternal OFFSET 0)
                OR c.relkind = 'p' AND EXISTS (SELECT FROM pg_catalog.pg_partition_tree(c.oid) AS part
                    WHERE EXISTS (SELECT FROM pg_catalog.pg_trigger AS t
                        WHERE t.tgrelid = part.relid AND NOT t.tgisinternal OFFSET 0))
        FROM pg_catalog.pg_class AS c
        WHERE c.oid IN ({{SchemaRelations.Oids}}) AND c.relkind IN ('r', 'p') AND NOT c.relispartition
            AND c.relname <> $2
        ORDER BY c.relname COLLATE "C"
        """;

    /// <summary>The tables of a schema in the order of their names, without EF's history.</summary>
    public static async Task<IReadOnlyList<SchemaTable>> ReadAsync(
        NpgsqlConnection connection, SchemaName schema, string history, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(Query, connection)
        {
            Parameters = { LedgerTable.Text(schema.Value), LedgerTable.Text(history) },
        };
        var tables = new List<SchemaTable>();
        await using var rows = await ask.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            tables.Add(new(rows.GetString(0), rows.GetFieldValue<string[]>(2), rows.GetBoolean(1),
                rows.GetBoolean(3)));
        }

        return tables;
    }
}
