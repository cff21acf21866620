using Npgsql;
using Tenancy.Ledgers;

namespace Tenancy.Drift;

/// <summary>The application's registry beside ledger and catalog.</summary>
internal static class Registry
{
    /// <param name="database">Where.</param>
    /// <param name="inventory">As it was before the registry was asked.</param>
    /// <param name="registered">The registry's names.</param>
    /// <param name="only">If not null, of these alone.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task<(IReadOnlyList<string> Missing, IReadOnlyList<SchemaName> Unregistered)> CompareAsync(
        NpgsqlDataSource database, IReadOnlyList<InventoryRow> inventory, IReadOnlyCollection<string> registered,
        IReadOnlyCollection<SchemaName>? only, CancellationToken ct)
    {
        // One that is being moved has another name meanwhile.
        var exist = inventory.Where(row => row.Oid is not null || row.State == "moving").Select(row => row.Schema)
            .ToHashSet(StringComparer.Ordinal);
        var names = registered.ToHashSet(StringComparer.Ordinal);
        var missing = names.Where(name =>
            !exist.Contains(name) && only?.Any(schema => schema.Value == name) is null or true).ToArray();
        var unregistered = inventory.Where(row =>
            row.State is not (null or "spare" or "dropping" or "dropped" or "archived" or "moving")
            && !names.Contains(row.Schema))
                .Select(row => row.Schema).ToArray();
        if (missing.Length + unregistered.Length == 0)
        {
            return ([], []);
        }

        // Both were read one after the other: what came or went between is looked at again.
        return (
            await NamesAsync(database,
                "SELECT name FROM unnest($1::text[]) AS name WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace " +
                "WHERE nspname = name)", missing, ct),
            [.. (await NamesAsync(database,
                "SELECT schema FROM tenancy.schemas WHERE schema = ANY ($1) AND state NOT IN ('spare', 'dropping', " +
                "'dropped', 'archived', 'moving')", unregistered, ct)).Select(SchemaName.Parse)]);
    }

    private static async Task<IReadOnlyList<string>> NamesAsync(
        NpgsqlDataSource database, string sql, string[] names, CancellationToken ct)
    {
        await using var ask = database.CreateCommand(sql);
        ask.Parameters.Add(LedgerTable.Texts(names));
        return [.. (await ask.NamesAsync(ct)).Order(StringComparer.Ordinal)];
    }
}
