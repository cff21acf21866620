using System.Collections.Concurrent;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NpgsqlTypes;

namespace Tenancy;

/// <summary>A schema's version, as this build sees it.</summary>
public enum VersionStanding
{
    /// <summary>Exactly this build's migrations.</summary>
    Current,

    /// <summary>It lacks at least one of this build's migrations, or nobody knows what it has.</summary>
    Behind,

    /// <summary>It has all of this build's migrations and others.</summary>
    Ahead,

    /// <summary>As <see cref="Ahead"/>, and one of the other migrations breaks builds that lack it.</summary>
    AheadAndBreaking,
}

/// <summary>The migrations that a version consists of.</summary>
/// <param name="Version">See <see cref="CompiledMigrations.Fingerprint"/>.</param>
/// <param name="Migrations">Their ids.</param>
/// <param name="Breaking">Those of them that break older builds.</param>
internal sealed record SchemaVersion(string Version, IReadOnlySet<string> Migrations, IReadOnlySet<string> Breaking)
{
    /// <summary>The last of them; null for none.</summary>
    public string? Last { get; } = Migrations.Max(StringComparer.Ordinal);

    public static SchemaVersion Of(IEnumerable<string> migrations, IEnumerable<string> breaking)
    {
        var ids = migrations.ToHashSet(StringComparer.Ordinal);
        return new(
            CompiledMigrations.Fingerprint(ids), ids, breaking.Where(ids.Contains).ToHashSet(StringComparer.Ordinal));
    }
}

/// <summary>
/// Which migrations each version consists of: this build's own by itself, others from <c>tenancy.versions</c>, where
/// whoever brings a schema to a version writes it down first. There are as many as releases, not as many as tenants.
/// </summary>
public sealed class SchemaVersions(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, CompiledMigrations build)
{
    private readonly ConcurrentDictionary<string, SchemaVersion> _known = new(
        Own(build).ToDictionary(version => version.Version));
    private readonly ConcurrentDictionary<string, bool> _recorded = new();

    /// <summary>
    /// The version's meaning for this build, as far as it has been learnt: <see cref="VersionStanding.Behind"/> where
    /// it is unknown.
    /// </summary>
    public VersionStanding StandingOf(string version)
    {
        if (version == build.Target)
        {
            return VersionStanding.Current;
        }

        if (!_known.TryGetValue(version, out var known) || !build.Ids.All(known.Migrations.Contains))
        {
            return VersionStanding.Behind;
        }

        return known.Breaking.All(build.Ids.Contains) ? VersionStanding.Ahead : VersionStanding.AheadAndBreaking;
    }

    /// <summary>
    /// The same for one, at the price of a look into a dictionary where it is known: every request asks.
    /// </summary>
    public ValueTask LearnAsync(string version, CancellationToken ct = default) =>
        _known.ContainsKey(version) ? ValueTask.CompletedTask : LearnAsync([version], ct);

    /// <summary>Asks the database for versions this process never met.</summary>
    public ValueTask LearnAsync(IReadOnlyCollection<string> versions, CancellationToken ct = default) =>
        LearnAsync(versions, database, ct);

    /// <summary>
    /// The same of another database: a version's name is made of its migrations, so it means the same everywhere.
    /// </summary>
    internal async ValueTask LearnAsync(
        IReadOnlyCollection<string> versions, NpgsqlDataSource other, CancellationToken ct)
    {
        var unknown = versions.Where(version => !_known.ContainsKey(version)).ToArray();
        if (unknown.Length == 0)
        {
            return;
        }

        await using var ask = other.CreateCommand(
            "SELECT version, migrations, breaking FROM tenancy.versions WHERE version = ANY ($1)");
        ask.Parameters.Add(Texts(unknown));
        await using var rows = await ask.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            _known[rows.GetString(0)] = new(
                rows.GetString(0), rows.GetFieldValue<string[]>(1).ToHashSet(StringComparer.Ordinal),
                rows.GetFieldValue<string[]>(2).ToHashSet(StringComparer.Ordinal));
        }
    }

    /// <summary>
    /// The version as this process has it already, so that each tenant's listing doesn't keep a copy.
    /// </summary>
    internal string Shared(string version) =>
        version == build.Target ? build.Target : Find(version)?.Version ?? version;

    /// <summary>The version's migrations; null where they aren't recorded.</summary>
    internal SchemaVersion? Find(string version) => _known.GetValueOrDefault(version);

    /// <summary>
    /// Writes a version down before the first schema gets it, and at once: inside the transactions that bring schemas
    /// to it, each would wait for the others.
    /// </summary>
    /// <returns>The version of a schema that has these migrations.</returns>
    internal async ValueTask<string> RecordAsync(IEnumerable<string> migrations, CancellationToken ct)
    {
        var version = SchemaVersion.Of(migrations, build.Breaking);
        if (_recorded.ContainsKey(version.Version))
        {
            return version.Version;
        }

        // A newer build's marks are in its own row, which is there if a schema has that version.
        version = _known.GetOrAdd(version.Version, version);
        await using var record = database.CreateCommand(
            "INSERT INTO tenancy.versions (version, migrations, breaking) VALUES ($1, $2, $3) ON CONFLICT " +
            "(version) DO NOTHING");
        record.Parameters.Add(new NpgsqlParameter<string> { TypedValue = version.Version });
        record.Parameters.Add(Texts([.. version.Migrations.Order(StringComparer.Ordinal)]));
        record.Parameters.Add(Texts([.. version.Breaking.Order(StringComparer.Ordinal)]));
        await record.ExecuteNonQueryAsync(ct);
        _recorded[version.Version] = true;
        return version.Version;
    }

    /// <summary>The versions that this build's migrations made one after the other, the empty one included.</summary>
    private static IEnumerable<SchemaVersion> Own(CompiledMigrations build) =>
        Enumerable.Range(0, build.Ids.Count() + 1)
            .Select(count => SchemaVersion.Of(build.Ids.Take(count), build.Breaking));

    private static NpgsqlParameter<string[]> Texts(string[] values) =>
        new() { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };
}
