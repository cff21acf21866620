using Tenancy.Hosting;
using Tenancy.Postgres;
using Microsoft.Extensions.Configuration;

namespace AppHost;

/// <summary>
/// The logins that the API works with. The migration job makes them in the database and sets their passwords, whatever
/// those were before.
/// </summary>
/// <param name="Serving">Its connection string serves customers. Empty: there is one login, the owner's, and the API
/// warns.</param>
/// <param name="Registry">Its connection string finds and lists customers where the API doesn't have the owner's. Null
/// in run mode.</param>
internal sealed record ApiLogins(ReferenceExpression Serving, ReferenceExpression? Registry);

/// <summary>Which login each project gets.</summary>
internal static class ApiLogin
{
    /// <summary>The environment variable of the serving login's connection string.</summary>
    public const string Variable = $"ConnectionStrings__{Name}";

    private const string Name = "tenantsApi";
    private const string RegistryName = "tenantsRegistry";

    /// <summary>
    /// On a server of the AppHost's own: the database's connection string with a user and a password of its own,
    /// generated and kept in the user secrets. With a configured database: <c>ConnectionStrings:tenantsApi</c>. A
    /// published application has a second login, <c>ConnectionStrings:tenantsRegistry</c>.
    /// </summary>
    public static ApiLogins AddApiLogins(this IResourceBuilder<IResourceWithConnectionString> tenants) => new(
        tenants.AddLogin(Name, "tenants_api", "tenants-api-password"),
        tenants.ApplicationBuilder.ExecutionContext.IsPublishMode
            ? tenants.AddLogin(RegistryName, "tenants_registry", "tenants-registry-password")
            : null);

    /// <summary>The job makes the logins, and the API uses them.</summary>
    public static IResourceBuilder<ProjectResource> WithApiLogins(
        this IResourceBuilder<ProjectResource> project, ApiLogins logins)
    {
        project.WithEnvironment(Variable, logins.Serving);
        return logins.Registry is null
            ? project
            : project.WithEnvironment($"ConnectionStrings__{RegistryName}", logins.Registry);
    }

    /// <summary>
    /// In run mode the project gets the owner's connection string, and so may create customers. A published one doesn't
    /// get it: whoever breaks into that process can't alter or drop a schema (decision 13).
    /// </summary>
    public static IResourceBuilder<ProjectResource> WithOwnerInRunMode(
        this IResourceBuilder<ProjectResource> project, IResourceBuilder<IResourceWithConnectionString> tenants) =>
            project.ApplicationBuilder.ExecutionContext.IsPublishMode ? project : project.WithReference(tenants);

    private static ReferenceExpression AddLogin(
        this IResourceBuilder<IResourceWithConnectionString> tenants, string name, string user, string passwordName)
    {
        var builder = tenants.ApplicationBuilder;
        if (tenants.Resource is PostgresDatabaseResource or LocalPostgresDatabaseResource)
        {
            var password = builder.AddParameter(passwordName,
                new GenerateParameterDefault { MinLength = 32, Special = false }, secret: true, persist: true);
            return tenants.Resource is PostgresDatabaseResource { Parent.PrimaryEndpoint: var server } database
                // Not the database's connection string with another user at its end: the superuser's password would be
                // in it.
                ? ReferenceExpression.Create(
                    $"Host={server.Property(EndpointProperty.Host)};Port={server.Property(EndpointProperty.Port)};Database={database.DatabaseName};Username={user};Password={password}")
                // Of a keyword that comes twice in a connection string, the last counts.
                : ReferenceExpression.Create($"{tenants.Resource};Username={user};Password={password}");
        }

        return builder.ExecutionContext.IsRunMode
            && string.IsNullOrWhiteSpace(builder.Configuration.GetConnectionString(name))
            ? ReferenceExpression.Create($"")
            : ReferenceExpression.Create($"{builder.AddConnectionString(name).Resource}");
    }
}
