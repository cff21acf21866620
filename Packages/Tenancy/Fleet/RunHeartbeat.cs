using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy.Ledgers;

namespace Tenancy.Fleet;

/// <summary>Keeps a run's row in <c>tenancy.runs</c>: a beat every two seconds, its end, and who halts it.</summary>
internal sealed partial class RunHeartbeat(NpgsqlDataSource database, TimeProvider time, ILogger log)
{
    /// <summary>Does the work of a run while its heart beats, and writes down how the run ended.</summary>
    /// <param name="run">The run; its row was begun.</param>
    /// <param name="work">What it does.</param>
    /// <param name="ended">Told the outcome, also that of a run that throws; null for nobody.</param>
    /// <param name="stop">Ends it after the groups in hand: its outcome is then <c>cancelled</c>.</param>
    /// <param name="ct">Ends it at once.</param>
    /// <returns>The outcome.</returns>
    public async Task<string> AroundAsync(
        RunState run, Func<Task> work, Action<string>? ended, CancellationToken stop, CancellationToken ct)
    {
        var outcome = "broken";
        using var beating = CancellationTokenSource.CreateLinkedTokenSource(ct);
        var heart = BeatAsync(run, beating.Token);
        try
        {
            await work();
            return outcome = run.Halted is not null ? "halted" : stop.IsCancellationRequested ? "cancelled" : "done";
        }
        catch (OperationCanceledException) when (ct.IsCancellationRequested)
        {
            outcome = "cancelled";
            throw;
        }
        finally
        {
            await beating.CancelAsync();
            await heart;
            await EndAsync(run, outcome);
            ended?.Invoke(outcome);
        }
    }

    private async Task BeatAsync(RunState run, CancellationToken ct)
    {
        // A beat every two seconds says nothing in a trace.
        using var unrecorded = TenancyTelemetry.Unrecorded();
        using var timer = new PeriodicTimer(RunsTable.Beat, time);
        try
        {
            do
            {
                try
                {
                    if (await RunsTable.BeatAsync(database, run.Id, run.Progress, ct) is { } reason)
                    {
                        run.Halt(reason);
                    }
                }
                catch (NpgsqlException e)
                {
                    // The workers say what that means for the run.
                    LogNoHeartbeat(log, e.Message);
                }
            }
            while (await timer.WaitForNextTickAsync(ct));
        }
        catch (OperationCanceledException)
        {
            // The run has ended.
        }
    }

    private async Task EndAsync(RunState run, string outcome)
    {
        try
        {
            await RunsTable.EndAsync(database, run.Id, run.Progress, outcome, CancellationToken.None);
        }
        catch (NpgsqlException e)
        {
            // The next run ends it, as lost.
            LogNoHeartbeat(log, e.Message);
        }
    }

    [LoggerMessage(LogLevel.Warning, "The run's row in tenancy.runs could not be written: {Error}")]
    private static partial void LogNoHeartbeat(ILogger log, string error);
}
