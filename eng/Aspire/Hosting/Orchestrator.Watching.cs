using System.Collections.Immutable;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting;

/// <summary>Health: asked often until it is good, then now and then: each question is a line in somebody's log.</summary>
internal sealed partial class Orchestrator
{
    private static readonly TimeSpan Often = TimeSpan.FromMilliseconds(200), NowAndThen = TimeSpan.FromSeconds(30);

    private async Task WatchAsync()
    {
        var watched = new Dictionary<IResource, Task>();
        try
        {
            await foreach (var update in notifications.WatchAsync(_stopping.Token).ConfigureAwait(false))
            {
                if (update.Snapshot.State?.Text == KnownResourceStates.Running && !watched.ContainsKey(update.Resource))
                {
                    watched[update.Resource] = WatchAsync(update.Resource);
                }
            }
        }
        catch (OperationCanceledException)
        {
            await Task.WhenAll(watched.Values).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }

    private async Task WatchAsync(IResource resource)
    {
        var logger = loggers.GetLogger(resource);
        var keys = resource.Annotations.OfType<HealthCheckAnnotation>().Select(h => h.Key).ToHashSet();
        var wasReady = false;
        HealthStatus? before = null;
        while (notifications.TryGetCurrentState(resource.Name, out var now) && now!.Snapshot.State?.Text == KnownResourceStates.Running)
        {
            var status = HealthStatus.Healthy;
            if (keys.Count > 0)
            {
                var report = await healthChecks.CheckHealthAsync(r => keys.Contains(r.Name), _stopping.Token).ConfigureAwait(false);
                var reports = keys.Select(k => report.Entries.TryGetValue(k, out var entry)
                    ? new HealthReportSnapshot(k, entry.Status, entry.Description, entry.Exception?.Message)
                    : new HealthReportSnapshot(k, HealthStatus.Unhealthy, $"no health check is registered as '{k}'", null)).ToImmutableArray();
                status = reports.Min(r => r.Status!.Value);
                await notifications.PublishUpdateAsync(resource, s => s.HealthReports.SequenceEqual(reports) ? s : s with { HealthReports = reports }).ConfigureAwait(false);
                if (status != before && (wasReady || status == HealthStatus.Healthy))
                {
                    if (status == HealthStatus.Healthy)
                    {
                        logger.Healthy();
                    }
                    else
                    {
                        logger.NotHealthy(reports.First(r => r.Status == status) is var bad && bad.Description is { } why ? why : bad.ExceptionText ?? "no reason given");
                    }
                }

                before = status;
            }

            if (status == HealthStatus.Healthy && !wasReady)
            {
                wasReady = true;
                await GetReadyAsync(resource).ConfigureAwait(false);
            }

            if (keys.Count == 0)
            {
                return;
            }

            await Task.Delay(before == HealthStatus.Healthy ? NowAndThen : Often, _stopping.Token).ConfigureAwait(false);
        }
    }

    private async Task GetReadyAsync(IResource resource)
    {
        try
        {
            await Eventing.PublishAsync(new ResourceReadyEvent(resource, services), _stopping.Token).ConfigureAwait(false);
            await notifications.PublishUpdateAsync(resource, s => s with { IsReady = true }).ConfigureAwait(false);
        }
        catch (Exception e) when (!_stopping.IsCancellationRequested)
        {
            loggers.GetLogger(resource).DidNotGetReady(e.Message);
            await notifications.PublishUpdateAsync(resource, s => s with { Failure = e.Message }).ConfigureAwait(false);
        }
    }
}
