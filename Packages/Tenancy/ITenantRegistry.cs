using Npgsql;

namespace Tenancy;

/// <summary>Whether a tenant is served, by an operator's decision.</summary>
public enum TenantStatus
{
    /// <summary>Served.</summary>
    Active,

    /// <summary>Migrated with the others, not served.</summary>
    Suspended,

    /// <summary>Kept, not served.</summary>
    Archived,
}

/// <summary>A tenant as the registry has it.</summary>
/// <param name="Tenant">Id, slug and schema.</param>
/// <param name="Name">For people.</param>
/// <param name="Status">Whether it is served.</param>
/// <param name="CreatedAt">When it was created.</param>
public sealed record TenantEntry(Tenant Tenant, string Name, TenantStatus Status, DateTimeOffset CreatedAt);

/// <summary>
/// Knows who the tenants are. <see cref="TenancyBuilder.UseBuiltInRegistry"/> has one, in the table
/// <c>tenancy.tenants</c>; an application whose own table says it (accounts, organisations) implements this instead and
/// registers it with <see cref="TenancyBuilder.UseRegistry{TRegistry}"/>. Each call gets an instance of a scope of its
/// own, so an implementation may use a <c>DbContext</c>. Its table needs unique constraints on the slug and on the
/// schema.
/// </summary>
public interface ITenantRegistry
{
    /// <summary>
    /// A query of all tenants' schemas, with the columns <c>schema</c> and <c>ring</c>
    /// (<see cref="LedgerRow.UsualRing"/> where the registry knows no rings). It becomes a part of larger queries,
    /// which compare the registry with the ledger.
    /// </summary>
    string SchemasSql { get; }

    /// <summary>
    /// A query of all tenants, with the columns <c>id</c>, <c>slug</c>, <c>schema</c>, <c>name</c>, <c>status</c>
    /// (<c>active</c>, <c>suspended</c> or <c>archived</c>), <c>created_at</c> and <c>ring</c>; and, where there are
    /// several databases, <c>database</c>. It becomes a part of larger queries, which filter and sort tenants. Default:
    /// null, and
    /// <see cref="Tenants.SearchAsync(TenantQuery, CancellationToken)"/> refuses.
    /// </summary>
    string? TenantsSql => null;

    /// <summary>The tenant with that slug; null when there is none.</summary>
    Task<TenantEntry?> FindAsync(string slug, CancellationToken ct);

    /// <summary>The slugs of tenants by their schemas. Leaves out what isn't a tenant's.</summary>
    Task<IReadOnlyDictionary<SchemaName, string>> FindSlugsAsync(
        IReadOnlyCollection<SchemaName> schemas, CancellationToken ct);

    /// <summary>Tenants in the order of their slugs, by ordinal comparison.</summary>
    /// <param name="after">The slug that the page begins behind; null for the first page.</param>
    /// <param name="limit">At most so many.</param>
    /// <param name="ct">Ends the wait.</param>
    Task<IReadOnlyList<TenantEntry>> ListAsync(string? after, int limit, CancellationToken ct);

    /// <summary>
    /// Writes a new tenant's row in the transaction that also makes its schema. It must use that transaction's
    /// connection: then both are there, or neither. Use <c>ON CONFLICT DO NOTHING</c> for the slug.
    /// </summary>
    /// <param name="entry">The tenant.</param>
    /// <param name="transaction">Don't commit it.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>False when another tenant has the slug.</returns>
    Task<bool> TryAddAsync(TenantEntry entry, NpgsqlTransaction transaction, CancellationToken ct);

    /// <summary>Changes a tenant's status.</summary>
    /// <returns>False when there is no such tenant.</returns>
    Task<bool> TrySetStatusAsync(Guid id, TenantStatus status, CancellationToken ct);

    /// <summary>Changes a tenant's slug and name. Its id and its schema stay.</summary>
    /// <param name="id">The tenant's id.</param>
    /// <param name="slug">The slug from now on; it may be the one that it has.</param>
    /// <param name="name">The name from now on.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>False when there is no such tenant.</returns>
    /// <exception cref="TenantSlugTakenException">The slug is another tenant's.</exception>
    Task<bool> TryRenameAsync(Guid id, string slug, string name, CancellationToken ct);

    /// <summary>
    /// Removes a tenant's row in the transaction that gives its schema up. It must use that transaction's connection.
    /// </summary>
    /// <param name="schema">The tenant's schema.</param>
    /// <param name="transaction">Don't commit it.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>False when there is no such tenant.</returns>
    Task<bool> TryRemoveAsync(SchemaName schema, NpgsqlTransaction transaction, CancellationToken ct);

    /// <summary>
    /// Puts tenants into a ring of migration, where the registry has a column for it. Default: does nothing, the ledger
    /// knows.
    /// </summary>
    Task MoveAsync(IReadOnlyCollection<SchemaName> schemas, int ring, CancellationToken ct) => Task.CompletedTask;

    /// <summary>
    /// Gives a tenant another schema and another database, for <see cref="TenantDatabaseMove"/>: of the row with that
    /// id, and only where it has the old schema. It must use the transaction's connection. Default: refuses.
    /// </summary>
    /// <param name="tenant">As it is.</param>
    /// <param name="place">The same tenant with its new <see cref="Tenant.Schema"/> and
    /// <see cref="Tenant.Database"/>.</param>
    /// <param name="transaction">Of the first database. Don't commit it.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>False when there is no such tenant with that schema.</returns>
    /// <exception cref="NotSupportedException">The registry can't say where a tenant is.</exception>
    Task<bool> TryPlaceAsync(Tenant tenant, Tenant place, NpgsqlTransaction transaction, CancellationToken ct) =>
        throw new NotSupportedException(
            $"{GetType().Name} can't change a tenant's place: implement ITenantRegistry.TryPlaceAsync.");
}
