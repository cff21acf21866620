using System.Diagnostics;
using System.Globalization;
using Benchmarks.Measuring;
using Benchmarks.Requests;
using Npgsql;

namespace Benchmarks.Scale;

/// <summary>
/// What does everything cost with very many customers in one database, beside ten of them and beside SQL by hand?
/// </summary>
internal sealed class ScaleBenchmark(int tenants, int rounds, TextWriter output)
{
    /// <summary>The customers of the small database.</summary>
    public const int Few = 10;

    private const string ManyDatabase = "many";
    private const string FewDatabase = "few";

    private readonly Stopwatch _clock = Stopwatch.StartNew();

    /// <summary>What is printed last, one line each.</summary>
    private readonly List<(string Name, double Value)> _results = [];

    public async Task RunAsync(CancellationToken ct)
    {
        await using var fleet = await Fleet.StartAsync(ct, inMemory: true);
        await using var admin = NpgsqlDataSource.Create(fleet.ConnectionString("postgres"));
        var steps = new Steps(await ServerProcesses.OfAsync(admin, ct), _clock, output);
        var server = await fleet.DescriptionAsync(ct);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"{TimeProvider.System.GetUtcNow():yyyy-MM-dd}: {tenants} customers beside {Few}, {rounds} rounds; " +
            $"{server}; .NET {Environment.Version}, {Environment.ProcessorCount} processors."));

        var customers = new ScaleCustomers(fleet);
        await steps.RunAsync($"provision {Few}", Few, () => customers.ProvisionAsync(FewDatabase, Few, ct));
        await steps.RunAsync($"provision {tenants}", tenants,
            () => customers.ProvisionAsync(ManyDatabase, tenants, ct));
        await customers.DescribeAsync(ManyDatabase, tenants, output, ct);
        await customers.SettleAsync(FewDatabase, ct);
        await customers.SettleAsync(ManyDatabase, ct);

        string many = fleet.ConnectionString(ManyDatabase), few = fleet.ConnectionString(FewDatabase);
        await new ScaleJob(many, few, rounds, output).NothingPendingAsync(_results, ct);
        await new ScaleMigration(fleet, ManyDatabase, FewDatabase, tenants, Math.Max(1, rounds / 4), steps, output)
            .RunAsync(_results, ct);
        var operations = new ScaleOperations(many, few, tenants, steps, output);
        await operations.VerifyAsync(Math.Max(1, rounds / 4), _results, ct);
        await new ScaleServing(many, few, tenants, rounds, steps, output).RunAsync(admin, _results, ct);
        await operations.ExportAndDropAsync(_results, ct);
        await customers.DescribeAsync(ManyDatabase, tenants, output, ct);
        steps.Write();
        await output.WriteLineAsync();
        foreach (var (name, value) in _results)
        {
            await output.WriteLineAsync(
                string.Create(CultureInfo.InvariantCulture, $"result: scale.{name}={value:0.000}"));
        }
    }
}
