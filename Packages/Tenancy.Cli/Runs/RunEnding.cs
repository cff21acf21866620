using Microsoft.Extensions.Logging;
using Tenancy.Cli.Commands;

namespace Tenancy.Cli.Runs;

/// <summary>The last words of a run, of migrations or of a task, and its exit code.</summary>
internal sealed partial class RunEnding(ITenantRegistry registry, ILogger<RunEnding> log)
{
    /// <param name="report">The run's.</param>
    /// <param name="isolate">Whether failed tenants leave the exit code 0.</param>
    /// <param name="where">Where all failures are, in words.</param>
    /// <param name="ct">Ends the wait for the failed tenants' slugs.</param>
    public async Task<ExitCode> TellAsync(FleetReport report, bool isolate, string where, CancellationToken ct)
    {
        await LogFailedAsync(report, where, ct);
        switch (report.Outcome)
        {
            case FleetOutcome.Halted:
                LogHalted(log, report.Reason ?? "");
                return ExitCode.Halted;
            case FleetOutcome.Cancelled:
                LogCancelled(log);
                return ExitCode.Cancelled;
            default:
                return report.Failed.Count == 0 || isolate ? ExitCode.Done : ExitCode.TenantsFailed;
        }
    }

    private async Task LogFailedAsync(FleetReport report, string where, CancellationToken ct)
    {
        var named = report.Failed.Take(RunDisplay.MostFailures).ToList();
        if (named.Count == 0)
        {
            return;
        }

        var slugs = await registry.FindSlugsAsync([.. named.Select(failed => failed.Schema)], ct);
        foreach (var (schema, error) in named)
        {
            using var scope = slugs.TryGetValue(schema, out var slug) ? log.BeginTenantScope(slug) : null;
            LogTenantFailed(log, schema, error);
        }

        if (report.Failed.Count > RunDisplay.MostFailures)
        {
            LogMoreFailed(log, report.Failed.Count - RunDisplay.MostFailures, where);
        }
    }

    [LoggerMessage(LogLevel.Error, "Failed: {Schema}: {Error}")]
    private static partial void LogTenantFailed(ILogger log, SchemaName schema, string error);

    [LoggerMessage(LogLevel.Error, "And {Count} more: {Where} names them.")]
    private static partial void LogMoreFailed(ILogger log, int count, string where);

    [LoggerMessage(LogLevel.Error, "Halted: {Reason}. What is done stays; mend what failed, then run again.")]
    private static partial void LogHalted(ILogger log, string reason);

    [LoggerMessage(LogLevel.Warning, "Cancelled. What is done stays; run again for the rest.")]
    private static partial void LogCancelled(ILogger log);
}
