using Npgsql;
using Tenancy.Adoption;
using Tenancy.Ledgers;

namespace Tenancy.Transfer;

/// <summary>A foreign key between two tables of one tenant's schema.</summary>
/// <param name="Table">Whose key it is.</param>
/// <param name="Name">Its own.</param>
/// <param name="Parent">The table that it refers to.</param>
/// <param name="Definition">As PostgreSQL writes it.</param>
/// <param name="Columns">The table's.</param>
/// <param name="ParentColumns">The parent's, in the same order.</param>
/// <param name="IsDeferred">Whether it is checked when the transaction ends.</param>
internal sealed record ForeignKey(string Table, string Name, string Parent, string Definition, string[] Columns,
    string[] ParentColumns, bool IsDeferred = false)
{
    /// <summary>SQL: $1 is the schema. Each catalog is read by an index.</summary>
    internal const string Query =
        $"""
        SELECT c.relname::text, k.conname::text, p.relname::text, pg_catalog.pg_get_constraintdef(k.oid),
            (SELECT array_agg(attname::text ORDER BY at) FROM unnest(k.conkey) WITH ORDINALITY AS n (num, at)
                JOIN pg_catalog.pg_attribute ON attrelid = k.conrelid AND attnum = num),
            (SELECT array_agg(attname::text ORDER BY at) FROM unnest(k.confkey) WITH ORDINALITY AS n (num, at)
                JOIN pg_catalog.pg_attribute ON attrelid = k.confrelid AND attnum = num),
            k.condeferred
        FROM pg_catalog.pg_constraint AS k
        JOIN pg_catalog.pg_class AS c ON c.oid = k.conrelid JOIN pg_catalog.pg_class AS p ON p.oid = k.confrelid
        WHERE k.conrelid IN ({SchemaRelations.Oids}) AND k.contype = 'f' AND k.conparentid = 0
            AND p.relnamespace = c.relnamespace
        ORDER BY 1, 2
        """;

    /// <summary>The keys of a schema, those of partitions left out.</summary>
    public static async Task<IReadOnlyList<ForeignKey>> ReadAsync(
        NpgsqlConnection connection, SchemaName schema, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(Query, connection) { Parameters = { LedgerTable.Text(schema.Value) } };
        var keys = new List<ForeignKey>();
        await using var rows = await ask.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            keys.Add(new(rows.GetString(0), rows.GetString(1), rows.GetString(2), rows.GetString(3),
                rows.GetFieldValue<string[]>(4), rows.GetFieldValue<string[]>(5), rows.GetBoolean(6)));
        }

        return keys;
    }

    /// <summary>
    /// Parents first. In a circle, the table that <paramref name="isFirst"/> prefers comes first. A key to its own table
    /// needs no order: PostgreSQL checks a statement's rows at its end.
    /// </summary>
    /// <returns>
    /// The order, and the keys that have to go before the rows come: those that no order satisfies, and those that are
    /// checked when the transaction ends. A table with such checks ahead can't be altered, and
    /// <c>SET CONSTRAINTS</c> doesn't reach the nodes of Citus.
    /// </returns>
    public static (IReadOnlyList<string> Tables, IReadOnlyList<ForeignKey> Dropped) Order(
        IReadOnlyCollection<string> tables, IReadOnlyList<ForeignKey> keys, Func<string, bool> isFirst)
    {
        var (ordered, cyclic) = (new List<string>(), new List<ForeignKey>());
        var left = tables.Order(StringComparer.Ordinal).ToList();
        while (left.Count > 0)
        {
            var next = left.FirstOrDefault(table => Waits(table).Count == 0);
            if (next is null)
            {
                next = left.MinBy(table => (isFirst(table) ? 0 : 1, Waits(table).Count))!;
                cyclic.AddRange(Waits(next));
            }

            ordered.Add(next);
            left.Remove(next);
        }

        return (ordered, [.. cyclic.Union(keys.Where(key => key.IsDeferred))]);

        List<ForeignKey> Waits(string table) =>
            [.. keys.Where(key => key.Table == table && key.Parent != table && left.Contains(key.Parent))];
    }

    /// <summary>The statement that drops the key.</summary>
    public string Drop(SchemaName schema) =>
        $"ALTER TABLE {schema.Qualify(Table)} DROP CONSTRAINT {Quoted.Name(Name)};";

    /// <summary>The statement that adds it again, and checks all rows.</summary>
    public string Add(SchemaName schema) =>
        $"ALTER TABLE {schema.Qualify(Table)} ADD CONSTRAINT {Quoted.Name(Name)} {Definition};";
}
