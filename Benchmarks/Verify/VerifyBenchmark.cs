using System.Diagnostics;
using System.Globalization;
using Benchmarks.Measuring;
using Benchmarks.Requests;
using Data.Invoicing;
using Microsoft.Extensions.DependencyInjection;
using Tenancy;

namespace Benchmarks.Verify;

/// <summary>
/// What does it cost to compare every customer's schema with the migrations? Beside pg_dump, which reads the same
/// catalogs for the same schemas.
/// </summary>
internal static class VerifyBenchmark
{
    private const string Database = "verify";

    public static async Task RunAsync(int tenants, int rounds, TextWriter output, CancellationToken ct)
    {
        await using var fleet = await Fleet.StartAsync(ct);
        await output.WriteLineAsync($"{await fleet.DescriptionAsync(ct)}; creating {tenants} customers.");
        await fleet.CreateDatabaseAsync(Database, copyOf: null, ct);
        await fleet.MigrateSharedAsync(Database, ct);
        await fleet.ProvisionAsync(Database, 0, tenants, ct);
        await fleet.EnrolAsync(Database, tenants, ct);
        await MeasureAsync(fleet.ConnectionString(Database), rounds, output, ct);
    }

    /// <summary>
    /// Measures on a database that has a ledger and schemas of the sample's customers, all of them as this build's
    /// migrations make them, and prints table and result.
    /// </summary>
    /// <exception cref="InvalidOperationException">They aren't, or pg_dump failed.</exception>
    public static async Task MeasureAsync(string database, int rounds, TextWriter output, CancellationToken ct)
    {
        var ratio = await CompareAsync(database, rounds, output, ct);
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"result: verify.time_vs_pg_dump={ratio.Median:0.000}"));
    }

    /// <summary>As <see cref="MeasureAsync"/>, without the line of the result.</summary>
    /// <returns>The time of ours against pg_dump's.</returns>
    public static async Task<Estimate> CompareAsync(
        string database, int rounds, TextWriter output, CancellationToken ct)
    {
        await using var services = new ServiceCollection()
            .AddTenancy<InvoicingContext>(options => options.ConnectionString = database).BuildServiceProvider();
        var build = services.GetRequiredService<CompiledMigrations>();
        var count = 0;
        List<double> verified = [], dumped = [];
        for (var round = -1; round < rounds; round++)
        {
            foreach (var verifies in round % 2 == 0 ? [true, false] : new[] { false, true })
            {
                var start = Stopwatch.GetTimestamp();
                if (verifies)
                {
                    count = await VerifyAsync(database, build, ct);
                }
                else
                {
                    // The customers' schemas alone.
                    await PgDump.RunAsync(database, ["--schema-only", "--exclude-schema=public",
                        "--exclude-schema=tenancy", "--file", PgDump.Nowhere], ct);
                }

                if (round >= 0)
                {
                    // The first round compiled the migrations and filled the server's cache.
                    (verifies ? verified : dumped).Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                }
            }
        }

        var ratio = Statistics.Estimate(Statistics.Ratios(verified, dumped));
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture,
                $"{count} schemas, {rounds} rounds, milliseconds; both over new connections, pg_dump with the start " +
                $"of its process:"));
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"  FleetVerifier          {Statistics.Median(verified),6:0}"));
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"  pg_dump --schema-only  {Statistics.Median(dumped),6:0}"));
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"  ratio                  {ratio}"));
        return ratio;
    }

    /// <returns>How many schemas were compared.</returns>
    private static async Task<int> VerifyAsync(string database, CompiledMigrations build, CancellationToken ct)
    {
        var options = new TenancyOptions { ConnectionString = database };
        // New connections: a backend that has read these catalogs before would have them in its caches, which pg_dump's
        // hasn't.
        await using var source = TenantDataSource.Create(options);
        var report = await new FleetVerifier(source, build, new(source, build), options, TimeProvider.System)
            .VerifyAsync(ct: ct);
        return report is { IsClean: true, Incomparable.Count: 0, Checked: > 0 }
            ? report.Checked
            : throw new InvalidOperationException(
                $"{report.Checked} schemas compared, {report.Drifted.Count} differ, {report.Incomparable.Count} " +
                $"can't be compared, {report.Strays.Count} strays.");
    }
}
