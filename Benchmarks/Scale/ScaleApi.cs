using System.Diagnostics;
using System.Globalization;
using Benchmarks.Measuring;
using Benchmarks.Requests;
using Benchmarks.Serving;
using Npgsql;
using Tenancy;

namespace Benchmarks.Scale;

/// <summary>
/// A whole API with keys and the directory of tenants: its memory, and its throughput over all customers, evenly and as
/// real customers ask, beside ten.
/// </summary>
internal sealed class ScaleApi(
    string many, string few, Tenant[] all, int rounds, Steps steps, TextWriter output)
{
    private const int Clients = 8;
    private const string Evenly = "evenly", Really = "as real customers ask (Zipf)", Ten = "ten customers";

    private static readonly TimeSpan s_slice = TimeSpan.FromSeconds(1);

    public async Task RunAsync(NpgsqlDataSource admin, List<(string, double)> results, CancellationToken ct)
    {
        await using var site = await Site.OursAsync("api", many, all);
        await using var small = await Site.OursAsync("api, few", few, all[..ScaleBenchmark.Few]);
        results.Add(("api_mb_per_1000", await MemoryAsync(site, ct)));
        await steps.RunAsync("the API's backends meet all schemas", all.Length, () => WarmUp.MeetSchemasAsync(
            site.Database, role: null, [.. all.Select(tenant => tenant.Schema.Value)], ct));
        var perSecond = new Turns();
        for (var round = -1; round < rounds; round++)
        {
            foreach (var (name, asked, next) in Turns.Order<(string, Site, Func<int, Func<int>>)>(
            [
                (Evenly, site, worker => Walking(all.Length, worker, round)),
                (Really, site, worker => new Zipf(all.Length, (round + 2) * Clients + worker).Next),
                (Ten, small, worker => Walking(ScaleBenchmark.Few, worker, round)),
            ], round))
            {
                var requests = await LoadAsync(asked, next, ct);
                if (round >= 0)
                {
                    perSecond.Add(name, round, requests);
                }
            }
        }

        List<string[]> rows = [["GET over HTTP", "requests/s", "against ten customers"]];
        rows.AddRange(new[] { Evenly, Really, Ten }.Select(name => new[]
        {
            name, Table.Number(perSecond.Median(name), "0"), $"{perSecond.Ratio(name, Ten)}",
        }));
        Table.Write(output, rows);
        var largest = await ServerProcesses.LargestAsync(admin, "api", ct);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"        the API's largest backend has {largest / 1e6:0} MB and may have " +
            $"{site.Options.Backends.Share / 1e6:0} MB; {site.Options.Backends.Recycled} were recycled."));
        results.Add(("api_10000_vs_10", 1 / perSecond.Ratio(Evenly, Ten).Median));
        results.Add(("api_zipf_vs_10", 1 / perSecond.Ratio(Really, Ten).Median));
    }

    /// <summary>
    /// What the API keeps of each further customer: after all have been served, less than after ten.
    /// </summary>
    /// <returns>Megabytes per 1,000.</returns>
    private async Task<double> MemoryAsync(Site site, CancellationToken ct)
    {
        await ServeAsync(site.Tenants.Take(ScaleBenchmark.Few));
        // Again: what the first requests leave is the client's and the runtime's.
        await ServeAsync(site.Tenants.Take(ScaleBenchmark.Few));
        var before = Settled();
        await steps.RunAsync($"serve each of {all.Length} once", all.Length, () => ServeAsync(site.Tenants));
        await ServeAsync(site.Tenants.Take(ScaleBenchmark.Few));
        var after = Settled();
        var megabytes = (after - before) / 1e6;
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"        the API's managed memory: {before / 1e6:0.0} MB after {ScaleBenchmark.Few} customers, " +
            $"{after / 1e6:0.0} MB after {all.Length}; the process {Environment.WorkingSet / 1e6:0} MB."));
        return megabytes * 1000 / (all.Length - ScaleBenchmark.Few);

        Task ServeAsync(IEnumerable<Tenant> tenants) => Parallel.ForEachAsync(tenants,
            new ParallelOptions { MaxDegreeOfParallelism = Clients, CancellationToken = ct },
            async (tenant, ct) => await site.ReadAsync(tenant, 0, ct));

        static long Settled()
        {
            GC.Collect();
            GC.WaitForPendingFinalizers();
            return GC.GetTotalMemory(forceFullCollection: true);
        }
    }

    private static Func<int> Walking(int places, int worker, int round)
    {
        var walk = new Walk(places, (Math.Abs(round) * 7) + (worker * places / Clients));
        return () => walk.Next();
    }

    private static async Task<double> LoadAsync(Site site, Func<int, Func<int>> order, CancellationToken ct)
    {
        GC.Collect();
        var count = 0;
        var start = Stopwatch.GetTimestamp();
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(worker => Task.Run(async () =>
        {
            var next = order(worker);
            for (var sent = 0; Stopwatch.GetElapsedTime(start) < s_slice; sent++)
            {
                await site.ReadAsync(site.Tenants[next()], sent, ct);
                Interlocked.Increment(ref count);
            }
        }, ct)));
        return count / Stopwatch.GetElapsedTime(start).TotalSeconds;
    }
}
