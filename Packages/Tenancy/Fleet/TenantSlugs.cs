using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Tenancy.Fleet;

/// <summary>Finds the slugs of schemas, for spans and logs; see <see cref="TenancyOptions.FindSlugs"/>.</summary>
internal sealed class TenantSlugs(TenancyOptions options, IServiceScopeFactory scopes)
{
    private static readonly IReadOnlyDictionary<SchemaName, string> None = new Dictionary<SchemaName, string>();

    /// <summary>
    /// The slugs of those that are known; spare schemas have none. A registry that can't be asked is no reason for a
    /// run to fail.
    /// </summary>
    public async Task<IReadOnlyDictionary<SchemaName, string>> OfAsync(
        IReadOnlyCollection<SchemaName> schemas, CancellationToken ct)
    {
        if (options.FindSlugs is not { } find)
        {
            return None;
        }

        // The question is telemetry's own.
        using var unrecorded = TenancyTelemetry.Unrecorded();
        await using var scope = scopes.CreateAsyncScope();
        try
        {
            return await find(scope.ServiceProvider, schemas, ct);
        }
        catch (NpgsqlException)
        {
            return None;
        }
    }
}
