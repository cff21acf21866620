using System.Globalization;
using Microsoft.AspNetCore.Http;

namespace Tenancy.AspNetCore.Resolution;

/// <summary>An answer instead of the endpoint's.</summary>
/// <param name="Status">HTTP's.</param>
/// <param name="Title">The same for all of the kind.</param>
/// <param name="Detail">With the tenant's slug.</param>
/// <param name="RetryAfter">When to ask again; null where asking again won't help.</param>
/// <param name="Type">The problem's kind, for programs; null for what the status says.</param>
internal sealed record Refusal(
    int Status, string Title, string Detail, TimeSpan? RetryAfter = null, string? Type = null)
{
    public Task AnswerAsync(HttpContext context)
    {
        if (RetryAfter is { } wait)
        {
            context.Response.Headers.RetryAfter = ((int)Math.Ceiling(wait.TotalSeconds)).ToString(
                CultureInfo.InvariantCulture);
        }

        return TypedResults.Problem(Detail, statusCode: Status, title: Title, type: Type).ExecuteAsync(context);
    }
}

/// <summary>Why a request isn't served, in words.</summary>
internal sealed class Refusals(TenantResolution resolution)
{
    // How long a tenant that isn't served should be left alone. Upgrading it takes a release's time, repairing it a
    // person's.
    private static readonly TimeSpan Making = TimeSpan.FromSeconds(2);
    private static readonly TimeSpan Upgrade = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Repair = TimeSpan.FromMinutes(5);

    private string Noun => resolution.Noun;

    public Refusal Unnamed() => new(400, $"No {Noun} was named.",
        $"This address serves one {Noun}: name it {string.Join(", or ", Places())}.");

    public Refusal Invalid(ITenantSource source) => new(400, $"No {Noun} was named.",
        $"{source.Name} has to hold one {Noun}'s slug: {TenantSlug.Rule}.");

    public Refusal Two(string one, string other) => new(400, $"Two {Noun}s were named.",
        $"The request names '{one}' and '{other}': a request is for one {Noun}.");

    public Refusal Unknown(string slug) => new(404, $"Unknown {Noun}.", $"No {Noun} has the slug '{slug}'.");

    /// <param name="slug">Null where even that isn't looked at.</param>
    public Refusal Anothers(string? slug) => new(403, $"Another {Noun}'s user.",
        slug is null
            ? $"Who is signed in isn't a user of that {Noun}."
            : $"Who is signed in isn't a user of the {Noun} '{slug}'.", Type: $"urn:{Noun}:other");

    public Refusal OverLimit(TimeSpan wait) => new(429, "Too many requests.",
        $"This {Noun} sends more than its limits allow. Try again later.", wait, $"urn:{Noun}:over-limit");

    public (Unavailability, Refusal) Unserved(string slug, Availability availability) => availability switch
    {
        Availability.Upgrading => (Unavailability.Upgrading, new(503, "Being upgraded.",
            $"The {Noun} '{slug}' is being upgraded. Try again in {Upgrade.TotalSeconds} seconds.", Upgrade,
            $"urn:{Noun}:upgrading")),
        Availability.Failed => (Unavailability.Failed, new(503, "The upgrade failed.",
            $"The upgrade of the {Noun} '{slug}' failed and waits for a repair.", Repair, $"urn:{Noun}:failed")),
        Availability.Provisioning => (Unavailability.Provisioning, new(503, "Being created.",
            $"The {Noun} '{slug}' is being created. Try again in {Making.TotalSeconds} seconds.", Making,
            $"urn:{Noun}:provisioning")),
        Availability.Unreachable => (Unavailability.Unreachable, new(503, "The database is unknown.",
            $"The {Noun} '{slug}' is in a database that this process doesn't know.", Repair,
            $"urn:{Noun}:unreachable")),
        // Asking again won't help: it waits for somebody's decision.
        Availability.Suspended => (Unavailability.Suspended, new(403, "Suspended.",
            $"The {Noun} '{slug}' is suspended.", Type: $"urn:{Noun}:suspended")),
        _ => (Unavailability.Suspended, new(403, "Not available.",
            $"The {Noun} '{slug}' is archived.", Type: $"urn:{Noun}:archived")),
    };

    private IEnumerable<string> Places() => resolution.Sources.Select(source => source.Where)
        .Concat(resolution.UserClaim is null ? [] : ["by signing in"]);
}
