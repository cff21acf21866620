using System.ComponentModel.DataAnnotations;
using Api.Access;
using Api.Customers;
using Data.Customers;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Tenancy;
using Tenancy.AspNetCore;

namespace Api.Operations;

/// <summary>For operators: what takes long, how far it is, and what came of it.</summary>
internal static class OperationsEndpoints
{
    public static void MapOperations(this IEndpointRouteBuilder routes)
    {
        var operations = routes.MapGroup("/operations").WithTags("Operations")
            .RequireAuthorization(Caller.Operators).IgnoreTenant();
        operations.MapGet("/", List).WithName("ListOperations").WithSummary("Lists operations, the newest first.");
        operations.MapGet("/{id:guid}", Find).WithName("FindOperation").WithSummary("One operation.")
            .ProducesProblem(404);
        // Another login sees no file, and ends nothing.
        var owner = operations.MapGroup("").AddEndpointFilter(CustomerLifecycle.RefuseWithoutOwnerAsync);
        owner.MapGet("/{id:guid}/file", FindFile).WithName("FindOperationFile")
            .WithSummary("The file that an operation has made. It is kept for a day.")
            .Produces<Stream>(200, "application/zip").ProducesProblem(404);
        owner.MapPost("/{id:guid}/cancel", Cancel).WithName("CancelOperation")
            .WithSummary("Cancels an operation: what it had finished stays.").ProducesProblem(404).ProducesProblem(409);
    }

    private static async Task<Ok<OperationPage>> List(
        [AsParameters] OperationFilter filter, TenantOperations operations, TimeProvider time, CancellationToken ct)
    {
        var size = filter.PageSize ?? 25;
        var found = await operations.ListAsync(
            new()
            {
                Slug = Given(filter.Customer), Kind = Given(filter.Kind), Before = filter.Before, Limit = size + 1,
                State = Given(filter.State) is { } state ? Enum.Parse<OperationState>(state, ignoreCase: true) : null,
            }, ct);
        return TypedResults.Ok(new OperationPage(
            [.. found.Take(size).Select(one => OperationView.Of(one, time.GetUtcNow()))],
            found.Count > size ? found[size - 1].Id : null));
    }

    /// <summary>A parameter without a value is none: no rule is asked about empty text.</summary>
    private static string? Given(string? value) => string.IsNullOrEmpty(value) ? null : value;

    private static async Task<Results<Ok<OperationView>, ProblemHttpResult>> Find(
        Guid id, TenantOperations operations, TimeProvider time, CancellationToken ct) =>
            await operations.FindAsync(id, ct) is { } operation
                ? TypedResults.Ok(OperationView.Of(operation, time.GetUtcNow()))
                : Unknown(id);

    private static async Task<Results<FileStreamHttpResult, ProblemHttpResult>> FindFile(
        Guid id, HttpContext http, TenantOperations operations, CancellationToken ct)
    {
        if (await operations.FindAsync(id, ct) is not { } operation)
        {
            return Unknown(id);
        }

        if (await operations.OpenFileAsync(id, ct) is not { } file)
        {
            return TypedResults.Problem(
                "It isn't done, it makes none, or its day is over.", statusCode: 404, title: "There is no file.");
        }

        // Customers' rows stay in no cache on their way.
        http.Response.Headers.CacheControl = "no-store";
        return TypedResults.Stream(
            file.File, "application/zip", $"{operation.Slug}-{operation.CreatedAt:yyyyMMdd}.zip");
    }

    private static async Task<Results<Accepted<OperationView>, ProblemHttpResult>> Cancel(
        Guid id, HttpContext http, TenantOperations operations, CancellationToken ct)
    {
        if (await operations.CancelAsync(id, http.User.Identity?.Name ?? "an operator", ct))
        {
            return TypedResults.Accepted(
                OperationView.At(id), OperationView.Of((await operations.FindAsync(id, ct))!));
        }

        return await operations.FindAsync(id, ct) is null
            ? Unknown(id)
            : TypedResults.Problem("Nothing is left to cancel.", statusCode: 409, title: "The operation has ended.");
    }

    private static ProblemHttpResult Unknown(Guid id) => TypedResults.Problem(
        $"There is no operation '{id}', or it ended more than a week ago.", statusCode: 404,
        title: "Unknown operation.");
}

/// <summary>Which operations a list has.</summary>
public sealed class OperationFilter
{
    /// <summary>Only those of the customer that had this slug.</summary>
    [FromQuery(Name = "customer"), StringLength(CustomerSlug.Longest)]
    public string? Customer { get; init; }

    /// <summary>Only those of that kind, e.g. <c>export</c>.</summary>
    [FromQuery(Name = "kind"), RegularExpression("^[a-z-]{1,32}$", ErrorMessage = "Use a kind's name: export.")]
    public string? Kind { get; init; }

    /// <summary>Only those in that state.</summary>
    [FromQuery(Name = "state"), RegularExpression("^(queued|running|done|failed|cancelled)$",
        ErrorMessage = "Use queued, running, done, failed or cancelled.")]
    public string? State { get; init; }

    /// <summary>The <c>next</c> of the page before.</summary>
    [FromQuery(Name = "before")]
    public Guid? Before { get; init; }

    /// <summary>How many items a page has, 1 to 200. Default 25.</summary>
    [FromQuery(Name = "pageSize"), Range(1, 200)]
    public int? PageSize { get; init; }
}
