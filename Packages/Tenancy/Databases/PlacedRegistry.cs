using System.Globalization;
using Npgsql;

namespace Tenancy.Databases;

/// <summary>
/// The registry's tenants of one database that isn't the first. Their rows stay in the first database, so nothing here
/// commits together with that database's ledger: <see cref="PlacedTenants"/> says in which order.
/// </summary>
/// <param name="whole">The application's registry.</param>
/// <param name="database">Whose tenants.</param>
/// <param name="first">The first database, the owner's.</param>
internal sealed class PlacedRegistry(ITenantRegistry whole, TenantDatabase database, NpgsqlDataSource first)
    : ITenantRegistry
{
    /// <summary>Of all tenants, wherever they are.</summary>
    public ITenantRegistry Whole => whole;

    /// <summary>The first database, which has the rows.</summary>
    public NpgsqlDataSource First => first;

    /// <summary>It would have to ask another database: see <see cref="PlacedTenants.SchemasSqlAsync"/>.</summary>
    public string SchemasSql => throw new NotSupportedException("The registry is in another database.");

    /// <summary>The same as SQL that names each schema and its ring.</summary>
    public async Task<string> SchemasSqlAsync(CancellationToken ct)
    {
        await using var ask = first.CreateCommand(
            $"SELECT t.schema::text, t.ring::int FROM ({PlacedTenants.TenantsSql(whole)}) AS t WHERE t.database = $1");
        ask.Parameters.Add(new NpgsqlParameter<string> { TypedValue = database.Name });
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var values = new List<string>();
        while (await rows.ReadAsync(ct))
        {
            values.Add(string.Create(
                CultureInfo.InvariantCulture, $"('{SchemaName.Parse(rows.GetString(0))}', {rows.GetInt32(1)})"));
        }

        return values.Count == 0
            ? "SELECT NULL::text AS schema, 1 AS ring WHERE false"
            : $"SELECT schema, ring FROM (VALUES {string.Join(", ", values)}) AS placed (schema, ring)";
    }

    public async Task<TenantEntry?> FindAsync(string slug, CancellationToken ct) =>
        await whole.FindAsync(slug, ct) is { } entry && entry.Tenant.Database == database.Name ? entry : null;

    public Task<IReadOnlyDictionary<SchemaName, string>> FindSlugsAsync(
        IReadOnlyCollection<SchemaName> schemas, CancellationToken ct) => whole.FindSlugsAsync(schemas, ct);

    public async Task<IReadOnlyList<TenantEntry>> ListAsync(string? after, int limit, CancellationToken ct) =>
        [.. (await whole.ListAsync(after, limit, ct)).Where(entry => entry.Tenant.Database == database.Name)];

    /// <summary>
    /// Keeps the row for <see cref="PlacedTenants.CommitNewAsync"/>. It doesn't write it: the other database's
    /// transaction would be open as long as this one.
    /// </summary>
    public async Task<bool> TryAddAsync(TenantEntry entry, NpgsqlTransaction transaction, CancellationToken ct)
    {
        if (await whole.FindAsync(entry.Tenant.Slug, ct) is not null)
        {
            return false;
        }

        PlacedTenants.Add(transaction, entry, database);
        return true;
    }

    public Task<bool> TrySetStatusAsync(Guid id, TenantStatus status, CancellationToken ct) =>
        whole.TrySetStatusAsync(id, status, ct);

    public Task<bool> TryRenameAsync(Guid id, string slug, string name, CancellationToken ct) =>
        whole.TryRenameAsync(id, slug, name, ct);

    /// <summary>
    /// In a transaction of the first database, which commits before the caller's. If the caller's then fails, its next
    /// attempt finds no row, and goes on.
    /// </summary>
    public async Task<bool> TryRemoveAsync(SchemaName schema, NpgsqlTransaction transaction, CancellationToken ct)
    {
        // A tenant of that schema in another database isn't this one.
        if (!(await whole.FindSlugsAsync([schema], ct)).TryGetValue(schema, out var slug)
            || await FindAsync(slug, ct) is null)
        {
            return false;
        }

        await using var connection = await first.OpenConnectionAsync(ct);
        await using var own = await connection.BeginTransactionAsync(ct);
        var removed = await whole.TryRemoveAsync(schema, own, ct);
        await own.CommitAsync(ct);
        return removed;
    }

    public Task<bool> TryPlaceAsync(Tenant tenant, Tenant place, NpgsqlTransaction transaction, CancellationToken ct) =>
        whole.TryPlaceAsync(tenant, place, transaction, ct);

    public Task MoveAsync(IReadOnlyCollection<SchemaName> schemas, int ring, CancellationToken ct) =>
        whole.MoveAsync(schemas, ring, ct);
}
