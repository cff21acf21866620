using System.Diagnostics;
using Benchmarks.Requests;

namespace Benchmarks.Measuring;

/// <summary>
/// Runs the variants in turn, each for a short slice, over and over: a machine that is slow for a while is slow for all
/// of them, and a ratio of two slices of the same round is hardly touched by it.
/// </summary>
internal sealed class Slices(
    IReadOnlyList<Variant> variants, IReadOnlyDictionary<Variant, ServerCpu> servers, TimeSpan length)
{
    public static readonly IReadOnlyList<Load> Loads = [new(Operation.Select, 1), new(Operation.Insert, 1),
        new(Operation.Select, 8), new(Operation.Insert, 8)];

    private readonly Dictionary<(Load, Variant), List<Slice>> _slices =
        Loads.SelectMany(load => variants.Select(variant => (load, variant)))
            .ToDictionary(key => key, _ => new List<Slice>());

    // More than can be filled, and kept: what the measuring itself allocates would count as the variant's.
    private readonly long[][] _durations = [.. Enumerable.Range(0, 8)
        .Select(_ => new long[(int)length.TotalMilliseconds * 50 + 1000])];

    /// <summary>The slices of a load and a variant, one for each round.</summary>
    public IReadOnlyList<Slice> this[Load load, Variant variant] => _slices[(load, variant)];

    /// <summary>
    /// One slice for each load and variant. The order turns from round to round: nobody always runs behind the same
    /// rival.
    /// </summary>
    public async Task RoundAsync(int round, Func<Load, Task> before, CancellationToken ct)
    {
        var order = Enumerable.Range(0, variants.Count).Select(place => variants[(place + round) % variants.Count]);
        Variant[] turned = [.. round % 2 == 0 ? order : order.Reverse()];
        foreach (var load in Loads)
        {
            await before(load);
            foreach (var variant in turned)
            {
                _slices[(load, variant)].Add(await RunAsync(load, variant, round, ct));
            }
        }
    }

    /// <summary>Forgets what was measured so far: the code was still being compiled.</summary>
    public void Forget()
    {
        foreach (var slices in _slices.Values)
        {
            slices.Clear();
        }
    }

    private async Task<Slice> RunAsync(Load load, Variant variant, int round, CancellationToken ct)
    {
        // Nobody pays for another's garbage.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        // Nor for the processor's caches, which another's slice has filled.
        await WorkAsync(load, variant, round, length / 8, ct);

        var server = servers[variant];
        var serverBefore = server.Seconds();
        var clientBefore = Environment.CpuUsage.TotalTime;
        var bytesBefore = GC.GetTotalAllocatedBytes(precise: true);
        var start = Stopwatch.GetTimestamp();
        var counts = await WorkAsync(load, variant, round, length, ct);
        var elapsed = Stopwatch.GetElapsedTime(start);
        var bytes = GC.GetTotalAllocatedBytes(precise: true) - bytesBefore;
        var client = Environment.CpuUsage.TotalTime - clientBefore;
        var serverSeconds = server.Seconds() - serverBefore;

        double requests = counts.Sum();
        var durations = counts.SelectMany((count, worker) => _durations[worker].Take(count))
            .Select(ticks => ticks * 1e6 / Stopwatch.Frequency).ToArray();
        return new(
            (int)requests, elapsed.TotalMicroseconds / requests, Statistics.Median(durations),
            Statistics.Percentile(durations, 0.99),
            bytes / requests, client.TotalMicroseconds / requests, serverSeconds * 1e6 / requests);
    }

    private Task<int[]> WorkAsync(Load load, Variant variant, int round, TimeSpan time, CancellationToken ct)
    {
        var end = Stopwatch.GetTimestamp() + (long)(time.TotalSeconds * Stopwatch.Frequency);
        return Task.WhenAll(
            Enumerable.Range(0, load.AtOnce).Select(worker => Task.Run(() => load.Operation == Operation.Select
                ? SelectAsync(variant, Start(variant, round, worker, load.AtOnce), _durations[worker], end, ct)
                : InsertAsync(variant, Start(variant, round, worker, load.AtOnce), _durations[worker], end, ct))));
    }

    private static int Start(Variant variant, int round, int worker, int workers) =>
        round * 7 + worker * variant.Tenants.Count / workers;

    private static async Task<int> SelectAsync(
        Variant variant, int start, long[] durations, long end, CancellationToken ct)
    {
        var walk = new Walk(variant.Tenants.Count, start);
        var count = 0;
        for (var begun = Stopwatch.GetTimestamp(); begun < end && count < durations.Length;)
        {
            _ = await variant.FindAsync(
                variant.Tenants[walk.Next()], Fleet.ContactId(count % Fleet.ContactsPerTenant), ct)
                ?? throw new InvalidOperationException($"{variant.Name} didn't find a row that is there.");
            var now = Stopwatch.GetTimestamp();
            durations[count++] = now - begun;
            begun = now;
        }

        return count;
    }

    private static async Task<int> InsertAsync(
        Variant variant, int start, long[] durations, long end, CancellationToken ct)
    {
        var walk = new Walk(variant.Tenants.Count, start);
        var count = 0;
        for (var begun = Stopwatch.GetTimestamp(); begun < end && count < durations.Length;)
        {
            await variant.InsertAsync(variant.Tenants[walk.Next()], Fleet.NewContact(), ct);
            var now = Stopwatch.GetTimestamp();
            durations[count++] = now - begun;
            begun = now;
        }

        return count;
    }
}
