using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Tenancy.Registries;

/// <summary>The registry, and a new tenant's name and row in it, however it comes by its schema.</summary>
internal static class NewTenants
{
    /// <summary>The schema that it wants, e.g. <c>tenant_acme_inc</c> for <c>acme-inc</c>.</summary>
    public static string WantedSchema(this TenancyOptions options, string slug) =>
        options.SchemaPrefix + slug.Replace('-', '_');

    /// <summary>The application's registry.</summary>
    /// <exception cref="InvalidOperationException">It has none.</exception>
    public static ITenantRegistry Registry(this IServiceProvider services) =>
        services.GetService<ITenantRegistry>() ?? throw new InvalidOperationException(
            "The application has no ITenantRegistry: call UseBuiltInRegistry() or UseRegistry<T>() in AddTenancy.");

    /// <summary>Writes the registry's row in the transaction that makes, or moves, the schema.</summary>
    /// <exception cref="FormatException">The name can't be one.</exception>
    /// <exception cref="TenantSlugTakenException">The slug is another's.</exception>
    public static async Task<Tenant> AddNewAsync(this ITenantRegistry registry, string slug, string? name,
        SchemaName schema, NpgsqlTransaction transaction, TimeProvider time, CancellationToken ct, Guid? id = null,
        string? database = null)
    {
        TenantName.Check(name);
        var now = time.GetUtcNow();
        var tenant = new Tenant(id ?? Guid.CreateVersion7(now), slug, schema) { Database = database };
        return await registry.TryAddAsync(new(tenant, name ?? slug, TenantStatus.Active, now), transaction, ct)
            ? tenant
            : throw new TenantSlugTakenException(slug);
    }
}
