using Npgsql;
using Tenancy.Ledgers;

namespace Tenancy.Adoption;

/// <summary>The tables and the history before an adoption.</summary>
/// <param name="Schema">Where the tables are.</param>
/// <param name="History">The schema of the history table; null where there is none.</param>
/// <param name="Known">Of the history, the tenants' migrations.</param>
/// <param name="Others">Of the history, other contexts'.</param>
/// <param name="Applied">The tenants' migrations whose tables are there, by the history or the baseline.</param>
internal sealed record AdoptedSource(string Schema, string? History, IReadOnlyList<string> Known,
    IReadOnlyList<string> Others, IReadOnlySet<string> Applied)
{
    private const string Public = "public";

    /// <summary>Whether the schema is the application's alone, so that it can be renamed.</summary>
    public bool IsOwn => Schema != Public;

    /// <exception cref="AdoptionException">It can't be adopted.</exception>
    /// <exception cref="ArgumentException">The build has no such baseline.</exception>
    public static async Task<AdoptedSource> ReadAsync(NpgsqlConnection connection, AdoptionRequest request,
        CompiledMigrations migrations, TenancyOptions options, CancellationToken ct)
    {
        await RefuseAsync(connection, request, options, ct);
        var baseline = request.Baseline is null ? null : migrations.Find(request.Baseline);
        var history = await HistoryAsync(connection, request, migrations.HistoryTable, ct);
        var ids = history is null ? [] : await IdsAsync(connection, history, migrations.HistoryTable, ct);
        var build = migrations.Ids.ToHashSet(StringComparer.Ordinal);
        var known = ids.Where(build.Contains).Order(StringComparer.Ordinal).ToList();
        var applied = known.Concat(baseline is null
            ? []
            : build.Where(id => string.CompareOrdinal(id, baseline) <= 0)).ToHashSet(StringComparer.Ordinal);
        return applied.Count > 0
            ? new(request.From, history, known, [.. ids.Where(id => !build.Contains(id))], applied)
            : throw new AdoptionException(history is null
                ? $"There is no \"{migrations.HistoryTable}\" in {request.History ?? $"{request.From} or {Public}"}, so " +
                    "nobody can say which migrations its tables have. Name the last one as the baseline, or the " +
                    "history's schema."
                : $"{history}.\"{migrations.HistoryTable}\" has none of the tenants' migrations " +
                    $"({string.Join(", ", build)}). Name the last one whose tables are there as the baseline.");
    }

    private static async Task RefuseAsync(
        NpgsqlConnection connection, AdoptionRequest request, TenancyOptions options, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(
            """
            SELECT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $1),
                EXISTS (SELECT FROM tenancy.schemas WHERE schema = $1)
            """, connection) { Parameters = { LedgerTable.Text(request.From) } };
        await using var found = await ask.ExecuteReaderAsync(ct);
        await found.ReadAsync(ct);
        if (!found.GetBoolean(0))
        {
            throw new AdoptionException($"There is no schema '{request.From}'.");
        }

        if (found.GetBoolean(1))
        {
            throw new AdoptionException($"'{request.From}' is a tenant's schema already: the ledger has it.");
        }

        if (request.From is "tenancy" or "information_schema"
            || request.From.StartsWith("pg_", StringComparison.Ordinal)
            || request.From != Public && options.SharedSchemas.Contains(request.From))
        {
            throw new AdoptionException(
                $"'{request.From}' is the library's, PostgreSQL's or shared by all tenants " +
                "(TenancyOptions.SharedSchemas).");
        }
    }

    private static async Task<string?> HistoryAsync(
        NpgsqlConnection connection, AdoptionRequest request, string table, CancellationToken ct)
    {
        string[] places = request.History is { } named ? [named] : [request.From, Public];
        await using var find = new NpgsqlCommand(
            """
            SELECT place FROM unnest($1) WITH ORDINALITY AS places (place, at)
            WHERE EXISTS (
                SELECT FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace
                WHERE nspname = place AND relname = $2)
            ORDER BY at LIMIT 1
            """, connection) { Parameters = { LedgerTable.Texts(places), LedgerTable.Text(table) } };
        return (string?)await find.ExecuteScalarAsync(ct);
    }

    /// <summary>The first of EF's two columns is the id, whatever it is called.</summary>
    private static async Task<List<string>> IdsAsync(
        NpgsqlConnection connection, string schema, string table, CancellationToken ct)
    {
        await using var read = new NpgsqlCommand($"SELECT * FROM {Quoted.Name(schema, table)}", connection);
        await using var rows = await read.ExecuteReaderAsync(ct);
        var ids = new List<string>();
        while (await rows.ReadAsync(ct))
        {
            ids.Add(rows.GetString(0));
        }

        return ids;
    }
}

/// <summary>Names from the catalog, as identifiers.</summary>
internal static class Quoted
{
    public static string Name(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    public static string Name(string schema, string name) => $"{Name(schema)}.{Name(name)}";
}
