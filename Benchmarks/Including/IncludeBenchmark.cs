// EF's own way of writing a query's constants, which the library derives from, is experimental by name.
#pragma warning disable EF9100

using System.Diagnostics;
using Benchmarks.Measuring;
using Benchmarks.Requests;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Query;
using Microsoft.Extensions.DependencyInjection;
using Tenancy;

namespace Benchmarks.Including;

/// <summary>
/// What does a list of invoices with their lines cost, with the code for a row made once, against EF's way, which makes
/// parts of it for each row?
/// </summary>
internal static class IncludeBenchmark
{
    private const string Database = "including";
    private const string Efs = "EF's";
    private const string Ours = "ours";
    private const int Invoices = 100;
    private const int LinesOfEach = 5;

    private static readonly (string Name, string Result,
        Func<InvoicingContext, CancellationToken, Task<int>> Run)[] Lists =
    [
        ("Include, not tracked", "include.vs_ef",
            async (db, ct) =>
                (await db.Invoices.AsNoTracking().Include(i => i.Lines).ToListAsync(ct)).Sum(i => i.Lines.Count)),
        ("Include, tracked", "include.tracked_vs_ef",
            async (db, ct) => (await db.Invoices.Include(i => i.Lines).ToListAsync(ct)).Sum(i => i.Lines.Count)),
        ("Include as a split query", "include.split_vs_ef",
            async (db, ct) =>
                (await db.Invoices.AsNoTracking().Include(i => i.Lines).AsSplitQuery().ToListAsync(ct))
                    .Sum(i => i.Lines.Count)),
        ("a list within a projection", "include.projected_vs_ef", async (db, ct) =>
            (await db.Invoices.Select(i => new { i.Number, Totals = i.Lines.Select(line => line.Total).ToList() })
                .ToListAsync(ct)).Sum(i => i.Totals.Count)),
        ("the lines alone", "include.flat_vs_ef",
            async (db, ct) => (await db.InvoiceLines.AsNoTracking().ToListAsync(ct)).Count),
    ];

    public static async Task RunAsync(int rounds, TextWriter output, CancellationToken ct)
    {
        await using var fleet = await Fleet.StartAsync(ct);
        await output.WriteLineAsync(
            $"{await fleet.DescriptionAsync(ct)}; {Invoices} invoices with {LinesOfEach} lines each, {rounds} " +
            "rounds, microseconds:");
        await fleet.CreateDatabaseAsync(Database, copyOf: null, ct);
        await fleet.ProvisionAsync(Database, 0, 1, ct);
        var database = fleet.ConnectionString(Database);
        await using var ours = Services(database);
        await using var efs = Services(database,
            options => options.ReplaceService<ILiftableConstantProcessor, RelationalLiftableConstantProcessor>());
        await FillAsync(ours, ct);

        List<string[]> rows = [["", Efs, Ours, "ratio"]];
        List<string> results = [];
        foreach (var (name, result, run) in Lists)
        {
            var turns = new Turns();
            for (var round = -4; round < rounds; round++)
            {
                foreach (var (rival, services) in Turns.Order([(Efs, efs), (Ours, ours)], round))
                {
                    var time = await TimeAsync(services, run, ct);
                    if (round >= 0)
                    {
                        turns.Add(rival, round, time);
                    }
                }
            }

            var ratio = turns.Ratio(Ours, Efs);
            rows.Add([name, Table.Number(turns.Median(Efs), "0"), Table.Number(turns.Median(Ours), "0"), $"{ratio}"]);
            results.Add($"result: {result}={Table.Number(ratio.Median, "0.000")}");
        }

        Table.Write(output, rows);
        await output.WriteLineAsync();
        foreach (var result in results)
        {
            await output.WriteLineAsync(result);
        }
    }

    private static ServiceProvider Services(string database, Action<DbContextOptionsBuilder>? context = null) =>
        new ServiceCollection().AddTenancy<InvoicingContext>(options => options.ConnectionString = database, context)
            .BuildServiceProvider();

    private static InvoicingContext Lease(ServiceProvider services) =>
        services.GetRequiredService<TenantContextFactory<InvoicingContext>>().Create(Fleet.Tenant(0));

    private static async Task FillAsync(ServiceProvider services, CancellationToken ct)
    {
        await using var db = Lease(services);
        var contact = await db.Contacts.FirstAsync(ct);
        var day = new DateOnly(2026, 1, 1);
        for (var number = 0; number < Invoices; number++)
        {
            var invoice = new Invoice { Id = Guid.CreateVersion7(), Contact = contact, ContactId = contact.Id,
                CurrencyCode = "EUR", IssuedOn = day, DueOn = day.AddDays(30),
                CreatedAt = TimeProvider.System.GetUtcNow() };
            invoice.Lines.AddRange(Enumerable.Range(1, LinesOfEach).Select(position =>
                new InvoiceLine { Id = Guid.CreateVersion7(), Position = position, Description = "Hosting",
                    Quantity = 1, UnitPrice = 2, Total = 2 }));
            db.Add(invoice);
        }

        await db.SaveChangesAsync(ct);
    }

    /// <summary>Of one list, in microseconds.</summary>
    private static async Task<double> TimeAsync(
        ServiceProvider services, Func<InvoicingContext, CancellationToken, Task<int>> run, CancellationToken ct)
    {
        const int lists = 40;
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var start = Stopwatch.GetTimestamp();
        for (var list = 0; list < lists; list++)
        {
            await using var db = Lease(services);
            if (await run(db, ct) is var lines and not Invoices * LinesOfEach)
            {
                throw new InvalidOperationException($"{lines} lines were read, not {Invoices * LinesOfEach}.");
            }
        }

        return Stopwatch.GetElapsedTime(start).TotalMicroseconds / lists;
    }
}
