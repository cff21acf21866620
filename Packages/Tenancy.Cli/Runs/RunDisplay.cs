using System.Globalization;
using Microsoft.Extensions.Logging;
using Spectre.Console;

namespace Tenancy.Cli.Runs;

/// <summary>
/// Shows how far a run is: a bar with rate and time left on a terminal, a line for every so many tenants elsewhere.
/// </summary>
/// <param name="console">Where to.</param>
/// <param name="log">For the lines.</param>
/// <param name="every">A line for so many tenants.</param>
/// <param name="time">For the rate.</param>
/// <param name="noun">What a tenant is called.</param>
/// <param name="done">What happens to a tenant: <c>migrated</c>.</param>
internal sealed partial class RunDisplay(
    IAnsiConsole console, ILogger<RunDisplay> log, int every, TimeProvider time, string noun, string done)
{
    /// <summary>How many failed tenants a run names at its end.</summary>
    public const int MostFailures = 20;

    public async Task<FleetReport> WatchAsync(Func<IProgress<FleetProgress>, Task<FleetReport>> run)
    {
        if (!console.Profile.Capabilities.Interactive)
        {
            return await run(new Lines(this));
        }

        return await console.Progress().AutoClear(true).HideCompleted(true)
            .Columns(
                new TaskDescriptionColumn(), new ProgressBarColumn(), new PercentageColumn(), new RemainingTimeColumn())
            .StartAsync(context => run(new Bar(context, time, done)));
    }

    private static string Rate(double perSecond) =>
        perSecond.ToString(perSecond < 10 ? "0.0" : "0", CultureInfo.InvariantCulture);

    [LoggerMessage(LogLevel.Information,
        "{Count} of {Total} {Noun}s {Done}, {Failed} failed; ring {Ring}, {Rate} a second, {Left:0} s left.")]
    private static partial void LogProgress(
        ILogger log, int count, int total, string noun, string done, int failed, int ring, string rate, double left);

    /// <summary>Told from several workers at once.</summary>
    private sealed class Lines(RunDisplay display) : IProgress<FleetProgress>
    {
        private readonly Lock _lock = new();
        private readonly long _started = display.Time.GetTimestamp();
        private int _next = display.Every;

        public void Report(FleetProgress value)
        {
            lock (_lock)
            {
                var done = value.Migrated + value.Failed;
                if (done < _next)
                {
                    return;
                }

                _next = ((done / display.Every) + 1) * display.Every;
                var rate = done / Math.Max(display.Time.GetElapsedTime(_started).TotalSeconds, 0.001);
                LogProgress(
                    display.Log, value.Migrated, value.Total, display.Noun, display.Done, value.Failed, value.Ring,
                    Rate(rate), Math.Max(0, value.Total - done) / rate);
            }
        }
    }

    private sealed class Bar(ProgressContext context, TimeProvider time, string done) : IProgress<FleetProgress>
    {
        private readonly Lock _lock = new();
        private readonly long _started = time.GetTimestamp();
        private ProgressTask? _task;

        public void Report(FleetProgress value)
        {
            lock (_lock)
            {
                var count = value.Migrated + value.Failed;
                var rate = count / Math.Max(time.GetElapsedTime(_started).TotalSeconds, 0.001);
                _task ??= context.AddTask(done, maxValue: Math.Max(1, value.Total));
                _task.Description = string.Create(CultureInfo.InvariantCulture,
                    $"ring {value.Ring}: {count} of {value.Total}, {value.Failed} failed, {Rate(rate)}/s");
                _task.Value = count;
            }
        }
    }

    private ILogger Log => log;

    private string Noun => noun;

    private string Done => done;

    private int Every => every;

    private TimeProvider Time => time;
}
