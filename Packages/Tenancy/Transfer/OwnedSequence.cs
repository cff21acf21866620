using Npgsql;
using Tenancy.Adoption;
using Tenancy.Ledgers;
using Tenancy.Migrations;

namespace Tenancy.Transfer;

/// <summary>A sequence of a tenant's schema.</summary>
/// <param name="Name">Its name.</param>
/// <param name="Table">The table whose column owns it; null for none.</param>
/// <param name="Column">That column; null for none.</param>
/// <param name="IsInOther">Whether the other schema has a sequence of that name.</param>
internal sealed record OwnedSequence(string Name, string? Table, string? Column, bool IsInOther)
{
    /// <summary>SQL: $1 is the schema, $2 the other one. Each catalog is read by an index.</summary>
    internal const string Query =
        $"""
        SELECT s.relname::text, t.relname::text, a.attname::text,
            EXISTS (SELECT FROM pg_catalog.pg_class AS o JOIN pg_catalog.pg_namespace AS m ON m.oid = o.relnamespace
                WHERE o.relkind = 'S' AND o.relname = s.relname AND m.nspname = $2)
        FROM pg_catalog.pg_class AS s
        LEFT JOIN pg_catalog.pg_depend AS d ON d.objid = s.oid AND d.classid = 'pg_catalog.pg_class'::regclass
            AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.deptype IN ('a', 'i')
        LEFT JOIN pg_catalog.pg_class AS t ON t.oid = d.refobjid
        LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = d.refobjid AND a.attnum = d.refobjsubid
        WHERE s.oid IN ({SchemaRelations.Oids}) AND s.relkind = 'S' ORDER BY 1
        """;

    /// <param name="connection">Open.</param>
    /// <param name="schema">Whose sequences.</param>
    /// <param name="other">The other schema.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task<IReadOnlyList<OwnedSequence>> ReadAsync(
        NpgsqlConnection connection, SchemaName schema, string other, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(Query, connection)
        {
            Parameters = { LedgerTable.Text(schema.Value), LedgerTable.Text(other) },
        };
        var sequences = new List<OwnedSequence>();
        await using var rows = await ask.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            sequences.Add(new(rows.GetString(0), await rows.IsDBNullAsync(1, ct) ? null : rows.GetString(1),
                await rows.IsDBNullAsync(2, ct) ? null : rows.GetString(2), rows.GetBoolean(3)));
        }

        return sequences;
    }

    /// <summary>The statement that moves it past its table's rows.</summary>
    public string PastRows(SchemaName schema) =>
        SequenceSql.PastRows(schema.Qualify(Table!), Column!, Quoted.Name(Column!));
}
