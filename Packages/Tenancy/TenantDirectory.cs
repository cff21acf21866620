using System.Collections.Concurrent;
using System.ComponentModel;
using System.Diagnostics;
using Microsoft.Extensions.Caching.Hybrid;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Databases;
using Tenancy.Registries;

namespace Tenancy;

/// <summary>A tenant as the registry and the ledger know it.</summary>
/// <param name="Tenant">Who.</param>
/// <param name="State">Where its schema is in its life.</param>
/// <param name="Version">Its schema's version, see <see cref="CompiledMigrations.Fingerprint"/>.</param>
[ImmutableObject(true)]
public sealed record TenantListing(Tenant Tenant, SchemaState State, string Version);

/// <summary>Why a tenant is, or isn't, served right now.</summary>
public enum Availability
{
    /// <summary>Served.</summary>
    Served,

    /// <summary>
    /// Its schema waits for this build's migrations, or it has some that this build can't live with; or it moves to
    /// another database. A matter of seconds or of minutes, while a release is rolled out.
    /// </summary>
    Upgrading,

    /// <summary>Archived or on its way out.</summary>
    Closed,

    /// <summary>Its last migration failed: it waits for somebody to repair it.</summary>
    Failed,

    /// <summary>Its schema is being made: a matter of seconds.</summary>
    Provisioning,

    /// <summary>Suspended: it waits for somebody's decision.</summary>
    Suspended,

    /// <summary>
    /// The registry names a database that this process doesn't know: <see cref="TenancyOptions.Databases"/> lacks it.
    /// </summary>
    Unreachable,
}

/// <summary>
/// Finds tenants by slug; answers are kept for <see cref="TenancyOptions.DirectoryCacheTime"/>, or for
/// <see cref="TenancyOptions.DirectoryListenTime"/> while the database tells this process about changes, and asked for
/// once at a time.
/// </summary>
public sealed class TenantDirectory
{
    private readonly HybridCache _cache;
    private readonly IServiceScopeFactory _scopes;
    private readonly TenancyOptions _options;
    private readonly SchemaVersions _versions;
    private readonly TenantDatabases _databases;
    private readonly TenancyMetrics? _metrics;
    private readonly HybridCacheEntryOptions _short;
    private readonly HybridCacheEntryOptions _long;

    private readonly StaleAnswers _stale = new();

    // Which databases tell of changes.
    private readonly ConcurrentDictionary<string, bool> _heard = new(StringComparer.Ordinal);
    private volatile bool _listens;

    internal TenantDirectory(HybridCache cache, IServiceScopeFactory scopes, TenancyOptions options,
        SchemaVersions versions, TenantDatabases databases, TenancyMetrics? metrics)
    {
        (_cache, _scopes, _options, _versions, _databases, _metrics) =
            (cache, scopes, options, versions, databases, metrics);
        (_short, _long) = (
            Kept(options.DirectoryCacheTime), Kept(options.DirectoryListenTime ?? options.DirectoryCacheTime));
    }

    /// <returns>
    /// Null when no tenant has that slug. Never what the registry said before a <see cref="ForgetAsync"/> that returned
    /// before this call.
    /// </returns>
    public async ValueTask<TenantListing?> FindAsync(string slug, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(slug);
        while (true)
        {
            var key = KeyOf(slug);
            var lookup = new Lookup(this, slug, Activity.Current?.Context ?? default);
            var answer = await _cache.GetOrCreateAsync(
                key, lookup, static (lookup, token) => lookup.AskAsync(token), _listens ? _long : _short,
                cancellationToken: ct);
            // Who waited for another's question asked nothing.
            _metrics?.LookUp(lookup.Asked);
            // Forgotten meanwhile: the answer may be from before the change, and the key is another one now.
            if (!_stale.IsFresh(slug, answer.Asked))
            {
                continue;
            }

            if (answer.Tenant is { } tenant && _stale.IsFresh(tenant.Schema, answer.Asked))
            {
                var listing = new TenantListing(tenant, answer.State, answer.Version!);
                // Asked for once per version that this process never met, not once per tenant.
                await LearnAsync(listing, ct);
                return listing;
            }

            await _cache.RemoveAsync(key, ct);
            if (answer.Tenant is null)
            {
                return null;
            }
        }
    }

    private ValueTask LearnAsync(TenantListing listing, CancellationToken ct) => listing.Tenant.Database is { } name
        ? _databases.Find(name) is { } database ? _versions.LearnAsync([listing.Version], database.Owner, ct) : default
        : _versions.LearnAsync(listing.Version, ct);

    /// <summary>
    /// To be called by whoever has changed a tenant, so that this process notices at once, even where it is just asking
    /// the registry. Other processes notice at once where they listen (<see cref="TenantNotices"/>), else after
    /// <see cref="TenancyOptions.DirectoryCacheTime"/>.
    /// </summary>
    public ValueTask ForgetAsync(string slug, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(slug);
        var key = KeyOf(slug);
        _stale.ForgetSlug(slug);
        return _cache.RemoveAsync(key, ct);
    }

    /// <summary>Forgets what a notice is about; see <see cref="TenantNotices"/>.</summary>
    internal async ValueTask HearAsync(string payload, CancellationToken ct)
    {
        if (payload.StartsWith(TenantNotices.Slugs, StringComparison.Ordinal))
        {
            foreach (var slug in payload[TenantNotices.Slugs.Length..].Split(','))
            {
                await ForgetAsync(slug, ct);
            }
        }
        else if (payload.StartsWith(TenantNotices.Schemas, StringComparison.Ordinal))
        {
            foreach (var schema in payload[TenantNotices.Schemas.Length..].Split(','))
            {
                _stale.ForgetSchema(schema);
            }
        }
        else
        {
            _stale.ForgetAll();
        }
    }

    /// <summary>
    /// Says whether changes are heard. Either way what was learnt until now is forgotten: nobody knows what was missed.
    /// </summary>
    /// <param name="hears">Whether.</param>
    /// <param name="database">Whose; null for the first one's.</param>
    internal void Listens(bool hears, string? database = null)
    {
        _heard[database ?? ""] = hears;
        // An answer is kept for a long time before anybody knows in which database its tenant is.
        _listens = _heard.Count > _options.Databases.Count && _heard.Values.All(heard => heard);
        _stale.ForgetAll();
    }

    /// <summary>Whether changes are heard, of all databases.</summary>
    internal bool IsListening => _listens;

    /// <summary>Whether a database's changes are heard.</summary>
    internal bool Hears(string? database) => _heard.GetValueOrDefault(database ?? "");

    private static HybridCacheEntryOptions Kept(TimeSpan time) => new()
    {
        Expiration = time, LocalCacheExpiration = time, Flags = HybridCacheEntryFlags.DisableDistributedCache,
    };

    // Short, because there is one for each tenant that is served. After a change it is another one: who asks then
    // doesn't wait for the answer to a question from before.
    private string KeyOf(string slug) => _stale.Last(slug) is > 0 and var last ? $"t:{slug}:{last}" : $"t:{slug}";

    /// <summary>Learns what the versions of these mean, in one query, before <see cref="AvailabilityOf"/>.</summary>
    public async ValueTask LearnAsync(IEnumerable<TenantListing> listings, CancellationToken ct = default)
    {
        foreach (var group in listings.GroupBy(listing => listing.Tenant.Database, listing => listing.Version))
        {
            if (group.Key is null)
            {
                await _versions.LearnAsync([.. group.Distinct()], ct);
            }
            else if (_databases.Find(group.Key) is { } database)
            {
                await _versions.LearnAsync([.. group.Distinct()], database.Owner, ct);
            }
        }
    }

    /// <summary>
    /// Whether this build can serve that tenant now. A schema ahead of the build is served, because migrations expand,
    /// then contract; unless one of those that the build lacks carries <see cref="BreaksOlderBuildsAttribute"/>.
    /// </summary>
    public Availability AvailabilityOf(TenantListing listing)
    {
        ArgumentNullException.ThrowIfNull(listing);
        return listing.State switch
        {
            SchemaState.Suspended => Availability.Suspended,
            not SchemaState.Archived when listing.Tenant.Database is { } name && !_options.Databases.ContainsKey(name) =>
                Availability.Unreachable,
            SchemaState.Ready
                when _versions.StandingOf(listing.Version) is VersionStanding.Current or VersionStanding.Ahead =>
                    Availability.Served,
            SchemaState.Ready => Availability.Upgrading,
            SchemaState.Moving => Availability.Upgrading,
            SchemaState.Failed => Availability.Failed,
            SchemaState.Provisioning => Availability.Provisioning,
            _ => Availability.Closed,
        };
    }

    private async ValueTask<Answer> AskAsync(string slug, ActivityContext asker, CancellationToken ct)
    {
        // The cache asks for all who wait, outside anyone's context: the first one's trace has to be named for the
        // query to appear in it.
        using var span = TenancyTelemetry.Source.StartActivity(
            TenancyTelemetry.FindTenant, ActivityKind.Internal, asker);
        span?.SetTag(TenancyTelemetry.Tenant, slug);
        // Where the asker isn't recorded there is no span, and the query would begin a trace of its own.
        using var unrecorded = span is null ? TenancyTelemetry.Unrecorded() : null;
        var find = _options.FindTenant
            ?? throw new InvalidOperationException(
                "TenancyOptions.FindTenant isn't set: the directory has no registry to ask.");
        while (true)
        {
            var asked = _stale.Now;
            await using var scope = _scopes.CreateAsyncScope();
            if (await find(scope.ServiceProvider, slug, ct) is not { } listing)
            {
                return new(null, default, null, asked);
            }

            if (listing.Tenant.Database is not null)
            {
                listing = await RegistryLookup.ElsewhereAsync(_databases, listing, ct);
            }

            // One text for all tenants of a version.
            var answer = new Answer(listing.Tenant, listing.State, _versions.Shared(listing.Version), asked);
            // A notice that came meanwhile: the answer may be from before it. It may be about anybody until then.
            if (_stale.IsFresh(listing.Tenant.Schema, asked))
            {
                return answer;
            }
        }
    }

    /// <summary>One caller's question. The cache asks the first one's and gives its answer to all who wait.</summary>
    private sealed class Lookup(TenantDirectory directory, string slug, ActivityContext asker)
    {
        public bool Asked { get; private set; }

        public ValueTask<Answer> AskAsync(CancellationToken ct)
        {
            Asked = true;
            return directory.AskAsync(slug, asker, ct);
        }
    }

    /// <summary>
    /// What the registry said. The parts of a <see cref="TenantListing"/>, because there is one for each tenant.
    /// </summary>
    /// <param name="Tenant">Null where it knows nobody of that slug.</param>
    /// <param name="State">The schema's.</param>
    /// <param name="Version">The schema's; null where there is no tenant.</param>
    /// <param name="Asked">The question's number, see <see cref="StaleAnswers"/>.</param>
    [ImmutableObject(true)]
    private readonly record struct Answer(Tenant? Tenant, SchemaState State, string? Version, long Asked);
}
