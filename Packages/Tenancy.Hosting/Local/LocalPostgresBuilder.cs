using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Tenancy.Postgres.Cluster;

namespace Tenancy.Hosting.Local;

/// <summary>Adds a PostgreSQL from installed binaries, as <c>AddPostgres</c> adds a container.</summary>
internal static class LocalPostgresBuilder
{
    // A server starts in a quarter of a second. Aspire asks at once, then again after 1, 2, 3, ... seconds.
    private const int ChecksInOne = 10;
    private static readonly TimeSpan BetweenChecks = TimeSpan.FromMilliseconds(100);

    /// <summary>Adds a server on the cluster's data. It lives as long as this process.</summary>
    public static IResourceBuilder<LocalPostgresResource> AddLocalPostgres(
        this IDistributedApplicationBuilder builder, string name, DatabaseCluster cluster)
    {
        var command = ServerCommand.For(cluster, Environment.ProcessId, durable: true);
        // Not "-password": under that name a container's password may be kept, and configuration goes before the value.
        var password = builder.AddParameter($"{name}-local-password", cluster.Password, secret: true);
        var server = builder.AddResource(new LocalPostgresResource(name, command, password.Resource));

        var health = $"{name}_check";
        builder.Services.AddHealthChecks().AddAsyncCheck(health, async ct =>
        {
            for (var tries = 1; ; tries++)
            {
                try
                {
                    await using var connection = await OpenAsync(server.Resource, ct);
                    return HealthCheckResult.Healthy();
                }
                catch (NpgsqlException problem) when (tries == ChecksInOne)
                {
                    return HealthCheckResult.Unhealthy(problem.Message);
                }
                catch (NpgsqlException)
                {
                    await Task.Delay(BetweenChecks, ct);
                }
            }
        });

        builder.OnBeforeStart((start, ct) =>
        {
            var stopping = start.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
            _ = ServerAppearance.KeepReadableAsync(
                start.Services.GetRequiredService<ResourceNotificationService>(), server.Resource,
                cluster.Binaries.Server, cluster.Data, stopping);
            return Task.CompletedTask;
        });

        // The orchestrator picks the port, and tells the server in PGPORT.
        return server
            .WithInitialState(new() { ResourceType = "PostgreSQL", Properties = [] })
            .WithIconName("DatabaseMultiple")
            .WithArgs([.. command.Arguments])
            .WithEndpoint(name: LocalPostgresResource.Endpoint, scheme: "tcp", env: "PGPORT")
            .WithHealthCheck(health);
    }

    /// <summary>Adds a database of that name. It is running once it exists.</summary>
    public static IResourceBuilder<LocalPostgresDatabaseResource> AddDatabase(
        this IResourceBuilder<LocalPostgresResource> server, string name)
    {
        var database = server.ApplicationBuilder.AddResource(new LocalPostgresDatabaseResource(name, server.Resource));

        // The orchestrator copies a parent's state to its children for containers only, so we say what the database's
        // is.
        server.OnResourceReady(async (_, ready, ct) =>
        {
            var state = KnownResourceStates.FailedToStart;
            try
            {
                await CreateIfMissingAsync(server.Resource, name, ct);
                state = KnownResourceStates.Running;
            }
            finally
            {
                await PublishAsync(ready.Services, state);
            }
        });
        server.OnResourceStopped((_, stopped, _) => PublishAsync(stopped.Services, KnownResourceStates.Exited));
        return database;

        Task PublishAsync(IServiceProvider services, string state) =>
            services.GetRequiredService<ResourceNotificationService>()
                .PublishUpdateAsync(database.Resource, snapshot => snapshot with { State = state });
    }

    private static async Task CreateIfMissingAsync(LocalPostgresResource server, string name, CancellationToken ct)
    {
        await using var connection = await OpenAsync(server, ct);
        await using var find = new NpgsqlCommand(
            "SELECT 1 FROM pg_database WHERE datname = $1", connection) { Parameters = { new() { Value = name } } };
        if (await find.ExecuteScalarAsync(ct) is null)
        {
            await using var create = new NpgsqlCommand(
                $"CREATE DATABASE {new NpgsqlCommandBuilder().QuoteIdentifier(name)}", connection);
            await create.ExecuteNonQueryAsync(ct);
        }
    }

    // A connection of its own each time: a pool would outlive the server, and offer its dead connections to the next
    // one.
    private static async Task<NpgsqlConnection> OpenAsync(LocalPostgresResource server, CancellationToken ct)
    {
        var connection = new NpgsqlConnection(
            $"{await server.ConnectionStringExpression.GetValueAsync(ct)};Database=postgres;Pooling=false");
        try
        {
            await connection.OpenAsync(ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }
}
