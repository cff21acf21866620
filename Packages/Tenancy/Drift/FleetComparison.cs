using System.Collections.Concurrent;
using Npgsql;

namespace Tenancy.Drift;

/// <summary>
/// Reads and judges groups of schemas: hashes of all of them, items of those whose hash or history isn't as it should
/// be.
/// </summary>
internal sealed class FleetComparison(NpgsqlDataSource database, CompiledMigrations build, SchemaVersions versions,
    TimeSpan lockTimeout, Verdicts verdicts, ConcurrentDictionary<string, Verdict> judged)
{
    private const int Looks = 3;

    public async Task ReadAsync(IReadOnlyList<InventoryRow> chunk, CancellationToken ct)
    {
        var (seen, _) = await TryReadAsync(chunk, inWords: false, ct);
        if (seen is null)
        {
            // Which of them it was shows when they are read one by one.
            await ReadInWordsAsync([.. chunk.Select(row => row.Schema)], ct);
            return;
        }

        // One of each hash: where it has the reference's items, so have the others, and migrations that came to many
        // schemas in another order cost one look.
        var suspects = await JudgeAsync(seen, ct);
        var samples = suspects.DistinctBy(schema => (seen[schema].Ledger?.Version, seen[schema].Hash))
            .ToHashSet(StringComparer.Ordinal);
        await ReadInWordsAsync([.. samples], ct);
        await ReadInWordsAsync(
            await JudgeAsync(
                suspects.Where(schema => !samples.Contains(schema))
                    .ToDictionary(schema => schema, schema => seen[schema], StringComparer.Ordinal), ct), ct);
    }

    private async Task ReadInWordsAsync(IReadOnlyList<string> names, CancellationToken ct)
    {
        for (var look = 1; names.Count > 0; look++)
        {
            var there = (await Inventory.ReadAsync(database, build.HistoryTable, names, ct))
                .ToDictionary(row => row.Schema, StringComparer.Ordinal);
            foreach (var name in names.Where(name => there.GetValueOrDefault(name)?.Oid is null))
            {
                JudgeAbsent(name, there.GetValueOrDefault(name));
            }

            var rows = there.Values.Where(row => row.Oid is not null).ToList();
            if (rows.Count == 0)
            {
                return;
            }

            var (seen, change) = await TryReadAsync(rows, inWords: true, ct);
            if (seen is not null)
            {
                var suspects = await JudgeAsync(seen, ct);
                // Definitions are told by the newest catalog, rows by the snapshot's: a migration that committed
                // between gives a mixture of both.
                names = suspects.Count == 0 || look == Looks ? [] : await ChangedAsync(suspects, seen, ct);
            }
            else if (rows.Count > 1)
            {
                foreach (var row in rows)
                {
                    await ReadInWordsAsync([row.Schema], ct);
                }

                return;
            }
            else if (look == Looks)
            {
                judged[rows[0].Schema] = new(false, [],
                    $"it could not be read, because somebody is changing it: {change!.SqlState} {change.MessageText}");
                return;
            }
        }
    }

    private async Task<(IReadOnlyDictionary<string, SchemaSnapshot>? Seen, PostgresException? Change)> TryReadAsync(
        IReadOnlyList<InventoryRow> rows, bool inWords, CancellationToken ct)
    {
        try
        {
            return (await CatalogReader.ReadAsync(database, rows, build.HistoryTable, lockTimeout, inWords, ct), null);
        }
        catch (PostgresException e) when (IsSomebodysChange(e))
        {
            return (null, e);
        }
    }

    /// <returns>Those that differ.</returns>
    private async Task<IReadOnlyList<string>> JudgeAsync(
        IReadOnlyDictionary<string, SchemaSnapshot> seen, CancellationToken ct)
    {
        await versions.LearnAsync([.. seen.Values.Select(one => one.Ledger?.Version).OfType<string>().Distinct()], ct);
        foreach (var (schema, one) in seen)
        {
            // On its way out since the inventory.
            judged[schema] = one.Ledger is { State: "dropping" } ? Verdict.None : await verdicts.OfAsync(one);
        }

        return [.. seen.Keys.Where(schema => judged[schema].Differences.Count > 0)];
    }

    /// <summary>Dropped or renamed since the inventory, which found it.</summary>
    private void JudgeAbsent(string name, InventoryRow? row) =>
        judged[name] = row is null or { State: null or "dropping" }
            ? Verdict.None
            : new(false, [Verdicts.NoSchema(row.State)]);

    /// <summary>Those whose ledger row isn't as it was when they were read.</summary>
    private async Task<IReadOnlyList<string>> ChangedAsync(
        IReadOnlyList<string> schemas, IReadOnlyDictionary<string, SchemaSnapshot> seen, CancellationToken ct) =>
        [
            .. (await Inventory.ReadAsync(database, build.HistoryTable, schemas, ct))
                .Where(row => seen[row.Schema].Ledger is not { } then
                    || (row.State, row.Version, row.Unfinished) != (then.State, then.Version, then.Unfinished))
                .Select(row => row.Schema),
        ];

    /// <summary>
    /// A table or an object that was there a moment ago (what the catalog's functions answer with XX000, or 42P01,
    /// 42703, 3F000), or a history table that is locked.
    /// </summary>
    private static bool IsSomebodysChange(PostgresException error) => error.SqlState is
        PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.UndefinedObject or PostgresErrorCodes.UndefinedColumn
            or PostgresErrorCodes.UndefinedFunction
        or PostgresErrorCodes.InvalidSchemaName or PostgresErrorCodes.InternalError
        or PostgresErrorCodes.LockNotAvailable;
}
