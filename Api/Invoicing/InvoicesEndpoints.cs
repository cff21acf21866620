using Api.Access;
using Api.Contract;
using Data.Customers;
using Data.Invoicing;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Tenancy.AspNetCore;

namespace Api.Invoicing;

/// <summary>The invoices of the customer that the request is for.</summary>
internal static class InvoicesEndpoints
{
    /// <summary>
    /// Compiled once for all customers, because it is what is read most: EF takes a query apart again at each request
    /// to find it in its cache, which is more than half of what EF costs there (Benchmarks, <c>requests</c>).
    /// </summary>
    private static readonly Func<InvoicingContext, Guid, CancellationToken, Task<FoundInvoice?>> FindCompiled =
        EF.CompileAsyncQuery(
            (InvoicingContext db, Guid id, CancellationToken ct) => (
                from invoice in db.Invoices.AsNoTracking().Include(i => i.Contact)
                    .Include(i => i.Lines.OrderBy(line => line.Position))
                join currency in db.Currencies on invoice.CurrencyCode equals currency.Code
                where invoice.Id == id
                select new FoundInvoice(invoice, currency)).SingleOrDefault());

    /// <param name="routes">The application.</param>
    /// <param name="at">Where, e.g. <c>/invoices</c>.</param>
    /// <param name="of">What the operations' ids have in them, so that no two are the same.</param>
    public static RouteGroupBuilder MapInvoices(this IEndpointRouteBuilder routes, string at, string of)
    {
        var invoices = routes.MapGroup(at).WithTags("Invoices").RequireAuthorization(Caller.Users)
            .RequireTenant();
        invoices.MapGet("/", List).WithName($"List{of}Invoices").WithSummary("Lists invoices, the newest first.");
        invoices.MapGet("/{id:guid}", Find).WithName($"Find{of}Invoice")
            .WithSummary("One invoice with its lines and total.");
        invoices.MapOverview(of);
        invoices.MapWrites(of);
        invoices.MapImport($"Import{of}Invoices");
        return invoices;
    }

    private static Task<Results<Ok<KeysetPage<InvoiceSummary>>, ValidationProblem>> List(
        [AsParameters] KeysetPaging paging, [AsParameters] InvoiceFilter filter, InvoicingContext db, TimeProvider time,
        CancellationToken ct)
    {
        var today = Today(time);
        return paging.OfAsync(filter.Of(db.Invoices.AsNoTracking(), today), filter.Order(), sorted =>
            from invoice in sorted
            join currency in db.Currencies on invoice.CurrencyCode equals currency.Code
            select new InvoiceSummary(
                invoice.Id, invoice.Number, invoice.Contact.Name, currency.Code, currency.Decimals, invoice.IssuedOn,
                invoice.DueOn,
                invoice.PaidOn != null ? InvoiceStatus.Paid
                    : invoice.DueOn < today ? InvoiceStatus.Overdue
                    : InvoiceStatus.Open,
                invoice.Lines.Sum(line => line.Total)),
            ct);
    }

    private static async Task<Results<Ok<InvoiceView>, StatusCodeHttpResult, ProblemHttpResult>> Find(
        Guid id, HttpContext http, InvoicingContext db, TimeProvider time, CancellationToken ct)
    {
        if (await FindCompiled(db, id, ct) is not { } found)
        {
            return InvoiceWrites.Unknown(id);
        }

        ETags.Write(http.Response, ETags.Of(found.Invoice));
        return ETags.IsKnown(http.Request, ETags.Of(found.Invoice))
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : TypedResults.Ok(InvoiceView.Of(found.Invoice, found.Currency, Today(time)));
    }

    private sealed record FoundInvoice(Invoice Invoice, Currency Currency);

    internal static DateOnly Today(TimeProvider time) => DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
}
