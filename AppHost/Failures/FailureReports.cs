using System.Text.Json;
using AppHost.Replicas;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace AppHost.Failures;

/// <summary>
/// Says plainly what failed, why, who waits for it and what to do: once for each failure, in the AppHost's console and
/// in the logs of the resources concerned. When the repair has worked, it starts those that had given up waiting.
/// </summary>
internal sealed partial class FailureReports(
    DistributedApplicationModel model, ResourceNotificationService notifications, ResourceLoggerService logs,
    ResourceCommandService commands, IsolatedFailures isolated, ReplicaStates replicas,
    IHostApplicationLifetime lifetime, ILogger<FailureReports> log) : BackgroundService
{
    private static readonly TimeSpan UntilApiAnswers = TimeSpan.FromSeconds(15);

    private readonly Dictionary<string, string?> _states = new(StringComparer.Ordinal);
    private readonly Dictionary<string, DateTime> _ends = new(StringComparer.Ordinal);
    private readonly Waiters _waiters = new(model, replicas);
    private Task _isolatedAreTold = Task.CompletedTask;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await foreach (var seen in notifications.WatchAsync(stoppingToken))
            {
                if (!lifetime.ApplicationStopping.IsCancellationRequested)
                {
                    await FollowAsync(seen, stoppingToken);
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The AppHost ends.
        }

        // It may have to kill a process that it has started.
        await _isolatedAreTold;
    }

    private async Task FollowAsync(ResourceEvent seen, CancellationToken ct)
    {
        var (resource, state) = (seen.Resource, seen.Snapshot.State?.Text);
        var before = _states.GetValueOrDefault(seen.ResourceId);
        _states[seen.ResourceId] = state;
        replicas.Note(seen);
        _waiters.Note(seen);
        // Hidden are the dashboard itself, and the builds that the command Rebuild starts.
        var isProcess = resource is ProjectResource or ExecutableResource or ContainerResource
            && !seen.Snapshot.IsHidden;
        if (state == before || !isProcess)
        {
            if (state != before && resource is IResourceWithParent)
            {
                // A database came or went: the job's commands follow.
                await isolated.RefreshCommandsAsync();
            }

            await StartWaitersAsync(seen, ct);
            return;
        }

        // The failure of what a waiter waited for is told; the waiter's own only follows from it.
        if (!_waiters.GaveUp(seen) && IsNewFailure(seen, before))
        {
            await TellAsync(seen, ct);
        }
        else if (state == KnownResourceStates.Finished && !IsolatedFailures.IsShown(before) && _waiters.IsJob(resource)
            && replicas.Of(resource).All(replica => replica.Snapshot.ExitCode is not null))
        {
            // Not awaited here: who waits for the job doesn't wait for this.
            _isolatedAreTold = Task.WhenAll(_isolatedAreTold, TellIsolatedAsync(resource, ct));
        }

        await StartWaitersAsync(seen, ct);
    }

    /// <summary>Ended though nobody stopped it, and not told yet; a job is allowed to end with 0.</summary>
    private bool IsNewFailure(ResourceEvent seen, string? before)
    {
        var (state, code) = (seen.Snapshot.State?.Text, seen.Snapshot.ExitCode);
        if (before == KnownResourceStates.Stopping || !KnownResourceStates.TerminalStates.Contains(state))
        {
            return false;
        }

        if (seen.Snapshot.StopTimeStamp is { } end)
        {
            // While a resource starts again, the orchestrator may still repeat the end of its last process.
            if (_ends.TryGetValue(seen.ResourceId, out var known) && known == end)
            {
                return false;
            }

            _ends[seen.ResourceId] = end;
        }

        return state == KnownResourceStates.FailedToStart || code is not (0 or null) || !_waiters.IsJob(seen.Resource);
    }

    private async Task TellAsync(ResourceEvent seen, CancellationToken ct)
    {
        var (name, code) = (seen.Resource.Name, seen.Snapshot.ExitCode);
        var how = seen.Snapshot.State?.Text == KnownResourceStates.FailedToStart ? "couldn't be started"
            : code is null ? "ended"
            : $"ended with exit code {code}: {Remedies.Meaning(name, code)}";
        var words = await LastWordsAsync(seen, ct);
        var why = string.Concat(words.Select(line => $"{Environment.NewLine}  {line}"));
        var waiters = _waiters.NotRunning(seen.Resource);
        var names = Listed([.. waiters.Select(waiter => waiter.Name)]);
        var wait = waiters.Count switch
        {
            0 => "",
            1 => $"{Environment.NewLine}{names} waits for it, and starts by itself when it is mended.",
            _ => $"{Environment.NewLine}{names} wait for it, and start by themselves when it is mended.",
        };
        var remedy = Remedies.ToDo(name, code, saidWhy: words.Count > 0);
        var message = $"{name} {how}.{why}{wait}{Environment.NewLine}What to do: {remedy}";
        LogFailed(log, message);
        foreach (var concerned in waiters.Append(seen.Resource))
        {
            LogFailed(logs.GetLogger(concerned), message);
        }
    }

    private static string Listed(string[] names) =>
        names.Length < 2 ? string.Concat(names) : $"{string.Join(", ", names[..^1])} and {names[^1]}";

    /// <summary>The log arrives a little later than the end of the process.</summary>
    private async Task<IReadOnlyList<string>> LastWordsAsync(ResourceEvent seen, CancellationToken ct)
    {
        // Killed (128 + 9): a process can't say anything about that.
        if (seen.Snapshot.ExitCode == 137)
        {
            return [];
        }

        for (var tries = 0; ; tries++)
        {
            var lines = new List<LogLine>();
            await foreach (var batch in logs.GetAllAsync(seen.ResourceId).WithCancellation(ct))
            {
                lines.AddRange(batch);
            }

            var words = LastWords.Of(
                lines.Select(line => line.Content),
                lines.Where(line => line.IsErrorMessage).Select(line => line.Content));
            if (words.Count > 0 || tries == 5)
            {
                return words;
            }

            await Task.Delay(TimeSpan.FromMilliseconds(200), ct);
        }
    }

    private async Task TellIsolatedAsync(IResource job, CancellationToken ct)
    {
        try
        {
            // Until the API answers, the processors are its own: asking the job takes a second of one.
            var waiters = _waiters.Of(job)
                .Select(waiter => notifications.WaitForResourceAsync(
                    waiter.Name, seen => seen.Snapshot.HealthStatus is HealthStatus.Healthy or HealthStatus.Degraded,
                    ct));
            await Task.WhenAny(Task.WhenAll(waiters), Task.Delay(UntilApiAnswers, ct));
            var sentence = await isolated.ShowAsync(ct);
            if (replicas.Of(job).Any(replica => IsolatedFailures.IsShown(replica.Snapshot.State?.Text)))
            {
                LogIsolated(log, job.Name, sentence);
            }
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            // The AppHost ends.
        }
        catch (Exception e) when (e is InvalidOperationException or OperationCanceledException or JsonException)
        {
            // The API's health tells the same.
            LogUnknown(log, job.Name, e.Message);
        }
    }

    private async Task StartWaitersAsync(ResourceEvent seen, CancellationToken ct)
    {
        foreach (var waiter in _waiters.TakeReady(seen.Resource))
        {
            LogStarts(log, waiter.Name);
            await commands.ExecuteCommandAsync(waiter, KnownResourceCommands.StartCommand, ct);
        }
    }

    [LoggerMessage(LogLevel.Error, "{Message}")]
    private static partial void LogFailed(ILogger log, string message);

    [LoggerMessage(LogLevel.Warning,
        "{Job}: {Sentence} These customers are answered with 503, the others are served. What to do: mend what their " +
        "errors name, then run 'aspire resource migrations retry' or press Retry failed on {Job} in the dashboard.")]
    private static partial void LogIsolated(ILogger log, string job, string sentence);

    [LoggerMessage(LogLevel.Warning, "{Job}: it isn't known whether customers failed: {Why}")]
    private static partial void LogUnknown(ILogger log, string job, string why);

    [LoggerMessage(LogLevel.Information,
        "Starting {Resource}: what it had given up waiting for is well again.")]
    private static partial void LogStarts(ILogger log, string resource);
}
