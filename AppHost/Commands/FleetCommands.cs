using AppHost.Failures;
using Microsoft.Extensions.DependencyInjection;

namespace AppHost.Commands;

/// <summary>
/// The job's commands as commands of the resource <c>migrations</c>: in the dashboard, and as <c>aspire resource
/// migrations NAME</c>.
/// </summary>
internal static class FleetCommands
{
    /// <summary>Adds Status, Plan, Retry failed, Verify and Halt.</summary>
    /// <param name="migrations">The job.</param>
    /// <param name="database">The commands are enabled while this database is up.</param>
    public static IResourceBuilder<ProjectResource> WithFleetCommands(
        this IResourceBuilder<ProjectResource> migrations, IResourceBuilder<IResource> database)
    {
        var job = migrations.Resource;
        return migrations
            .WithReport(
                "status", "Status",
                "Status: who is at which version, who is behind, who failed and why, and the last runs.",
                "ClipboardTextLtr", database.Resource, highlighted: true)
            .WithReport(
                "plan", "Plan", "Plan: what the next run would do, for whom. Changes nothing.", "TaskListLtr",
                database.Resource)
            .WithCommand("retry", "Retry failed", context => RetryAsync(context, job), new CommandOptions
            {
                Description = "Retry failed: migrates the customers whose last migration failed.",
                ConfirmationMessage = "Migrate the customers whose last migration failed again?",
                IconName = "ArrowRepeatAll",
                UpdateState = state => Enabled(state, database.Resource, whileRunning: false),
            })
            .WithReport(
                "verify", "Verify", "Verify: compares every customer's schema with what the migrations make.",
                "ShieldCheckmark", database.Resource)
            .WithReport(
                "doctor", "Doctor", "Doctor: holds the database's numbers against their limits, and says what to do.",
                "HeartPulse", database.Resource)
            .WithCommand("halt", "Halt", context => HaltAsync(context, job), new CommandOptions
            {
                Description = "Halt: asks the runs in progress to end after the batches in hand.",
                ConfirmationMessage =
                    "Halt the runs in progress? What is migrated stays. The API starts when a run has ended well.",
                IconName = "HandRight",
                UpdateState = state => Enabled(state, database.Resource, whileRunning: true),
            });
    }

    /// <summary>A command that only reads. Its Markdown is shown at once, also when it is bad news.</summary>
    private static IResourceBuilder<ProjectResource> WithReport(
        this IResourceBuilder<ProjectResource> migrations, string name, string display, string description, string icon,
        IResource database, bool highlighted = false) =>
        migrations.WithCommand(name, display, context => ReportAsync(context, migrations.Resource, name), new()
        {
            Description = description,
            IconName = icon,
            IsHighlighted = highlighted,
            UpdateState = state => Enabled(state, database, whileRunning: null),
        });

    private static Task<ExecuteCommandResult> ReportAsync(
        ExecuteCommandContext context, IResource job, string command) => CommandAnswer.OfAsync(async () =>
    {
        var result = await RunAsync(context, job, command, "--format", "markdown");
        return result.ExitCode == 0
            ? CommandAnswer.Success($"{command}: done.", result.Answer)
            : CommandAnswer.Failure(Ended(command, result), result.Answer.Length > 0 ? result.Answer : result.Errors);
    });

    private static Task<ExecuteCommandResult> RetryAsync(
        ExecuteCommandContext context, IResource job) => CommandAnswer.OfAsync(async () =>
    {
        var result = await RunAsync(context, job, "retry");
        var status = await context.Services.GetRequiredService<IsolatedFailures>().ShowAsync(context.CancellationToken);
        var report = await RunAsync(context, job, "status", "--format", "markdown");
        return result.ExitCode == 0
            ? CommandAnswer.Success($"Retried. {status}", report.Answer)
            : CommandAnswer.Failure(
                $"{Ended("retry", result)} {status}", report.Answer.Length > 0 ? report.Answer : result.Output);
    });

    private static Task<ExecuteCommandResult> HaltAsync(
        ExecuteCommandContext context, IResource job) => CommandAnswer.OfAsync(async () =>
    {
        var result = await RunAsync(context, job, "halt", "--reason", "asked in the dashboard");
        return result.ExitCode == 0
            ? CommandResults.Success(result.Answer.Trim())
            : CommandAnswer.Failure(Ended("halt", result), result.Output);
    });

    private static Task<JobResult> RunAsync(ExecuteCommandContext context, IResource job, params string[] arguments) =>
        JobProcess.RunAsync(context.Services, job, arguments, context.CancellationToken);

    private static string Ended(string command, JobResult result) =>
        $"{command} ended with exit code {result.ExitCode}.";

    /// <param name="state">The job's.</param>
    /// <param name="database">What the commands ask.</param>
    /// <param name="whileRunning">True: only while the job runs. False: only while it doesn't.</param>
    private static ResourceCommandState Enabled(UpdateCommandStateContext state, IResource database, bool? whileRunning)
    {
        var runs = state.ResourceSnapshot.State?.Text == KnownResourceStates.Running;
        var wasStarted = state.ResourceSnapshot.EnvironmentVariables.Length > 0;
        return wasStarted && (whileRunning ?? runs) == runs && IsUp(state.Services, database)
            ? ResourceCommandState.Enabled
            : ResourceCommandState.Disabled;
    }

    // A configured connection string has no state that says anything of its server.
    private static bool IsUp(IServiceProvider services, IResource database) =>
        database is not IResourceWithParent
        || (services.GetRequiredService<ResourceNotificationService>().TryGetCurrentState(database.Name, out var seen)
            && seen.Snapshot.State?.Text == KnownResourceStates.Running);
}
