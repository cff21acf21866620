using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;

namespace Tenancy.AspNetCore;

/// <summary>Operators' endpoints.</summary>
public static class TenantsEndpoints
{
    /// <summary>
    /// Maps <c>GET</c> (a page of tenants, see <see cref="TenantsQuestion"/>), <c>GET /{slug}</c>, <c>POST</c> (creates
    /// one), <c>PATCH /{slug}</c> (renames one), <c>POST /{slug}/suspend</c>, <c>POST /{slug}/resume</c>,
    /// <c>POST /{slug}/archive</c> and <c>DELETE /{slug}?confirm={slug}</c> (see <see cref="TenantRemoval"/>).
    /// They need authorization: what is returned takes <c>RequireAuthorization("operators")</c>. Without it they
    /// answer in Development alone, elsewhere with 403; <c>AllowAnonymous()</c> says that something in front of the
    /// application keeps others out.
    /// </summary>
    /// <param name="routes">The application.</param>
    /// <param name="pattern">E.g. <c>/tenants</c>.</param>
    public static RouteGroupBuilder MapTenants(this IEndpointRouteBuilder routes, string pattern)
    {
        var group = routes.MapGroup(pattern).WithTags("Tenants").IgnoreTenant();
        group.AddEndpointFilter(RefuseUnprotectedAsync);
        group.MapGet("/", ListAsync).WithSummary("Lists tenants.");
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
        Tenants tenants, [AsParameters] TenantsQuestion question, CancellationToken ct)
    {
        if (question.Limit is < 1 or > 1000)
        {
            return Bad("limit has to be from 1 to 1000.");
        }

        if (!Names<TenantStatus>(question.Status, out var status)
            || !Names<TenantCondition>(question.Condition, out var condition)
            || !Names<TenantSort>(question.Sort is ['-', ..] ? question.Sort[1..] : question.Sort, out var sort))
        {
            return Bad("status is active, suspended or archived; condition is failed, behind, waiting or " +
                "dropping; sort is slug, name, created, migrated, size or ring, with - in front for the other end.");
        }

        if ($"{question.Search}{question.Version}".Contains('\0', StringComparison.Ordinal))
        {
            return Bad("search and version can't have the character U+0000.");
        }

        try
        {
            var page = await tenants.SearchAsync(
                new()
                {
                    Search = question.Search, Status = status, Condition = condition, Ring = question.Ring,
                    Version = question.Version, Sort = sort ?? TenantSort.Slug,
                    Descending = question.Sort is ['-', ..], After = question.After, Limit = question.Limit,
                }, ct);
            return TypedResults.Ok(new TenantsAnswer([.. page.Items.Select(Answer)], page.Next, page.Total));
        }
        catch (FormatException e)
        {
            return Bad($"after: {e.Message}");
        }
    }

    /// <summary>Reads a name as the API writes it: numbers and combinations are none.</summary>
    private static bool Names<T>(string? text, out T? value) where T : struct, Enum
    {
        value = null;
        if (text is null)
        {
            return true;
        }

        var found = Enum.GetValues<T>().Where(one => Text(one) == text).ToList();
        value = found.Count == 1 ? found[0] : null;
        return found.Count == 1;
    }

    private static async Task<Results<Ok<TenantAnswer>, ProblemHttpResult>> FindAsync(
        string slug, Tenants tenants, CancellationToken ct) =>
            await OneAsync(slug, tenants, ct) is { } tenant ? TypedResults.Ok(tenant) : Unknown(slug);

    private static async Task<TenantAnswer?> OneAsync(string slug, Tenants tenants, CancellationToken ct) =>
        TenantSlug.IsValid(slug) && (await tenants.SearchAsync(new() { Slug = slug }, ct)).Items is [var tenant]
            ? Answer(tenant)
            : null;

    private static async Task<Results<Created<TenantAnswer>, ProblemHttpResult>> CreateAsync(
        NewTenant tenant, HttpContext context, Tenants tenants, CancellationToken ct)
    {
        if (WhyNot(tenant.Slug ?? "", tenant.Name) is { } problem)
        {
            return problem;
        }

        try
        {
            await tenants.CreateInAsync(tenant.Database, tenant.Slug!, tenant.Name, ct: ct);
        }
        catch (TenantSlugTakenException e)
        {
            return Taken(e);
        }
        catch (ArgumentException e) when (tenant.Database is not null)
        {
            return Bad(e.Message.Split(" (Parameter", 2)[0]);
        }

        var created = await OneAsync(tenant.Slug!, tenants, ct);
        return TypedResults.Created(
            $"{context.Request.PathBase}{context.Request.Path.Value?.TrimEnd('/')}/{tenant.Slug}", created!);
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
                ? TypedResults.Ok((await OneAsync(tenant.Slug, tenants, ct))!)
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

    private static TenantAnswer Answer(TenantDetails tenant) => new(
        tenant.Entry.Tenant.Id, tenant.Entry.Tenant.Slug, tenant.Entry.Name, Text(tenant.Entry.Status),
        Text(tenant.Availability), tenant.Entry.Tenant.Schema.Value, tenant.Version, tenant.Entry.CreatedAt,
        tenant.Ring, tenant.LastMigration, tenant.MigratedAt, tenant.LastError, tenant.DropAfter, tenant.Bytes,
        tenant.Entry.Tenant.Database);

    private static string Text<TEnum>(TEnum value) where TEnum : struct, Enum => value.ToString().ToLowerInvariant();
}
