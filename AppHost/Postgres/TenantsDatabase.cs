using LocalPostgres;
using LocalPostgres.Cluster;
using Microsoft.Extensions.Configuration;

namespace AppHost.Postgres;

/// <summary>Where the application's one database comes from.</summary>
internal static class TenantsDatabase
{
    private const string Name = "tenants";
    private const string Server = "postgres";

    private const string WaysOut = """
        There are three ways to give the application its database, any one is enough:
          1. a database you have:         dotnet run --project AppHost -- --ConnectionStrings:tenants="Host=...;Database=...;Username=...;Password=..."
          2. a container engine:          start Docker or Podman (it must answer within two seconds)
          3. PostgreSQL on this machine: install its server, e.g. apt-get install postgresql, brew install postgresql
        """;

    /// <summary>
    /// Adds the database <c>tenants</c>: the configured connection string, if there is one; else a container, if an engine answers; else
    /// a server process of this machine. <c>Postgres:Use</c> = <c>connection</c>, <c>container</c> or <c>local</c> forces one;
    /// <c>Postgres:DataFolder</c> names the folder of a local server's data, <c>Postgres:DataVolume</c> the volume of a container's. In publish mode: see <see cref="AddPublished"/>.
    /// </summary>
    /// <exception cref="NoPostgresException">None of the three is possible, or the forced one isn't.</exception>
    public static IResourceBuilder<IResourceWithConnectionString> AddTenantsDatabase(this IDistributedApplicationBuilder builder)
    {
        NoPostgresException.IsShownPlainly();
        return builder.ExecutionContext.IsPublishMode ? builder.AddPublished() : builder.Configuration["Postgres:Use"] switch
        {
            null or "" when IsConfigured(builder) => builder.AddConnectionString(Name),
            null or "" when ContainerEngine.Answers(builder.Configuration) => builder.AddContainer(),
            null or "" => builder.AddLocal("No connection string is configured, no container engine answers, and no PostgreSQL server is installed."),
            "connection" when IsConfigured(builder) => builder.AddConnectionString(Name),
            "connection" => throw Impossible("Postgres:Use is 'connection', and no connection string 'ConnectionStrings:tenants' is configured."),
            "container" when ContainerEngine.Answers(builder.Configuration) => builder.AddContainer(),
            "container" => throw Impossible("Postgres:Use is 'container', and no container engine answers."),
            "local" => builder.AddLocal("Postgres:Use is 'local', and no PostgreSQL server is installed."),
            var unknown => throw Impossible($"Postgres:Use is '{unknown}': it can be connection, container or local."),
        };
    }

    /// <summary>
    /// A published application has its server in a container, or with <c>Postgres:Use</c> = <c>connection</c> somewhere else: then the connection strings are parameters.
    /// </summary>
    private static IResourceBuilder<IResourceWithConnectionString> AddPublished(this IDistributedApplicationBuilder builder) => builder.Configuration["Postgres:Use"] switch
    {
        // Aspire creates the database in run mode only. The image does it by this variable.
        null or "" or "container" => builder.AddPostgres(Server).WithDataVolume(builder.Configuration["Postgres:DataVolume"]).WithEnvironment("POSTGRES_DB", Name).AddDatabase(Name),
        "connection" => builder.AddConnectionString(Name),
        var unknown => throw new NoPostgresException($"Postgres:Use is '{unknown}': when publishing it can be container (the default) or connection."),
    };

    private static bool IsConfigured(IDistributedApplicationBuilder builder) => !string.IsNullOrWhiteSpace(builder.Configuration.GetConnectionString(Name));

    private static IResourceBuilder<PostgresDatabaseResource> AddContainer(this IDistributedApplicationBuilder builder) =>
        builder.AddPostgres(Server).WithDataVolume(builder.Configuration["Postgres:DataVolume"]).AddDatabase(Name);

    private static IResourceBuilder<LocalPostgresDatabaseResource> AddLocal(this IDistributedApplicationBuilder builder, string noneInstalled)
    {
        var installed = PostgresBinaries.Installed();
        if (installed.Count == 0)
        {
            throw Impossible(noneInstalled);
        }

        var account = ServerAccount.Current();
        var folder = DataFolder.Choose(builder.AppHostDirectory, builder.Configuration["Postgres:DataFolder"], account, DataFolder.StateHome(), Console.Out);
        return builder.AddLocalPostgres(Server, DatabaseCluster.Open(folder, account, installed)).AddDatabase(Name);
    }

    private static NoPostgresException Impossible(string why) => new($"{why}{Environment.NewLine}{WaysOut}");
}
