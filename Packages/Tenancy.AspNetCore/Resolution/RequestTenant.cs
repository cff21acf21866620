using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Tenancy.AspNetCore.Resolution;

/// <summary>See <see cref="TenancyBuilderExtensions.BindUsers"/>.</summary>
/// <param name="Claim">Its type.</param>
internal sealed record BoundUsers(string Claim);

/// <summary>
/// Chooses the scope's tenant. Middleware and not an endpoint filter, because a filter runs after the handler's
/// parameters were made, and the context is one of them.
/// </summary>
internal sealed partial class RequestTenant(TenantResolution resolution, BoundUsers? bound, TenantDirectory directory,
    TenancyMetrics metrics, ILogger<RequestTenant> log, TenantLimiter? limiter)
{
    private readonly Refusals _refusals = new(resolution);

    /// <summary>Chooses the tenant that the address or a header names. A user's claim may name it later.</summary>
    public async Task BeforeUserAsync(HttpContext context, bool authenticates, RequestDelegate next)
    {
        var required = IsRequired(context.GetEndpoint());
        if (required is null || required is false && !authenticates)
        {
            await next(context);
            return;
        }

        if (required is true)
        {
            Caching.Forbid(context.Response, resolution.Sources);
        }

        var (slug, refusal) = Named(context);
        // From here on, whatever comes of it: a refusal, too, is something that happened for that tenant.
        using var scope = context.Name(slug);
        if (refusal is null && slug is not null)
        {
            refusal = await ChooseAsync(context, slug);
        }
        else if (refusal is null && required is true && !(authenticates && resolution.UserClaim is not null))
        {
            metrics.Refuse(RequestRefusal.NoTenant);
            refusal = _refusals.Unnamed();
        }

        await GoOnAsync(context, refusal, next);
    }

    /// <summary>Chooses the tenant that the user's claim names, and refuses another tenant's user.</summary>
    public async Task AfterUserAsync(HttpContext context, RequestDelegate next)
    {
        var endpoint = context.GetEndpoint();
        if (IsRequired(endpoint) is not { } required)
        {
            await next(context);
            return;
        }

        var tenant = context.RequestServices.GetRequiredService<CurrentTenant>();
        var isUser = context.User.Identity is { IsAuthenticated: true };
        // A user of several tenants names none of them by that alone.
        var claimed = resolution.UserClaim is { } type && isUser
            && context.User.FindAll(type).Select(claim => claim.Value).Distinct().ToList() is [var only] ? only : null;
        IDisposable? scope = null;
        Refusal? refusal = null;
        if (!tenant.IsChosen && claimed is not null)
        {
            scope = context.Name(claimed);
            refusal = TenantSlug.IsValid(claimed) ? await ChooseAsync(context, claimed) : Unknown(claimed);
        }
        else if (!tenant.IsChosen && required && !(NeedsUser(endpoint) && !isUser))
        {
            metrics.Refuse(RequestRefusal.NoTenant);
            refusal = _refusals.Unnamed();
        }

        if (refusal is null && tenant.IsChosen && isUser && IsAnothers(context, tenant.Value))
        {
            refusal = Anothers(context, _refusals.Anothers(tenant.Value.Slug));
        }

        using (scope)
        {
            await GoOnAsync(context, refusal, next);
        }
    }

    /// <summary>
    /// Chooses the tenant of a user who may use the endpoint: see <see cref="TenantResolution.SignInFirst"/>.
    /// </summary>
    public async Task AfterAuthorizationAsync(HttpContext context, RequestDelegate next)
    {
        if (IsRequired(context.GetEndpoint()) is not true)
        {
            await next(context);
            return;
        }

        Caching.Forbid(context.Response, resolution.Sources);
        var claimed = Claimed(context);
        if (claimed.Count > 0 && resolution.Sources.SelectMany(source => source.Read(context))
            .Any(value => !claimed.Contains(value!)))
        {
            await Anothers(context, _refusals.Anothers(slug: null)).AnswerAsync(context);
            return;
        }

        var (slug, refusal) = Named(context);
        slug ??= refusal is null && claimed is [var only] ? only : null;
        using var scope = context.Name(slug);
        if (refusal is null && slug is not null)
        {
            refusal = bound is not null && !context.User.HasClaim(bound.Claim, slug)
                ? Anothers(context, _refusals.Anothers(slug: null))
                : TenantSlug.IsValid(slug) ? await ChooseAsync(context, slug) : Unknown(slug);
            if (refusal is { Status: StatusCodes.Status404NotFound } && claimed.Count > 0)
            {
                // The tenant of an old token: its user learns no more than any other's.
                refusal = Anothers(context, _refusals.Anothers(slug: null));
            }
        }
        else if (refusal is null)
        {
            metrics.Refuse(RequestRefusal.NoTenant);
            refusal = _refusals.Unnamed();
        }

        var tenant = context.RequestServices.GetRequiredService<CurrentTenant>();
        if (refusal is null && tenant.IsChosen && IsAnothers(context, tenant.Value))
        {
            refusal = Anothers(context, _refusals.Anothers(slug: null));
        }

        await GoOnAsync(context, refusal, next);
    }

    private List<string> Claimed(HttpContext context) => resolution.UserClaim is { } type
        ? [.. context.User.FindAll(type).Select(claim => claim.Value).Distinct()]
        : [];

    private bool IsAnothers(HttpContext context, Tenant tenant) =>
        resolution.UserClaim is { } type && context.User.HasClaim(claim => claim.Type == type)
            && !context.User.HasClaim(type, tenant.Slug)
            || resolution.UserIdClaim is { } idType && context.User.HasClaim(claim => claim.Type == idType)
            && !context.User.HasClaim(claim =>
                claim.Type == idType && Guid.TryParse(claim.Value, out var id) && id == tenant.Id)
            || bound is not null && !context.User.HasClaim(bound.Claim, tenant.Slug);

    private Refusal Anothers(HttpContext context, Refusal refusal)
    {
        metrics.Refuse(RequestRefusal.OtherTenant);
        LogAnothers(log, context.User.Identity?.Name ?? "", context.Request.Method,
            (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "");
        return refusal;
    }

    /// <returns>Null where the endpoint serves nobody or there is none; false where it may serve a tenant.</returns>
    private static bool? IsRequired(Endpoint? endpoint)
    {
        // The nearest mark comes last.
        for (var at = endpoint?.Metadata.Count - 1 ?? -1; at >= 0; at--)
        {
            switch (endpoint!.Metadata[at])
            {
                case RequireTenantAttribute:
                    return true;
                case IgnoreTenantAttribute:
                    return null;
            }
        }

        return endpoint is null ? null : false;
    }

    /// <summary>Whether the endpoint needs a user: then authorization answers with 401.</summary>
    private static bool NeedsUser(Endpoint? endpoint) =>
        endpoint?.Metadata.GetMetadata<IAuthorizeData>() is not null
            && endpoint.Metadata.GetMetadata<IAllowAnonymous>() is null;

    private (string? Slug, Refusal? Refusal) Named(HttpContext context)
    {
        string? slug = null;
        foreach (var source in resolution.Sources)
        {
            var values = source.Read(context);
            if (values.Count == 0)
            {
                continue;
            }

            if (values.Count > 1 || !TenantSlug.IsValid(values[0]))
            {
                metrics.Refuse(RequestRefusal.InvalidTenant);
                return (null, _refusals.Invalid(source));
            }

            if (slug is not null && slug != values[0])
            {
                metrics.Refuse(RequestRefusal.InvalidTenant);
                return (null, _refusals.Two(slug, values[0]!));
            }

            slug = values[0];
        }

        return (slug, null);
    }

    /// <returns>Null when a tenant was chosen.</returns>
    private async Task<Refusal?> ChooseAsync(HttpContext context, string slug)
    {
        if (await directory.FindAsync(slug, context.RequestAborted) is not { } listing)
        {
            return Unknown(slug);
        }

        var availability = directory.AvailabilityOf(listing);
        if (availability == Availability.Served)
        {
            context.RequestServices.GetRequiredService<CurrentTenant>().Choose(listing.Tenant);
            context.Items[typeof(TenantHubFilter)] = listing.Tenant;
            return null;
        }

        var (reason, refusal) = _refusals.Unserved(slug, availability);
        metrics.Unavailable(reason);
        return refusal;
    }

    private Refusal Unknown(string slug)
    {
        metrics.Refuse(RequestRefusal.UnknownTenant);
        return _refusals.Unknown(slug);
    }

    // The route and not the address: it has what a stranger wrote.
    [LoggerMessage(EventId = 4031, EventName = "security.other_tenant", Level = LogLevel.Warning,
        Message = "Refused: the user '{User}' asked for another tenant ({Method} {Route}).")]
    private static partial void LogAnothers(ILogger log, string user, string method, string route);

    private async Task GoOnAsync(HttpContext context, Refusal? refusal, RequestDelegate next)
    {
        var tenant = context.RequestServices.GetRequiredService<CurrentTenant>();
        if (refusal is not null)
        {
            await refusal.AnswerAsync(context);
        }
        else if (limiter is null || !tenant.IsChosen || !context.Items.TryAdd(typeof(TenantLimiter), true))
        {
            await next(context);
        }
        else
        {
            var (lease, wait) = await limiter.EnterAsync(context, tenant.Value);
            if (lease is null)
            {
                metrics.Refuse(RequestRefusal.OverLimit);
                await _refusals.OverLimit(wait).AnswerAsync(context);
                return;
            }

            using (lease)
            {
                await next(context);
            }
        }
    }
}
