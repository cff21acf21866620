using System.Diagnostics;
using System.Globalization;
using Benchmarks.Measuring;
using Benchmarks.Requests;
using Data;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;

namespace Benchmarks.Export;

/// <summary>
/// What does it cost to export one customer among many? Beside <c>pg_dump --schema</c>, as text and in its own format,
/// each into a file. And the way back, beside a clone.
/// </summary>
internal static class ExportBenchmark
{
    private const string Database = "export";

    public static async Task RunAsync(
        int tenants, int invoices, int rounds, TextWriter output, CancellationToken ct)
    {
        await using var fleet = await Fleet.StartAsync(ct);
        await output.WriteLineAsync(
            $"{await fleet.DescriptionAsync(ct)}; creating {tenants} customers, one with {invoices} invoices.");
        await fleet.CreateDatabaseAsync(Database, copyOf: null, ct);
        await fleet.MigrateSharedAsync(Database, ct);
        await fleet.ProvisionAsync(Database, 0, tenants, ct);
        await fleet.EnrolAsync(Database, tenants, ct);
        await FillAsync(fleet.ConnectionString(Database), invoices, ct);
        var folder = Directory.CreateTempSubdirectory("export-benchmark-");
        try
        {
            await MeasureAsync(fleet.ConnectionString(Database), folder.FullName, rounds, output, ct);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task MeasureAsync(
        string database, string folder, int rounds, TextWriter output, CancellationToken ct)
    {
        await using var services = new ServiceCollection().AddLogging().AddData(new ConfigurationBuilder()
            .AddInMemoryCollection([new($"ConnectionStrings:{DataRegistration.ConnectionName}", database)]).Build())
            .BuildServiceProvider();
        var transfer = services.GetRequiredService<TenantTransfer>();
        // Enrolled slugs count from 1.
        var (slug, schema) = (Fleet.Tenant(1).Slug, Fleet.Tenant(0).Schema.Value);
        var file = Path.Combine(folder, "ours.zip");
        var made = 0;
        (string Name, Func<Task> Run)[] ways =
        [
            ("export", async () =>
            {
                await using var stream = File.Create(file);
                await transfer.ExportAsync(slug, stream, ct);
            }),
            ("pg_dump, text", () => PgDump.RunAsync(
                database, ["--schema", schema, "--file", Path.Combine(folder, "dump.sql")], ct)),
            ("pg_dump, custom", () => PgDump.RunAsync(
                database, ["--format=custom", "--schema", schema, "--file", Path.Combine(folder, "dump.custom")], ct)),
            ("import", async () =>
            {
                await using var stream = File.OpenRead(file);
                await transfer.ImportAsync(stream, $"imported-{++made}", ct: ct);
            }),
            ("clone", () => transfer.CloneAsync(slug, $"cloned-{++made}", ct: ct)),
        ];
        var times = ways.Select(_ => new List<double>()).ToArray();
        for (var round = -1; round < rounds; round++)
        {
            // In the first round the import needs the export's file.
            foreach (var at in Enumerable.Range(0, ways.Length)
                .Select(at => round < 0 || round % 2 == 0 ? at : ways.Length - 1 - at))
            {
                var start = Stopwatch.GetTimestamp();
                await ways[at].Run();
                if (round >= 0)
                {
                    // The first round compiled the migrations and filled the server's cache.
                    times[at].Add(Stopwatch.GetElapsedTime(start).TotalMilliseconds);
                }
            }
        }

        await output.WriteLineAsync($"{rounds} rounds, milliseconds, and the file's length in kilobytes:");
        foreach (var (way, at) in ways.Select((way, at) => (way, at)))
        {
            var length = way.Name switch
            {
                "export" => new FileInfo(file).Length / 1000,
                "pg_dump, text" => new FileInfo(Path.Combine(folder, "dump.sql")).Length / 1000,
                "pg_dump, custom" => new FileInfo(Path.Combine(folder, "dump.custom")).Length / 1000,
                _ => (long?)null,
            };
            await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
                $"  {way.Name,-16} {Statistics.Median(times[at]),7:0} {length,9}"));
        }

        var text = Statistics.Estimate(Statistics.Ratios(times[0], times[1]));
        var custom = Statistics.Estimate(Statistics.Ratios(times[0], times[2]));
        await output.WriteLineAsync($"  against pg_dump as text {text}, in its own format {custom}");
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"result: export.vs_pg_dump={text.Median:0.000}"));
    }

    /// <summary>Invoices of three lines for the first customer.</summary>
    private static async Task FillAsync(string database, int invoices, CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(database);
        var schema = Fleet.Tenant(0).Schema.Quoted;
        await using var fill = source.CreateCommand(
            $"""
            INSERT INTO {schema}.invoices (id, contact_id, currency_code, issued_on, due_on, created_at)
            SELECT gen_random_uuid(), (SELECT id FROM {schema}.contacts ORDER BY id LIMIT 1), 'EUR', date '2026-01-01' + n % 300,
                date '2026-02-01' + n % 300, now() FROM generate_series(1, $1) AS n;
            """);
        fill.Parameters.Add(new NpgsqlParameter<int> { TypedValue = invoices });
        fill.CommandTimeout = 0;
        await fill.ExecuteNonQueryAsync(ct);
        await using var lines = source.CreateCommand(
            $"""
            INSERT INTO {schema}.invoice_lines (id, invoice_id, position, description, quantity, unit_price, total)
            SELECT gen_random_uuid(), id, n, 'Consulting, week ' || n || ' of ' || number, n, 120.5, n * 120.5
            FROM {schema}.invoices, generate_series(1, 3) AS n;
            """);
        lines.CommandTimeout = 0;
        await lines.ExecuteNonQueryAsync(ct);
        await using var vacuum = source.CreateCommand($"VACUUM (ANALYZE) {schema}.invoices, {schema}.invoice_lines");
        vacuum.CommandTimeout = 0;
        await vacuum.ExecuteNonQueryAsync(ct);
    }
}
