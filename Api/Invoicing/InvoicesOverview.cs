using System.Data;
using Data.Invoicing;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Api.Invoicing;

/// <summary>How many invoices a customer has, and what is owed to it: what stands above a list.</summary>
internal static class InvoicesOverviewEndpoint
{
    public static void MapOverview(this RouteGroupBuilder invoices, string of) =>
        invoices.MapGet("/overview", Read).WithName($"Read{of}InvoicesOverview")
            .WithSummary("How many invoices there are by status, and what is owed by currency and age.");

    private static async Task<Ok<InvoicesOverview>> Read(
        InvoicingContext db, TimeProvider time, CancellationToken ct)
    {
        var today = InvoicesEndpoints.Today(time);
        // One snapshot: an invoice that is paid meanwhile isn't open here and paid there.
        await using var snapshot = await db.Database.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
        var counts = await db.Invoices.GroupBy(_ => 1)
            .Select(all => new InvoiceCounts(
                all.Count(i => i.PaidOn == null && i.DueOn >= today),
                all.Count(i => i.PaidOn == null && i.DueOn < today), all.Count(i => i.PaidOn != null)))
            .SingleOrDefaultAsync(ct);
        var balances = await Owed(db, today).ToListAsync(ct);
        return TypedResults.Ok(new InvoicesOverview(
            today, counts ?? new(0, 0, 0), [.. balances.OrderBy(one => one.Currency, StringComparer.Ordinal)]));
    }

    private static IQueryable<AgedBalance> Owed(InvoicingContext db, DateOnly today)
    {
        var (month, twoMonths) = (today.AddDays(-30), today.AddDays(-60));
        return from invoice in db.Invoices
               where invoice.PaidOn == null
               join currency in db.Currencies on invoice.CurrencyCode equals currency.Code
               select new { currency.Code, currency.Decimals, invoice.DueOn,
                   Total = invoice.Lines.Sum(line => line.Total) } into unpaid
               group unpaid by new { unpaid.Code, unpaid.Decimals } into one
               select new AgedBalance(
                   one.Key.Code, one.Key.Decimals, one.Count(), one.Sum(unpaid => unpaid.Total),
                   one.Sum(unpaid => unpaid.DueOn >= today ? unpaid.Total : 0m),
                   one.Sum(unpaid => unpaid.DueOn < today && unpaid.DueOn >= month ? unpaid.Total : 0m),
                   one.Sum(unpaid => unpaid.DueOn < month && unpaid.DueOn >= twoMonths ? unpaid.Total : 0m),
                   one.Sum(unpaid => unpaid.DueOn < twoMonths ? unpaid.Total : 0m));
    }
}

/// <summary>How many invoices a customer has, and what is owed to it.</summary>
/// <param name="Today">The day, in UTC, that tells what is overdue.</param>
/// <param name="Counts">Of all invoices.</param>
/// <param name="Balances">By currency; a currency in which nothing is owed has none.</param>
public sealed record InvoicesOverview(DateOnly Today, InvoiceCounts Counts, IReadOnlyList<AgedBalance> Balances);

/// <summary>Invoices by status.</summary>
public sealed record InvoiceCounts(int Open, int Overdue, int Paid);

/// <summary>What is owed in one currency. The last four amounts come to <paramref name="Owed"/>.</summary>
/// <param name="Currency">The code.</param>
/// <param name="Decimals">How many decimals the currency has.</param>
/// <param name="Invoices">How many invoices are unpaid.</param>
/// <param name="Owed">The sum of all unpaid invoices.</param>
/// <param name="NotDue">Due today or later.</param>
/// <param name="OverdueTo30">Overdue by 1 to 30 days.</param>
/// <param name="OverdueTo60">Overdue by 31 to 60 days.</param>
/// <param name="OverdueMore">Overdue by more than 60 days.</param>
public sealed record AgedBalance(
    string Currency, int Decimals, int Invoices, decimal Owed, decimal NotDue, decimal OverdueTo30,
    decimal OverdueTo60, decimal OverdueMore);
