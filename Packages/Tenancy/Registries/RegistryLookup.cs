using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Databases;

namespace Tenancy.Registries;

/// <summary>Which registry the application has.</summary>
/// <param name="IsBuiltIn">Whether it is <see cref="BuiltInRegistry"/>.</param>
internal sealed record RegistryKind(bool IsBuiltIn);

/// <summary>For <see cref="TenancyOptions.FindTenant"/>: the registry's entry, and the ledger's row of its
/// schema.</summary>
internal static class RegistryLookup
{
    public static async Task<TenantListing?> FindAsync(IServiceProvider services, string slug, CancellationToken ct)
    {
        if (await services.GetRequiredService<ITenantRegistry>().FindAsync(slug, ct) is not { } entry)
        {
            return null;
        }

        if (entry.Tenant.Database is not null)
        {
            // The directory asks its database.
            return Listing(entry.Tenant, entry.Status, null, "");
        }

        var database = services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey);
        return (await ListAsync(database, [entry], ct))[0];
    }

    /// <summary>
    /// A listing with the state and the version of its schema's own ledger. The registry's decision, suspended or
    /// archived, stays.
    /// </summary>
    public static async Task<TenantListing> ElsewhereAsync(
        TenantDatabases databases, TenantListing listing, CancellationToken ct)
    {
        if (databases.Find(listing.Tenant.Database!) is not { } database)
        {
            return listing;
        }

        var (state, version) = (await LedgerAsync(database.Owner, [listing.Tenant], ct))
            .GetValueOrDefault(listing.Tenant.Schema.Value, (SchemaState.Provisioning, ""));
        return listing.State is SchemaState.Suspended or SchemaState.Archived
            ? listing with { Version = version }
            : listing with { State = state, Version = version };
    }

    /// <summary>
    /// The same for several. A database that doesn't answer leaves the state as it is: the others are listed.
    /// </summary>
    public static async Task<IReadOnlyList<TenantListing>> ElsewhereAsync(
        TenantDatabases databases, IReadOnlyList<TenantListing> listings, CancellationToken ct)
    {
        var found = new List<TenantListing>();
        var gone = new HashSet<string>(StringComparer.Ordinal);
        foreach (var listing in listings)
        {
            if (listing.Tenant.Database is not { } name || gone.Contains(name))
            {
                found.Add(listing);
                continue;
            }

            try
            {
                found.Add(await ElsewhereAsync(databases, listing, ct));
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException)
            {
                gone.Add(name);
                found.Add(listing);
            }
        }

        return found;
    }

    /// <summary>The schemas of all tenants that the registry has in a database.</summary>
    public static async Task<IReadOnlyCollection<string>> SchemasAsync(this ITenantRegistry registry,
        NpgsqlDataSource database, TenancyOptions options, CancellationToken ct)
    {
        var schemas = await registry.SchemasSqlAsync(options, ct);
        await using var all = database.CreateCommand(
            $"SELECT coalesce(array_agg(schema), '{{}}') FROM ({schemas}) AS registered");
        return (string[])(await all.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Entries with the state and the version of their schemas, in one query.</summary>
    /// <remarks>
    /// A tenant whose schema the ledger doesn't know is not served: nobody can say what it would be served from.
    /// </remarks>
    public static async Task<IReadOnlyList<TenantListing>> ListAsync(
        NpgsqlDataSource database, IReadOnlyList<TenantEntry> entries, CancellationToken ct)
    {
        var known = await LedgerAsync(database, entries.Select(entry => entry.Tenant), ct);
        return
        [
            .. entries.Select(entry =>
            {
                var (state, version) = known.GetValueOrDefault(
                    entry.Tenant.Schema.Value, (SchemaState.Provisioning, ""));
                return Listing(entry.Tenant, entry.Status, state, version);
            }),
        ];
    }

    private static async Task<Dictionary<string, (SchemaState State, string Version)>> LedgerAsync(
        NpgsqlDataSource database, IEnumerable<Tenant> tenants, CancellationToken ct)
    {
        await using var ask = database.CreateCommand(
            "SELECT schema, state, version FROM tenancy.schemas WHERE schema = ANY ($1)");
        ask.Parameters.Add(new NpgsqlParameter<string[]>
        {
            TypedValue = [.. tenants.Select(tenant => tenant.Schema.Value)],
        });
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var known = new Dictionary<string, (SchemaState State, string Version)>(StringComparer.Ordinal);
        while (await rows.ReadAsync(ct))
        {
            known.Add(rows.GetString(0),
                (Enum.Parse<SchemaState>(rows.GetString(1), ignoreCase: true), rows.GetString(2)));
        }

        return known;
    }

    /// <summary>The operator's decision comes before the schema's state.</summary>
    public static TenantListing Listing(Tenant tenant, TenantStatus status, SchemaState? state, string version) =>
        new(tenant, status switch
        {
            TenantStatus.Active => state ?? SchemaState.Provisioning,
            TenantStatus.Suspended => SchemaState.Suspended,
            _ => SchemaState.Archived,
        }, version);
}
