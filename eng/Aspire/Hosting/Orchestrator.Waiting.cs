using Aspire.Hosting.ApplicationModel;

namespace Aspire.Hosting;

/// <summary>What a resource waits for before it starts, said once and again every <see cref="Reminder"/>.</summary>
internal sealed partial class Orchestrator
{
    private async Task WaitForDependenciesAsync(IResource resource, CancellationToken cancellationToken)
    {
        var waits = resource.Annotations.OfType<WaitAnnotation>().Where(w => w.Resource is not ParameterResource).ToList();

        // A child is there when its parent is, so who waits for it waits for both.
        waits.AddRange(waits.Where(w => w is { WaitType: not WaitType.WaitForCompletion, Resource: IResourceWithParent })
            .Select(w => new WaitAnnotation(((IResourceWithParent)w.Resource).Parent, w.WaitType)).ToList());
        if (waits.Count == 0)
        {
            return;
        }

        var logger = loggers.GetLogger(resource);
        await StateAsync(resource, KnownResourceStates.Waiting).ConfigureAwait(false);
        logger.Waits(string.Join(", ", waits.DistinctBy(w => (w.Resource, w.WaitType)).Select(Wish)));
        using var giveUp = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var pending = waits.ToDictionary(w => WaitAsync(w, giveUp.Token), w => w);
        try
        {
            while (pending.Count > 0)
            {
                using var reminder = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
                var first = await Task.WhenAny([.. pending.Keys, Task.Delay(Reminder, reminder.Token)]).ConfigureAwait(false);
                if (pending.Remove(first))
                {
                    await reminder.CancelAsync().ConfigureAwait(false);
                    await first.ConfigureAwait(false);
                }
                else
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    logger.StillWaits(string.Join(", ", pending.Values.Select(w => $"{Wish(w)} (now: {Now(w.Resource)})")));
                }
            }
        }
        finally
        {
            await giveUp.CancelAsync().ConfigureAwait(false);
        }
    }

    private async Task WaitAsync(WaitAnnotation wait, CancellationToken cancellationToken)
    {
        var name = wait.Resource.Name;
        if (wait.WaitType == WaitType.WaitUntilHealthy)
        {
            await notifications.WaitForResourceHealthyAsync(name, cancellationToken).ConfigureAwait(false);
            return;
        }

        var started = wait.WaitType == WaitType.WaitUntilStarted;
        var last = (await notifications.WaitForResourceAsync(
            name,
            e => e.Snapshot is { HasEnded: true } or { State.Text: "ValueMissing" } || (started && e.Snapshot.State?.Text == KnownResourceStates.Running),
            cancellationToken).ConfigureAwait(false)).Snapshot;
        if (last.State?.Text is "FailedToStart" or "ValueMissing")
        {
            throw new DistributedApplicationException($"'{name}' failed to start.");
        }

        if (!started && last.ExitCode is { } code && code != wait.ExitCode)
        {
            throw new DistributedApplicationException($"'{name}' ended with exit code {code}, and {wait.ExitCode} is waited for.");
        }
    }

    private static string Wish(WaitAnnotation wait) => wait.WaitType switch
    {
        WaitType.WaitUntilHealthy => $"'{wait.Resource.Name}' to be healthy",
        WaitType.WaitUntilStarted => $"'{wait.Resource.Name}' to start",
        _ => $"'{wait.Resource.Name}' to end with exit code {wait.ExitCode}",
    };

    private string Now(IResource resource)
    {
        notifications.TryGetCurrentState(resource.Name, out var now);
        var unhealthy = now?.Snapshot.HealthReports.FirstOrDefault(r => r is { Status: not null, Description: not null });
        return (now?.Snapshot.State?.Text ?? "no state yet") + (unhealthy is null ? "" : $", {unhealthy.Description}");
    }

    private void RefuseCircles()
    {
        foreach (var resource in builder.Resources)
        {
            Follow(resource, []);
        }

        static void Follow(IResource resource, IReadOnlyList<IResource> path)
        {
            if (path.Contains(resource))
            {
                throw new DistributedApplicationException($"These wait for each other: {string.Join(" -> ", path.Append(resource).Select(r => $"'{r.Name}'"))}.");
            }

            foreach (var next in resource.Annotations.OfType<WaitAnnotation>())
            {
                Follow(next.Resource, [.. path, resource]);
            }
        }
    }
}
