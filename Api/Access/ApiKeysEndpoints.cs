using System.ComponentModel.DataAnnotations;
using Api.Contract;
using Data.Access;
using Data.Customers;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Api.Access;

/// <summary>For operators: the API keys of operators and of customers.</summary>
internal static class ApiKeysEndpoints
{
    public static RouteGroupBuilder MapApiKeys(this IEndpointRouteBuilder routes)
    {
        var keys = routes.MapGroup("/api-keys").WithTags("API keys").RequireAuthorization(Caller.Operators);
        keys.MapGet("/", List).WithName("ListApiKeys").WithSummary("Lists API keys, the newest first.");
        keys.MapPost("/", Create).WithName("CreateApiKey")
            .WithSummary("Makes an API key. Its text is in this answer and nowhere else.").ProducesProblem(404);
        keys.MapDelete("/{id}", Revoke).WithName("RevokeApiKey")
            .WithSummary("Revokes an API key: within five seconds, no process takes it.").ProducesProblem(404);
        return keys;
    }

    private static Task<Page<ApiKeyView>> List(
        [AsParameters] Paging paging, CustomersContext db, CancellationToken ct, string? customer = null)
    {
        var keys = db.ApiKeys.AsNoTracking();
        if (customer is not null)
        {
            keys = keys.Where(k => k.Customer!.Slug == customer);
        }

        return paging.OfAsync(
            from key in keys
            orderby key.CreatedAt descending, key.Id
            select new ApiKeyView(key.Id, key.Name, key.Customer == null ? null : key.Customer.Slug, key.CreatedAt,
                key.LastUsedAt, key.RevokedAt),
            ct);
    }

    private static async Task<Results<Created<NewApiKeyView>, ValidationProblem, ProblemHttpResult>> Create(
        NewApiKey key, ApiKeys keys, CancellationToken ct)
    {
        if (await keys.CreateAsync(key.Customer, key.Name!.Trim(), ct) is not var (text, made))
        {
            return TypedResults.Problem(
                $"No customer has the slug '{key.Customer}'.", statusCode: 404, title: "Unknown customer.");
        }

        return TypedResults.Created(
            (string?)null, new NewApiKeyView(made.Id, made.Name, key.Customer, made.CreatedAt, text.ToString()));
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> Revoke(
        string id, ApiKeys keys, KnownKeys known, CancellationToken ct)
    {
        var revoked = await keys.RevokeAsync(id, ct);
        await known.ForgetAsync(id, ct);
        return revoked
            ? TypedResults.NoContent()
            : TypedResults.Problem("There is no key with that id.", statusCode: 404, title: "Unknown key.");
    }
}

/// <summary>An API key to be made.</summary>
/// <param name="Name">What it is for.</param>
/// <param name="Customer">The slug of the customer whose key it is; left out for an operator's.</param>
public sealed record NewApiKey(
    [property: Required(ErrorMessage = "Say what the key is for."), StringLength(ApiKey.LongestName),
        PlainText] string? Name,
    [property: RegularExpression(CustomerSlug.Pattern, ErrorMessage = "Use " + CustomerSlug.Rule + ".")]
    string? Customer = null);

/// <summary>An API key, without its secret.</summary>
public sealed record ApiKeyView(string Id, string Name, string? Customer, DateTimeOffset CreatedAt,
    DateTimeOffset? LastUsedAt, DateTimeOffset? RevokedAt);

/// <summary>A new API key.</summary>
/// <param name="Id">By which it is revoked.</param>
/// <param name="Name">What it is for.</param>
/// <param name="Customer">The slug of its customer; null for an operator's.</param>
/// <param name="CreatedAt">In UTC.</param>
/// <param name="Key">The text to be sent. Nobody can read it again.</param>
public sealed record NewApiKeyView(string Id, string Name, string? Customer, DateTimeOffset CreatedAt, string Key);
