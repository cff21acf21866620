using System.ComponentModel.DataAnnotations;
using Api.Access;
using Api.Contract;
using Data.Invoicing;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Tenancy.AspNetCore;

namespace Api.Invoicing;

/// <summary>Whom the customer sends invoices to.</summary>
internal static class ContactsEndpoints
{
    private static readonly Dictionary<string, Keyset<Contact, ContactView>> Orders = new[]
    {
        ByName("name", descending: false), ByName("-name", descending: true), ByEmail("email", descending: false),
        ByEmail("-email", descending: true),
    }.ToDictionary(order => order.Name);

    /// <param name="routes">The application.</param>
    /// <param name="at">Where, e.g. <c>/contacts</c>.</param>
    /// <param name="of">What the operations' ids have in them, so that no two are the same.</param>
    public static void MapContacts(this IEndpointRouteBuilder routes, string at, string of)
    {
        var contacts = routes.MapGroup(at).WithTags("Contacts").RequireAuthorization(Caller.Users).RequireTenant();
        contacts.MapGet("/", List).WithName($"List{of}Contacts")
            .WithSummary("Lists contacts, by name unless sort says otherwise.");
        contacts.MapGet("/{id:guid}", Find).WithName($"Find{of}Contact").WithSummary("One contact.");
        contacts.MapPost("/", Create).WithName($"Create{of}Contact").WithSummary("Adds a contact.").Idempotent();
        contacts.MapPut("/{id:guid}", Change).WithName($"Change{of}Contact")
            .WithSummary("Changes a contact, on all its invoices. If-Match has its ETag.")
            .ProducesProblem(409).ProducesProblem(412).ProducesProblem(428);
        contacts.MapDelete("/{id:guid}", Delete).WithName($"Delete{of}Contact")
            .WithSummary("Deletes a contact that has no invoices. If-Match has its ETag.")
            .ProducesProblem(409).ProducesProblem(412).ProducesProblem(428);
    }

    private static Keyset<Contact, ContactView> ByName(string name, bool descending) =>
        Keyset<Contact, ContactView>.By(
            name, c => c.Name, view => view.Name, c => c.Id, view => view.Id, descending);

    private static Keyset<Contact, ContactView> ByEmail(string name, bool descending) =>
        Keyset<Contact, ContactView>.By(
            name, c => c.Email, view => view.Email, c => c.Id, view => view.Id, descending, isNullable: true);

    private static Task<Results<Ok<KeysetPage<ContactView>>, ValidationProblem>> List(
        [AsParameters] KeysetPaging paging, InvoicingContext db, CancellationToken ct,
        [FromQuery(Name = "search"), StringLength(Contact.LongestName)] string? search = null,
        [FromQuery(Name = "sort"), RegularExpression(
            "^-?(name|email)$", ErrorMessage = "Use name, -name, email or -email.")] string? sort = null)
    {
        var contacts = db.Contacts.AsNoTracking();
        if (!string.IsNullOrWhiteSpace(search))
        {
            var pattern = Searching.Pattern(search.Trim());
            contacts = contacts.Where(c => EF.Functions.ILike(c.Name, pattern, Searching.Escape)
                || EF.Functions.ILike(c.Email!, pattern, Searching.Escape));
        }

        return paging.OfAsync(
            contacts, Orders[string.IsNullOrEmpty(sort) ? "name" : sort],
            sorted => sorted.Select(c => new ContactView(c.Id, c.Name, c.Email)), ct);
    }

    private static async Task<Results<Ok<ContactView>, StatusCodeHttpResult, ProblemHttpResult>> Find(
        Guid id, HttpContext http, InvoicingContext db, CancellationToken ct)
    {
        if (await FindAsync(db, id, ct) is not { } contact)
        {
            return Unknown(id);
        }

        ETags.Write(http.Response, ETags.Of(contact));
        return ETags.IsKnown(http.Request, ETags.Of(contact))
            ? TypedResults.StatusCode(StatusCodes.Status304NotModified)
            : TypedResults.Ok(View(contact));
    }

    private static async Task<Results<Created<ContactView>, ProblemHttpResult>> Create(
        NewContact contact, HttpContext http, InvoicingContext db, TimeProvider time, CancellationToken ct)
    {
        var added = contact.ToContact(time.GetUtcNow());
        db.Contacts.Add(added);
        try
        {
            await db.SaveChangesAsync(ct);
        }
        catch (DbUpdateException e) when (Is(e, PostgresErrorCodes.UniqueViolation))
        {
            return Taken();
        }

        ETags.Write(http.Response, ETags.Of(added));
        return TypedResults.Created(
            $"{http.Request.PathBase}{http.Request.Path.Value!.TrimEnd('/')}/{added.Id}", View(added));
    }

    private static async Task<Results<Ok<ContactView>, ProblemHttpResult>> Change(
        Guid id, NewContact change, HttpContext http, InvoicingContext db, CancellationToken ct)
    {
        if (await FindAsync(db, id, ct) is not { } contact)
        {
            return Unknown(id);
        }

        if (ETags.Refuse(http.Request, ETags.Of(contact)) is { } refused)
        {
            return refused;
        }

        var (name, email) = change.Known();
        try
        {
            // Only if it still says what the caller has seen.
            if (await As(db, contact).ExecuteUpdateAsync(
                set => set.SetProperty(c => c.Name, name).SetProperty(c => c.Email, email), ct) == 0)
            {
                return ETags.Changed();
            }
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return Taken();
        }

        (contact.Name, contact.Email) = (name, email);
        ETags.Write(http.Response, ETags.Of(contact));
        return TypedResults.Ok(View(contact));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Delete(
        Guid id, HttpRequest request, InvoicingContext db, CancellationToken ct)
    {
        if (await FindAsync(db, id, ct) is not { } contact)
        {
            return Unknown(id);
        }

        if (ETags.Refuse(request, ETags.Of(contact)) is { } refused)
        {
            return refused;
        }

        try
        {
            return await As(db, contact).ExecuteDeleteAsync(ct) == 0 ? ETags.Changed() : TypedResults.NoContent();
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.ForeignKeyViolation
            or PostgresErrorCodes.RestrictViolation)
        {
            return TypedResults.Problem(
                "The contact has invoices, which stay.", statusCode: 409, title: "The contact has invoices.");
        }
    }

    private static Task<Contact?> FindAsync(InvoicingContext db, Guid id, CancellationToken ct) =>
        db.Contacts.AsNoTracking().SingleOrDefaultAsync(c => c.Id == id, ct);

    /// <summary>The contact's row, as long as it says this.</summary>
    private static IQueryable<Contact> As(InvoicingContext db, Contact contact) =>
        db.Contacts.Where(c => c.Id == contact.Id && c.Name == contact.Name && c.Email == contact.Email);

    private static bool Is(DbUpdateException e, string state) =>
        e.InnerException is PostgresException error && error.SqlState == state;

    private static ContactView View(Contact contact) => new(contact.Id, contact.Name, contact.Email);

    private static ProblemHttpResult Taken() => TypedResults.Problem(
        "There is a contact of that name and address.", statusCode: 409, title: "The contact is there.");

    private static ProblemHttpResult Unknown(Guid id) => TypedResults.Problem(
        $"This customer has no contact {id}.", statusCode: 404, title: "Unknown contact.");
}
