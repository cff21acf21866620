using System.Globalization;
using Benchmarks.Measuring;
using Benchmarks.Requests;
using Data.Customers;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;

namespace Benchmarks.Provisioning;

/// <summary>
/// What does a new customer cost, against its DDL alone; and one who gets a schema that was made beforehand, against
/// one row?
/// </summary>
internal static class ProvisioningBenchmark
{
    private const string Database = "provisioning";
    private const int AtOnce = 4;

    // In each round. What is compared needs many; the others are there for the order of magnitude.
    private const int Compared = 10, Together = 8, Claims = 30;

    public static async Task RunAsync(int rounds, TextWriter output, CancellationToken ct)
    {
        await using var fleet = await Fleet.StartAsync(ct);
        var server = await fleet.DescriptionAsync(ct);
        await fleet.CreateDatabaseAsync(Database, copyOf: null, ct);
        var connectionString = fleet.ConnectionString(Database);
        await using (var shared = new CustomersContext(
            new DbContextOptionsBuilder<CustomersContext>()
                .UseNpgsql(connectionString, CustomersContext.History).Options))
        {
            await shared.Database.MigrateAsync(ct);
        }

        await using var services = new ServiceCollection()
            .AddTenancy<InvoicingContext>(options => options.ConnectionString = connectionString)
            .BuildServiceProvider();
        await using var ways = new Ways(
            services.GetRequiredService<NpgsqlDataSource>(), services.GetRequiredService<CompiledMigrations>(),
            services.GetRequiredService<SchemaVersions>())
        {
            Password = new NpgsqlConnectionStringBuilder(connectionString).Password!,
        };

        Way text = new("the same DDL as one text, BEGIN to COMMIT", ways.TextAsync),
            ours = new("ours", ways.OursAsync),
            psql = new("the same DDL by psql, over its own connection", ct => ways.PsqlAsync(Compared, ct)),
            together = new(
                $"ours, {AtOnce} at once, time divided by customers", ct => ways.OursAtOnceAsync(Together, AtOnce, ct)),
            ef = new("EF's MigrateAsync", ways.EfAsync),
            row = new("one row in the registry, with COMMIT", ways.RowAsync),
            spare = new("a spare schema becomes the customer's", ways.SpareAsync);
        Way[] others = [.. Ways.Psql is null ? [] : new[] { psql }, together, ef];

        // The code is compiled, the server's processes meet the catalog.
        const int WarmUp = 2;
        for (var round = -WarmUp; round < rounds; round++)
        {
            await InTurnAsync([text, ours], Compared, round, ct);
            await InTurnAsync(others, 1, round, ct);
            await ways.MakeSparesAsync(Claims, ct);
            await InTurnAsync([row, spare], Claims, round, ct);
        }

        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}: {rounds} rounds, {Compared} customers of each compared " +
            $"way in each; {server}; .NET {Environment.Version}, {Environment.ProcessorCount} processors."));
        await output.WriteLineAsync();
        await output.WriteLineAsync("| a new customer's schema | ms | against | ratio |");
        await output.WriteLineAsync("|---|---|---|---|");
        foreach (var way in (Way[])[text, ours, .. others])
        {
            await WriteAsync(way, text, "one text");
        }

        await WriteAsync(spare, row, "one row");
        await WriteAsync(row, row, "one row");
        await output.WriteLineAsync();
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture,
                $"result: provisioning.time_vs_floor={Against(ours, text).Median:0.000}"));
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture,
                $"result: provisioning.warm_vs_insert={Against(spare, row).Median:0.000}"));

        async Task WriteAsync(Way way, Way reference, string name) =>
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"| {way.Name} | {Statistics.Estimate(way.Kept)} | {name} | " +
                $"{(way == reference ? "" : $"{Against(way, reference)}")} |"));

        Estimate Against(Way way, Way reference) => Statistics.Estimate(Statistics.Ratios(way.Kept, reference.Kept));
    }

    /// <summary>
    /// Each once, over and over: what slows a moment slows all. The order turns: nobody always runs behind the same
    /// rival.
    /// </summary>
    private static async Task InTurnAsync(Way[] ways, int times, int round, CancellationToken ct)
    {
        // Nobody pays for another's garbage.
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var measured = ways.ToDictionary(way => way, _ => new List<double>());
        for (var turn = 0; turn < ways.Length * times; turn++)
        {
            var way = ways[(turn % ways.Length + turn / ways.Length + Math.Abs(round)) % ways.Length];
            measured[way].Add(await way.MakeAsync(ct));
        }

        if (round >= 0)
        {
            foreach (var (way, milliseconds) in measured)
            {
                way.Kept.Add(Statistics.Median(milliseconds));
            }
        }
    }

    /// <summary>A way to one customer, and of each round the median of its times, milliseconds.</summary>
    private sealed record Way(string Name, Func<CancellationToken, Task<double>> MakeAsync)
    {
        public List<double> Kept { get; } = [];
    }
}
