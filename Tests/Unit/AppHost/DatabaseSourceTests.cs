using System.Collections.Concurrent;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Tenancy.Hosting;
using Tenancy.Hosting.Sources;
using Tenancy.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tests.Unit.LocalServer;
using Xunit;

namespace Tests.Unit.AppHost;

/// <summary>
/// Which source the AppHost chooses, and what it tells. A script stands in for the container engine; nothing is
/// started.
/// </summary>
public sealed class DatabaseSourceTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly Told _log = new();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_configured_database_goes_first_and_its_password_is_not_told() => Assert.Equal(
        ["PostgreSQL: the database 'books' on 'db.example:5433' (ConnectionStrings:tenants), because it is configured."],
        await ToldAsync(
            ("ConnectionStrings:tenants", "Host=db.example;Port=5433;Database=books;Username=me;Password=secret"),
            Engine()));

    [Fact]
    public async Task A_container_is_used_when_an_engine_answers() => Assert.Equal(
        ["PostgreSQL: a container of docker with the volume 'acme', because no connection string is configured and " +
            "docker answers."],
        await ToldAsync(Engine(), Volume()));

    [Fact]
    public async Task A_local_server_is_used_when_no_engine_answers()
    {
        var told = Assert.Single(await ToldAsync(("ASPIRE_CONTAINER_RUNTIME", _folder["no engine"]), DataFolder()));

        Assert.StartsWith("PostgreSQL: a local server, version ", told, StringComparison.Ordinal);
        // A fetched server is used where none is installed, and the line says that too.
        Assert.Matches("because no connection string is configured(,| and) no container engine answers", told);
    }

    [Fact]
    public async Task A_volume_with_data_is_told_while_a_local_server_is_used()
    {
        var told = await ToldAsync(Engine(), Volume(), DataFolder(), ("Postgres:Use", "local"));

        Assert.Contains("because Postgres:Use is 'local'", told[0], StringComparison.Ordinal);
        Assert.StartsWith(
            "The container volume 'acme' holds data of this AppHost too.", told[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task Customers_in_a_container_do_not_look_lost_when_its_engine_is_stopped_later()
    {
        await ToldAsync(Engine(), Volume());

        var told = await ToldAsync(("ASPIRE_CONTAINER_RUNTIME", _folder["no engine"]), DataFolder());

        Assert.StartsWith("The last run of this AppHost kept its data in the container volume 'acme'", told[^1],
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Local_data_is_told_while_a_container_is_used()
    {
        Directory.CreateDirectory(Path.Combine(_folder["local"], "data"));

        var told = await ToldAsync(Engine(), Volume(), DataFolder());

        Assert.StartsWith(
            $"The folder '{_folder["local"]}' holds data of this AppHost too", told[1], StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_dashboard_shows_the_source_on_the_database()
    {
        await using var app = await StartingAsync(Engine(), Volume());

        var notifications = app.Services.GetRequiredService<ResourceNotificationService>();
        Assert.True(notifications.TryGetCurrentState("tenants", out var shown));
        Assert.Contains("a container of docker",
            shown.Snapshot.Properties.Single(one => one.Name == SourceTelling.Property).Value as string,
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_AppHost_of_one_volume_is_refused()
    {
        var first = Building(Engine(), Volume());

        Assert.Throws<NoPostgresException>(() => Building(Engine(), Volume()));
        GC.KeepAlive(first);
    }

    [Fact]
    public void What_is_no_connection_string_is_told_plainly()
    {
        var refused = Assert.Throws<NoPostgresException>(() => Building(("ConnectionStrings:tenants", "nonsense")));

        Assert.StartsWith(
            "ConnectionStrings:tenants is no connection string", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_cluster_is_a_coordinator_and_two_workers_of_one_image_each_with_a_volume_where_it_keeps_its_data()
    {
        await using var app = await StartingAsync(Engine(), Volume(), ("Postgres:Use", "citus"));

        var model = app.Services.GetRequiredService<DistributedApplicationModel>();
        var nodes = model.Resources.OfType<ContainerResource>().OrderBy(node => node.Name, StringComparer.Ordinal).ToList();
        Assert.Equal(["postgres", "postgres-worker-1", "postgres-worker-2"], nodes.Select(node => node.Name));
        Assert.Equal(["docker.io/citusdata/citus:14.1.0"], nodes.Select(Image).Distinct());
        Assert.Equal(["acme-citus", "acme-citus-worker-1", "acme-citus-worker-2"],
            nodes.Select(node => Assert.Single(node.Annotations.OfType<ContainerMountAnnotation>()))
                .Select(mount => mount.Target == "/var/lib/postgresql" ? mount.Source : mount.Target));
        Assert.Equal(["acme-citus", "acme-citus-worker-1", "acme-citus-worker-2"], CitusContainers.Volumes("acme-citus"));
        Assert.StartsWith("PostgreSQL: a Citus cluster in containers of docker, a coordinator and two workers, with the " +
            "volumes 'acme-citus', 'acme-citus-worker-1', 'acme-citus-worker-2', because Postgres:Use is 'citus'.",
            _log.Lines.First(), StringComparison.Ordinal);

        static string Image(ContainerResource node) =>
            node.Annotations.OfType<ContainerImageAnnotation>().Last() is var image
                ? $"{image.Registry}/{image.Image}:{image.Tag}"
                : "";
    }

    [Fact]
    public async Task A_clusters_nodes_make_the_database_follow_writes_and_only_the_coordinator_is_reached_from_outside()
    {
        await using var app = await StartingAsync(Engine(), Volume(), ("Postgres:Use", "citus"));

        var model = app.Services.GetRequiredService<DistributedApplicationModel>();
        foreach (var node in model.Resources.OfType<ContainerResource>())
        {
            var settings = await SettingsAsync(app, node);
            Assert.Equal("tenants", settings["POSTGRES_DB"]);
            foreach (var password in new[] { "POSTGRES_PASSWORD", "PGPASSWORD" })
            {
                Assert.Equal("postgres-password", Assert.IsType<ParameterResource>(settings[password]).Name);
            }

            Assert.Equal(node.Name == "postgres" ? "scram-sha-256" : "trust", settings["POSTGRES_HOST_AUTH_METHOD"]);
            Assert.Equal(node.Name == "postgres", node.Annotations.OfType<EndpointAnnotation>().Any());
            Assert.Equal(["-c", "wal_level=logical"], await ArgumentsAsync(node));
        }

        var database = model.Resources.OfType<PostgresDatabaseResource>().Single();
        Assert.Contains("tenants_nodes", database.Annotations.OfType<HealthCheckAnnotation>().Select(check => check.Key));
    }

    [Fact]
    public void A_cluster_without_an_engine_is_refused_with_what_to_do()
    {
        var refused = Assert.Throws<NoPostgresException>(() =>
            Building(("ASPIRE_CONTAINER_RUNTIME", _folder["no engine"]), ("Postgres:Use", "citus")));

        Assert.StartsWith(
            "Postgres:Use is 'citus', and no container engine answers.", refused.Message, StringComparison.Ordinal);
        Assert.Contains("start Docker or Podman", refused.Message, StringComparison.Ordinal);
        Assert.Contains("-- --ConnectionStrings:tenants=\"Host=COORDINATOR;", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_AppHost_of_one_cluster_is_refused()
    {
        var first = Building(Engine(), Volume(), ("Postgres:Use", "citus"));

        Assert.Throws<NoPostgresException>(() => Building(Engine(), Volume(), ("Postgres:Use", "citus")));
        GC.KeepAlive(first);
    }

    public void Dispose()
    {
        _log.Dispose();
        _folder.Dispose();
    }

    // Of an engine that knows the volume "acme", and no running container.
    private (string, string) Engine() =>
        ("ASPIRE_CONTAINER_RUNTIME",
            _folder.Script("docker", """case $1 in volume) [ "$3" = acme ] ;; version) echo 28.1.1 ;; esac"""));

    private static (string, string) Volume() => ("Postgres:DataVolume", "acme");

    private (string, string) DataFolder() => ("Postgres:DataFolder", _folder["local"]);

    private static async Task<IReadOnlyDictionary<string, object>> SettingsAsync(
        DistributedApplication app, ContainerResource resource)
    {
        var context = new EnvironmentCallbackContext(
            app.Services.GetRequiredService<DistributedApplicationExecutionContext>(), resource, cancellationToken: Ct);
        foreach (var annotation in resource.Annotations.OfType<EnvironmentCallbackAnnotation>())
        {
            await annotation.Callback(context);
        }

        return context.EnvironmentVariables;
    }

    private static async Task<IReadOnlyList<object>> ArgumentsAsync(ContainerResource resource)
    {
        var arguments = new List<object>();
        foreach (var annotation in resource.Annotations.OfType<CommandLineArgsCallbackAnnotation>())
        {
            await annotation.Callback(new CommandLineArgsCallbackContext(arguments, Ct));
        }

        return arguments;
    }

    private async Task<string[]> ToldAsync(params (string Key, string Value)[] settings)
    {
        await using var app = await StartingAsync(settings);
        return [.. _log.Lines];
    }

    private async Task<DistributedApplication> StartingAsync(params (string Key, string Value)[] settings)
    {
        var builder = Building(settings);
        builder.Services.AddSingleton<ILoggerProvider>(_log);
        var app = builder.Build();
        await builder.Eventing.PublishAsync(
            new BeforeStartEvent(app.Services, app.Services.GetRequiredService<DistributedApplicationModel>()), Ct);
        return app;
    }

    private IDistributedApplicationBuilder Building(params (string Key, string Value)[] settings)
    {
        var builder = DistributedApplication.CreateBuilder(
            new DistributedApplicationOptions { AssemblyName = "AppHost", ProjectDirectory = _folder.Folder("AppHost"),
                DisableDashboard = true });
        foreach (var (key, value) in settings)
        {
            builder.Configuration[key] = value;
        }

        builder.AddTenantsDatabase("tenants", new(_folder["state"], Remembers: true));
        return builder;
    }

    /// <summary>What the AppHost's console gets of it.</summary>
    private sealed class Told : ILoggerProvider, ILogger
    {
        public ConcurrentQueue<string> Lines { get; } = [];

        public ILogger CreateLogger(string categoryName) =>
            categoryName == "Tenancy.Hosting" ? this : Microsoft.Extensions.Logging.Abstractions.NullLogger.Instance;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) =>
                Lines.Enqueue(formatter(state, exception));

        public void Dispose()
        {
        }
    }
}
