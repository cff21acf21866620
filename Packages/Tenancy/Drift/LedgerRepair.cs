using Npgsql;
using Tenancy.Ledgers;

namespace Tenancy.Drift;

/// <summary>
/// Takes the ledger from the histories: after a schema was restored from a backup, its history is right and the ledger
/// isn't.
/// </summary>
internal static class LedgerRepair
{
    private const int Chunk = 250;

    /// <param name="database">The owner's.</param>
    /// <param name="build">Knows the history table's name.</param>
    /// <param name="versions">Learns the versions that are found.</param>
    /// <param name="only">Which; null for all.</param>
    /// <param name="ct">Ends it; what was written stays.</param>
    /// <returns>The schemas whose ledger rows said something else. One that somebody holds is left alone.</returns>
    public static async Task<IReadOnlyList<SchemaName>> FromHistoriesAsync(
        NpgsqlDataSource database, CompiledMigrations build, SchemaVersions versions, IEnumerable<string>? only,
        CancellationToken ct)
    {
        var rows = (await Inventory.ReadAsync(database, build.HistoryTable, only, ct))
            .Where(row => row is { HasHistory: true, ShouldExist: true }).ToList();
        var mended = new List<SchemaName>();
        foreach (var chunk in rows.Chunk(Chunk))
        {
            await MendAsync(database, build, versions, chunk, mended, ct);
        }

        return mended;
    }

    private static async Task MendAsync(
        NpgsqlDataSource database, CompiledMigrations build, SchemaVersions versions, InventoryRow[] rows,
        List<SchemaName> mended, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var held = await HoldAsync(connection, rows, ct);
        if (held.Count == 0)
        {
            return;
        }

        var names = held.Select(row => SchemaName.Parse(row.Schema)).ToList();
        var histories = await LedgerTable.HistoriesAsync(connection, names, build.HistoryTable, ct);
        foreach (var (name, at) in names.Select((name, at) => (name, at)))
        {
            // Over a connection of its own: whoever brings a schema to that version mustn't wait for this transaction.
            var version = await versions.RecordAsync(histories[at], ct);
            if (version == held[at].Version)
            {
                continue;
            }

            await using var update = new NpgsqlCommand(
                "UPDATE tenancy.schemas SET version = $2, unfinished = NULL WHERE schema = $1", connection)
            {
                Parameters = { LedgerTable.Text(name.Value), LedgerTable.Text(version) },
            };
            await update.ExecuteNonQueryAsync(ct);
            mended.Add(name);
        }

        await transaction.CommitAsync(ct);
    }

    /// <summary>Nobody migrates them meanwhile.</summary>
    private static async Task<List<InventoryRow>> HoldAsync(
        NpgsqlConnection connection, InventoryRow[] rows, CancellationToken ct)
    {
        await using var hold = new NpgsqlCommand(
            "SELECT schema FROM tenancy.schemas WHERE schema = ANY ($1) FOR UPDATE SKIP LOCKED", connection)
        {
            Parameters = { LedgerTable.Texts([.. rows.Select(row => row.Schema)]) },
        };
        var held = (await hold.NamesAsync(ct)).ToHashSet(StringComparer.Ordinal);
        return [.. rows.Where(row => held.Contains(row.Schema))];
    }
}
