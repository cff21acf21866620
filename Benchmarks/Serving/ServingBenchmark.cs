using System.Diagnostics;
using System.Globalization;
using Benchmarks.Measuring;
using Benchmarks.Requests;
using Tenancy;

namespace Benchmarks.Serving;

/// <summary>
/// What does a whole request cost: Kestrel, a key, the tenant, the row? Against the same endpoints without tenancy. And
/// what do quiet tenants notice of one that sends twenty times what its limit allows?
/// </summary>
internal sealed class ServingBenchmark(int tenants, int rounds, TimeSpan slice, TextWriter output)
{
    private const string Many = "many";
    private const string One = "one";
    private const int Workers = 8;
    private const int Quiet = 4;
    private const int LimitPerSecond = 50;

    private static readonly bool[] s_readsFirst = [false, true];

    private readonly double[] _durations = new double[1_000_000];

    public async Task RunAsync(CancellationToken ct)
    {
        await using var fleet = await Fleet.StartAsync(ct);
        await output.WriteLineAsync($"{await fleet.DescriptionAsync(ct)}; creating {tenants} tenants.");
        await fleet.CreateDatabaseAsync(Many, copyOf: null, ct);
        await fleet.ProvisionAsync(Many, 0, tenants, ct);
        await fleet.RegisterAsync(Many, tenants, ct);
        await fleet.CreateDatabaseAsync(One, copyOf: null, ct);
        await fleet.ProvisionAsync(One, 0, 2, ct);
        await fleet.RegisterAsync(One, 1, ct);
        await fleet.MoveToPublicAsync(One, 1, ct);
        Tenant[] all = [.. Enumerable.Range(0, tenants).Select(Fleet.Tenant)];
        await using var single = await Site.SingleAsync("single", fleet.ConnectionString(One), Fleet.Tenant(1));
        await using var ours = await Site.OursAsync("ours, 1 tenant", fleet.ConnectionString(One), all[..1]);
        await using var many = await Site.OursAsync($"ours, {tenants} tenants", fleet.ConnectionString(Many), all);
        await ThroughputAsync([single, ours, many], ct);
        await using var limited = await Site.OursAsync("limited", fleet.ConnectionString(Many), all, limits =>
            (limits.RequestsPerSecond, limits.Burst, limits.Concurrent, limits.Waiting) = (LimitPerSecond,
                LimitPerSecond, 2, 2));
        await FairnessAsync(limited, ct);
    }

    private async Task ThroughputAsync(Site[] sites, CancellationToken ct)
    {
        var (perSecond, p99) = (new Turns(), new Turns());
        foreach (var site in sites)
        {
            // Each tenant once: its schema is new to the backends, and its entry to the directory.
            foreach (var tenant in site.Tenants)
            {
                await site.ReadAsync(tenant, 0, ct);
            }
        }

        for (var round = -2; round < rounds; round++)
        {
            foreach (var write in s_readsFirst)
            {
                foreach (var site in Turns.Order(sites, round))
                {
                    var (requests, slow) = await LoadAsync(site, write, round, ct);
                    if (round >= 0)
                    {
                        perSecond.Add(Name(site, write), round, requests);
                        p99.Add(Name(site, write), round, slow);
                    }
                }
            }
        }

        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{rounds} rounds, {Workers} at once; requests per second, and milliseconds that 99 of 100 took at most:"));
        foreach (var write in s_readsFirst)
        {
            foreach (var site in sites)
            {
                await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                    $"  {Name(site, write),-26} {perSecond.Median(Name(site, write)),7:0} {p99.Median(Name(site, write)),7:0.0}"));
            }
        }

        var ratios = s_readsFirst.Select(write =>
            perSecond.Ratio(Name(sites[2], write), Name(sites[0], write))).ToList();
        await output.WriteLineAsync($"  {tenants} tenants against single: GET {ratios[0]}, POST {ratios[1]}");
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"result: api.throughput_vs_single={Statistics.GeometricMean(ratios.Select(ratio => ratio.Median).ToArray()):0.000}"));

        static string Name(Site site, bool write) => $"{(write ? "POST" : "GET")} {site.Name}";
    }

    /// <returns>Requests per second, and their 99th percentile in milliseconds.</returns>
    private async Task<(double PerSecond, double P99)> LoadAsync(Site site, bool write, int round, CancellationToken ct)
    {
        GC.Collect();
        var count = 0;
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Workers).Select(worker => Task.Run(async () =>
        {
            var walk = new Walk(site.Tenants.Count, Math.Abs(round) * 7 + worker * site.Tenants.Count / Workers);
            for (var sent = 0; Stopwatch.GetElapsedTime(start) < slice; sent++)
            {
                var begun = Stopwatch.GetTimestamp();
                var tenant = site.Tenants[walk.Next()];
                _ = write ? await site.WriteAsync(tenant, ct) : await site.ReadAsync(tenant, sent, ct);
                _durations[Interlocked.Increment(ref count)] = Stopwatch.GetElapsedTime(begun).TotalMilliseconds;
            }
        }, ct)));
        var elapsed = Stopwatch.GetElapsedTime(start);
        return (count / elapsed.TotalSeconds, Statistics.Percentile(_durations[1..(count + 1)], 0.99));
    }

    /// <summary>Quiet tenants, alone and beside a noisy one, in turn.</summary>
    private async Task FairnessAsync(Site site, CancellationToken ct)
    {
        var p99 = new Turns();
        var (sent, served) = (0, 0);
        for (var round = -1; round < rounds; round++)
        {
            foreach (var noisy in round % 2 == 0 ? [true, false] : new[] { false, true })
            {
                using var end = CancellationTokenSource.CreateLinkedTokenSource(ct);
                var noise = noisy ? NoiseAsync(site, end.Token) : Task.FromResult((0, 0));
                var slow = await QuietAsync(site, ct);
                await end.CancelAsync();
                var (more, ofThem) = await noise;
                (sent, served) = (sent + more, served + ofThem);
                if (round >= 0)
                {
                    p99.Add(noisy ? "beside" : "alone", round, slow);
                }
            }
        }

        var ratio = p99.Ratio("beside", "alone");
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{Quiet} quiet tenants, milliseconds that 99 of 100 requests took at most; {served} of the noisy tenant's {sent} requests were served:"));
        foreach (var name in new[] { "alone", "beside" })
        {
            await output.WriteLineAsync(
                string.Create(CultureInfo.InvariantCulture, $"  {name,-8} {p99.Median(name),7:0.0}"));
        }

        await output.WriteLineAsync($"  ratio    {ratio}");
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"result: fairness.quiet_p99_ratio={ratio.Median:0.000}"));
    }

    private async Task<double> QuietAsync(Site site, CancellationToken ct)
    {
        var durations = await Task.WhenAll(Enumerable.Range(1, Quiet).Select(tenant => Task.Run(async () =>
        {
            var taken = new List<double>();
            for (var start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < slice * 4;)
            {
                var begun = Stopwatch.GetTimestamp();
                await site.ReadAsync(site.Tenants[tenant], taken.Count, ct);
                taken.Add(Stopwatch.GetElapsedTime(begun).TotalMilliseconds);
                // Within its own limit.
                await Task.Delay(1000 / LimitPerSecond + 5, ct);
            }

            return taken;
        }, ct)));
        return Statistics.Percentile([.. durations.SelectMany(taken => taken)], 0.99);
    }

    /// <summary>Twenty times what the limit allows, whatever the answers are.</summary>
    private static async Task<(int Sent, int Served)> NoiseAsync(Site site, CancellationToken ct)
    {
        var (sent, served) = (0, 0);
        var open = new List<Task>();
        var start = Stopwatch.GetTimestamp();
        while (!ct.IsCancellationRequested)
        {
            for (var due = Stopwatch.GetElapsedTime(start).TotalSeconds * LimitPerSecond * 20; sent < due; sent++)
            {
                var number = sent;
                open.Add(Task.Run(async () =>
                {
                    if (await site.ReadAsync(site.Tenants[0], number, CancellationToken.None))
                    {
                        Interlocked.Increment(ref served);
                    }
                }, CancellationToken.None));
            }

            open.RemoveAll(request => request.IsCompletedSuccessfully);
            await Task.Delay(2, CancellationToken.None);
        }

        await Task.WhenAll(open);
        return (sent, served);
    }
}
