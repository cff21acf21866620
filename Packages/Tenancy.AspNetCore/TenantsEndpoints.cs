using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Tenancy.AspNetCore;

/// <summary>A tenant, as the endpoints show it.</summary>
/// <param name="Id">The registry's key.</param>
/// <param name="Slug">The name in addresses.</param>
/// <param name="Name">For people.</param>
/// <param name="Status"><c>active</c>, <c>suspended</c> or <c>archived</c>.</param>
/// <param name="Availability">Whether this process serves it now: <c>served</c>, <c>upgrading</c>, <c>failed</c>,
/// <c>provisioning</c>, <c>suspended</c> or <c>closed</c>.</param>
/// <param name="Schema">Where its tables are.</param>
/// <param name="Version">Its schema's version.</param>
/// <param name="CreatedAt">When it was created.</param>
public sealed record TenantAnswer(Guid Id, string Slug, string Name, string Status, string Availability, string Schema,
    string Version, DateTimeOffset CreatedAt);

/// <summary>A page of tenants.</summary>
/// <param name="Items">In the order of their slugs.</param>
/// <param name="Next">What <c>after</c> takes for the next page; null on the last one.</param>
public sealed record TenantsAnswer(IReadOnlyList<TenantAnswer> Items, string? Next);

/// <summary>A tenant to be created.</summary>
/// <param name="Slug">See <see cref="TenantSlug"/>.</param>
/// <param name="Name">For people; the slug if it is left out. At most 200 characters.</param>
public sealed record NewTenant(string? Slug, string? Name = null);

/// <summary>A tenant's new slug and name.</summary>
/// <param name="Slug">See <see cref="TenantSlug"/>; null to leave it.</param>
/// <param name="Name">For people; null to leave it. At most 200 characters.</param>
public sealed record TenantNames(string? Slug = null, string? Name = null);

/// <summary>A tenant that was marked for removal.</summary>
/// <param name="Slug">Whose.</param>
/// <param name="DropAfter">When it may be removed.</param>
public sealed record TenantDropAnswer(string Slug, DateTimeOffset DropAfter);

/// <summary>Operators' endpoints.</summary>
public static class TenantsEndpoints
{
    /// <summary>
    /// Maps <c>GET</c> (a page of tenants, <c>after</c> and <c>limit</c>), <c>GET /{slug}</c>, <c>POST</c> (creates
    /// one), <c>PATCH /{slug}</c> (renames one), <c>POST /{slug}/suspend</c>, <c>POST /{slug}/resume</c>,
    /// <c>POST /{slug}/archive</c> and <c>DELETE /{slug}?confirm={slug}</c> (see <see cref="TenantRemoval"/>).
    /// They need authorization: what is returned takes <c>RequireAuthorization("operators")</c>. Without it they answer in Development alone, elsewhere with 403;
    /// <c>AllowAnonymous()</c> says that something in front of the application keeps others out.
    /// </summary>
    /// <param name="routes">The application.</param>
    /// <param name="pattern">E.g. <c>/tenants</c>.</param>
    public static RouteGroupBuilder MapTenants(this IEndpointRouteBuilder routes, string pattern)
    {
        var group = routes.MapGroup(pattern).WithTags("Tenants").IgnoreTenant();
        group.AddEndpointFilter(RefuseUnprotectedAsync);
        group.MapGet("/", ListAsync).WithSummary("Lists tenants by slug.");
        group.MapGet("/{slug}", FindAsync).WithSummary("One tenant.").ProducesProblem(404);
        group.MapPost("/", CreateAsync).WithSummary("Creates a tenant: its schema is there when this answers.")
            .ProducesProblem(400).ProducesProblem(409);
        group.MapPatch("/{slug}", RenameAsync).WithSummary("Changes a tenant's slug or name. Its schema stays.")
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(409);
        group.MapPost("/{slug}/archive", (string slug, Tenants tenants, CancellationToken ct) =>
            SetAsync(slug, TenantStatus.Archived, tenants, ct)).WithSummary("Stops serving a tenant, and keeps it.")
            .ProducesProblem(404).ProducesProblem(409);
        group.MapPost("/{slug}/suspend", (string slug, Tenants tenants, CancellationToken ct) =>
            SetAsync(slug, TenantStatus.Suspended, tenants, ct)).WithSummary("Stops serving a tenant.")
            .ProducesProblem(404).ProducesProblem(409);
        group.MapPost("/{slug}/resume", (string slug, Tenants tenants, CancellationToken ct) =>
            SetAsync(slug, TenantStatus.Active, tenants, ct)).WithSummary("Serves a tenant again.")
            .ProducesProblem(404);
        group.MapDelete("/{slug}", DropAsync)
            .WithSummary("Archives a tenant, and marks it for removal: resume takes that back until its time is over.")
            .ProducesProblem(400).ProducesProblem(404).ProducesProblem(409);
        return group;
    }

    private static async ValueTask<object?> RefuseUnprotectedAsync(
        EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        var metadata = context.GetEndpoint()?.Metadata;
        return metadata?.GetMetadata<IAuthorizeData>() is not null
            || metadata?.GetMetadata<IAllowAnonymous>() is not null
            || metadata?.GetMetadata<AuthorizationPolicy>() is not null
            || context.RequestServices.GetRequiredService<IHostEnvironment>().IsDevelopment()
                ? await next(invocation)
                : TypedResults.Problem(
                    "These endpoints are the operators'. Protect them, MapTenants(...).RequireAuthorization(...), or " +
                    "say AllowAnonymous() where something in front of the application keeps others out.",
                    statusCode: 403, title: "Unprotected endpoints.");
    }

    private static async Task<Results<Ok<TenantsAnswer>, ProblemHttpResult>> ListAsync(
        Tenants tenants, CancellationToken ct, string? after = null, int limit = 100)
    {
        if (limit is < 1 or > 1000)
        {
            return Bad("limit has to be from 1 to 1000.");
        }

        if (after is not null && !TenantSlug.IsValid(after))
        {
            return Bad($"after has to be the slug that the page before ended with: {TenantSlug.Rule}.");
        }

        var page = await tenants.ListAsync(after, limit, ct);
        return TypedResults.Ok(
            new TenantsAnswer([.. page.Select(Answer)], page.Count == limit ? page[^1].Entry.Tenant.Slug : null));
    }

    private static async Task<Results<Ok<TenantAnswer>, ProblemHttpResult>> FindAsync(
        string slug, Tenants tenants, CancellationToken ct) =>
            await tenants.FindSummaryAsync(slug, ct) is { } tenant ? TypedResults.Ok(Answer(tenant)) : Unknown(slug);

    private static async Task<Results<Created<TenantAnswer>, ProblemHttpResult>> CreateAsync(
        NewTenant tenant, HttpContext context, Tenants tenants, CancellationToken ct)
    {
        if (WhyNot(tenant.Slug ?? "", tenant.Name) is { } problem)
        {
            return problem;
        }

        try
        {
            await tenants.CreateAsync(tenant.Slug!, tenant.Name, ct);
        }
        catch (TenantSlugTakenException e)
        {
            return Taken(e);
        }

        var created = await tenants.FindSummaryAsync(tenant.Slug!, ct);
        return TypedResults.Created(
            $"{context.Request.PathBase}{context.Request.Path.Value?.TrimEnd('/')}/{tenant.Slug}", Answer(created!));
    }

    private static async Task<Results<Ok<TenantAnswer>, ProblemHttpResult>> RenameAsync(
        string slug, TenantNames names, Tenants tenants, CancellationToken ct)
    {
        if (WhyNot(names.Slug, names.Name) is { } problem)
        {
            return problem;
        }

        try
        {
            return await tenants.RenameAsync(slug, names.Slug, names.Name, ct) is { } tenant
                ? TypedResults.Ok(Answer((await tenants.FindSummaryAsync(tenant.Slug, ct))!))
                : Unknown(slug);
        }
        catch (TenantSlugTakenException e)
        {
            return Taken(e);
        }
    }

    /// <summary>Checks a slug and a name. Null where both are right.</summary>
    private static ProblemHttpResult? WhyNot(string? slug, string? name) =>
        name is not null && !TenantName.IsValid(name)
            ? Bad($"name has to have {TenantName.Rule}.")
            : slug is not null && !TenantSlug.IsValid(slug)
                ? Bad($"slug has to be {TenantSlug.Rule}.")
                : null;

    private static ProblemHttpResult Taken(TenantSlugTakenException e) =>
        TypedResults.Problem(e.Message, statusCode: 409, title: "The slug is taken.");

    private static async Task<Results<NoContent, ProblemHttpResult>> SetAsync(
        string slug, TenantStatus status, Tenants tenants, CancellationToken ct)
    {
        try
        {
            return await tenants.SetStatusAsync(slug, status, ct) ? TypedResults.NoContent() : Unknown(slug);
        }
        catch (TenantInUseException e)
        {
            return InUse(e);
        }
    }

    private static async Task<Results<Accepted<TenantDropAnswer>, ProblemHttpResult>> DropAsync(
        string slug, TenantRemoval removal, CancellationToken ct, string? confirm = null, double? graceDays = null)
    {
        if (confirm != slug)
        {
            return Bad("confirm has to be the slug once more.");
        }

        if (graceDays is { } days && !(days >= 0 && days <= 3660))
        {
            return Bad("graceDays has to be from 0 to 3660.");
        }

        try
        {
            return await removal.DropAsync(
                    slug, confirm, graceDays is { } kept ? TimeSpan.FromDays(kept) : null, ct) is { } after
                ? TypedResults.Accepted((string?)null, new TenantDropAnswer(slug, after))
                : Unknown(slug);
        }
        catch (TenantInUseException e)
        {
            return InUse(e);
        }
    }

    private static ProblemHttpResult InUse(TenantInUseException e) =>
        TypedResults.Problem(e.Message, statusCode: 409, title: "Still in use.");

    private static ProblemHttpResult Unknown(string slug) =>
        TypedResults.Problem($"No tenant has the slug '{slug}'.", statusCode: 404, title: "Unknown tenant.");

    private static ProblemHttpResult Bad(string detail) =>
        TypedResults.Problem(detail, statusCode: 400, title: "The request isn't right.");

    private static TenantAnswer Answer(TenantSummary tenant) => new(
        tenant.Entry.Tenant.Id, tenant.Entry.Tenant.Slug, tenant.Entry.Name, Text(tenant.Entry.Status),
        Text(tenant.Availability), tenant.Entry.Tenant.Schema.Value, tenant.Version, tenant.Entry.CreatedAt);

    private static string Text<TEnum>(TEnum value) where TEnum : struct, Enum => value.ToString().ToLowerInvariant();
}
