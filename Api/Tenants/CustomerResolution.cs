using System.Globalization;
using Data.Customers;
using Tenancy;

namespace Api.Tenants;

/// <summary>
/// Which customer a request is for: its header says so, the directory knows whether that customer is served.
/// </summary>
internal static class CustomerResolution
{
    /// <summary>The header that names a customer by its slug.</summary>
    public const string Header = "X-Customer";

    /// <summary>How long a customer that is being upgraded should be left alone.</summary>
    private static readonly TimeSpan Upgrade = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan Suspension = TimeSpan.FromHours(1);

    /// <summary>
    /// Every endpoint of the group serves one customer; without one that is served, it is not reached.
    /// </summary>
    public static RouteGroupBuilder RequireTenant(this RouteGroupBuilder group) =>
        group.WithMetadata(new NeedsTenant()).ProducesProblem(400).ProducesProblem(404).ProducesProblem(503);

    /// <summary>
    /// Chooses the scope's tenant for the endpoints that need one. A middleware and not an endpoint filter, because a
    /// filter runs after the handler's parameters were made, and the context is one of them.
    /// </summary>
    public static void UseTenants(this IApplicationBuilder app) => app.Use(async (context, next) =>
    {
        if (context.GetEndpoint()?.Metadata.GetMetadata<NeedsTenant>() is null)
        {
            await next(context);
            return;
        }

        var named = context.Request.Headers[Header];
        var slug = named.Count == 1 && CustomerSlug.IsValid(named[0]) ? named[0] : null;
        // From here on, whatever comes of it: a refusal, too, is something that happened for that customer.
        using var scope = context.Name(slug);
        if ((slug is null ? Unnamed(context, named.Count) : await ChooseAsync(context, slug)) is not { } refusal)
        {
            await next(context);
            return;
        }

        if (refusal.RetryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = ((int)wait.TotalSeconds).ToString(CultureInfo.InvariantCulture);
        }

        await TypedResults.Problem(refusal.Detail, statusCode: refusal.Status, title: refusal.Title)
            .ExecuteAsync(context);
    });

    /// <summary>Puts the customer's slug on the request's span and on its log records.</summary>
    /// <param name="context">The request.</param>
    /// <param name="slug">What was named; nothing happens where it can't be a slug.</param>
    /// <returns>The log scope.</returns>
    public static IDisposable? Name(this HttpContext context, string? slug)
    {
        if (!CustomerSlug.IsValid(slug))
        {
            return null;
        }

        TenancyTelemetry.TagTenant(slug!);
        return context.RequestServices.GetRequiredService<ILogger<NeedsTenant>>().BeginTenantScope(slug!);
    }

    private static Refusal Unnamed(HttpContext context, int headers)
    {
        context.RequestServices.GetRequiredService<TenancyMetrics>()
            .Refuse(headers == 0 ? RequestRefusal.NoTenant : RequestRefusal.InvalidTenant);
        return new(400, "No customer was named.", headers == 0
            ? $"This address serves one customer: name it in the header {Header}."
            : $"The header {Header} has to hold one customer's slug: {CustomerSlug.Rule}.");
    }

    /// <returns>Null when a tenant was chosen.</returns>
    private static async Task<Refusal?> ChooseAsync(HttpContext context, string slug)
    {
        var metrics = context.RequestServices.GetRequiredService<TenancyMetrics>();
        var directory = context.RequestServices.GetRequiredService<TenantDirectory>();
        if (await directory.FindAsync(slug, context.RequestAborted) is not { } listing)
        {
            metrics.Refuse(RequestRefusal.UnknownTenant);
            return new(404, "Unknown customer.", $"No customer has the slug '{slug}'.");
        }

        switch (directory.AvailabilityOf(listing))
        {
            case Availability.Served:
                context.RequestServices.GetRequiredService<CurrentTenant>().Choose(listing.Tenant);
                return null;
            case Availability.Upgrading:
                metrics.Unavailable(Unavailability.Upgrading);
                return new(503, "Being upgraded.",
                    $"The customer '{slug}' is being upgraded. Try again in {Upgrade.TotalSeconds} seconds.", Upgrade);
            default:
                metrics.Unavailable(Unavailability.Suspended);
                return new(503, "Not available.", $"The customer '{slug}' is suspended.", Suspension);
        }
    }

    private sealed record Refusal(int Status, string Title, string Detail, TimeSpan? RetryAfter = null);
}

/// <summary>On endpoints that serve one customer.</summary>
internal sealed class NeedsTenant;
