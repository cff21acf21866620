using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Tenancy.Doctor;

/// <summary>
/// Examines its database every <see cref="TenancyOptions.DoctorInterval"/>, for the gauges and for health, and leaves
/// no span. The first time is some seconds after the start, which has enough to do.
/// </summary>
internal sealed partial class DoctorMonitor(
    TenancyDoctor doctor, TenancyOptions options, TimeProvider time, ILogger<DoctorMonitor> log) : BackgroundService
{
    private static readonly TimeSpan First = TimeSpan.FromSeconds(20);

    private string Name => options.Database ?? TenancyOptions.FirstDatabase;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (options.DoctorInterval is not { } interval)
        {
            return;
        }

        try
        {
            await Task.Delay(interval < First ? interval : First, time, stoppingToken);
            using var timer = new PeriodicTimer(interval, time);
            do
            {
                await LookAsync(interval, stoppingToken);
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host ends.
        }
    }

    private async Task LookAsync(TimeSpan interval, CancellationToken ct)
    {
        try
        {
            using var unrecorded = TenancyTelemetry.Unrecorded();
            // Half as old: what an operator has just asked for needn't be asked again.
            await doctor.ReportAsync(interval / 2, ct);
        }
        catch (NpgsqlException e)
        {
            // The database's health says that it is gone.
            LogFailed(log, Name, e.Message);
        }
        catch (Exception e) when (e is not OperationCanceledException)
        {
            // A defect, of the application's registry perhaps. It ends no process that serves.
            LogDefect(log, Name, e);
        }
    }

    [LoggerMessage(LogLevel.Error, "The database '{Database}' couldn't be examined.")]
    private static partial void LogDefect(ILogger log, string database, Exception error);

    [LoggerMessage(LogLevel.Debug, "The database '{Database}' couldn't be examined: {Error}")]
    private static partial void LogFailed(ILogger log, string database, string error);
}
