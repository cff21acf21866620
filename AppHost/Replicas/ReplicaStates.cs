using System.Collections.Concurrent;

namespace AppHost.Replicas;

/// <summary>
/// The processes of each resource. Aspire finds the state of a resource by its name only while it has one process:
/// with several, each has a name of its own, e.g. <c>api-mzvkwqpn</c>.
/// </summary>
internal sealed class ReplicaStates(ResourceNotificationService notifications)
{
    private readonly ConcurrentDictionary<IResource, ConcurrentDictionary<string, bool>> _ids = new();

    /// <summary>Remembers that this resource has that process.</summary>
    public void Note(ResourceEvent seen) =>
        _ids.GetOrAdd(seen.Resource, _ => new(StringComparer.Ordinal)).TryAdd(seen.ResourceId, true);

    /// <summary>The states of the resource's processes as they are now, in the order of their names.</summary>
    public IReadOnlyList<ResourceEvent> Of(IResource resource)
    {
        IEnumerable<string> names = _ids.TryGetValue(resource, out var ids) ? ids.Keys : [resource.Name];
        return [.. names.Order(StringComparer.Ordinal).SelectMany(StateOf)];

        IEnumerable<ResourceEvent> StateOf(string name) =>
            notifications.TryGetCurrentState(name, out var state) ? [state] : [];
    }

    /// <summary>
    /// Where one process of a web application listens by HTTP, beside the proxy that all share; null where it isn't
    /// known yet. The orchestrator gives it to the process in its environment.
    /// </summary>
    public static string? AddressOf(ResourceEvent replica) => replica.Snapshot.EnvironmentVariables
        .FirstOrDefault(variable => variable.Name == "ASPNETCORE_URLS")?.Value?.Split(';')
        .FirstOrDefault(url => url.StartsWith("http://", StringComparison.Ordinal))?.TrimEnd('/');
}
