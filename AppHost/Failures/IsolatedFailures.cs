using System.Text.Json.Nodes;
using AppHost.Commands;

namespace AppHost.Failures;

/// <summary>
/// Shows on <c>migrations</c> that customers failed. The job runs with <c>--on-failure isolate</c> and ends with 0
/// then, and the dashboard shows
/// a job that ended with 0 in grey.
/// </summary>
internal sealed class IsolatedFailures(
    ResourceNotificationService notifications, IServiceProvider services, IResource job) : IDisposable
{
    private const string Property = "Failed customers";
    private const int MostNamed = 20;

    // One after the other: two answers in the wrong order would show the older one.
    private readonly SemaphoreSlim _one = new(1);
    private bool _lifecycleFollows;

    /// <summary>Asks the job's command <c>status</c> and shows the answer.</summary>
    /// <returns>A sentence: how many customers failed, and which.</returns>
    /// <exception cref="InvalidOperationException">The job doesn't answer.</exception>
    public async Task<string> ShowAsync(CancellationToken ct)
    {
        await _one.WaitAsync(ct);
        try
        {
            var result = await JobProcess.RunAsync(services, job, ["status", "--format", "json"], ct);
            if (result.ExitCode != 0)
            {
                throw new InvalidOperationException($"status ended with exit code {result.ExitCode}: {result.Output}");
            }

            var status = JsonNode.Parse(result.Answer)!;
            var failures = status["failures"]!.AsArray()
                .Select(failure => $"{failure!["schema"]}: {failure["error"]}").ToList();
            await PublishAsync(failures);
            var named = string.Join("; ", failures.Take(MostNamed)) + (failures.Count > MostNamed ? "; ..." : "");
            return failures.Count == 0
                ? $"No customer of {status["total"]} is failed."
                : $"{Customers(failures.Count)} of {status["total"]} failed: {named}.";
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Aspire asks which commands are enabled whenever something is published about their resource.</summary>
    public Task RefreshCommandsAsync() => notifications.PublishUpdateAsync(job, snapshot => snapshot);

    /// <summary>
    /// Whether the state is one of ours: <c>Done, 2 failed</c>. More would not fit into the dashboard's column.
    /// </summary>
    public static bool IsShown(string? state) => state?.StartsWith(Prefix, StringComparison.Ordinal) == true;

    public void Dispose() => _one.Dispose();

    private const string Prefix = "Done, ";

    private static string Customers(int count) => count == 1 ? "1 customer" : $"{count} customers";

    private async Task PublishAsync(List<string> failures)
    {
        FollowLifecycle();
        await notifications.PublishUpdateAsync(job, snapshot =>
        {
            // It has been started again meanwhile: its next end decides.
            var state = snapshot.State?.Text;
            if (snapshot.ExitCode != 0 || !(state == KnownResourceStates.Finished || IsShown(state)))
            {
                return snapshot;
            }

            var properties = snapshot.Properties.RemoveAll(property => property.Name == Property);
            return failures.Count == 0
                ? snapshot with { State = KnownResourceStates.Finished, Properties = properties }
                : snapshot with
                {
                    // Whoever waits for its completion looks at the exit code, which stays.
                    State = new($"{Prefix}{failures.Count} failed", KnownResourceStateStyles.Warn),
                    Properties = properties.Add(
                        new(Property, string.Join(Environment.NewLine, failures.Take(MostNamed)))),
                };
        });
    }

    /// <summary>
    /// Aspire offers Start in the states that it knows as ended, and Stop in all others. Ours is ended too.
    /// </summary>
    private void FollowLifecycle()
    {
        if (_lifecycleFollows)
        {
            return;
        }

        _lifecycleFollows = true;
        string[] lifecycle =
            [KnownResourceCommands.StartCommand, KnownResourceCommands.StopCommand,
                KnownResourceCommands.RestartCommand];
        foreach (var command in job.Annotations.OfType<ResourceCommandAnnotation>()
            .Where(one => lifecycle.Contains(one.Name)).ToList())
        {
            job.Annotations.Remove(command);
            job.Annotations.Add(new ResourceCommandAnnotation(
                command.Name, command.DisplayName, state => command.UpdateState(AsFinished(state)),
                command.ExecuteCommand,
                command.DisplayDescription, command.Arguments, command.ConfirmationMessage,
                command.IconName, command.IconVariant, command.IsHighlighted));
        }
    }

    private static UpdateCommandStateContext AsFinished(UpdateCommandStateContext context)
    {
        var snapshot = context.ResourceSnapshot;
        return IsShown(snapshot.State?.Text)
            ? new() { ResourceSnapshot = snapshot with { State = KnownResourceStates.Finished },
                Services = context.Services }
            : context;
    }
}
