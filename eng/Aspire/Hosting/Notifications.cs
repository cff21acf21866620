using System.Collections.Concurrent;
using System.Collections.Immutable;
using System.Runtime.CompilerServices;
using System.Threading.Channels;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting.ApplicationModel;

public static class KnownResourceStates
{
    public static readonly string NotStarted = "NotStarted";
    public static readonly string Waiting = "Waiting";
    public static readonly string Starting = "Starting";
    public static readonly string Running = "Running";
    public static readonly string Active = "Active";
    public static readonly string Stopping = "Stopping";
    public static readonly string Finished = "Finished";
    public static readonly string Exited = "Exited";
    public static readonly string FailedToStart = "FailedToStart";
    public static readonly string RuntimeUnhealthy = "RuntimeUnhealthy";
    public static readonly string ValueMissing = "ValueMissing";
    public static readonly IReadOnlyList<string> TerminalStates = [Finished, FailedToStart, Exited];
}

public sealed record ResourceStateSnapshot(string Text, string? Style)
{
    public static implicit operator ResourceStateSnapshot?(string? s) => s is null ? null : new(s, null);
}

public sealed record ResourcePropertySnapshot(string Name, object? Value);

public sealed record UrlSnapshot(string? Name, string Url, bool IsInternal);

public sealed record HealthReportSnapshot(string Name, HealthStatus? Status, string? Description, string? ExceptionText);

/// <summary>What is known of a resource at one moment.</summary>
public sealed record CustomResourceSnapshot
{
    public required string ResourceType { get; init; }

    public required ImmutableArray<ResourcePropertySnapshot> Properties { get; init; }

    public ResourceStateSnapshot? State { get; init; }

    public int? ExitCode { get; init; }

    public DateTime? StartTimeStamp { get; init; }

    public DateTime? StopTimeStamp { get; init; }

    public ImmutableArray<UrlSnapshot> Urls { get; init; } = [];

    public ImmutableArray<HealthReportSnapshot> HealthReports { get; internal init; } = [];

    /// <summary>The worst of the reports; healthy without checks; null unless the resource runs.</summary>
    public HealthStatus? HealthStatus => State?.Text != KnownResourceStates.Running ? null
        : HealthReports.IsEmpty ? Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Healthy
        : HealthReports.Min(r => r.Status ?? Microsoft.Extensions.Diagnostics.HealthChecks.HealthStatus.Unhealthy);

    /// <summary>It has been healthy, and what subscribed to that is done.</summary>
    internal bool IsReady { get; init; }

    /// <summary>Why it did not start or did not get ready, as a sentence.</summary>
    internal string? Failure { get; init; }

    internal bool HasEnded => State is not null && KnownResourceStates.TerminalStates.Contains(State.Text);
}

public class ResourceEvent(IResource resource, string resourceId, CustomResourceSnapshot snapshot)
{
    public IResource Resource { get; } = resource;

    public string ResourceId { get; } = resourceId;

    public CustomResourceSnapshot Snapshot { get; } = snapshot;
}

/// <summary>The resources' states, and who wants to know of them.</summary>
public class ResourceNotificationService
{
    private readonly Lock _gate = new();
    private readonly Dictionary<string, ResourceEvent> _current = new(StringComparer.OrdinalIgnoreCase);
    private readonly ConcurrentDictionary<Channel<ResourceEvent>, bool> _watchers = [];

    internal ResourceNotificationService()
    {
    }

    public Task PublishUpdateAsync(IResource resource, Func<CustomResourceSnapshot, CustomResourceSnapshot> stateFactory)
    {
        lock (_gate)
        {
            var before = _current.GetValueOrDefault(resource.Name)?.Snapshot ?? Initial(resource);
            var update = new ResourceEvent(resource, resource.Name, stateFactory(before));
            _current[resource.Name] = update;
            foreach (var watcher in _watchers.Keys)
            {
                watcher.Writer.TryWrite(update);
            }
        }

        return Task.CompletedTask;
    }

    public bool TryGetCurrentState(string resourceId, out ResourceEvent? resourceEvent)
    {
        lock (_gate)
        {
            return _current.TryGetValue(resourceId, out resourceEvent);
        }
    }

    /// <summary>All states as they are now, then every change.</summary>
    public async IAsyncEnumerable<ResourceEvent> WatchAsync([EnumeratorCancellation] CancellationToken cancellationToken = default)
    {
        var channel = Channel.CreateUnbounded<ResourceEvent>();
        lock (_gate)
        {
            foreach (var current in _current.Values)
            {
                channel.Writer.TryWrite(current);
            }

            _watchers[channel] = true;
        }

        try
        {
            await foreach (var update in channel.Reader.ReadAllAsync(cancellationToken).ConfigureAwait(false))
            {
                yield return update;
            }
        }
        finally
        {
            _watchers.TryRemove(channel, out _);
        }
    }

    public async Task<ResourceEvent> WaitForResourceAsync(string resourceName, Func<ResourceEvent, bool> predicate, CancellationToken cancellationToken = default)
    {
        await foreach (var update in WatchAsync(cancellationToken).ConfigureAwait(false))
        {
            if (string.Equals(update.Resource.Name, resourceName, StringComparison.OrdinalIgnoreCase) && predicate(update))
            {
                return update;
            }
        }

        throw new OperationCanceledException(cancellationToken);
    }

    /// <param name="targetState">Running when null.</param>
    public Task WaitForResourceAsync(string resourceName, string? targetState = null, CancellationToken cancellationToken = default) =>
        WaitForResourceAsync(resourceName, [targetState ?? KnownResourceStates.Running], cancellationToken);

    public async Task<string> WaitForResourceAsync(string resourceName, IEnumerable<string> targetStates, CancellationToken cancellationToken = default) =>
        (await WaitForResourceAsync(resourceName, e => targetStates.Contains(e.Snapshot.State?.Text), cancellationToken).ConfigureAwait(false)).Snapshot.State!.Text;

    /// <summary>Waits until it runs, is healthy, and what subscribed to that is done.</summary>
    /// <exception cref="DistributedApplicationException">It failed or ended before.</exception>
    public async Task<ResourceEvent> WaitForResourceHealthyAsync(string resourceName, CancellationToken cancellationToken = default)
    {
        var last = await WaitForResourceAsync(
            resourceName,
            e => e.Snapshot is { IsReady: true, HealthStatus: HealthStatus.Healthy } or { Failure: not null } or { HasEnded: true },
            cancellationToken).ConfigureAwait(false);
        return last.Snapshot is { IsReady: true, HasEnded: false } ? last : throw new DistributedApplicationException(last.Snapshot.WhyNotHealthy(resourceName));
    }

    private static CustomResourceSnapshot Initial(IResource resource) => new()
    {
        ResourceType = resource.GetType().Name.Replace("Resource", "", StringComparison.Ordinal),
        Properties = [],
        HealthReports = [.. resource.Annotations.OfType<HealthCheckAnnotation>().Select(h => new HealthReportSnapshot(h.Key, null, null, null))],
    };
}

internal static class Sentences
{
    public static string WhyNotHealthy(this CustomResourceSnapshot snapshot, string name) => snapshot switch
    {
        { State.Text: "FailedToStart", Failure: { } why } => $"'{name}' failed to start: {why}",
        { State.Text: "FailedToStart" } => $"'{name}' failed to start.",
        { HasEnded: true, ExitCode: { } code } => $"'{name}' ended with exit code {code} before it was healthy.",
        { HasEnded: true } => $"'{name}' ended before it was healthy.",
        _ => $"'{name}' did not get ready: {snapshot.Failure}",
    };
}
