using System.Globalization;
using Benchmarks.Measuring;

namespace Benchmarks.Requests;

/// <summary>
/// The tables, as Markdown so that they can go into the README as they are, and the last lines for whoever compares
/// runs.
/// </summary>
internal static class RequestsReport
{
    public static void Write(TextWriter output, RequestsPlan plan, string server, RequestsResults results)
    {
        output.WriteLine();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}: {plan.Tenants} customers, {plan.Rounds} rounds, slices " +
            $"of {plan.Slice.TotalMilliseconds} ms; {server}; .NET {Environment.Version}, " +
            $"{Environment.ProcessorCount} processors."));
        foreach (var load in Slices.Loads)
        {
            WriteLoad(output, load, results);
        }

        var v = results.Variants;
        (string Name, string What, Variant Measured, Variant Reference)[] figures =
        [
            ("requests.vs_single_stock", "ours, against single-tenant EF with stock settings", v.Ours, v.SingleStock),
            ("requests.vs_single_same", "the same with one tenant and the same settings", v.OursOne, v.SingleSame),
            ("requests.vs_raw_same",
                "ours with SELECT as a compiled query, as the sample's API reads an invoice, against hand-written SQL",
                v.OursCompiled, v.Raw),
            ("requests.vs_raw_linq", "the same with SELECT as LINQ that EF takes apart each time", v.Ours, v.Raw),
            ("requests.vs_model_per_tenant", "ours, against an EF model per tenant", v.Ours, v.ModelPerTenant),
            ("requests.roles_vs_none", "ours with a role per tenant, against ours without", v.OursRoles, v.Ours),
            ("requests.two_databases_vs_one", "ours with a second database, against ours with one", v.OursTwo, v.Ours),
            ("requests.per_scope_vs_pooled", "ours with a context per scope, against ours with pooled ones",
                v.OursPerScope, v.Ours),
            ("", "ours, against search_path on open", v.Ours, v.SearchPath),
            ("", "EF alone: single-same against raw, one tenant", v.SingleSame, v.RawOne),
            ("", "PostgreSQL alone: raw among all tenants against raw with one", v.Raw, v.RawOne),
        ];
        output.WriteLine();
        output.WriteLine("### Ratios, SELECT and INSERT together");
        List<string[]> ratios = [["", "time per request", "p50", "CPU, client and server", "time, 8 at once",
            "CPU, 8 at once"]];
        ratios.AddRange(figures.Select(figure => new[]
        {
            figure.What,
            $"{Both(results.Slices, figure.Measured, figure.Reference, 1, slice => slice.Time)}",
            $"{Both(results.Slices, figure.Measured, figure.Reference, 1, slice => slice.P50)}",
            $"{Both(results.Slices, figure.Measured, figure.Reference, 1, slice => slice.Cpu)}",
            $"{Both(results.Slices, figure.Measured, figure.Reference, 8, slice => slice.Time)}",
            $"{Both(results.Slices, figure.Measured, figure.Reference, 8, slice => slice.Cpu)}",
        }));
        Table.Write(output, ratios);

        var open = results.FirstOpen;
        var opens = Statistics.Estimate(Statistics.Ratios(open.OursMany, open.OursEmpty));
        Table.Write(output,
        [
            ["", "ours", "rival"],
            ["managed memory per further tenant, KB (rival: an EF model per tenant)",
                Table.Number(results.KilobytesOurs, "0.00"), Table.Number(results.KilobytesModelPerTenant, "0.0")],
            ["first open, empty database, ms (rival: stock settings)",
                Table.Number(Statistics.Median(open.OursEmpty), "0.0"),
                Table.Number(Statistics.Median(open.StockEmpty), "0.0")],
            [$"first open, {plan.Schemas} customers, ms", Table.Number(Statistics.Median(open.OursMany), "0.0"),
                Table.Number(Statistics.Median(open.StockMany), "0.0")],
            ["many against empty", $"{opens}",
                $"{Statistics.Estimate(Statistics.Ratios(open.StockMany, open.StockEmpty))}"],
            ["the same with LoadTypes = true: empty, ms", Table.Number(Statistics.Median(open.LoadingEmpty), "0.0"),
                ""],
            [$"{plan.Schemas} customers, ms", Table.Number(Statistics.Median(open.LoadingMany), "0.0"), ""],
            ["many against empty", $"{Statistics.Estimate(Statistics.Ratios(open.LoadingMany, open.LoadingEmpty))}",
                ""],
        ]);

        output.WriteLine();
        foreach (var figure in figures.Where(figure => figure.Name.Length > 0))
        {
            Result(figure.Name, Both(results.Slices, figure.Measured, figure.Reference, 1, slice => slice.Time).Median,
                "0.000");
        }

        Result("requests.kb_per_tenant", results.KilobytesOurs, "0.000");
        Result("requests.first_open_vs_empty", opens.Median, "0.000");

        void Result(string name, double value, string format) =>
            output.WriteLine($"result: {name}={Table.Number(value, format)}");
    }

    /// <summary>
    /// One ratio for each round, the geometric mean of SELECT's and INSERT's; then the median of all rounds.
    /// </summary>
    private static Estimate Both(
        Slices slices, Variant measured, Variant reference, int atOnce, Func<Slice, double> value)
    {
        return Statistics.Estimate(
            Ratios(Operation.Select)
                .Zip(Ratios(Operation.Insert), (select, insert) => Statistics.GeometricMean(select, insert)));

        IReadOnlyList<double> Ratios(Operation operation) =>
            Statistics.Ratios(Values(operation, measured), Values(operation, reference));

        double[] Values(Operation operation, Variant variant) =>
            [.. slices[new(operation, atOnce), variant].Select(value)];
    }

    private static void WriteLoad(TextWriter output, Load load, RequestsResults results)
    {
        output.WriteLine();
        output.WriteLine($"### {load}");
        List<string[]> rows = [["", "requests/s", "p50, us", "p99, us", "client CPU, us", "server CPU, us",
            "allocated, KB", "time, against single-stock"]];
        foreach (var variant in results.Variants.All)
        {
            var slices = results.Slices[load, variant];
            rows.Add(
            [
                variant.Name,
                Table.Number(1e6 / Median(slice => slice.Time), "0"),
                Table.Number(Median(slice => slice.P50), "0"),
                Table.Number(Median(slice => slice.P99), "0"),
                Table.Number(Median(slice => slice.ClientCpu), "0"),
                slices.Any(slice => slice.ServerCpu is null)
                    ? "n/a"
                    : Table.Number(Median(slice => slice.ServerCpu!.Value), "0"),
                Table.Number(Median(slice => slice.AllocatedBytes / 1024), "0.0"),
                $"{Statistics.Estimate(Statistics.Ratios(Times(variant), Times(results.Variants.SingleStock)))}",
            ]);

            double Median(Func<Slice, double> value) => Statistics.Median(slices.Select(value));
        }

        Table.Write(output, rows);

        double[] Times(Variant variant) => [.. results.Slices[load, variant].Select(slice => slice.Time)];
    }
}
