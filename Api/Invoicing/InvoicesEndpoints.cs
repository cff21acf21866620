using Api.Access;
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
        invoices.MapPost("/", Create).WithName($"Create{of}Invoice").WithSummary("Writes an invoice.");
        invoices.MapImport($"Import{of}Invoices");
        return invoices;
    }

    private static Task<Page<InvoiceSummary>> List(
        [AsParameters] Paging paging, InvoicingContext db, TimeProvider time, CancellationToken ct)
    {
        var today = Today(time);
        return paging.OfAsync(
            from invoice in db.Invoices.AsNoTracking()
            join currency in db.Currencies on invoice.CurrencyCode equals currency.Code
            orderby invoice.Number descending
            select new InvoiceSummary(
                invoice.Id, invoice.Number, invoice.Contact.Name, currency.Code, currency.Decimals, invoice.IssuedOn,
                invoice.DueOn,
                invoice.PaidOn != null ? InvoiceStatus.Paid
                    : invoice.DueOn < today ? InvoiceStatus.Overdue
                    : InvoiceStatus.Open,
                invoice.Lines.Sum(line => line.Total)),
            ct);
    }

    private static async Task<Results<Ok<InvoiceView>, ProblemHttpResult>> Find(
        Guid id, InvoicingContext db, TimeProvider time, CancellationToken ct)
    {
        var found = await FindCompiled(db, id, ct);
        return found is null
            ? TypedResults.Problem($"This customer has no invoice {id}.", statusCode: 404, title: "Unknown invoice.")
            : TypedResults.Ok(InvoiceView.Of(found.Invoice, found.Currency, Today(time)));
    }

    private static async Task<Results<Created<InvoiceView>, ValidationProblem>> Create(
        NewInvoice invoice, HttpRequest request, InvoicingContext db, TimeProvider time, CancellationToken ct)
    {
        // Validated: nothing that is required is missing here.
        if (await db.Currencies.FindAsync([invoice.Currency], ct) is not { } currency)
        {
            return TypedResults.ValidationProblem(
                new Dictionary<string, string[]> { ["currency"] = [NewInvoice.UnknownCurrency(invoice.Currency)] });
        }

        var now = time.GetUtcNow();
        var (name, email) = invoice.Contact!.Known();
        var known = db.Contacts.Where(c => c.Name == name && c.Email == email).OrderBy(c => c.Id);
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var contact = await known.FirstOrDefaultAsync(ct);
        if (contact is null)
        {
            await db.AddMissingAsync([invoice.Contact.ToContact(now)], ct);
            contact = await known.FirstAsync(ct);
        }

        var written = invoice.ToInvoice(contact, currency, now);
        db.Invoices.Add(written);
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        return TypedResults.Created(
            $"{request.PathBase}{request.Path.Value!.TrimEnd('/')}/{written.Id}",
            InvoiceView.Of(written, currency, Today(time)));
    }

    private sealed record FoundInvoice(Invoice Invoice, Currency Currency);

    private static DateOnly Today(TimeProvider time) => DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
}
