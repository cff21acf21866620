using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Registries;

namespace Tenancy.Cli.Commands;

/// <summary>The tenants that a command line names, by slug or by schema.</summary>
internal sealed class NamedTenants(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, ITenantRegistry registry,
    Tenants tenants, JobSettings settings)
{
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
            schemas.Add((await registry.FindAsync(name, ct))?.Tenant.Schema ?? await FindSchemaAsync(name, ct)
                ?? throw new UsageException($"There is no {settings.Noun} '{name}', neither by slug nor by schema."));
        }

        return schemas;
    }

    /// <summary>The schemas of all tenants that the registry has.</summary>
    public Task<IReadOnlyCollection<string>> SchemasAsync(CancellationToken ct) =>
        registry.SchemasAsync(database, ct);

    /// <summary>Moves tenants to a ring in the registry and in the ledger.</summary>
    public Task MoveAsync(IReadOnlyList<SchemaName> schemas, int ring, CancellationToken ct) =>
        tenants.SetRingAsync(registry, schemas, ring, ct);

    private async Task<SchemaName?> FindSchemaAsync(string name, CancellationToken ct)
    {
        await using var find = database.CreateCommand("SELECT schema FROM tenancy.schemas WHERE schema = $1");
        find.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        return await find.ExecuteScalarAsync(ct) is string schema ? SchemaName.Parse(schema) : null;
    }
}
