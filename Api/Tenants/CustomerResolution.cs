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

    // How long a customer that isn't served should be left alone. Upgrading it takes a release's time, repairing it a
    // person's.
    private static readonly TimeSpan Making = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Upgrade = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Repair = TimeSpan.FromMinutes(5);
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

        KeepFromCaches(context.Response);
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

        await TypedResults
            .Problem(refusal.Detail, statusCode: refusal.Status, title: refusal.Title, type: refusal.Type)
            .ExecuteAsync(context);
    });

    /// <summary>
    /// The same address answers each customer differently, by a header: a cache between would give one customer's
    /// answer to another. Said when the answer starts, because an error's page clears the headers before.
    /// </summary>
    private static void KeepFromCaches(HttpResponse response) => response.OnStarting(static state =>
    {
        var headers = ((HttpResponse)state).Headers;
        headers.CacheControl = "no-store";
        if (!headers.Vary.Any(value => value?.Contains(Header, StringComparison.OrdinalIgnoreCase) is true))
        {
            headers.Append("Vary", Header);
        }

        return Task.CompletedTask;
    }, response);

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

        var availability = directory.AvailabilityOf(listing);
        if (availability == Availability.Served)
        {
            context.RequestServices.GetRequiredService<CurrentTenant>().Choose(listing.Tenant);
            return null;
        }

        var (reason, refusal) = Unserved(slug, availability);
        metrics.Unavailable(reason);
        return refusal;
    }

    private static (Unavailability, Refusal) Unserved(string slug, Availability availability) => availability switch
    {
        Availability.Upgrading => (Unavailability.Upgrading, new(503, "Being upgraded.",
            $"The customer '{slug}' is being upgraded. Try again in {Upgrade.TotalSeconds} seconds.", Upgrade,
            "urn:customer:upgrading")),
        Availability.Failed => (Unavailability.Failed, new(503, "The upgrade failed.",
            $"The upgrade of the customer '{slug}' failed and waits for a repair.", Repair, "urn:customer:failed")),
        Availability.Provisioning => (Unavailability.Provisioning, new(503, "Being created.",
            $"The customer '{slug}' is being created. Try again in {Making.TotalSeconds} seconds.", Making,
            "urn:customer:provisioning")),
        Availability.Suspended => (Unavailability.Suspended, new(503, "Suspended.",
            $"The customer '{slug}' is suspended.", Suspension, "urn:customer:suspended")),
        _ => (Unavailability.Suspended, new(503, "Not available.",
            $"The customer '{slug}' is archived.", Suspension, "urn:customer:archived")),
    };

    /// <param name="Status">HTTP's.</param>
    /// <param name="Title">The same for all of the kind.</param>
    /// <param name="Detail">With the customer's slug.</param>
    /// <param name="RetryAfter">When to ask again; null where asking again won't help.</param>
    /// <param name="Type">The problem's kind, for programs; null for what the status says.</param>
    private sealed record Refusal(
        int Status, string Title, string Detail, TimeSpan? RetryAfter = null, string? Type = null);
}

/// <summary>On endpoints that serve one customer.</summary>
internal sealed class NeedsTenant;
