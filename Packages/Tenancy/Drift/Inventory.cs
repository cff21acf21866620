using Npgsql;
using NpgsqlTypes;
using Tenancy.Databases;
using Tenancy.Ledgers;

namespace Tenancy.Drift;

/// <summary>A schema's name in the ledger and in the catalog. Either may not have it.</summary>
/// <param name="Schema">The name.</param>
/// <param name="State">The ledger's; null where it has no row.</param>
/// <param name="Version">The ledger's.</param>
/// <param name="Unfinished">See <see cref="LedgerRow.Unfinished"/>.</param>
/// <param name="Oid">The schema's; null where there is none.</param>
/// <param name="HasHistory">Whether EF's history table is in it.</param>
internal sealed record InventoryRow(
    string Schema, string? State, string Version, string? Unfinished, uint? Oid, bool HasHistory)
{
    /// <summary>Whether the schema should exist, with the tables of its version.</summary>
    public bool ShouldExist => State is "ready" or "failed" or "suspended" or "spare" or "archived";
}

/// <summary>Ledger and catalog side by side.</summary>
internal static class Inventory
{
    /// <summary>
    /// All, or those of these names, in one snapshot: a schema that is made meanwhile is there with its ledger row, or
    /// not yet.
    /// </summary>
    public static async Task<IReadOnlyList<InventoryRow>> ReadAsync(
        NpgsqlDataSource database, string historyTable, IEnumerable<string>? only, CancellationToken ct)
    {
        await using var ask = database.CreateCommand(
            $"""
            SELECT coalesce(s.schema, n.nspname::text) AS name, s.state, coalesce(s.version, ''), s.unfinished, n.oid, h.oid IS NOT NULL
            FROM tenancy.schemas AS s
            FULL JOIN pg_catalog.pg_namespace AS n ON n.nspname::text COLLATE "C" = s.schema::text COLLATE "C"
            LEFT JOIN pg_catalog.pg_class AS h ON h.relname = $1::text AND h.relnamespace = n.oid AND h.relkind IN ('r', 'p')
            WHERE ($2::text[] IS NULL OR coalesce(s.schema, n.nspname::text) = ANY ($2))
                AND NOT (s.state IS NULL AND {MovingSchemas.IsFence("n.nspname")})
            """);
        ask.Parameters.Add(LedgerTable.Text(historyTable));
        ask.Parameters.Add(
            only is null ? new NpgsqlParameter { Value = DBNull.Value,
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text } : LedgerTable.Texts([.. only]));
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var found = new List<InventoryRow>();
        while (await rows.ReadAsync(ct))
        {
            found.Add(new(
                rows.GetString(0), await rows.IsDBNullAsync(1, ct) ? null : rows.GetString(1), rows.GetString(2),
                await rows.IsDBNullAsync(3, ct) ? null : rows.GetString(3),
                await rows.IsDBNullAsync(4, ct) ? null : rows.GetFieldValue<uint>(4), rows.GetBoolean(5)));
        }

        return [.. found.OrderBy(row => row.Schema, StringComparer.Ordinal)];
    }
}
