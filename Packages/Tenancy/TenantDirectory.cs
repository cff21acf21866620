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
    /// Its schema waits for this build's migrations, or it has some that this build can't live with: a matter of
    /// seconds or of minutes, while a release is rolled out.
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
public sealed class TenantDirectory(HybridCache cache, IServiceScopeFactory scopes, TenancyOptions options,
    SchemaVersions versions, TenancyMetrics? metrics = null)
{
    private readonly HybridCacheEntryOptions _short = Kept(options.DirectoryCacheTime);
    private readonly HybridCacheEntryOptions _long = Kept(options.DirectoryListenTime ?? options.DirectoryCacheTime);

    // Whose answers are kept, for notices that name schemas.
    private readonly ConcurrentDictionary<string, string> _slugs = new(StringComparer.Ordinal);

    // When a schema was last named by a notice, by a part of its name's hash: the notices' own count.
    private readonly long[] _noticed = new long[1024];
    private long _notices;

    // How often all were forgotten.
    private long _epoch;
    private volatile bool _listens;

    // Which databases tell of changes.
    private readonly ConcurrentDictionary<string, bool> _heard = new(StringComparer.Ordinal);
    private TenantDatabases? _databases;

    // How often tenants were forgotten, by a part of the slug's hash, so that the memory is bounded. The number is part
    // of the cache's key: an answer that was asked for before is never found afterwards, however late it comes.
    private readonly long[] _generations = new long[1024];

    /// <returns>
    /// Null when no tenant has that slug. Never what the registry said before a <see cref="ForgetAsync"/> that returned
    /// before this call.
    /// </returns>
    public async ValueTask<TenantListing?> FindAsync(string slug, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(slug);
        while (true)
        {
            var (generation, epoch) = (GenerationOf(slug), Interlocked.Read(ref _epoch));
            var listing = await FindAsync(slug, KeyOf(slug, generation, epoch), ct);
            // Forgotten meanwhile: the answer may be from before.
            if (generation == GenerationOf(slug) && epoch == Interlocked.Read(ref _epoch))
            {
                return listing;
            }
        }
    }

    private async ValueTask<TenantListing?> FindAsync(string slug, string key, CancellationToken ct)
    {
        var lookup = new Lookup(this, slug, Activity.Current?.Context ?? default);
        var listing = await cache.GetOrCreateAsync(
            key, lookup, static (lookup, token) => lookup.AskAsync(token), _listens ? _long : _short,
            cancellationToken: ct);
        // Who waited for another's question asked nothing.
        metrics?.LookUp(lookup.Asked);
        if (listing is null)
        {
            await cache.RemoveAsync(key, ct);
        }
        else
        {
            // Asked for once per version that this process never met, not once per tenant.
            await LearnAsync(listing, ct);
        }

        return listing;
    }

    private ValueTask LearnAsync(TenantListing listing, CancellationToken ct) => listing.Tenant.Database is { } name
        ? Databases.Find(name) is { } database ? versions.LearnAsync([listing.Version], database.Owner, ct) : default
        : versions.LearnAsync(listing.Version, ct);

    private TenantDatabases Databases
    {
        get
        {
            if (_databases is null)
            {
                using var scope = scopes.CreateScope();
                _databases = scope.ServiceProvider.GetRequiredService<TenantDatabases>();
            }

            return _databases;
        }
    }

    /// <summary>
    /// To be called by whoever has changed a tenant, so that this process notices at once, even where it is just asking
    /// the registry. Other processes notice at once where they listen (<see cref="TenantNotices"/>), else after
    /// <see cref="TenancyOptions.DirectoryCacheTime"/>.
    /// </summary>
    public ValueTask ForgetAsync(string slug, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(slug);
        var next = Interlocked.Increment(ref Generation(slug));
        return cache.RemoveAsync(KeyOf(slug, next - 1, Interlocked.Read(ref _epoch)), ct);
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
                // First, for a question that is under way: it doesn't know yet whose schema it asks about.
                Interlocked.Exchange(ref Noticed(schema), Interlocked.Increment(ref _notices));
                // Nobody's whose answer isn't kept: spares, and tenants that nobody asked for.
                if (_slugs.TryGetValue(schema, out var slug))
                {
                    await ForgetAsync(slug, ct);
                }
            }
        }
        else
        {
            ForgetAll();
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
        _listens = _heard.Count > options.Databases.Count && _heard.Values.All(heard => heard);
        ForgetAll();
    }

    /// <summary>Whether changes are heard, of all databases.</summary>
    internal bool IsListening => _listens;

    /// <summary>Whether a database's changes are heard.</summary>
    internal bool Hears(string? database) => _heard.GetValueOrDefault(database ?? "");

    private void ForgetAll() => Interlocked.Increment(ref _epoch);

    private static HybridCacheEntryOptions Kept(TimeSpan time) => new()
    {
        Expiration = time, LocalCacheExpiration = time, Flags = HybridCacheEntryFlags.DisableDistributedCache,
    };

    private static string KeyOf(string slug, long generation, long epoch) => $"tenant:{slug}:{generation}:{epoch}";

    private long GenerationOf(string slug) => Interlocked.Read(ref Generation(slug));

    private ref long Generation(string slug) =>
        ref _generations[(uint)string.GetHashCode(slug, StringComparison.Ordinal) % _generations.Length];

    /// <summary>Learns what the versions of these mean, in one query, before <see cref="AvailabilityOf"/>.</summary>
    public async ValueTask LearnAsync(IEnumerable<TenantListing> listings, CancellationToken ct = default)
    {
        foreach (var group in listings.GroupBy(listing => listing.Tenant.Database, listing => listing.Version))
        {
            if (group.Key is null)
            {
                await versions.LearnAsync([.. group.Distinct()], ct);
            }
            else if (Databases.Find(group.Key) is { } database)
            {
                await versions.LearnAsync([.. group.Distinct()], database.Owner, ct);
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
            not SchemaState.Archived when listing.Tenant.Database is { } name && !options.Databases.ContainsKey(name) =>
                Availability.Unreachable,
            SchemaState.Ready
                when versions.StandingOf(listing.Version) is VersionStanding.Current or VersionStanding.Ahead =>
                    Availability.Served,
            SchemaState.Ready => Availability.Upgrading,
            SchemaState.Failed => Availability.Failed,
            SchemaState.Provisioning => Availability.Provisioning,
            _ => Availability.Closed,
        };
    }

    private async ValueTask<TenantListing?> AskAsync(string slug, ActivityContext asker, CancellationToken ct)
    {
        // The cache asks for all who wait, outside anyone's context: the first one's trace has to be named for the
        // query to appear in it.
        using var span = TenancyTelemetry.Source.StartActivity(
            TenancyTelemetry.FindTenant, ActivityKind.Internal, asker);
        span?.SetTag(TenancyTelemetry.Tenant, slug);
        // Where the asker isn't recorded there is no span, and the query would begin a trace of its own.
        using var unrecorded = span is null ? TenancyTelemetry.Unrecorded() : null;
        var find = options.FindTenant
            ?? throw new InvalidOperationException(
                "TenancyOptions.FindTenant isn't set: the directory has no registry to ask.");
        while (true)
        {
            var before = Interlocked.Read(ref _notices);
            await using var scope = scopes.CreateAsyncScope();
            if (await find(scope.ServiceProvider, slug, ct) is not { } listing)
            {
                return null;
            }

            if (listing.Tenant.Database is not null)
            {
                listing = await RegistryLookup.ElsewhereAsync(Databases, listing, ct);
            }

            // One text for all tenants of a version. The caller's slug is the request's: the listing keeps its own.
            listing = listing with { Version = versions.Shared(listing.Version) };
            // From now on a notice finds the slug. One that came before is seen here: the answer may be from before it.
            _slugs[listing.Tenant.Schema.Value] = listing.Tenant.Slug;
            if (Interlocked.Read(ref Noticed(listing.Tenant.Schema.Value)) <= before)
            {
                return listing;
            }
        }
    }

    private ref long Noticed(string schema) =>
        ref _noticed[(uint)string.GetHashCode(schema, StringComparison.Ordinal) % _noticed.Length];

    /// <summary>One caller's question. The cache asks the first one's and gives its answer to all who wait.</summary>
    private sealed class Lookup(TenantDirectory directory, string slug, ActivityContext asker)
    {
        public bool Asked { get; private set; }

        public ValueTask<TenantListing?> AskAsync(CancellationToken ct)
        {
            Asked = true;
            return directory.AskAsync(slug, asker, ct);
        }
    }
}
