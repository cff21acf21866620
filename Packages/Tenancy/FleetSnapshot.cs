using System.Diagnostics.Metrics;
using static Tenancy.TenancyTelemetry;

namespace Tenancy;

/// <summary>
/// The fleet in numbers, as the ledger had it a moment ago; see <see cref="FleetMonitor"/>. Spare schemas are no
/// tenants.
/// </summary>
public sealed class FleetSnapshot
{
    private static readonly SchemaState[] States = [.. Enum.GetValues<SchemaState>()
        .Where(state => state != SchemaState.Spare)];

    internal FleetSnapshot(
        DateTimeOffset at, IReadOnlyCollection<SchemaCount> counts, SchemaVersions versions, CompiledMigrations build,
        string? database = null)
    {
        (At, Database) = (at, database);
        var tenants = counts.Where(count => count.State != SchemaState.Spare).ToList();
        var migrated = tenants.Where(count =>
            count.State is SchemaState.Ready or SchemaState.Failed or SchemaState.Suspended).ToList();
        Customers = migrated.Sum(count => count.Schemas);
        Failed = migrated.Where(count => count.Failed).Sum(count => count.Schemas);
        Behind = migrated.Where(count => !count.Failed && versions.StandingOf(count.Version) is VersionStanding.Behind)
            .Sum(count => count.Schemas);
        Spares = counts.Sum(count => count.Schemas) - tenants.Sum(count => count.Schemas);
        SpareSchemas = new(Spares, Of(database));
        ByState = [.. States.Select(state => new Measurement<long>(
            tenants.Where(count => count.State == state).Sum(count => count.Schemas),
            [new(State, state.ToString().ToLowerInvariant()), .. Of(database)]))];
        ByVersion = [.. Series(migrated, versions, build, database)];
    }

    /// <summary>When the ledger was read.</summary>
    public DateTimeOffset At { get; }

    /// <summary>Which database's ledger it was; null for the first one.</summary>
    public string? Database { get; }

    /// <summary>Tenants that migrations look after: ready, failed or suspended.</summary>
    public int Customers { get; }

    /// <summary>Those of them whose last migration failed.</summary>
    public int Failed { get; }

    /// <summary>Those of them that lack a migration of this build and haven't failed.</summary>
    public int Behind { get; }

    /// <summary>Schemas made beforehand.</summary>
    public int Spares { get; }

    internal Measurement<long> SpareSchemas { get; }

    internal Measurement<long>[] ByState { get; }

    internal Measurement<long>[] ByVersion { get; }

    /// <summary>
    /// This build's version, also where nobody has it; the versions that most tenants have; the rest together.
    /// </summary>
    private static IEnumerable<Measurement<long>> Series(
        List<SchemaCount> tenants, SchemaVersions versions, CompiledMigrations build, string? database)
    {
        var series = tenants.Append(new(SchemaState.Ready, build.Target, Failed: false, Schemas: 0))
            .GroupBy(count => count.Version)
            .Select(group => (Version: group.Key, Tenants: group.Sum(count => count.Schemas)))
            .OrderByDescending(version => version.Version == build.Target).ThenByDescending(version => version.Tenants)
            .ThenBy(version => version.Version, StringComparer.Ordinal).ToList();
        return series.Take(TenancyMetrics.MostVersions)
            .Select(version => (Label: Label(version.Version, versions), version.Version, version.Tenants))
            .Concat(
                series.Skip(TenancyMetrics.MostVersions)
                    .Select(version => (Label: "other", version.Version, version.Tenants)))
            .GroupBy(version => (version.Label, Standing: Words(versions.StandingOf(version.Version))))
            .Select(group => new Measurement<long>(
                group.Sum(version => version.Tenants),
                [new(TenancyTelemetry.Version, group.Key.Label), new(Standing, group.Key.Standing), .. Of(database)]));
    }

    /// <summary>The attribute of the databases that aren't the first.</summary>
    private static IEnumerable<KeyValuePair<string, object?>> Of(string? database) =>
        database is null ? [] : [new(TenancyTelemetry.Database, database)];

    private static string Label(string version, SchemaVersions versions) =>
        version.Length == 0
            ? "unknown"
            : $"{(versions.Find(version) is { } known ? known.Last ?? "none" : "unknown")} " +
                $"({version[..Math.Min(8, version.Length)]})";

    private static string Words(VersionStanding standing) =>
        System.Text.Json.JsonNamingPolicy.SnakeCaseLower.ConvertName(standing.ToString());
}

/// <summary>Schemas that are alike.</summary>
internal sealed record SchemaCount(SchemaState State, string Version, bool Failed, int Schemas);
