using System.ComponentModel.DataAnnotations;
using Api.Access;
using Api.Tenants;
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
        customers.MapGet("/", List).WithName("ListCustomers").WithSummary(
            "Lists customers, with the version, the last error and the size of their schemas.");
        customers.MapGet("/{slug}", Find).WithName("FindCustomer").WithSummary("One customer.").ProducesProblem(404);
        // Not below /customers: there, "counts" is a slug.
        routes.MapGet("/customer-counts", Count).WithTags("Customers").WithName("CountCustomers")
            .RequireAuthorization(Caller.Operators).IgnoreTenant()
            .WithSummary("How many customers each filter of their list finds.");
        customers.MapCreation();
        customers.MapLifecycle();
        return customers;
    }

    public static void MapCurrencies(this IEndpointRouteBuilder routes) =>
        routes.MapGet("/currencies", (CustomersContext db, CancellationToken ct) => db.Currencies.AsNoTracking()
                .OrderBy(c => c.Code).Select(c => new CurrencyView(c.Code, c.Name, c.Decimals)).ToListAsync(ct))
            .IgnoreTenant().WithTags("Currencies").WithName("ListCurrencies").WithSummary(
                "The currencies that invoices may be in.");

    private static async Task<Results<Ok<KeysetPage<CustomerView>>, ValidationProblem>> List(
        [AsParameters] CustomerFilter filter, Tenancy.Tenants tenants, CancellationToken ct)
    {
        if (filter is { After: not null, Page: not null })
        {
            return Wrong("after", "Give after or page, not both.");
        }

        try
        {
            var found = await tenants.SearchAsync(filter.Query, ct);
            return TypedResults.Ok(new KeysetPage<CustomerView>(
                [.. found.Items.Select(CustomerView.Of)], filter.After is null ? filter.Page ?? 1 : null, filter.Size,
                found.Total, found.Next));
        }
        catch (FormatException e)
        {
            return Wrong("after", e.Message);
        }

        static ValidationProblem Wrong(string parameter, string words) =>
            TypedResults.ValidationProblem(new Dictionary<string, string[]> { [parameter] = [words] });
    }

    private static async Task<Ok<CustomerCounts>> Count(
        Tenancy.Tenants tenants, CancellationToken ct, [StringLength(Customer.LongestName)] string? search = null) =>
            TypedResults.Ok(CustomerCounts.Of(await tenants.CountAsync(search, ct)));

    private static async Task<Results<Ok<CustomerView>, ProblemHttpResult>> Find(
        string slug, HttpContext http, Tenancy.Tenants tenants, CancellationToken ct)
    {
        using var scope = http.Name(slug);
        return CustomerSlug.IsValid(slug)
            && (await tenants.SearchAsync(new() { Slug = slug }, ct)).Items is [var customer]
                ? TypedResults.Ok(CustomerView.Of(customer))
                : CustomerProblems.Unknown(slug);
    }
}

/// <summary>A customer, as operators see it.</summary>
/// <param name="Id">Stays, whatever is renamed.</param>
/// <param name="Slug">Its name in addresses.</param>
/// <param name="Name">Its name in words.</param>
/// <param name="Schema">The PostgreSQL schema that holds its data.</param>
/// <param name="Status">What was decided about it.</param>
/// <param name="Availability">Whether it is served right now, or why not.</param>
/// <param name="Ring">When it is upgraded: 0 first.</param>
/// <param name="CreatedAt">In UTC.</param>
/// <param name="Version">The short name of its schema's set of migrations; empty for none.</param>
/// <param name="LastMigration">The last migration that its schema has.</param>
/// <param name="MigratedAt">When that changed last.</param>
/// <param name="LastError">What its last migration said when it failed; null after one that succeeded.</param>
/// <param name="FailedAt">When a migration last failed.</param>
/// <param name="DropAfter">When it may be removed; null where nobody deleted it.</param>
/// <param name="Bytes">The size of its tables and indexes, a sample: 0 for what PostgreSQL hasn't measured yet.</param>
/// <param name="Database">The database that has its schema; null for the first one.</param>
public sealed record CustomerView(
    Guid Id, string Slug, string Name, string Schema, CustomerStatus Status, Availability Availability, int Ring,
    DateTimeOffset CreatedAt, string Version, string? LastMigration, DateTimeOffset? MigratedAt, string? LastError,
    DateTimeOffset? FailedAt, DateTimeOffset? DropAfter, long Bytes, string? Database)
{
    internal static CustomerView Of(TenantDetails c) => new(
        c.Entry.Tenant.Id, c.Entry.Tenant.Slug, c.Entry.Name, c.Entry.Tenant.Schema.Value,
        (CustomerStatus)c.Entry.Status, c.Availability, c.Ring, c.Entry.CreatedAt, c.Version, c.LastMigration,
        c.MigratedAt, c.LastError, c.FailedAt, c.DropAfter, c.Bytes, c.Entry.Tenant.Database);
}

/// <summary>How many customers each filter of their list finds.</summary>
/// <param name="Total">All customers.</param>
/// <param name="Active">Those of that status, and so on.</param>
/// <param name="Suspended">Not served until somebody resumes them.</param>
/// <param name="Archived">Kept, and not served.</param>
/// <param name="Failed">Those whose last migration failed.</param>
/// <param name="Behind">Those that lack a migration.</param>
/// <param name="Dropping">Those that are deleted and not removed yet.</param>
/// <param name="Rings">The rings that have any, the lowest first.</param>
public sealed record CustomerCounts(
    int Total, int Active, int Suspended, int Archived, int Failed, int Behind, int Dropping,
    IReadOnlyList<RingCount> Rings)
{
    internal static CustomerCounts Of(TenantCounts counts) => new(
        counts.Total, counts.ByStatus[TenantStatus.Active], counts.ByStatus[TenantStatus.Suspended],
        counts.ByStatus[TenantStatus.Archived], counts.ByCondition[TenantCondition.Failed],
        counts.ByCondition[TenantCondition.Behind], counts.ByCondition[TenantCondition.Dropping],
        [.. counts.ByRing.Select(ring => new RingCount(ring.Key, ring.Value))]);
}

/// <summary>How many customers a ring has.</summary>
public sealed record RingCount(int Ring, int Customers);

/// <summary>A currency: ISO 4217's code, English name, number of decimals.</summary>
public sealed record CurrencyView(string Code, string Name, int Decimals);
