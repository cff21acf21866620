namespace Tenancy.Drift;

/// <summary>The result for one schema: nothing, differences, or the reason why it can't be compared.</summary>
/// <param name="Compared">Whether it was compared with a reference.</param>
/// <param name="Differences">In words.</param>
/// <param name="Incomparable">Why it isn't compared.</param>
internal sealed record Verdict(bool Compared, IReadOnlyList<string> Differences, string? Incomparable = null)
{
    /// <summary>Of a schema that is gone, or on its way out.</summary>
    public static readonly Verdict None = new(false, []);
}

/// <summary>Judges schemas as they were seen.</summary>
internal sealed class Verdicts(References references, SchemaVersions versions, CompiledMigrations build)
{
    /// <summary>
    /// The judgement; where only hashes were read, differences of the catalog are only <see cref="Unread"/>.
    /// </summary>
    public const string Unread = "its catalog differs";

    public async Task<Verdict> OfAsync(SchemaSnapshot seen)
    {
        if (seen.Ledger is not { } ledger)
        {
            return new(false, ["it has no ledger row"]);
        }

        if (seen is { Hash: null, Items: null })
        {
            return new(false, [NoSchema(ledger.State)]);
        }

        if (ledger.Unfinished is { } unfinished)
        {
            return new(false, [],
                $"its migration {unfinished} was begun outside a transaction and hasn't been seen to end: it is " +
                "running now, or the next run ends it");
        }

        var version = versions.Find(ledger.Version);
        List<string> differences = [.. History(ledger, version, seen.History)];
        if (version is null)
        {
            return new(false, differences,
                differences.Count > 0
                    ? null
                    : $"the ledger says version {ledger.Version}, and nobody wrote down what that is");
        }

        var unknown = version.Migrations.Except(build.Ids).Order(StringComparer.Ordinal).ToList();
        if (unknown.Count > 0)
        {
            return new(false, differences,
                differences.Count > 0 ? null : $"it has {string.Join(", ", unknown)}, which this build doesn't know");
        }

        var reference = await references.OfAsync(version);
        if (seen.Items is { } items)
        {
            var found = CatalogDifference.Between(items, reference.Items);
            if (found.Count == 0 && seen.Hash is { } another)
            {
                reference.Learn(another);
            }

            differences.AddRange(found);
        }
        else if (!reference.HasHash(seen.Hash!))
        {
            differences.Add(Unread);
        }

        return new(true, [.. differences.Order(StringComparer.Ordinal)]);
    }

    public static string NoSchema(string state) => $"the ledger says it is {state}, and there is no such schema";

    private static IEnumerable<string> History(
        LedgerVersion ledger, SchemaVersion? version, IReadOnlySet<string>? history)
    {
        if (history is null)
        {
            yield return "the history table is missing";
        }
        else if (version is null
            ? CompiledMigrations.Fingerprint(history) != ledger.Version
            : !version.Migrations.SetEquals(history))
        {
            yield return $"the ledger says {(ledger.Version.Length == 0 ? "no version" : $"version {ledger.Version}")} ({Named(version?.Migrations)}), the schema's history has {Listed(history)}";
        }
    }

    private static string Named(IReadOnlySet<string>? migrations) =>
        migrations is null ? "migrations unknown" : $"migrations {Listed(migrations)}";

    private static string Listed(IReadOnlySet<string> migrations) =>
        migrations.Count == 0 ? "none" : string.Join(", ", migrations.Order(StringComparer.Ordinal));
}
