using System.Net;
using System.Net.Sockets;
using System.Reflection;
using AppHost.Replicas;
using Microsoft.Extensions.Configuration;

namespace AppHost.Failures;

/// <summary>What can be known to fail before anything is started.</summary>
internal static class BeforeStart
{
    // The orchestrator of an AppHost that was stopped a moment ago still holds its ports.
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5);

    /// <exception cref="CannotStartException">A number of replicas is wrong, the orchestrator isn't there, or a port is
    /// taken.</exception>
    public static async Task CheckAsync(
        IConfiguration configuration, DistributedApplicationModel model, Assembly? appHost, CancellationToken ct)
    {
        ReplicaCount.Check(configuration, model);
        FindOrchestrator(configuration, appHost);
        await RefuseTakenAsync(Ports(configuration, model), Farewell, ct);
    }

    /// <summary>Refuses to start on ports that somebody listens on, after a moment of patience.</summary>
    /// <param name="ports">Who wants which port.</param>
    /// <param name="patience">How long to wait for them.</param>
    /// <param name="ct">Ends the waiting.</param>
    /// <exception cref="CannotStartException">A port is still taken.</exception>
    public static async Task RefuseTakenAsync(
        IReadOnlyList<(string Who, int Port)> ports, TimeSpan patience, CancellationToken ct)
    {
        var until = DateTimeOffset.UtcNow + patience;
        var taken = ports.Where(port => IsTaken(port.Port)).ToList();
        while (taken.Count > 0 && DateTimeOffset.UtcNow < until)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(200), ct);
            taken = taken.Where(port => IsTaken(port.Port)).ToList();
        }

        if (taken.Count > 0)
        {
            var which = string.Join(", ", taken.Select(port => $"{port.Port} ({port.Who})"));
            var are = taken.Count > 1 ? $"ports {which} are" : $"port {which} is";
            throw new CannotStartException($"""
                The {are} taken: another program listens there, maybe this application itself, started before.
                Stop it: Ctrl+C where it runs, or 'aspire stop'. {WhoListens(taken[0].Port)} shows the program.
                """);
        }
    }

    private static string WhoListens(int port) => OperatingSystem.IsWindows() ? $"'netstat -ano | findstr :{port}'"
        : OperatingSystem.IsMacOS() ? $"'lsof -iTCP:{port} -sTCP:LISTEN'"
        : $"'ss -ltnp sport = :{port}'";

    private static List<(string Who, int Port)> Ports(IConfiguration configuration, DistributedApplicationModel model)
    {
        // Tests and isolated runs take any ports that are free.
        if (configuration.GetValue("DcpPublisher:RandomizePorts", false))
        {
            return [];
        }

        var ports = new List<(string Who, int Port)>();
        foreach (var (key, who) in new[]
        {
            ("ASPNETCORE_URLS", "dashboard"), ("ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", "dashboard's telemetry"),
            ("ASPIRE_DASHBOARD_OTLP_HTTP_ENDPOINT_URL", "dashboard's telemetry over HTTP"),
            ("ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL", "dashboard's resources"),
        })
        {
            ports.AddRange((configuration[key] ?? "").Split(';', StringSplitOptions.RemoveEmptyEntries)
                .Select(url => Uri.TryCreate(url, UriKind.Absolute, out var uri) ? uri.Port : 0)
                .Where(port => port > 0)
                .Select(port => (who, port)));
        }

        ports.AddRange(
            from resource in model.Resources
            from endpoint in resource.Annotations.OfType<EndpointAnnotation>()
            where endpoint is { Port: > 0, IsProxied: true }
            select (resource.Name, endpoint.Port!.Value));
        return [.. ports.DistinctBy(port => port.Port)];
    }

    private static bool IsTaken(int port) =>
        IsTaken(IPAddress.Loopback, port) || (Socket.OSSupportsIPv6 && IsTaken(IPAddress.IPv6Loopback, port));

    private static bool IsTaken(IPAddress address, int port)
    {
        try
        {
            using var listener = new TcpListener(address, port);
            listener.Start();
            return false;
        }
        catch (SocketException e)
        {
            // Anything else, e.g. a machine without IPv6, is for the program that needs the port to say.
            return e.SocketErrorCode == SocketError.AddressAlreadyInUse;
        }
    }

    private static void FindOrchestrator(IConfiguration configuration, Assembly? appHost)
    {
        var path = configuration["DcpPublisher:CliPath"]
            ?? appHost?.GetCustomAttributes<AssemblyMetadataAttribute>()
                .FirstOrDefault(data => data.Key.Equals("dcpclipath", StringComparison.OrdinalIgnoreCase))?.Value;
        if (path is { Length: > 0 } && !File.Exists(path))
        {
            throw new CannotStartException($"""
                Aspire's orchestrator isn't where the build found it: {path}
                It comes with a NuGet package, so restore and build again: dotnet build AppHost --force
                """);
        }
    }
}
