using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

/// <summary>A server of our own kind: a process that gets its port from the AppHost, is healthy a second later, and then makes its database.</summary>
internal sealed class ServerResource(string name, string folder)
    : ExecutableResource(name, "/bin/sh", folder), IResourceWithConnectionString
{
    public EndpointReference Endpoint => new(this, "tcp");

    public ReferenceExpression ConnectionStringExpression =>
        ReferenceExpression.Create($"Host={Endpoint.Property(EndpointProperty.Host)};Port={Endpoint.Property(EndpointProperty.Port)}");
}

internal sealed class DatabaseResource(string name, ServerResource server) : Resource(name), IResourceWithParent<ServerResource>, IResourceWithConnectionString
{
    public ServerResource Parent => server;

    public ReferenceExpression ConnectionStringExpression => ReferenceExpression.Create($"{server};Database={Name}");
}

internal static class Servers
{
    public static void AddServer(this IDistributedApplicationBuilder builder, string name, string folder)
    {
        var log = Path.Combine(folder, "log");
        builder.Services.AddHealthChecks().AddCheck("answers", () =>
            File.Exists(Path.Combine(folder, "up")) ? HealthCheckResult.Healthy() : HealthCheckResult.Unhealthy("not up yet"));

        var server = new ServerResource(name, folder);
        var database = builder.AddResource(new DatabaseResource("database", server));
        builder.AddResource(server)
            .WithArgs("-c", "echo started on $PORT >> log; sleep 1; touch up; exec sleep 600")
            .WithEndpoint(name: "tcp", scheme: "tcp", env: "PORT")
            .WithHealthCheck("answers")
            .OnConnectionStringAvailable(async (resource, _, ct) =>
                await File.AppendAllTextAsync(log, $"available: {await resource.ConnectionStringExpression.GetValueAsync(ct)}\n", ct))
            .OnBeforeResourceStarted((_, _, ct) => File.AppendAllTextAsync(log, "starting\n", ct))
            .OnResourceReady(async (_, ready, ct) =>
            {
                await File.AppendAllTextAsync(log, "ready\n", ct);
                await ready.Services.GetRequiredService<ResourceNotificationService>()
                    .PublishUpdateAsync(database.Resource, s => s with { State = KnownResourceStates.Running });
            })
            .OnResourceStopped((_, _, _) => File.AppendAllTextAsync(log, "stopped\n", CancellationToken.None));

        builder.AddProject<Projects.ConformanceWeb>("web").WithReference(database).WaitFor(database);
    }
}
