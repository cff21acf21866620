using System.Diagnostics;
using System.Globalization;
using Benchmarks.Measuring;
using Benchmarks.Requests;
using Benchmarks.Verify;
using Npgsql;
using Tenancy;

namespace Benchmarks.Migration;

/// <summary>
/// What does one migration of the whole fleet cost, against a loop on the server and against EF's own way, customer by
/// customer?
/// </summary>
internal sealed class MigrationBenchmark(int tenants, int rounds, TextWriter output)
{
    private const string Before = "before";
    private const string Copy = "copy";
    private const string Floor = "floor: loop on the server, one transaction";
    private const string Ours = "ours: as it is by default";
    private const string EfSequential = "EF, search_path, one after the other";
    private const string EfAtOnce = "EF, search_path, 8 at once";
    private const string EfOneModel = "EF with the library's model, one after the other";
    private const string EfOneModelAtOnce = "EF with the library's model, 8 at once";

    /// <summary>EF is given so many of the customers, evenly spread.</summary>
    private const int Sample = 100;

    private const int VerifyRounds = 9;

    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public async Task RunAsync(CancellationToken ct)
    {
        await using var fleet = await Fleet.StartAsync(ct, inMemory: true);
        var server = await fleet.DescriptionAsync(ct);
        Say($"{server}; creating {tenants} customers.");
        await fleet.CreateDatabaseAsync(Before, copyOf: null, ct);
        await fleet.MigrateSharedAsync(Before, ct);
        await fleet.ProvisionAsync(Before, 0, tenants, ct);
        await fleet.EnrolAsync(Before, tenants, ct);
        await using var admin = NpgsqlDataSource.Create(fleet.ConnectionString("postgres"));
        var rivals = All(new(fleet.Migrations, admin));
        var costs = await MeasureAsync(fleet, rivals, ct);
        Say("Done.");
        Report(costs, rivals, server);
        await VerifyBenchmark.MeasureAsync(fleet.ConnectionString(Before), VerifyRounds, output, ct);
    }

    private Rival[] All(Rivals rivals)
    {
        var sample = Math.Min(Sample, Math.Max(1, tenants / 4));
        return
        [
            new(Floor, tenants, Slow: false, (database, schemas, ct) => rivals.FloorAsync(database, schemas, ct)),
            new(Ours, tenants, Slow: false, (database, schemas, ct) => rivals.OursAsync(new(), database, schemas, ct)),
            new("ours: 1 worker, one by one", tenants, Slow: true,
                (database, schemas, ct) => rivals.OursAsync(new() { Workers = 1, Group = 1 }, database, schemas, ct)),
            new("ours: 4 workers", tenants, Slow: false,
                (database, schemas, ct) => rivals.OursAsync(new() { Workers = 4 }, database, schemas, ct)),
            new("ours: 4 workers, groups of 10", tenants, Slow: false,
                (database, schemas, ct) => rivals.OursAsync(new() { Workers = 4, Group = 10 }, database, schemas, ct)),
            new(EfSequential, sample, Slow: true,
                (database, schemas, ct) => rivals.EfBySearchPathAsync(1, database, schemas, ct)),
            new(EfAtOnce, sample, Slow: true,
                (database, schemas, ct) => rivals.EfBySearchPathAsync(8, database, schemas, ct)),
            new(EfOneModel, sample, Slow: true, (database, schemas, ct) => rivals.EfAsync(1, database, schemas, ct)),
            new(EfOneModelAtOnce, sample, Slow: true,
                (database, schemas, ct) => rivals.EfAsync(8, database, schemas, ct)),
        ];
    }

    private async Task<Costs> MeasureAsync(Fleet fleet, Rival[] rivals, CancellationToken ct)
    {
        var costs = new Costs();
        // The first round compiles the code.
        for (var round = -1; round < rounds; round++)
        {
            Say(round < 0 ? "Warming up." : $"Round {round + 1} of {rounds}.");
            foreach (var rival in Turns.Order(
                [.. rivals.Where(rival => !rival.Slow || round < 0 || round % 2 == 0)], round))
            {
                var each = await RunAsync(fleet, rival, ct);
                if (round >= 0)
                {
                    costs.Add(rival.Name, round, each);
                }
            }
        }

        return costs;
    }

    /// <summary>On a copy of the database that nobody has touched.</summary>
    /// <returns>Of one customer.</returns>
    private async Task<Cost> RunAsync(Fleet fleet, Rival rival, CancellationToken ct)
    {
        await fleet.CreateDatabaseAsync(Copy, copyOf: Before, ct);
        await fleet.CheckpointAsync(ct);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        Tenant[] customers = [.. Enumerable.Range(0, rival.Customers)
            .Select(at => Fleet.Tenant(at * tenants / rival.Customers))];
        var cost = await rival.RunAsync(
            new NpgsqlConnectionStringBuilder(
                fleet.ConnectionString(Copy)) { ApplicationName = Cost.Application }.ConnectionString, customers, ct);
        await CheckAsync(fleet.ConnectionString(Copy), rival, customers, ct);
        await fleet.DropDatabaseAsync(Copy, ct);
        return cost / rival.Customers;
    }

    /// <summary>Who did less would be faster.</summary>
    /// <exception cref="InvalidOperationException">A schema lacks the column, the index or the row in its
    /// history.</exception>
    private static async Task CheckAsync(string database, Rival rival, Tenant[] customers, CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString);
        var (columns, indexes, histories) = (0L, 0L, 0L);
        foreach (var some in customers.Chunk(100))
        {
            var schemas = string.Join(", ", some.Select(customer => $"'{customer.Schema}'"));
            var history = string.Join(" UNION ALL ",
                some.Select(customer =>
                    $"SELECT \"MigrationId\" AS id FROM {customer.Schema.Qualify("__EFMigrationsHistory")}"));
            await using var ask = source.CreateCommand(
                $"""
                SELECT
                    (SELECT count(*) FROM pg_attribute AS a JOIN pg_class AS c ON c.oid = a.attrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
                     WHERE n.nspname IN ({schemas}) AND c.relname = '{AddReference.Table}' AND a.attname = '{AddReference.Column}'),
                    (SELECT count(*) FROM pg_index AS i JOIN pg_class AS c ON c.oid = i.indexrelid JOIN pg_namespace AS n ON n.oid = c.relnamespace
                     WHERE n.nspname IN ({schemas}) AND c.relname = '{AddReference.Index}' AND i.indisvalid),
                    (SELECT count(*) FROM ({history}) AS h WHERE id = '{AddReference.Id}')
                """);
            await using var counted = await ask.ExecuteReaderAsync(ct);
            await counted.ReadAsync(ct);
            columns += counted.GetInt64(0);
            indexes += counted.GetInt64(1);
            histories += counted.GetInt64(2);
        }

        if (columns != customers.Length || indexes != customers.Length || histories != customers.Length)
        {
            throw new InvalidOperationException(
                $"'{rival.Name}' left {columns} columns, {indexes} indexes and {histories} history rows in " +
                $"{customers.Length} schemas.");
        }
    }

    private void Report(Costs costs, Rival[] rivals, string server)
    {
        var (times, cpu) = (costs.Times, costs.Cpu);
        output.WriteLine();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}: {tenants} customers, {rounds} rounds; {server}; .NET " +
            $"{Environment.Version}, {Environment.ProcessorCount} processors."));
        List<string[]> rows = [["", "rounds", $"{tenants} customers, s", "one, ms", "client CPU, ms",
            "server CPU, ms",
            "time, against the floor", "CPU, against the floor", "time, against ours"]];
        rows.AddRange(rivals.Select(rival => new[]
        {
            rival.Name,
            Table.Number(times.Values(rival.Name).Count, "0"),
            Table.Number(times.Median(rival.Name) * tenants / 1000, "0.00") + (rival.Customers < tenants ? "*" : " "),
            Table.Number(times.Median(rival.Name), "0.00"),
            Table.Number(costs.Client.Median(rival.Name), "0.00"),
            Table.Number(costs.Server.Median(rival.Name), "0.00"),
            $"{times.Ratio(rival.Name, Floor)}",
            $"{cpu.Ratio(rival.Name, Floor)}",
            $"{times.Ratio(rival.Name, Ours)}",
        }));
        Table.Write(output, rows);
        output.WriteLine();
        output.WriteLine(
            $"* from {rivals.Min(rival => rival.Customers)} of them, evenly spread: the time of one, times {tenants}.");
        output.WriteLine();
        output.WriteLine($"result: migration.time_vs_floor={Table.Number(times.Ratio(Ours, Floor).Median, "0.000")}");
        output.WriteLine($"result: migration.cpu_vs_floor={Table.Number(cpu.Ratio(Ours, Floor).Median, "0.000")}");
        output.WriteLine(
            $"result: migration.speedup_vs_ef_sequential={Table.Number(times.Ratio(EfSequential, Ours).Median, "0.0")}");
        output.WriteLine(
            $"result: migration.speedup_vs_ef_one_model={Table.Number(times.Ratio(EfOneModel, Ours).Median, "0.0")}");
    }

    private void Say(string what) =>
        output.WriteLine(FormattableString.Invariant($"{_clock.Elapsed.TotalSeconds,5:0} s  {what}"));
}
