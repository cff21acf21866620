using System.Globalization;
using Benchmarks.Requests;
using Benchmarks.Verify;
using Data;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Tenancy;

namespace Benchmarks.Scale;

/// <summary>Verification of all customers; exports and drops of some, beside those of ten.</summary>
internal sealed class ScaleOperations(string many, string few, int tenants, Steps steps, TextWriter output)
{
    private const int Some = 100;

    public async Task VerifyAsync(int rounds, List<(string, double)> results, CancellationToken ct)
    {
        steps.Say($"verify {tenants}, beside pg_dump");
        results.Add(("verify_vs_pg_dump", (await VerifyBenchmark.CompareAsync(many, rounds, output, ct)).Median));
    }

    public async Task ExportAndDropAsync(List<(string, double)> results, CancellationToken ct)
    {
        var ofMany = await ForAsync(many, Math.Min(Some, tenants / 2), ct);
        var ofFew = await ForAsync(few, ScaleBenchmark.Few / 2, ct);
        results.Add(("export_vs_10", ofMany.Export / ofFew.Export));
        results.Add(("drop_vs_10", ofMany.Drop / ofFew.Drop));
    }

    /// <returns>Seconds for one.</returns>
    private async Task<(double Export, double Drop)> ForAsync(string database, int count, CancellationToken ct)
    {
        await using var services = new ServiceCollection().AddLogging().AddData(new ConfigurationBuilder()
            .AddInMemoryCollection([new($"ConnectionStrings:{DataRegistration.ConnectionName}", database)]).Build())
            .BuildServiceProvider();
        var transfer = services.GetRequiredService<TenantTransfer>();
        var removal = services.GetRequiredService<TenantRemoval>();
        // The first one compiles the migrations.
        await transfer.ExportAsync(Fleet.Tenant(0).Slug, Stream.Null, ct);
        var from = database == many ? $"{tenants}" : $"{ScaleBenchmark.Few}";
        var (exported, _) = await steps.RunAsync($"export {count} of {from}", count, async () =>
        {
            for (var number = 1; number <= count; number++)
            {
                await using var file = new MemoryStream();
                await transfer.ExportAsync(Fleet.Tenant(number).Slug, file, ct);
            }
        });
        var (dropped, _) = await steps.RunAsync($"drop {count} of {from}", count, async () =>
        {
            for (var number = 1; number <= count; number++)
            {
                var slug = Fleet.Tenant(number).Slug;
                if (await removal.DropAsync(slug, slug, TimeSpan.Zero, ct) is null)
                {
                    throw new InvalidOperationException($"There is no {slug} to be dropped.");
                }
            }

            var report = await removal.ReconcileAsync(ct);
            if (report.Removed.Count != count)
            {
                throw new InvalidOperationException(string.Create(CultureInfo.InvariantCulture,
                    $"{report.Removed.Count} of {count} were removed: {(report.Failed is [var first, ..] ? first.Error : "no reason is known")}"));
            }
        });
        return (exported / count, dropped / count);
    }
}
