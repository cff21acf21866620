using AppHost.Replicas;

namespace AppHost.Failures;

/// <summary>
/// Who waits for whom, and who gave up: Aspire ends a wait for good when what it is for fails, and the waiter is
/// <c>FailedToStart</c> then.
/// </summary>
internal sealed class Waiters(DistributedApplicationModel model, ReplicaStates replicas)
{
    // Those that haven't run since something failed that they wait for.
    private readonly HashSet<IResource> _affected = [];
    private readonly HashSet<IResource> _gaveUp = [];

    /// <summary>
    /// Remembers who waits for a failed resource. By the time at which a waiter is heard to give up, somebody may have
    /// started the failed one again.
    /// </summary>
    public void Note(ResourceEvent seen)
    {
        if (seen.Snapshot.State?.Text == KnownResourceStates.Running)
        {
            _affected.Remove(seen.Resource);
        }

        _affected.UnionWith(model.Resources.Where(waiter =>
            Waits(waiter).Any(wait => wait.Resource == seen.Resource && IsFailed(seen.Snapshot, wait))));
    }

    /// <summary>Whether a resource couldn't be started because something failed that it waits for.</summary>
    public bool GaveUp(ResourceEvent seen)
    {
        var (waiter, state) = (seen.Resource, seen.Snapshot.State?.Text);
        if (state != KnownResourceStates.FailedToStart
            || !(_affected.Contains(waiter) || Waits(waiter).Any(HasFailed)))
        {
            return false;
        }

        _affected.Remove(waiter);
        return _gaveUp.Add(waiter);
    }

    /// <summary>
    /// Those that gave up and can be started, after something happened to <paramref name="resource"/>: one of them, or
    /// what they wait for. They count as started.
    /// </summary>
    public IReadOnlyList<IResource> TakeReady(IResource resource)
    {
        // A waiter's own event counts, too: what it waited for may be well again before that event is heard.
        var ready = _gaveUp.Where(waiter => WaitsFor(waiter).Append(waiter).Contains(resource)
            && Waits(waiter).All(IsOver)).ToList();
        _gaveUp.ExceptWith(ready);
        return ready;
    }

    /// <summary>Whether others wait for its completion.</summary>
    public bool IsJob(IResource resource) => model.Resources.SelectMany(Waits)
        .Any(wait => wait.Resource == resource && wait.WaitType == WaitType.WaitForCompletion);

    /// <summary>Those that wait for it themselves.</summary>
    public IEnumerable<IResource> Of(IResource resource) =>
        model.Resources.Where(waiter => WaitsFor(waiter).Contains(resource));

    /// <summary>Those that wait for it, also by way of others, and don't run.</summary>
    public IReadOnlyList<IResource> NotRunning(IResource resource) =>
        [.. model.Resources.Where(waiter => IsWaiter(waiter, resource) && IsNotRunning(waiter))];

    // A database waits with its server.
    private static bool IsWaiter(IResource waiter, IResource resource) => WaitsFor(waiter).Any(dependency =>
        dependency == resource || (dependency as IResourceWithParent)?.Parent == resource
        || IsWaiter(dependency, resource));

    private bool IsNotRunning(IResource resource) => replicas.Of(resource) is not { Count: > 0 } states
        || states.Any(seen => seen.Snapshot.State?.Text != KnownResourceStates.Running
            && seen.Snapshot.ExitCode is null);

    // The current state: a waiter's event may come before the event that it follows from.
    private bool HasFailed(WaitAnnotation wait) =>
        replicas.Of(wait.Resource).Any(now => IsFailed(now.Snapshot, wait));

    private static bool IsFailed(CustomResourceSnapshot seen, WaitAnnotation wait) =>
        KnownResourceStates.TerminalStates.Contains(seen.State?.Text)
        && !(wait.WaitType == WaitType.WaitForCompletion && seen.ExitCode == wait.ExitCode);

    private bool IsOver(WaitAnnotation wait) =>
        replicas.Of(wait.Resource) is { Count: > 0 } states && states.All(seen => IsOver(seen.Snapshot, wait));

    private static bool IsOver(CustomResourceSnapshot seen, WaitAnnotation wait)
    {
        var state = seen.State?.Text;
        return wait.WaitType == WaitType.WaitForCompletion
            ? seen.ExitCode == wait.ExitCode
                && (state == KnownResourceStates.Finished || IsolatedFailures.IsShown(state))
            : state == KnownResourceStates.Running;
    }

    private static IEnumerable<IResource> WaitsFor(IResource resource) => Waits(resource).Select(wait => wait.Resource);

    private static IEnumerable<WaitAnnotation> Waits(IResource resource) =>
        resource.Annotations.OfType<WaitAnnotation>();
}
