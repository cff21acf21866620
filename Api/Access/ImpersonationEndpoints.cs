using System.ComponentModel.DataAnnotations;
using Api.Contract;
using Data.Access;
using Data.Customers;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;
using Tenancy.AspNetCore;

namespace Api.Access;

/// <summary>For operators: act for a customer, and see who did.</summary>
internal static class ImpersonationEndpoints
{
    public static void MapImpersonation(this IEndpointRouteBuilder routes)
    {
        routes.MapPost("/customers/{slug}/impersonation", Start).WithTags("Customers").WithName("ImpersonateCustomer")
            .RequireAuthorization(Caller.Operators).IgnoreTenant()
            .WithSummary(
                "Makes a token by which an operator acts for a customer for some minutes. Each use is audited.")
            .ProducesProblem(404);
        routes.MapGet("/audit", List).WithTags("Audit").WithName("ListAudit").RequireAuthorization(Caller.Operators)
            .IgnoreTenant().WithSummary("Lists what operators did in customers' names, the newest first.");
    }

    private static async Task<Results<Created<ImpersonationView>, ProblemHttpResult>> Start(string slug,
        NewImpersonation wanted, HttpContext http, CustomersContext db, Impersonations tokens, CancellationToken ct)
    {
        if (!tokens.IsPossible)
        {
            return TypedResults.Problem($"Set {KnownKeys.OperatorSetting}: tokens are signed with what comes from it.",
                statusCode: 403, title: "Nobody can be acted for.");
        }

        if (await db.Customers.AsNoTracking().SingleOrDefaultAsync(c => c.Slug == slug, ct) is not { } customer)
        {
            return TypedResults.Problem("No customer has that slug.", statusCode: 404, title: "Unknown customer.");
        }

        var (token, said) = await tokens.StartAsync(http.User.Identity?.Name ?? "", customer, wanted.Reason!.Trim(),
            TimeSpan.FromMinutes(wanted.Minutes), http);
        return TypedResults.Created((string?)null, new ImpersonationView(said.Id, said.Slug, said.Until, token));
    }

    private static Task<Page<AuditView>> List([AsParameters] Paging paging, CustomersContext db, CancellationToken ct,
        string? customer = null)
    {
        var entries = db.Audit.AsNoTracking();
        if (customer is not null)
        {
            entries = entries.Where(e => e.Slug == customer
                || db.Customers.Any(c => c.Slug == customer && c.Id == e.CustomerId));
        }

        return paging.OfAsync(
            entries.OrderByDescending(e => e.Id).Select(e => new AuditView(e.At, e.Kind, e.Impersonation, e.Operator,
                e.CustomerId, e.Slug, e.Reason, e.Method, e.Path, e.TraceId)), ct);
    }
}

/// <summary>An operator wants to act for a customer.</summary>
/// <param name="Reason">Why; it is kept.</param>
/// <param name="Minutes">For how long, 1 to 60.</param>
public sealed record NewImpersonation(
    [property: Required(ErrorMessage = "Say why."), StringLength(AuditEntry.LongestReason, MinimumLength = 3),
        PlainText]
    string? Reason,
    [property: Range(1, Impersonations.MostMinutes)] int Minutes = 15);

/// <summary>A token by which an operator acts for a customer.</summary>
/// <param name="Id">In the audit with each use.</param>
/// <param name="Customer">The customer's slug.</param>
/// <param name="ExpiresAt">Until when it is taken.</param>
/// <param name="Token">To be sent instead of a key.</param>
public sealed record ImpersonationView(Guid Id, string Customer, DateTimeOffset ExpiresAt, string Token);

/// <summary>What an operator did in a customer's name.</summary>
public sealed record AuditView(DateTimeOffset At, string Kind, Guid Impersonation, string Operator, Guid CustomerId,
    string Customer, string Reason, string Method, string Path, string? TraceId);
