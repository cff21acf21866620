using System.ComponentModel.DataAnnotations;
using Api.Access;
using Api.Contract;
using Api.Tenants;
using Data;
using Data.Customers;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Tenancy;
using Tenancy.AspNetCore;

namespace Api.Customers;

/// <summary>For operators: who the customers are, and new ones.</summary>
internal static class CustomersEndpoints
{
    public static RouteGroupBuilder MapCustomers(this IEndpointRouteBuilder routes)
    {
        var customers = routes.MapGroup("/customers").WithTags("Customers")
            .RequireAuthorization(Caller.Operators).IgnoreTenant();
        customers.MapGet("/", List).WithName("ListCustomers").WithSummary("Lists customers by slug.");
        customers.MapGet("/{slug}", Find).WithName("FindCustomer").WithSummary("One customer.").ProducesProblem(404);
        customers.MapPost("/", Create).WithName("CreateCustomer")
            .WithSummary("Creates a customer: its schema exists, migrated, when this returns.").ProducesProblem(403)
            .ProducesProblem(409);
        customers.MapLifecycle();
        return customers;
    }

    public static void MapCurrencies(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/currencies", (CustomersContext db, CancellationToken ct) => db.Currencies.AsNoTracking()
                .OrderBy(c => c.Code).Select(c => new CurrencyView(c.Code, c.Name, c.Decimals)).ToListAsync(ct))
            .IgnoreTenant().WithTags("Currencies").WithName("ListCurrencies").WithSummary(
                "The currencies that invoices may be in.");

    private static async Task<Page<CustomerView>> List(
        [AsParameters] Paging paging, CustomersContext db, TenantDirectory directory, CancellationToken ct,
        string? search = null)
    {
        var customers = db.Customers.AsNoTracking();
        if (!string.IsNullOrWhiteSpace(search))
        {
            var pattern = Searching.Pattern(search.Trim());
            customers = customers.Where(c =>
                EF.Functions.ILike(c.Slug, pattern, Searching.Escape)
                    || EF.Functions.ILike(c.Name, pattern, Searching.Escape));
        }

        var page = await paging.OfAsync(CustomerRegistry.WithSchema(db, customers), ct);
        await directory.LearnAsync(page.Items.Select(c => c.Listing), ct);
        return new(
            [.. page.Items.Select(c => CustomerView.Of(c.Customer, directory.AvailabilityOf(c.Listing)))], page.Number,
            page.PageSize, page.Total);
    }

    private static async Task<Results<Ok<CustomerView>, ProblemHttpResult>> Find(
        string slug, HttpContext http, CustomersContext db, TenantDirectory directory, CancellationToken ct)
    {
        using var scope = http.Name(slug);
        if (await CustomerRegistry.WithSchema(db, db.Customers.AsNoTracking().Where(c => c.Slug == slug))
            .SingleOrDefaultAsync(ct) is not { } customer)
        {
            return TypedResults.Problem(
                $"No customer has the slug '{slug}'.", statusCode: 404, title: "Unknown customer.");
        }

        await directory.LearnAsync([customer.Listing], ct);
        return TypedResults.Ok(CustomerView.Of(customer.Customer, directory.AvailabilityOf(customer.Listing)));
    }

    private static async Task<Results<CreatedAtRoute<CustomerView>, ValidationProblem, ProblemHttpResult>> Create(
        NewCustomer customer, HttpContext http, CustomerRegistry registry, TenantDirectory directory,
        IConfiguration configuration, CancellationToken ct)
    {
        using var scope = http.Name(customer.Slug);
        if (!configuration.MayCreateCustomers())
        {
            return TypedResults.Problem(
                "It has no login that may make schemas. Run the migration job's command: create SLUG --name NAME.",
                statusCode: 403, title: "This API doesn't create customers.");
        }

        var created = await registry.CreateAsync(customer.Slug, customer.Name.Trim(), ct: ct);
        await directory.ForgetAsync(created.Slug, ct);
        return TypedResults.CreatedAtRoute(
            CustomerView.Of(created, Availability.Served), "FindCustomer", new { slug = created.Slug });
    }
}

/// <summary>A customer to be created.</summary>
public sealed record NewCustomer(
    [property: Required(ErrorMessage = "Use " + CustomerSlug.Rule + "."),
        RegularExpression(CustomerSlug.Pattern, ErrorMessage = "Use " + CustomerSlug.Rule + ".")] string Slug,
    [property: Required(ErrorMessage = "Give the customer a name."), StringLength(Customer.LongestName),
        PlainText] string Name);

/// <summary>A customer, as operators see it.</summary>
/// <param name="Id">Stays, whatever is renamed.</param>
/// <param name="Slug">Its name in addresses.</param>
/// <param name="Name">Its name in words.</param>
/// <param name="Schema">The PostgreSQL schema that holds its data.</param>
/// <param name="Status">What was decided about it.</param>
/// <param name="Availability">Whether it is served right now, or why not.</param>
/// <param name="Ring">When it is upgraded: 0 first.</param>
/// <param name="CreatedAt">In UTC.</param>
public sealed record CustomerView(
    Guid Id, string Slug, string Name, string Schema, CustomerStatus Status, Availability Availability, int Ring,
    DateTimeOffset CreatedAt)
{
    internal static CustomerView Of(Customer c, Availability availability) =>
        new(c.Id, c.Slug, c.Name, c.Schema, c.Status, availability, c.Ring, c.CreatedAt);
}

/// <summary>A currency: ISO 4217's code, English name, number of decimals.</summary>
public sealed record CurrencyView(string Code, string Name, int Decimals);
