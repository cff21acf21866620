using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Databases;
using Tenancy.Registries;

namespace Tenancy.Cli.Commands;

/// <summary>The tenants that a command line names, by slug or by schema.</summary>
internal sealed class NamedTenants(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, ITenantRegistry registry,
    Tenants tenants, TenancyOptions options, JobSettings settings)
{
    // Of all databases: a tenant of another one is there, too.
    private readonly ITenantRegistry _whole = registry is PlacedRegistry placed ? placed.Whole : registry;

    /// <summary>As <see cref="FindAsync"/>, those of this database alone.</summary>
    public async Task<IReadOnlyList<SchemaName>?> FindHereAsync(string[] names, CancellationToken ct)
    {
        if (await FindAsync(names, ct) is not { } all)
        {
            return null;
        }

        if (options is { Database: null, Databases.Count: 0 })
        {
            return all;
        }

        var slugs = await _whole.FindSlugsAsync([.. all], ct);
        var here = new List<SchemaName>();
        foreach (var schema in all)
        {
            if (slugs.TryGetValue(schema, out var slug)
                ? (await _whole.FindAsync(slug, ct))?.Tenant.Database == options.Database
                : await FindSchemaAsync(schema.Value, ct) is not null)
            {
                here.Add(schema);
            }
        }

        return here;
    }

    /// <returns>Null where none is named.</returns>
    /// <exception cref="UsageException">One isn't there.</exception>
    public async Task<IReadOnlyList<SchemaName>?> FindAsync(string[] names, CancellationToken ct)
    {
        if (names.Length == 0)
        {
            return null;
        }

        var schemas = new List<SchemaName>();
        foreach (var name in names)
        {
            schemas.Add((await _whole.FindAsync(name, ct))?.Tenant.Schema ?? await FindSchemaAsync(name, ct)
                ?? await FindElsewhereAsync(name, ct)
                ?? throw new UsageException($"There is no {settings.Noun} '{name}', neither by slug nor by schema."));
        }

        return schemas;
    }

    /// <summary>The schemas of all tenants that the registry has.</summary>
    public Task<IReadOnlyCollection<string>> SchemasAsync(CancellationToken ct) =>
        registry.SchemasAsync(database, options, ct);

    /// <summary>Moves tenants to a ring in the registry and in the ledger.</summary>
    public Task MoveAsync(IReadOnlyList<SchemaName> schemas, int ring, CancellationToken ct) =>
        tenants.SetRingAsync(_whole, schemas, ring, ct);

    private async Task<SchemaName?> FindElsewhereAsync(string name, CancellationToken ct) =>
        options is { Database: null, Databases.Count: 0 } || !SchemaName.TryParse(name, out var schema)
            || (await _whole.FindSlugsAsync([schema], ct)).Count == 0
            ? null
            : schema;

    private async Task<SchemaName?> FindSchemaAsync(string name, CancellationToken ct)
    {
        await using var find = database.CreateCommand("SELECT schema FROM tenancy.schemas WHERE schema = $1");
        find.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        return await find.ExecuteScalarAsync(ct) is string schema ? SchemaName.Parse(schema) : null;
    }
}
