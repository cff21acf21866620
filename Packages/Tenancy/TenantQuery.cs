namespace Tenancy;

/// <summary>The order of a list of tenants. Equal ones are in the order of their slugs.</summary>
public enum TenantSort
{
    /// <summary>By slug, compared ordinally.</summary>
    Slug,

    /// <summary>By name, in lower case and compared ordinally.</summary>
    Name,

    /// <summary>By the time of creation.</summary>
    Created,

    /// <summary>By the time of the last migration; those that have none are the earliest.</summary>
    Migrated,

    /// <summary>
    /// By <see cref="TenantDetails.Bytes"/>. PostgreSQL reads the catalog's rows of all tenants for it.
    /// </summary>
    Size,

    /// <summary>By ring.</summary>
    Ring,
}

/// <summary>What operators look for.</summary>
public enum TenantCondition
{
    /// <summary>The last migration failed.</summary>
    Failed,

    /// <summary>The schema lacks a migration of this build.</summary>
    Behind,

    /// <summary>It is marked for removal, see <see cref="TenantRemoval"/>.</summary>
    Dropping,

    /// <summary>The schema lacks a migration of this build, and the last one didn't fail.</summary>
    Waiting,
}

/// <summary>Which tenants a list has, in which order. All conditions have to hold.</summary>
public sealed record TenantQuery
{
    /// <summary>Only the one with that slug; null for all.</summary>
    public string? Slug { get; init; }

    /// <summary>A part of the slug or of the name, whatever its case; null for all.</summary>
    public string? Search { get; init; }

    /// <summary>Only those of that status.</summary>
    public TenantStatus? Status { get; init; }

    /// <summary>Only those of that ring.</summary>
    public int? Ring { get; init; }

    /// <summary>
    /// Only those whose schema has that version: its short name (<see cref="CompiledMigrations.Fingerprint"/>), or the
    /// id of its last migration.
    /// </summary>
    public string? Version { get; init; }

    /// <summary>Only those in that condition.</summary>
    public TenantCondition? Condition { get; init; }

    /// <summary>Default: by slug.</summary>
    public TenantSort Sort { get; init; }

    /// <summary>From the other end. Default false.</summary>
    public bool Descending { get; init; }

    /// <summary>The place behind which the page begins: a <see cref="TenantPage.Next"/> of the same order. Null for the
    /// first page.</summary>
    public string? After { get; init; }

    /// <summary>How many are left out at first, for numbered pages. Default 0.</summary>
    /// <remarks>PostgreSQL reads what it leaves out. <see cref="After"/> doesn't cost that.</remarks>
    public int Skip { get; init; }

    /// <summary>At most so many; 1 to 1,000. Default 100.</summary>
    public int Limit { get; init; } = 100;
}

/// <summary>A tenant and its schema, for operators.</summary>
/// <param name="Entry">As the registry has it.</param>
/// <param name="Availability">Whether this build serves it, and why not.</param>
/// <param name="State">The schema's state; null where the ledger doesn't know it.</param>
/// <param name="Ring">When it is migrated; 0 goes first.</param>
/// <param name="Version">The schema's version, see <see cref="CompiledMigrations.Fingerprint"/>; empty for
/// none.</param>
/// <param name="LastMigration">The last migration that it has; null for none, or where nobody wrote the version
/// down.</param>
/// <param name="MigratedAt">When its version last changed.</param>
/// <param name="Attempts">Failed migrations since the last that succeeded.</param>
/// <param name="LastError">What the last failed migration said; null after one that succeeded.</param>
/// <param name="FailedAt">When a migration last failed.</param>
/// <param name="DropAfter">When it may be removed; null where nobody asked for that.</param>
/// <param name="Bytes">The size of its tables with their indexes, as VACUUM or ANALYZE last saw it: a sample. 0 for
/// what they haven't seen yet.</param>
public sealed record TenantDetails(
    TenantEntry Entry, Availability Availability, SchemaState? State, int Ring, string Version, string? LastMigration,
    DateTimeOffset? MigratedAt, int Attempts, string? LastError, DateTimeOffset? FailedAt, DateTimeOffset? DropAfter,
    long Bytes);

/// <summary>A page of tenants.</summary>
/// <param name="Items">In the order that was asked for.</param>
/// <param name="Next">What <see cref="TenantQuery.After"/> takes for the next page; null on the last one.</param>
/// <param name="Total">How many tenants the whole list has.</param>
public sealed record TenantPage(IReadOnlyList<TenantDetails> Items, string? Next, int Total);

/// <summary>
/// How many tenants each filter of a <see cref="TenantQuery"/> finds: for what a list offers to narrow it.
/// </summary>
/// <param name="Total">All tenants.</param>
/// <param name="ByStatus">Of each status.</param>
/// <param name="ByCondition">In each condition; a tenant may be in several.</param>
/// <param name="ByRing">Of each ring that has any, the lowest first.</param>
public sealed record TenantCounts(
    int Total, IReadOnlyDictionary<TenantStatus, int> ByStatus,
    IReadOnlyDictionary<TenantCondition, int> ByCondition, IReadOnlyDictionary<int, int> ByRing);
