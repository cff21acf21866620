using Api.Access;
using Data.Customers;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Tenancy;
using Tenancy.AspNetCore;

namespace Api.Reports;

/// <summary>For operators: what is owed to each customer. One flat query per customer, the same for all.</summary>
internal static class ReceivablesEndpoint
{
    public static void MapReceivables(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/reports/receivables", Read).WithTags("Reports").WithName("ReadReceivables")
            .RequireAuthorization(Caller.Operators).IgnoreTenant()
            .WithSummary("What is owed to each customer, by currency; who couldn't be read is named.");

    private static async Task<ReceivablesView> Read(
        CustomersContext registry, AcrossTenants<InvoicingContext> across, TimeProvider time, CancellationToken ct)
    {
        var at = time.GetUtcNow();
        var today = DateOnly.FromDateTime(at.UtcDateTime);
        // Archived customers are kept and no longer served, nor reported on.
        var customers = await registry.Customers.AsNoTracking().Where(c => c.Status != CustomerStatus.Archived)
            .ToListAsync(ct);
        var named = customers.ToDictionary(c => c.Id);
        var balances = new List<CustomerReceivables>();
        var missing = new List<MissingCustomer>();
        await foreach (var (tenant, rows, error) in across.ReadAsync(
            customers.Select(c => c.AsTenant()), db => Of(db, today), ct: ct))
        {
            var (slug, name) = (tenant.Slug, named[tenant.Id].Name);
            balances.AddRange(
                rows.OrderBy(row => row.Currency, StringComparer.Ordinal)
                    .Select(row => new CustomerReceivables(
                        slug, name, row.Currency, row.Decimals, row.OpenInvoices, row.Open, row.Overdue)));
            if (error is not null)
            {
                missing.Add(new(slug, name, error));
            }
        }

        return new([.. balances.OrderBy(balance => balance.Slug, StringComparer.Ordinal)],
            [.. missing.OrderBy(customer => customer.Slug, StringComparer.Ordinal)], customers.Count - missing.Count,
            at);
    }

    /// <summary>Per currency what one customer's unpaid invoices come to.</summary>
    /// <param name="db">Serves the customer.</param>
    /// <param name="today">What was due before is overdue.</param>
    internal static IQueryable<CurrencyReceivables> Of(InvoicingContext db, DateOnly today) =>
        from invoice in db.Invoices
        where invoice.PaidOn == null
        join currency in db.Currencies on invoice.CurrencyCode equals currency.Code
        select new { currency.Code, currency.Decimals, invoice.DueOn,
            Total = invoice.Lines.Sum(line => line.Total) } into unpaid
        group unpaid by new { unpaid.Code, unpaid.Decimals } into one
        select new CurrencyReceivables(
            one.Key.Code, one.Key.Decimals, one.Count(), one.Sum(unpaid => unpaid.Total),
            one.Sum(unpaid => unpaid.DueOn < today ? unpaid.Total : 0m));
}

/// <summary>What a customer's unpaid invoices in one currency come to.</summary>
internal sealed record CurrencyReceivables(
    string Currency, int Decimals, int OpenInvoices, decimal Open, decimal Overdue);

/// <summary>What is owed to all customers.</summary>
/// <param name="Balances">By customer's slug and currency; a customer to whom nothing is owed has none.</param>
/// <param name="Missing">The customers that couldn't be read: what they are owed is in no figure.</param>
/// <param name="Read">How many customers were read.</param>
/// <param name="At">When.</param>
public sealed record ReceivablesView(
    IReadOnlyList<CustomerReceivables> Balances, IReadOnlyList<MissingCustomer> Missing, int Read, DateTimeOffset At);

/// <summary>
/// What is owed to one customer in one currency; <paramref name="Overdue"/> is a part of <paramref name="Open"/>.
/// </summary>
public sealed record CustomerReceivables(
    string Slug, string Name, string Currency, int Decimals, int OpenInvoices, decimal Open, decimal Overdue);

/// <summary>A customer that couldn't be read, and why.</summary>
public sealed record MissingCustomer(string Slug, string Name, string Reason);
