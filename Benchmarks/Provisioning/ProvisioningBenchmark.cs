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

    // So many rounds are a measurement.
    private const int Whole = 5;

    public static async Task RunAsync(int rounds, TextWriter output, CancellationToken ct)
    {
        await using var fleet = await Fleet.StartAsync(ct);
        var server = await fleet.DescriptionAsync(ct);
        await using var services = await DatabaseAsync(fleet, Database, ct);
        await using var ways = WaysOf(services, fleet.ConnectionString(Database));

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
        await BesideManyAsync(fleet, rounds, output, ct);

        async Task WriteAsync(Way way, Way reference, string name) =>
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"| {way.Name} | {Statistics.Estimate(way.Kept)} | {name} | " +
                $"{(way == reference ? "" : $"{Against(way, reference)}")} |"));

        Estimate Against(Way way, Way reference) => Statistics.Estimate(Statistics.Ratios(way.Kept, reference.Kept));
    }

    /// <summary>A new customer beside 10,000 others, against one beside none: the bar is 1.25.</summary>
    private static async Task BesideManyAsync(Fleet fleet, int rounds, TextWriter output, CancellationToken ct)
    {
        // A quick run shows only that it runs.
        var customers = rounds < Whole ? 200 : 10_000;
        await using var fewServices = await DatabaseAsync(fleet, $"{Database}_few", ct);
        await using var manyServices = await DatabaseAsync(fleet, $"{Database}_many", ct);
        await using var fewWays = WaysOf(fewServices, fleet.ConnectionString($"{Database}_few"));
        await using var manyWays = WaysOf(manyServices, fleet.ConnectionString($"{Database}_many"));
        await manyWays.OursAtOnceAsync(customers, AtOnce, ct);
        Way few = new("beside none", fewWays.OursAsync), many = new($"beside {customers:N0}", manyWays.OursAsync);
        for (var round = -1; round < rounds; round++)
        {
            await InTurnAsync([few, many], Compared, round, ct);
        }

        await output.WriteLineAsync();
        await output.WriteLineAsync("| a new customer's schema | ms |");
        await output.WriteLineAsync("|---|---|");
        foreach (var way in new[] { few, many })
        {
            await output.WriteLineAsync($"| {way.Name} | {Statistics.Estimate(way.Kept)} |");
        }

        await output.WriteLineAsync();
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"result: provisioning.at_{customers}_vs_0=" +
            $"{Statistics.Estimate(Statistics.Ratios(many.Kept, few.Kept)).Median:0.000}"));
    }

    private static async Task<ServiceProvider> DatabaseAsync(Fleet fleet, string name, CancellationToken ct)
    {
        await fleet.CreateDatabaseAsync(name, copyOf: null, ct);
        var connectionString = fleet.ConnectionString(name);
        await using var shared = new CustomersContext(
            new DbContextOptionsBuilder<CustomersContext>()
                .UseNpgsql(connectionString, CustomersContext.History).Options);
        await shared.Database.MigrateAsync(ct);
        return new ServiceCollection()
            .AddTenancy<InvoicingContext>(options => options.ConnectionString = connectionString)
            .BuildServiceProvider();
    }

    private static Ways WaysOf(IServiceProvider services, string connectionString) => new(
        services.GetRequiredService<NpgsqlDataSource>(), services.GetRequiredService<CompiledMigrations>(),
        services.GetRequiredService<SchemaVersions>())
    {
        Password = new NpgsqlConnectionStringBuilder(connectionString).Password!,
    };

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
