using System.Collections.Concurrent;
using Aspire.Hosting.ApplicationModel;
using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Aspire.Hosting;

/// <summary>What is said once all is up, and the way down.</summary>
internal sealed partial class Orchestrator
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly int SecondsToStop = 5;

    /// <summary>Waits until what can be healthy is, then says what runs where.</summary>
    public async Task SummarizeAsync(CancellationToken cancellationToken)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(Patience);
        Task all = Task.WhenAll(_running.Keys.Select(r => notifications.WaitForResourceAsync(
            r.Name, e => e.Snapshot is { IsReady: true } or { HasEnded: true } or { Failure: not null }, limit.Token)));
        await all.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        cancellationToken.ThrowIfCancellationRequested();

        var shown = builder.Resources.Where(r => r is not ParameterResource).ToList();
        var width = shown.Select(r => r.Name.Length).DefaultIfEmpty().Max();
        var lines = shown.Select(r => $"  {r.Name.PadRight(width)}  {Summary(r)}".TrimEnd());
        ConsoleLines.Provider.Write("apphost", string.Join('\n', [
            "These run:",
            .. lines,
            "Ctrl+C stops them all."]));
    }

    public async Task StopAsync()
    {
        await _stopping.CancelAsync().ConfigureAwait(false);
        var stops = new ConcurrentDictionary<IResource, Lazy<Task>>();
        await Task.WhenAll(_running.Keys.Select(StopOnceAsync)).ConfigureAwait(false);
        await _watching.ConfigureAwait(false);

        // Last started, first stopped: a resource goes when all that use it are gone.
        Task StopOnceAsync(IResource resource) => stops.GetOrAdd(resource, r => new(() => StopAsync(r))).Value;

        async Task StopAsync(IResource resource)
        {
            await Task.WhenAll(_running.Keys.Where(user => user != resource && Uses(user, resource)).Select(StopOnceAsync)).ConfigureAwait(false);
            var (process, finished) = _running[resource];
            if (!finished.IsCompleted)
            {
                await notifications.PublishUpdateAsync(resource, s => s.HasEnded ? s : s with { State = KnownResourceStates.Stopping }).ConfigureAwait(false);
            }

            process.Stop();
            if (!await EndsWithinAsync(SecondsToStop - 2).ConfigureAwait(false))
            {
                process.Insist();
                if (!await EndsWithinAsync(2).ConfigureAwait(false))
                {
                    loggers.GetLogger(resource).Killed(SecondsToStop);
                    process.End();
                }
            }

            await finished.ConfigureAwait(false);

            async Task<bool> EndsWithinAsync(int seconds) => await Task.WhenAny(finished, Task.Delay(TimeSpan.FromSeconds(seconds))).ConfigureAwait(false) == finished;
        }
    }

    // By waiting only: two that refer to each other without waiting may stop in any order. A child leads to its parent.
    private static bool Uses(IResource user, IResource used) =>
        user.Annotations.OfType<WaitAnnotation>().Any(w => w.Resource == used || Uses(w.Resource, used))
        || (user is IResourceWithParent child && (child.Parent == used || Uses(child.Parent, used)));

    private string Summary(IResource resource)
    {
        notifications.TryGetCurrentState(resource.Name, out var now);
        return now?.Snapshot switch
        {
            null => "",
            { State.Text: "Running", HealthStatus: not HealthStatus.Healthy } s => $"Running, not healthy yet  {Urls(s)}",
            { ExitCode: { } code } s => $"{s.State?.Text}, exit code {code}",
            { Failure: { } why } s => $"{s.State?.Text}: {why}",
            var s => $"{s.State?.Text}  {Urls(s)}",
        };

        static string Urls(CustomResourceSnapshot snapshot) => string.Join("  ", snapshot.Urls.Select(u => u.Url));
    }
}
