using System.Diagnostics;
using System.Globalization;
using Tenancy.Postgres;
using Benchmarks.Measuring;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Npgsql;
using Tenancy;

namespace Benchmarks.Startup;

/// <summary>
/// What does the compiled model save until the first query has answered? Every start is a process of its own, the two
/// ways in turn.
/// </summary>
internal static class StartupBenchmark
{
    private static readonly Tenant Acme = new(Guid.Empty, "acme", SchemaName.Parse("customer_acme"));

    public static async Task RunAsync(int rounds, TextWriter output, CancellationToken ct)
    {
        await using var server = await PostgresServer.StartThrowawayAsync(ct);
        var database = server.ConnectionString();
        await using (var source = NpgsqlDataSource.Create(database))
        {
            // Less than the migrations make, and all that the query asks for.
            await using var create = source.CreateCommand(
                $"CREATE SCHEMA {Acme.Schema.Quoted}; CREATE TABLE {Acme.Schema.Qualify("contacts")} (id uuid " +
                "PRIMARY KEY, name text, email text, created_at timestamptz)");
            await create.ExecuteNonQueryAsync(ct);
        }

        List<double> compiled = [], built = [];
        for (var round = -1; round < rounds; round++)
        {
            foreach (var useCompiled in round % 2 == 0 ? [true, false] : new[] { false, true })
            {
                var milliseconds = await StartAsync(useCompiled, database, ct);
                if (round >= 0)
                {
                    // The first round read the assemblies from the disk.
                    (useCompiled ? compiled : built).Add(milliseconds);
                }
            }
        }

        var ratio = Statistics.Estimate(Statistics.Ratios(compiled, built));
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture,
                $"From the start of Main to the first query's answer, milliseconds, {rounds} starts each:"));
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"  model built at run time  {Statistics.Median(built):0}"));
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"  compiled model           {Statistics.Median(compiled):0}"));
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"  ratio                    {ratio}"));
        await output.WriteLineAsync(
            string.Create(CultureInfo.InvariantCulture, $"result: startup.compiled_vs_built={ratio.Median:0.000}"));
    }

    /// <summary>One start; prints its milliseconds.</summary>
    public static async Task StartOnceAsync(bool compiled, string database, TextWriter output, CancellationToken ct)
    {
        var start = Stopwatch.GetTimestamp();
        await using var context = new InvoicingContext(
            compiled ? Options(database).Options : Options(database).UseModel(Build(database)).Options).For(Acme);
        await context.Contacts.CountAsync(ct);
        await output.WriteLineAsync(
            Stopwatch.GetElapsedTime(start).TotalMilliseconds.ToString(CultureInfo.InvariantCulture));
    }

    /// <summary>As EF does where it finds no compiled one.</summary>
    private static IModel Build(string database)
    {
        using var context = new InvoicingContext(Options(database).Options);
        return context.GetService<IDesignTimeModel>().Model;
    }

    private static DbContextOptionsBuilder<InvoicingContext> Options(string database)
    {
        var options = new DbContextOptionsBuilder<InvoicingContext>();
        options.UseNpgsql(database).UseTenancy();
        return options;
    }

    private static async Task<double> StartAsync(bool compiled, string database, CancellationToken ct)
    {
        var start = new ProcessStartInfo("dotnet") { RedirectStandardOutput = true,
            Environment = { [Child] = database } };
        foreach (var argument in new[] { typeof(StartupBenchmark).Assembly.Location, "startup-once",
            compiled ? "compiled" : "built" })
        {
            start.ArgumentList.Add(argument);
        }

        using var child = Process.Start(start)!;
        var said = await child.StandardOutput.ReadToEndAsync(ct);
        await child.WaitForExitAsync(ct);
        return child.ExitCode == 0
            ? double.Parse(said, CultureInfo.InvariantCulture)
            : throw new InvalidOperationException($"A start ended with exit code {child.ExitCode}.");
    }

    /// <summary>
    /// The environment variable by which a start is told its database: an argument would show the password to
    /// everybody.
    /// </summary>
    public const string Child = "BENCHMARK_DATABASE";
}
