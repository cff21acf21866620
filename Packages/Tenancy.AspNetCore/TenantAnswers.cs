namespace Tenancy.AspNetCore;

/// <summary>A tenant, as the endpoints show it.</summary>
/// <param name="Id">The registry's key.</param>
/// <param name="Slug">The name in addresses.</param>
/// <param name="Name">For people.</param>
/// <param name="Status"><c>active</c>, <c>suspended</c> or <c>archived</c>.</param>
/// <param name="Availability">Whether this process serves it now: <c>served</c>, <c>upgrading</c>, <c>failed</c>,
/// <c>provisioning</c>, <c>suspended</c> or <c>closed</c>.</param>
/// <param name="Schema">Where its tables are.</param>
/// <param name="Version">Its schema's version.</param>
/// <param name="CreatedAt">When it was created.</param>
/// <param name="Ring">When it is migrated; 0 goes first.</param>
/// <param name="LastMigration">The last migration that its schema has.</param>
/// <param name="MigratedAt">When that changed last.</param>
/// <param name="LastError">What its last migration said when it failed; null after one that succeeded.</param>
/// <param name="DropAfter">When it may be removed; null where nobody asked for that.</param>
/// <param name="Bytes">The size of its tables and indexes: a sample, see <see cref="TenantDetails.Bytes"/>.</param>
/// <param name="Database">The database that has its schema; null for the first one.</param>
public sealed record TenantAnswer(Guid Id, string Slug, string Name, string Status, string Availability, string Schema,
    string Version, DateTimeOffset CreatedAt, int Ring, string? LastMigration, DateTimeOffset? MigratedAt,
    string? LastError, DateTimeOffset? DropAfter, long Bytes, string? Database = null);

/// <summary>A page of tenants.</summary>
/// <param name="Items">In the order that was asked for.</param>
/// <param name="Next">What <c>after</c> takes for the next page; null on the last one.</param>
/// <param name="Total">How many the whole list has.</param>
public sealed record TenantsAnswer(IReadOnlyList<TenantAnswer> Items, string? Next, int Total);

/// <summary>Which tenants a list has, see <see cref="TenantQuery"/>. Wrong values are answered with 400.</summary>
/// <param name="Search">Part of the slug or of the name.</param>
/// <param name="Status"><c>active</c>, <c>suspended</c> or <c>archived</c>.</param>
/// <param name="Condition"><c>failed</c>, <c>behind</c> or <c>dropping</c>.</param>
/// <param name="Ring">0 or more.</param>
/// <param name="Version">A version, or the id of a last migration.</param>
/// <param name="Sort"><c>slug</c>, <c>name</c>, <c>created</c>, <c>migrated</c>, <c>size</c> or <c>ring</c>, with
/// <c>-</c> in front for the other end.</param>
/// <param name="After">The <c>next</c> of the page before.</param>
/// <param name="Limit">1 to 1,000. Default 100.</param>
public sealed record TenantsQuestion(
    string? Search = null, string? Status = null, string? Condition = null, int? Ring = null, string? Version = null,
    string? Sort = null, string? After = null, int Limit = 100);

/// <summary>A tenant to be created.</summary>
/// <param name="Slug">See <see cref="TenantSlug"/>.</param>
/// <param name="Name">For people; the slug if it is left out. At most 200 characters.</param>
/// <param name="Database">The database that it is made in, see <see cref="TenancyOptions.Databases"/>; the first one if
/// it is left out.</param>
public sealed record NewTenant(string? Slug, string? Name = null, string? Database = null);

/// <summary>A tenant's new slug and name.</summary>
/// <param name="Slug">See <see cref="TenantSlug"/>; null to leave it.</param>
/// <param name="Name">For people; null to leave it. At most 200 characters.</param>
public sealed record TenantNames(string? Slug = null, string? Name = null);

/// <summary>A tenant that was marked for removal.</summary>
/// <param name="Slug">Whose.</param>
/// <param name="DropAfter">When it may be removed.</param>
public sealed record TenantDropAnswer(string Slug, DateTimeOffset DropAfter);
