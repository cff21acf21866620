using System.Globalization;
using Npgsql;
using NpgsqlTypes;
using Tenancy.Backends;
using Tenancy.Ledgers;

namespace Tenancy.Drift;

/// <summary>A schema as one snapshot has it.</summary>
/// <param name="Ledger">Its ledger row; null where it has none any more.</param>
/// <param name="Hash">See <see cref="CatalogQuery.Hashes"/>; null where the schema isn't there, or was changed while it
/// was read in words.</param>
/// <param name="Items">See <see cref="CatalogQuery.Items"/>; null where the schema isn't there, or the hash was asked
/// for.</param>
/// <param name="History">What its history table says it has; null where that isn't there.</param>
internal sealed record SchemaSnapshot(LedgerVersion? Ledger, string? Hash, string[]? Items, IReadOnlySet<string>? History);

/// <summary>The part of a ledger row that says what the schema should be.</summary>
internal sealed record LedgerVersion(string State, string Version, string? Unfinished);

/// <summary>Reads schemas: ledger, catalog and history of many in one round trip and one snapshot.</summary>
internal static class CatalogReader
{
    /// <summary>
    /// Reads what the inventory found. Takes no lock but, for as long as it reads, those of a SELECT on the history
    /// tables.
    /// </summary>
    /// <param name="database">Where.</param>
    /// <param name="schemas">That exist.</param>
    /// <param name="historyTable">Its name.</param>
    /// <param name="lockTimeout">How long a locked history table is waited for.</param>
    /// <param name="inWords">Items and hashes instead of hashes alone.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="PostgresException">A schema was changed or dropped meanwhile, or its history stays
    /// locked.</exception>
    public static async Task<IReadOnlyDictionary<string, SchemaSnapshot>> ReadAsync(
        NpgsqlDataSource database, IReadOnlyList<InventoryRow> schemas, string historyTable, TimeSpan lockTimeout,
        bool inWords, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        // One snapshot for all: a migration that commits meanwhile has changed ledger, history and tables here, or none
        // of them.
        await using var transaction = await connection.BeginTransactionAsync(
            System.Data.IsolationLevel.RepeatableRead, ct);
        var withHistory = schemas.Index()
            .Where(entry => entry.Item.HasHistory && SchemaName.TryParse(entry.Item.Schema, out _)).ToList();
        await using var batch = Batch(connection);
        Ask(batch, schemas, lockTimeout, inWords);
        if (withHistory.Count > 0)
        {
            // The first of EF's two columns is the migration's id; naming conventions may change its name, not its
            // place.
            batch.BatchCommands.Add(new(string.Join(
                " UNION ALL ",
                withHistory.Select(entry =>
                    string.Create(CultureInfo.InvariantCulture,
                        $"SELECT {entry.Index}, h.* FROM " +
                        $"{SchemaName.Parse(entry.Item.Schema).Qualify(historyTable)} AS h")))));
        }

        await using var rows = await batch.ExecuteReaderAsync(ct);
        var ledger = await LedgerAsync(rows, ct);
        var (hashes, items) = await CatalogAsync(rows, inWords, ct);
        var histories = withHistory.ToDictionary(
            entry => entry.Index, _ => new HashSet<string>(StringComparer.Ordinal));
        await rows.NextResultAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            histories[rows.GetInt32(0)].Add(rows.GetString(1));
        }

        foreach (var (_, row) in withHistory)
        {
            Backend.Meet(connection, SchemaName.Parse(row.Schema), SchemaFootprint.History);
        }

        return schemas.Index().ToDictionary(
            entry => entry.Item.Schema,
            entry => new SchemaSnapshot(
                ledger.GetValueOrDefault(entry.Item.Schema), hashes.GetValueOrDefault(entry.Item.Schema),
                items.GetValueOrDefault(entry.Item.Schema), histories.GetValueOrDefault(entry.Index)),
            StringComparer.Ordinal);
    }

    /// <summary>Asks for ledger rows and catalogs.</summary>
    private static void Ask(
        NpgsqlBatch batch, IReadOnlyList<InventoryRow> schemas, TimeSpan lockTimeout, bool inWords)
    {
        var connection = batch.Connection!;
        // EF's own migrations lock the history table against every reader.
        batch.BatchCommands.Add(
            new(string.Create(
                CultureInfo.InvariantCulture, $"SET LOCAL lock_timeout = {(long)lockTimeout.TotalMilliseconds}")));
        batch.BatchCommands.Add(
            new("SELECT schema, state, version, unfinished FROM tenancy.schemas WHERE schema = ANY ($1)")
            {
                Parameters = { LedgerTable.Texts([.. schemas.Select(row => row.Schema)]) },
            });
        uint[] oids = [.. schemas.Select(row => row.Oid!.Value)];
        batch.BatchCommands.Add(Catalog(connection, oids, inWords: false));
        if (inWords)
        {
            // Between two hashes, because definitions are told by the newest catalog, whatever the snapshot is: what
            // changes meanwhile has two.
            batch.BatchCommands.Add(Catalog(connection, oids, inWords: true));
            batch.BatchCommands.Add(Catalog(connection, oids, inWords: false));
        }
    }

    private static async Task<Dictionary<string, LedgerVersion>> LedgerAsync(NpgsqlDataReader rows, CancellationToken ct)
    {
        var ledger = new Dictionary<string, LedgerVersion>(StringComparer.Ordinal);
        while (await rows.ReadAsync(ct))
        {
            ledger[rows.GetString(0)] = new(
                rows.GetString(1), rows.GetString(2), await rows.IsDBNullAsync(3, ct) ? null : rows.GetString(3));
        }

        return ledger;
    }

    /// <summary>A schema that was changed while it was read in words has no hash.</summary>
    private static async Task<(Dictionary<string, string> Hashes, Dictionary<string, string[]> Items)> CatalogAsync(
        NpgsqlDataReader rows, bool inWords, CancellationToken ct)
    {
        await rows.NextResultAsync(ct);
        var hashes = await ByNameAsync(rows, at => at.GetString(1), ct);
        if (!inWords)
        {
            return (hashes, []);
        }

        await rows.NextResultAsync(ct);
        var items = await ByNameAsync(rows, at => at.GetFieldValue<string[]>(1), ct);
        await rows.NextResultAsync(ct);
        var again = await ByNameAsync(rows, at => at.GetString(1), ct);
        return (hashes.Where(entry => again.GetValueOrDefault(entry.Key) == entry.Value)
            .ToDictionary(StringComparer.Ordinal), items);
    }

    /// <summary>Hash and items of one schema, in the caller's transaction.</summary>
    public static async Task<(string Hash, string[] Items)> ReadAsync(
        NpgsqlConnection connection, uint oid, CancellationToken ct)
    {
        await using var batch = Batch(connection);
        batch.BatchCommands.Add(Catalog(connection, [oid], inWords: false));
        batch.BatchCommands.Add(Catalog(connection, [oid], inWords: true));
        await using var rows = await batch.ExecuteReaderAsync(ct);
        await rows.ReadAsync(ct);
        var hash = rows.GetString(1);
        await rows.NextResultAsync(ct);
        await rows.ReadAsync(ct);
        return (hash, rows.GetFieldValue<string[]>(1));
    }

    private static async Task<Dictionary<string, T>> ByNameAsync<T>(
        NpgsqlDataReader rows, Func<NpgsqlDataReader, T> value, CancellationToken ct)
    {
        var found = new Dictionary<string, T>(StringComparer.Ordinal);
        while (await rows.ReadAsync(ct))
        {
            found[rows.GetString(0)] = value(rows);
        }

        return found;
    }

    private static NpgsqlBatch Batch(NpgsqlConnection connection)
    {
        var batch = connection.CreateBatch();
        // By the planner's estimates the query is worth compiling, which would take longer than the query. SET LOCAL:
        // nothing stays on the pooled connection.
        batch.BatchCommands.Add(new("SET LOCAL jit = off"));
        return batch;
    }

    private static NpgsqlBatchCommand Catalog(NpgsqlConnection connection, IEnumerable<uint> oids, bool inWords)
    {
        var major = connection.PostgreSqlVersion.Major;
        return new(inWords ? CatalogQuery.Items(major) : CatalogQuery.Hashes(major))
        {
            Parameters = { new NpgsqlParameter<uint[]> { TypedValue = [.. oids],
                NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Oid } },
        };
    }
}
