using Api.Contract;
using Data.Invoicing;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Api.Invoicing;

/// <summary>Writes, changes, pays and deletes one invoice. A paid one stays as it is.</summary>
internal static class InvoiceWrites
{
    public static void MapWrites(this RouteGroupBuilder invoices, string of)
    {
        invoices.MapPost("/", Create).WithName($"Create{of}Invoice").WithSummary("Writes an invoice.").Idempotent();
        invoices.MapPut("/{id:guid}", Change).WithName($"Change{of}Invoice")
            .WithSummary("Writes an invoice anew, lines included. If-Match has its ETag.")
            .ProducesProblem(409).ProducesProblem(412).ProducesProblem(428);
        invoices.MapDelete("/{id:guid}", Delete).WithName($"Delete{of}Invoice")
            .WithSummary("Deletes an invoice. If-Match has its ETag. Its number isn't used again.")
            .ProducesProblem(409).ProducesProblem(412).ProducesProblem(428);
        invoices.MapPost("/{id:guid}/payment", Pay).WithName($"Pay{of}Invoice")
            .WithSummary("Marks an invoice as paid. Repeated with the same day, it changes nothing.")
            .ProducesProblem(412).Idempotent();
    }

    public static ProblemHttpResult Unknown(Guid id) => TypedResults.Problem(
        $"This customer has no invoice {id}.", statusCode: 404, title: "Unknown invoice.");

    private static async Task<Results<Created<InvoiceView>, ValidationProblem>> Create(
        NewInvoice invoice, HttpContext http, InvoicingContext db, TimeProvider time, CancellationToken ct)
    {
        // Validated: nothing that is required is missing here.
        if (await db.Currencies.FindAsync([invoice.Currency], ct) is not { } currency)
        {
            return UnknownCurrency(invoice);
        }

        var now = time.GetUtcNow();
        await using var transaction = await db.BeginUnlessBegunAsync(ct);
        var written = invoice.ToInvoice(await ContactAsync(db, invoice, now, ct), currency, now);
        db.Invoices.Add(written);
        await db.SaveChangesAsync(ct);
        await transaction.CommitIfBegunAsync(ct);
        ETags.Write(http.Response, ETags.Of(written));
        return TypedResults.Created(
            $"{http.Request.PathBase}{http.Request.Path.Value!.TrimEnd('/')}/{written.Id}",
            InvoiceView.Of(written, currency, InvoicesEndpoints.Today(time)));
    }

    private static async Task<Results<Ok<InvoiceView>, ValidationProblem, ProblemHttpResult>> Change(
        Guid id, NewInvoice change, HttpContext http, InvoicingContext db, TimeProvider time, CancellationToken ct)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        if (await FindAsync(db, id, ct) is not { } invoice)
        {
            return Unknown(id);
        }

        if ((ETags.Refuse(http.Request, ETags.Of(invoice)) ?? RefusePaid(invoice)) is { } refused)
        {
            return refused;
        }

        if (await db.Currencies.FindAsync([change.Currency], ct) is not { } currency)
        {
            return UnknownCurrency(change);
        }

        change.WriteTo(invoice, await ContactAsync(db, change, time.GetUtcNow(), ct), currency);
        // A change of a line alone is a change of the invoice, too: its row gets a new version. It comes first: whoever
        // changes the same invoice waits here, and then learns that he is late.
        db.Entry(invoice).Property(i => i.DueOn).IsModified = true;
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateConcurrencyException)
        {
            return ETags.Changed();
        }

        invoice.Lines.Clear();
        // Added by the set: EF takes a row that has a key already for one that is there.
        db.InvoiceLines.AddRange(change.LinesOf(invoice.Id, currency));
        await db.SaveChangesAsync(ct);
        await transaction.CommitAsync(ct);
        ETags.Write(http.Response, ETags.Of(invoice));
        return TypedResults.Ok(InvoiceView.Of(invoice, currency, InvoicesEndpoints.Today(time)));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Delete(
        Guid id, HttpRequest request, InvoicingContext db, CancellationToken ct)
    {
        if (await db.Invoices.SingleOrDefaultAsync(i => i.Id == id, ct) is not { } invoice)
        {
            return Unknown(id);
        }

        if ((ETags.Refuse(request, ETags.Of(invoice)) ?? RefusePaid(invoice)) is { } refused)
        {
            return refused;
        }

        db.Invoices.Remove(invoice);
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateConcurrencyException)
        {
            return ETags.Changed();
        }

        return TypedResults.NoContent();
    }

    private static async Task<Results<Ok<InvoiceView>, ValidationProblem, ProblemHttpResult>> Pay(
        Guid id, InvoicePayment payment, HttpContext http, InvoicingContext db, TimeProvider time, CancellationToken ct)
    {
        if (await FindAsync(db, id, ct) is not { } invoice)
        {
            return Unknown(id);
        }

        // Whoever pays needn't have read it; whoever says what he has read is taken at his word.
        if (http.Request.Headers.IfMatch.Count > 0 && ETags.Refuse(http.Request, ETags.Of(invoice)) is { } refused)
        {
            return refused;
        }

        if (payment.PaidOn < invoice.IssuedOn)
        {
            return TypedResults.ValidationProblem(new Dictionary<string, string[]>
            {
                ["paidOn"] = ["An invoice can't be paid before it is issued."],
            });
        }

        if (invoice.PaidOn is { } paid && paid != payment.PaidOn)
        {
            return RefusePaid(invoice)!;
        }

        invoice.PaidOn = payment.PaidOn;
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateConcurrencyException)
        {
            return ETags.Changed();
        }

        var currency = (await db.Currencies.FindAsync([invoice.CurrencyCode], ct))!;
        ETags.Write(http.Response, ETags.Of(invoice));
        return TypedResults.Ok(InvoiceView.Of(invoice, currency, InvoicesEndpoints.Today(time)));
    }

    private static Task<Invoice?> FindAsync(InvoicingContext db, Guid id, CancellationToken ct) =>
        db.Invoices.Include(i => i.Contact).Include(i => i.Lines).SingleOrDefaultAsync(i => i.Id == id, ct);

    /// <summary>The contact of that name and address, or a new one, in the caller's transaction.</summary>
    private static async Task<Contact> ContactAsync(
        InvoicingContext db, NewInvoice invoice, DateTimeOffset now, CancellationToken ct)
    {
        var (name, email) = invoice.Contact!.Known();
        var known = db.Contacts.Where(c => c.Name == name && c.Email == email).OrderBy(c => c.Id);
        if (await known.FirstOrDefaultAsync(ct) is { } contact)
        {
            return contact;
        }

        await db.AddMissingAsync([invoice.Contact.ToContact(now)], ct);
        return await known.FirstAsync(ct);
    }

    private static ProblemHttpResult? RefusePaid(Invoice invoice) => invoice.PaidOn is { } paid
        ? TypedResults.Problem(
            $"The invoice {invoice.Number} was paid on {paid:yyyy-MM-dd} and stays as it is.", statusCode: 409,
            title: "The invoice is paid.")
        : null;

    private static ValidationProblem UnknownCurrency(NewInvoice invoice) => TypedResults.ValidationProblem(
        new Dictionary<string, string[]> { ["currency"] = [NewInvoice.UnknownCurrency(invoice.Currency)] });
}

/// <summary>A payment of an invoice.</summary>
/// <param name="PaidOn">The day.</param>
public sealed record InvoicePayment(
    [property: System.ComponentModel.DataAnnotations.Required(
        ErrorMessage = "Say when the invoice was paid, e.g. 2026-12-01.")] DateOnly? PaidOn);
