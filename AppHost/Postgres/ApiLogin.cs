using LocalPostgres;
using LocalPostgres.Cluster;
using Microsoft.Extensions.Configuration;

namespace AppHost.Postgres;

/// <summary>The login that the API serves customers with. The migration job makes it in the database and sets its password, whatever that was before.</summary>
internal static class ApiLogin
{
    /// <summary>The environment variable of its connection string.</summary>
    public const string Variable = $"ConnectionStrings__{Name}";

    private const string Name = "tenantsApi";
    private const string User = "tenants_api";

    /// <summary>
    /// Its connection string: on a server of the AppHost's own the database's, with a password that is generated and kept in the user secrets; with a
    /// configured database <c>ConnectionStrings:tenantsApi</c>. Empty if that isn't configured: then there is one login, and the API warns.
    /// </summary>
    public static ReferenceExpression AddApiLogin(this IResourceBuilder<IResourceWithConnectionString> tenants)
    {
        var builder = tenants.ApplicationBuilder;
        if (tenants.Resource is PostgresDatabaseResource or LocalPostgresDatabaseResource)
        {
            var password = builder.AddParameter("tenants-api-password", new GenerateParameterDefault { MinLength = 32, Special = false }, secret: true, persist: true);
            // Of a keyword that comes twice in a connection string, the last counts.
            return ReferenceExpression.Create($"{tenants.Resource};Username={User};Password={password}");
        }

        return string.IsNullOrWhiteSpace(builder.Configuration.GetConnectionString(Name))
            ? ReferenceExpression.Create($"")
            : ReferenceExpression.Create($"{builder.AddConnectionString(Name).Resource}");
    }
}
