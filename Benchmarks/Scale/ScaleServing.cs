using System.Globalization;
using Benchmarks.Measuring;
using Benchmarks.Requests;
using Npgsql;
using Tenancy;

namespace Benchmarks.Scale;

/// <summary>
/// Requests over all customers and over ten: the library beside SQL by hand, and a whole API, evenly and as real
/// customers ask.
/// </summary>
internal sealed class ScaleServing(string many, string few, int tenants, int rounds, Steps steps, TextWriter output)
{
    private static readonly TimeSpan s_slice = TimeSpan.FromMilliseconds(400);

    private readonly Tenant[] _all = [.. Enumerable.Range(0, tenants).Select(Fleet.Tenant)];

    public async Task RunAsync(NpgsqlDataSource admin, List<(string, double)> results, CancellationToken ct)
    {
        await using (var ours = new Ours("ours", many, _all, compiled: true))
        await using (var raw = new Raw("raw", many, _all))
        await using (var oursFew = new Ours("ours, few", few, _all[..ScaleBenchmark.Few], compiled: true))
        await using (var rawFew = new Raw("raw, few", few, _all[..ScaleBenchmark.Few]))
        {
            var slices = await SlicesAsync([ours, raw, oursFew, rawFew], admin, ct);
            Report(slices, [ours, raw, oursFew, rawFew]);
            results.Add(("request_vs_raw", Ratio(slices, ours, raw)));
            results.Add(("request_10000_vs_10", Ratio(slices, ours, oursFew)));
            results.Add(("raw_10000_vs_10", Ratio(slices, raw, rawFew)));
            results.Add(("backend_mb_max_vs_budget", await LargestAsync(ours.Name, ours.Options, admin, ct)));
        }

        await new ScaleApi(many, few, _all, rounds, steps, output).RunAsync(admin, results, ct);
    }

    private async Task<Slices> SlicesAsync(Variant[] variants, NpgsqlDataSource admin, CancellationToken ct)
    {
        var servers = new Dictionary<Variant, ServerCpu>();
        foreach (var variant in variants)
        {
            await steps.RunAsync($"each of {Variant.PoolSize} backends meets all schemas: {variant.Name}",
                variant.Tenants.Count, () => WarmUp.MeetSchemasAsync(variant.Database, variant.RoleOfAll,
                    [.. variant.Tenants.Select(tenant => tenant.Schema.Value)], ct));
            await WarmUp.CheckAsync(variant, ct, most: 500);
            servers[variant] = await ServerCpu.OfAsync(admin, variant.Name, ct);
        }

        await using var small = NpgsqlDataSource.Create(few);
        var slices = new Slices(variants, servers, s_slice);
        for (var round = -2; round < rounds; round++)
        {
            if (round == 0)
            {
                slices.Forget();
            }

            await slices.RoundAsync(round + 2, async _ =>
            {
                // Ten tenants get in a round what thousands get together, and would end with far larger tables.
                foreach (var tenant in _all[..ScaleBenchmark.Few])
                {
                    await Fleet.StartOverAsync(small, tenant.Schema.Quoted, tenant.Schema.Value, ct);
                }
            }, ct);
        }

        return slices;
    }

    private void Report(Slices slices, Variant[] variants)
    {
        List<string[]> rows = [["request", .. variants.Select(variant => $"{variant.Name}, us"), "ours vs raw",
            "ours vs few", "raw vs few", "CPU, ours vs raw", "CPU, ours vs few"]];
        rows.AddRange(Slices.Loads.Select(load => (string[])
        [
            $"{load}",
            .. variants.Select(variant => Table.Number(
                Statistics.Median(slices[load, variant].Select(slice => slice.Time)), "0")),
            $"{Of(load, 0, 1, slice => slice.Time)}", $"{Of(load, 0, 2, slice => slice.Time)}",
            $"{Of(load, 1, 3, slice => slice.Time)}", $"{Of(load, 0, 1, slice => slice.Cpu)}",
            $"{Of(load, 0, 2, slice => slice.Cpu)}",
        ]));
        Table.Write(output, rows);

        Estimate Of(Load load, int one, int other, Func<Slice, double> value) => Statistics.Estimate(Statistics.Ratios(
            [.. slices[load, variants[one]].Select(value)], [.. slices[load, variants[other]].Select(value)]));
    }

    /// <summary>Of the time for a request, over the four loads.</summary>
    private static double Ratio(Slices slices, Variant one, Variant other) => Statistics.GeometricMean(
        [.. Slices.Loads.Select(load => Statistics.Median(Statistics.Ratios(
            [.. slices[load, one].Select(slice => slice.Time)],
            [.. slices[load, other].Select(slice => slice.Time)])))]);

    /// <summary>The largest backend against its share of the budget.</summary>
    private async Task<double> LargestAsync(
        string application, TenancyOptions options, NpgsqlDataSource admin, CancellationToken ct)
    {
        var largest = await ServerProcesses.LargestAsync(admin, application, ct);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"        the largest backend of '{application}' has {largest / 1e6:0} MB and may have " +
            $"{options.Backends.Share / 1e6:0} MB; {options.Backends.Recycled} were recycled."));
        return (double)largest / options.Backends.Share;
    }
}
