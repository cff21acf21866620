using System.Globalization;
using Benchmarks.Measuring;
using Benchmarks.Pending;

namespace Benchmarks.Scale;

/// <summary>The job as a process, with nothing pending.</summary>
internal sealed class ScaleJob(string many, string few, int rounds, TextWriter output)
{
    public async Task NothingPendingAsync(List<(string, double)> results, CancellationToken ct)
    {
        var (times, memory) = (new Turns(), new Turns());
        // The first round reads the assemblies from the disk.
        for (var round = -1; round < rounds; round++)
        {
            foreach (var (name, database) in Turns.Order([(nameof(many), many), (nameof(few), few)], round))
            {
                var (elapsed, peak) = await Starts.StartAsync(Starts.Job, database, ct);
                if (round >= 0)
                {
                    times.Add(name, round, elapsed.TotalMilliseconds);
                    memory.Add(name, round, peak / 1e6);
                }
            }
        }

        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"        the job with nothing pending: {times.Median(nameof(many)):0} ms and " +
            $"{memory.Median(nameof(many)):0} MB at its largest; beside few {times.Median(nameof(few)):0} ms and " +
            $"{memory.Median(nameof(few)):0} MB; {times.Ratio(nameof(many), nameof(few))}."));
        results.Add(("job_nothing_pending_vs_10", times.Ratio(nameof(many), nameof(few)).Median));
    }
}
