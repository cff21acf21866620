using Microsoft.Extensions.Logging;
using Tenancy.Cli.Commands;

namespace Tenancy.Cli.Runs;

/// <summary>A task's run, with its report and exit code.</summary>
internal sealed partial class TaskJob(TenantTasks tasks, RunEnding ending, JobSettings settings, ILogger<TaskJob> log)
{
    /// <param name="task">Registered or from a file.</param>
    /// <param name="plan">For whom.</param>
    /// <param name="display">Shows how far it is.</param>
    /// <param name="stop">Ends it after the tenants in hand.</param>
    /// <param name="ct">Ends it at once.</param>
    /// <exception cref="System.Data.Common.DbException">The database failed.</exception>
    /// <exception cref="UsageException">The task or the plan can't be carried out; nothing was done.</exception>
    public async Task<ExitCode> RunAsync(
        TenantTask task, FleetPlan plan, RunDisplay display, CancellationToken stop, CancellationToken ct)
    {
        FleetReport report;
        try
        {
            report = await display.WatchAsync(progress => tasks.RunAsync(task, plan, progress, stop, ct));
        }
        catch (CommandRefusedException e)
        {
            throw new UsageException($"The task {task.Name} was refused, nothing was done. {e.Message}", e);
        }
        catch (ArgumentException e) when (e.ParamName == nameof(plan))
        {
            throw new UsageException(e.Message.Split(" (Parameter", 2)[0], e);
        }

        if (report.Run is null)
        {
            LogNothing(log, task.Name, settings.Noun);
            return ExitCode.Done;
        }

        LogDone(log, task.Name, settings.Noun, report.Migrated, report.Failed.Count, report.Elapsed.TotalSeconds);
        return await ending.TellAsync(report, plan.Isolate, "the table tenancy.tasks", ct);
    }

    [LoggerMessage(LogLevel.Information, "{Task}: {Done} {Noun}s done, {Failed} failed. {Seconds:0.0} s.")]
    private static partial void LogDone(
        ILogger log, string task, string noun, int done, int failed, double seconds);

    [LoggerMessage(LogLevel.Information, "{Task}: nothing to do, no {Noun} is left.")]
    private static partial void LogNothing(ILogger log, string task, string noun);
}
