using System.ComponentModel;

namespace Tenancy;

/// <summary>
/// Who is served. A value: it travels through queues, threads and retries, and whoever holds it can work for that
/// tenant.
/// </summary>
/// <param name="Id">The registry's key; survives a rename.</param>
/// <param name="Slug">The name in addresses, e.g. <c>acme</c>; may change.</param>
/// <param name="Schema">Where its tables are; never changes and is never used again.</param>
[ImmutableObject(true)]
public sealed record Tenant(Guid Id, string Slug, SchemaName Schema)
{
    /// <summary>
    /// The database that has its schema, one of <see cref="TenancyOptions.Databases"/>. Default null: the first one,
    /// which has the registry.
    /// </summary>
    public string? Database { get; init; }
}
