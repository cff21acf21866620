using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using AppHost.Replicas;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace AppHost.Health;

/// <summary>
/// Shows on a resource what its <c>/health</c> says: healthy, degraded or unhealthy, with the descriptions.
/// Aspire's own check knows only the status code, and of several replicas it asks any. This one asks each, and the
/// worst answer counts.
/// </summary>
internal sealed class ReadinessCheck(
    EndpointReference endpoint, HttpClient http, ReplicaStates replicas, TimeProvider time) : IHealthCheck
{
    private const string Path = "/health";

    // Aspire asks a resource that isn't healthy after 1, 2, 3, 4, 5, 5, ... seconds: a process that needs three and a
    // half would seem to need six.
    // So one question goes on until somebody answers.
    private static readonly TimeSpan UntilAnswered = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan BetweenTries = TimeSpan.FromMilliseconds(100);

    // Aspire asks a healthy resource every 30 seconds. So one question goes on until the answer changes.
    private static readonly TimeSpan UntilChanged = TimeSpan.FromMinutes(5);
    private static readonly TimeSpan BetweenLooks = TimeSpan.FromSeconds(5);

    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        var started = time.GetTimestamp();
        var seen = replicas.Of(endpoint.Resource);
        var shownHealthy = seen.Count > 0
            && seen.All(replica => replica.Snapshot.HealthStatus == HealthStatus.Healthy);
        while (true)
        {
            var answer = await AskAllAsync(cancellationToken);
            var (limit, pause) = answer switch
            {
                null => (UntilAnswered, BetweenTries),
                { Status: HealthStatus.Healthy } when shownHealthy => (UntilChanged, BetweenLooks),
                _ => default,
            };
            if (time.GetElapsedTime(started) >= limit)
            {
                return answer ?? HealthCheckResult.Unhealthy($"Nobody answers at {endpoint.Url}{Path}.");
            }

            await Task.Delay(pause, time, cancellationToken);
        }
    }

    /// <returns>The worst answer; null when somebody doesn't listen.</returns>
    private async Task<HealthCheckResult?> AskAllAsync(CancellationToken ct)
    {
        var answers = await Task.WhenAll(Addresses().Select(address => AskAsync(address, ct)));
        return Array.Exists(answers, answer => answer is null) ? null : answers.MinBy(answer => answer!.Value.Status);
    }

    /// <summary>
    /// The endpoint's, behind which a proxy chooses a process. Of several processes, the address of each: it is in the
    /// environment that the orchestrator started it with.
    /// </summary>
    private IEnumerable<string> Addresses()
    {
        var states = replicas.Of(endpoint.Resource);
        return states.Count < 2
            ? [endpoint.Url]
            : states.Select(state => ReplicaStates.AddressOf(state) ?? endpoint.Url).Distinct(StringComparer.Ordinal);
    }

    /// <returns>Null when nobody listens.</returns>
    private async Task<HealthCheckResult?> AskAsync(string address, CancellationToken ct)
    {
        try
        {
            using var response = await http.GetAsync(new Uri(address + Path), ct);
            return Read(response.StatusCode, await response.Content.ReadAsStringAsync(ct));
        }
        catch (HttpRequestException)
        {
            return null;
        }
        catch (TaskCanceledException) when (!ct.IsCancellationRequested)
        {
            return HealthCheckResult.Unhealthy($"{Path} didn't answer within {http.Timeout.TotalSeconds:0} seconds.");
        }
    }

    /// <summary>
    /// Reads <c>{"status":"Degraded","entries":{"fleet":{"status":"Degraded","description":"..."}}}</c>; a body without
    /// it counts by its status code.
    /// </summary>
    internal static HealthCheckResult Read(HttpStatusCode code, string body)
    {
        var fallback = code == HttpStatusCode.OK ? HealthStatus.Healthy : HealthStatus.Unhealthy;
        try
        {
            if (JsonNode.Parse(body) is JsonObject report
                && Enum.TryParse<HealthStatus>((string?)report["status"], out var status))
            {
                var entries = report["entries"] as JsonObject ?? [];
                var bad = entries.Where(entry => (string?)entry.Value?["status"] is not nameof(HealthStatus.Healthy))
                    .Select(entry => (string?)entry.Value?["description"] is { Length: > 0 } description
                        ? $"{entry.Key}: {description}"
                        : entry.Key);
                return new(status, string.Join(' ', bad) is { Length: > 0 } text ? text : null);
            }
        }
        catch (JsonException)
        {
            // Plain text, e.g. "Healthy".
        }

        return new(fallback, fallback == HealthStatus.Healthy ? null : $"{Path} answered {(int)code}.");
    }
}

internal static class ReadinessCheckBuilder
{
    /// <summary>Shows what the resource's <c>/health</c> says.</summary>
    public static IResourceBuilder<ProjectResource> WithReadiness(this IResourceBuilder<ProjectResource> project)
    {
        if (!project.ApplicationBuilder.ExecutionContext.IsRunMode)
        {
            return project;
        }

        var name = $"{project.Resource.Name}_ready";
        var http = new HttpClient { Timeout = TimeSpan.FromSeconds(5) };
        project.ApplicationBuilder.Services.AddHealthChecks().Add(new HealthCheckRegistration(
            name,
            services => new ReadinessCheck(
                project.GetEndpoint("http"), http, services.GetRequiredService<ReplicaStates>(),
                TimeProvider.System),
            failureStatus: null, tags: null));
        return project.WithHealthCheck(name);
    }
}
