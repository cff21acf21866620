using Microsoft.Extensions.DependencyInjection;
using Npgsql;

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

        var database = services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey);
        return (await ListAsync(database, [entry], ct))[0];
    }

    /// <summary>The schemas of all tenants that the registry has.</summary>
    public static async Task<IReadOnlyCollection<string>> SchemasAsync(
        this ITenantRegistry registry, NpgsqlDataSource database, CancellationToken ct)
    {
        await using var all = database.CreateCommand(
            $"SELECT coalesce(array_agg(schema), '{{}}') FROM ({registry.SchemasSql}) AS registered");
        return (string[])(await all.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Entries with the state and the version of their schemas, in one query.</summary>
    /// <remarks>
    /// A tenant whose schema the ledger doesn't know is not served: nobody can say what it would be served from.
    /// </remarks>
    public static async Task<IReadOnlyList<TenantListing>> ListAsync(
        NpgsqlDataSource database, IReadOnlyList<TenantEntry> entries, CancellationToken ct)
    {
        await using var ask = database.CreateCommand(
            "SELECT schema, state, version FROM tenancy.schemas WHERE schema = ANY ($1)");
        ask.Parameters.Add(new NpgsqlParameter<string[]>
        {
            TypedValue = [.. entries.Select(entry => entry.Tenant.Schema.Value)],
        });
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var known = new Dictionary<string, (SchemaState State, string Version)>(StringComparer.Ordinal);
        while (await rows.ReadAsync(ct))
        {
            known.Add(rows.GetString(0),
                (Enum.Parse<SchemaState>(rows.GetString(1), ignoreCase: true), rows.GetString(2)));
        }

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

    /// <summary>The operator's decision comes before the schema's state.</summary>
    public static TenantListing Listing(Tenant tenant, TenantStatus status, SchemaState? state, string version) =>
        new(tenant, status switch
        {
            TenantStatus.Active => state ?? SchemaState.Provisioning,
            TenantStatus.Suspended => SchemaState.Suspended,
            _ => SchemaState.Archived,
        }, version);
}
