using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Tenancy.Hosting.Sources;

/// <summary>A Citus cluster in containers: a coordinator that everybody connects to, and two workers.</summary>
internal static class CitusContainers
{
    private const string Registry = "docker.io";
    private const string Image = "citusdata/citus";

    /// <summary>Citus 14.1 on PostgreSQL 18. A volume keeps its major version: see <see cref="DataPath"/>.</summary>
    private const string Tag = "14.1.0";

    /// <summary>Where an image of PostgreSQL 18 has its volume; its data is in a folder below, by version.</summary>
    private const string DataPath = "/var/lib/postgresql";

    /// <summary>Inside the containers' network.</summary>
    private const int Port = 5432;

    private const int Workers = 2;

    /// <summary>The image's whole name, for who runs it by hand.</summary>
    public static string FullImage => $"{Registry}/{Image}:{Tag}";

    /// <summary>The volumes of a cluster whose coordinator has that one.</summary>
    public static IReadOnlyList<string> Volumes(string volume) =>
        [volume, .. Enumerable.Range(1, Workers).Select(number => $"{volume}-worker-{number}")];

    /// <summary>Adds the containers, and the database that is on all of them.</summary>
    /// <param name="builder">The AppHost.</param>
    /// <param name="server">The coordinator's name.</param>
    /// <param name="name">The database's.</param>
    /// <param name="volume">The coordinator's volume.</param>
    /// <returns>The coordinator and the database; it is healthy when the coordinator knows all nodes.</returns>
    public static (IResourceBuilder<PostgresServerResource>, IResourceBuilder<PostgresDatabaseResource>) AddCitus(
        this IDistributedApplicationBuilder builder, string server, string name, string volume)
    {
        var volumes = Volumes(volume);
        // A plain connection, as to any container: see DatabaseSource.
#pragma warning disable ASPIRECERTIFICATES001
        var coordinator = builder.AddPostgres(server).WithoutHttpsCertificate();
#pragma warning restore ASPIRECERTIFICATES001
        var password = coordinator.Resource.PasswordParameter;
        AsNode(coordinator, name, volumes[0], password);
        var workers = Enumerable.Range(1, Workers).Select(number =>
        {
            // No endpoint: nobody but the other nodes reaches a worker, which trusts them.
            var worker = builder.AddContainer($"{server}-worker-{number}", Image, Tag)
                .WithEnvironment("POSTGRES_USER", "postgres")
                .WithEnvironment("POSTGRES_PASSWORD", password)
                .WithEnvironment("POSTGRES_HOST_AUTH_METHOD", "trust")
                .WithIconName("DatabaseMultiple");
            return AsNode(worker, name, volumes[number], password);
        }).ToList();
        var database = coordinator.AddDatabase(name);
        foreach (var worker in workers)
        {
            worker.WithParentRelationship(coordinator);
        }

        return (coordinator, database.WithNodesCheck(
            (server, Port), [.. workers.Select(worker => (worker.Resource.Name, Port))]));
    }

    private static IResourceBuilder<T> AsNode<T>(
        IResourceBuilder<T> node, string database, string volume, ParameterResource password)
        where T : ContainerResource => node.WithImageRegistry(Registry).WithImage(Image, Tag)
            .WithVolume(volume, DataPath)
            // The image makes the database with the extension in it when the volume is new.
            .WithEnvironment("POSTGRES_DB", database)
            // By it the nodes log in to each other as the superuser.
            .WithEnvironment("PGPASSWORD", password)
            // What moves a tenant follows its writes.
            .WithArgs("-c", "wal_level=logical");

    private static IResourceBuilder<PostgresDatabaseResource> WithNodesCheck(
        this IResourceBuilder<PostgresDatabaseResource> database, (string Host, int Port) coordinator,
        IReadOnlyList<(string Host, int Port)> workers)
    {
        var check = $"{database.Resource.Name}_nodes";
        var nodes = new NodesCheck(
            ct => database.Resource.ConnectionStringExpression.GetValueAsync(ct), coordinator, workers);
        database.ApplicationBuilder.Services.AddHealthChecks().Add(
            new(check, nodes, HealthStatus.Unhealthy, tags: null));
        return database.WithHealthCheck(check);
    }
}
