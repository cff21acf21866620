using System.Diagnostics;
using System.Globalization;
using Benchmarks.Measuring;
using Benchmarks.Requests;
using Npgsql;
using Tenancy;
using Tenancy.Ledgers;

namespace Benchmarks.Pending;

/// <summary>
/// What does it cost to find that nothing has to be migrated? The query that decides it, against a row by its key; and
/// the whole job, against a process that has no more than a host and a connection.
/// </summary>
internal sealed class PendingBenchmark(int tenants, int rounds, TextWriter output)
{
    private const string Database = "tenants";
    private const string ByKey = "a row of the ledger by its key";
    private const string Ours = "any other version, by two looks into the index";
    private const string NotEqual = "any other version, by version <> $1";

    private readonly Stopwatch _clock = Stopwatch.StartNew();

    public async Task RunAsync(CancellationToken ct)
    {
        await using var fleet = await Fleet.StartAsync(ct);
        var server = await fleet.DescriptionAsync(ct);
        // Rows alone: neither the query nor the job looks at a schema when the ledger says that nothing is pending.
        Say($"{server}; {tenants} customers in registry and ledger, without schemas.");
        await fleet.CreateDatabaseAsync(Database, copyOf: null, ct);
        await fleet.MigrateSharedAsync(Database, ct);
        await fleet.EnrolAsync(Database, tenants, ct);

        Say("The query.");
        var (times, cpu) = await QueriesAsync(fleet, ct);
        Say("The processes.");
        var processes = await Starts.MeasureAsync(fleet.ConnectionString(Database), rounds, ct);
        Say("Done.");

        output.WriteLine();
        output.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}: {tenants} customers, {rounds} rounds; {server}; .NET " +
            $"{Environment.Version}, {Environment.ProcessorCount} processors."));
        Table.Write(output,
        [
            ["", "us", "server CPU, us", "time, against the key", "server CPU, against the key"],
            .. new[] { ByKey, Ours, NotEqual }.Select(name => new[]
            {
                name, Table.Number(times.Median(name), "0"), cpu is null ? "n/a" : Table.Number(cpu.Median(name), "0"),
                $"{times.Ratio(name, ByKey)}", cpu is null ? "n/a" : $"{cpu.Ratio(name, ByKey)}",
            }),
        ]);
        Table.Write(output,
        [
            ["", "ms from start to exit", "against the empty host"],
            .. Starts.All.Select(name =>
                new[] { name, Table.Number(processes.Median(name), "0"),
                    $"{processes.Ratio(name, Starts.EmptyHost)}" }),
        ]);
        output.WriteLine();
        output.WriteLine($"result: pending.vs_pk_select={Table.Number(times.Ratio(Ours, ByKey).Median, "0.000")}");
        output.WriteLine(
            $"result: pending.job_vs_empty_host={Table.Number(processes.Ratio(Starts.Job, Starts.EmptyHost).Median, "0.000")}");
    }

    /// <summary>Over one connection, in slices; unprepared, as the job asks: once in its life.</summary>
    /// <returns>Microseconds of time and of the server's processor for one execution; the latter null where it can't be
    /// seen.</returns>
    private async Task<(Turns Time, Turns? ServerCpu)> QueriesAsync(Fleet fleet, CancellationToken ct)
    {
        const int executions = 400;
        const string application = "pending";
        await using var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(
                fleet.ConnectionString(Database)) { ApplicationName = application }.ConnectionString);
        await using var admin = NpgsqlDataSource.Create(fleet.ConnectionString(Database));
        await using var connection = await source.OpenConnectionAsync(ct);
        var server = await ServerCpu.OfAsync(admin, application, ct);
        (string Name, string Sql, string Parameter, object Expected)[] queries =
        [
            (ByKey, "SELECT version FROM tenancy.schemas WHERE schema = $1", Fleet.Tenant(tenants / 2).Schema.Value,
                fleet.Migrations.Target),
            (Ours, LedgerTable.AnyOther, fleet.Migrations.Target, false),
            (NotEqual, $"SELECT EXISTS (SELECT FROM tenancy.schemas WHERE {LedgerModel.Migrated} AND version <> $1)",
                fleet.Migrations.Target, false),
        ];
        Turns times = new(), cpu = new();
        var seen = true;
        for (var round = -1; round < rounds; round++)
        {
            foreach (var (name, sql, parameter, expected) in Turns.Order(queries, round))
            {
                await ExecuteAsync(executions / 10);
                var cpuBefore = server.Seconds();
                var start = Stopwatch.GetTimestamp();
                await ExecuteAsync(executions);
                var elapsed = Stopwatch.GetElapsedTime(start);
                var serverTime = server.Seconds() - cpuBefore;
                if (round >= 0)
                {
                    times.Add(name, round, elapsed.TotalMicroseconds / executions);
                    cpu.Add(name, round, (serverTime ?? 0) * 1e6 / executions);
                    seen &= serverTime is not null;
                }

                async Task ExecuteAsync(int times)
                {
                    for (var i = 0; i < times; i++)
                    {
                        await using var command = new NpgsqlCommand(sql,
                            connection) { Parameters = { new NpgsqlParameter<string> { TypedValue = parameter } } };
                        if (await command.ExecuteScalarAsync(ct) is var answer && !expected.Equals(answer))
                        {
                            throw new InvalidOperationException($"'{name}' answers {answer}, and {expected} is true.");
                        }
                    }
                }
            }
        }

        return (times, seen ? cpu : null);
    }

    private void Say(string what) =>
        output.WriteLine(FormattableString.Invariant($"{_clock.Elapsed.TotalSeconds,5:0} s  {what}"));
}
