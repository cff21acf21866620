using System.ComponentModel.DataAnnotations;
using Api.Contract;
using Api.Operations;
using Api.Tenants;
using Data;
using Data.Customers;
using Microsoft.AspNetCore.Http.HttpResults;
using Tenancy;

namespace Api.Customers;

/// <summary>For operators: what happens to a customer between its creation and its end.</summary>
internal static class CustomerLifecycle
{
    public static void MapLifecycle(this RouteGroupBuilder customers)
    {
        var one = customers.MapGroup("/{slug}").AddEndpointFilter(RefuseWithoutOwnerAsync).ProducesProblem(404);
        one.MapPatch("/", Change).WithName("ChangeCustomer")
            .WithSummary("Changes a customer's slug, name or ring. Its id, its schema and its keys stay.")
            .ProducesProblem(409);
        foreach (var (verb, status, summary) in new[]
        {
            ("suspend", TenantStatus.Suspended, "Stops serving a customer, and waits for its open transactions."),
            ("resume", TenantStatus.Active, "Serves a customer again; takes a deletion back until its time is over."),
            ("archive", TenantStatus.Archived, "Stops serving a customer, and keeps its schema and its slug."),
        })
        {
            one.MapPost($"/{verb}", (string slug, Tenancy.Tenants tenants, CancellationToken ct) =>
                    SetAsync(slug, status, tenants, ct))
                .WithName($"{char.ToUpperInvariant(verb[0])}{verb[1..]}Customer").WithSummary(summary).ProducesProblem(
                    409);
        }

        one.MapCopies();
        one.MapDelete("/", Drop).WithName("DeleteCustomer")
            .WithSummary(
                "Archives a customer and marks it for removal. Until its time is over, resume takes that back.")
            .ProducesProblem(409);
    }

    /// <summary>A login that only reads the registry can't write there.</summary>
    internal static ValueTask<object?> RefuseWithoutOwnerAsync(
        EndpointFilterInvocationContext invocation, EndpointFilterDelegate next) =>
            invocation.HttpContext.RequestServices.GetRequiredService<IConfiguration>().MayCreateCustomers()
                ? next(invocation)
                : ValueTask.FromResult<object?>(TypedResults.Problem(
                    "It has no login that may. Run the migration job's commands: rename, suspend, export, migrate " +
                    "and the others.", statusCode: 403, title: "This API doesn't change customers."));

    private static async Task<Results<NoContent, ValidationProblem, ProblemHttpResult>> Change(
        string slug, CustomerChange change, HttpContext http, Tenancy.Tenants tenants, CancellationToken ct)
    {
        using var scope = http.Name(slug);
        if (change is { Slug: null, Name: null, Ring: null })
        {
            return TypedResults.ValidationProblem(
                new Dictionary<string, string[]> { ["name"] = ["Say what changes: slug, name or ring."] });
        }

        if (change.Ring is not null && (change.Slug ?? change.Name) is not null)
        {
            // They are changed at two places: one of them might be refused after the other was changed.
            return TypedResults.ValidationProblem(
                new Dictionary<string, string[]> { ["ring"] = ["Change the ring by a request of its own."] });
        }

        try
        {
            if ((change.Slug ?? change.Name) is not null
                && await tenants.RenameAsync(slug, change.Slug, change.Name?.Trim(), ct) is null)
            {
                return CustomerProblems.Unknown(slug);
            }

            return change.Ring is not { } ring || await tenants.SetRingAsync(slug, ring, ct)
                ? TypedResults.NoContent()
                : CustomerProblems.Unknown(slug);
        }
        catch (TenantSlugTakenException e)
        {
            return TypedResults.Problem(e.Message, statusCode: 409, title: "The slug is taken.");
        }
        catch (TenantInUseException e)
        {
            return InUse(e);
        }
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> SetAsync(
        string slug, TenantStatus status, Tenancy.Tenants tenants, CancellationToken ct)
    {
        try
        {
            return await tenants.SetStatusAsync(slug, status, ct)
                ? TypedResults.NoContent()
                : CustomerProblems.Unknown(slug);
        }
        catch (TenantInUseException e)
        {
            return InUse(e);
        }
    }

    private static async Task<Results<Accepted<DeletedCustomer>, ProblemHttpResult>> Drop(
        string slug, [AsParameters] Deletion deletion, HttpContext http, TenantRemoval removal,
        TenantOperations operations, TimeProvider time, CancellationToken ct)
    {
        if (deletion.Confirm != slug)
        {
            return TypedResults.Problem(
                "confirm has to be the slug once more.", statusCode: 400, title: "The slug isn't confirmed.");
        }

        try
        {
            if (await removal.DropAsync(
                slug, deletion.Confirm, deletion.GraceDays is { } days ? TimeSpan.FromDays(days) : null, ct)
                is not { } after)
            {
                return CustomerProblems.Unknown(slug);
            }

            if (deletion.GraceDays > 0 || after > time.GetUtcNow().AddMinutes(1))
            {
                return TypedResults.Accepted((string?)null, new DeletedCustomer(slug, after, null));
            }

            var removed = await FleetEndpoints.AskAsync(http, operations, OperationKinds.Reconcile, [], ct);
            return TypedResults.Accepted(removed.Location, new DeletedCustomer(slug, after, removed.Value!.Id));
        }
        catch (TenantInUseException e)
        {
            return InUse(e);
        }
    }

    private static ProblemHttpResult InUse(TenantInUseException e) =>
        TypedResults.Problem(e.Message, statusCode: 409, title: "Still in use.");
}

/// <summary>What changes of a customer.</summary>
/// <param name="Slug">Its slug from now on. Left out to keep it.</param>
/// <param name="Name">Its name from now on. Left out to keep it.</param>
/// <param name="Ring">When it is upgraded from now on: 0 first. Left out to keep it.</param>
public sealed record CustomerChange(
    // An empty text matches every pattern.
    [property: RegularExpression(CustomerSlug.Pattern, ErrorMessage = "Use " + CustomerSlug.Rule + "."),
        MinLength(1, ErrorMessage = "Use " + CustomerSlug.Rule + ".")]
    string? Slug = null,
    [property: StringLength(Customer.LongestName, MinimumLength = 1), PlainText(AllowBlank = false)]
    string? Name = null,
    [property: Range(0, 1_000_000)] int? Ring = null);

/// <summary>How a customer is deleted.</summary>
public sealed class Deletion
{
    /// <summary>The slug once more.</summary>
    [Microsoft.AspNetCore.Mvc.FromQuery(Name = "confirm"), Required(ErrorMessage = "Repeat the slug.")]
    public string? Confirm { get; init; }

    /// <summary>For how many days it can be taken back. Default: 7.</summary>
    [Microsoft.AspNetCore.Mvc.FromQuery(Name = "graceDays"), Range(0, 3660)]
    public int? GraceDays { get; init; }
}

/// <summary>A customer that was marked for removal.</summary>
/// <param name="Slug">Whose.</param>
/// <param name="DropAfter">When it may be removed.</param>
/// <param name="Operation">The operation that removes it, where its time is over at once; else null.</param>
public sealed record DeletedCustomer(string Slug, DateTimeOffset DropAfter, Guid? Operation);
