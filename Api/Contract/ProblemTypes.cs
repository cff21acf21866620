using Microsoft.AspNetCore.Mvc;

namespace Api.Contract;

/// <summary>
/// The kinds of problems, for programs: <c>type</c> of RFC 9457. They stay; titles and details are for people and may
/// change. docs/problems.md lists them.
/// </summary>
internal static class ProblemTypes
{
    private const string Prefix = "urn:problem:";

    /// <summary>By status, for problems that have no type of their own.</summary>
    public static readonly IReadOnlyDictionary<int, string> ByStatus = new Dictionary<int, string>
    {
        [400] = Prefix + "invalid-request",
        [401] = Prefix + "not-signed-in",
        [403] = Prefix + "not-allowed",
        [404] = Prefix + "not-found",
        [405] = Prefix + "method-not-allowed",
        [406] = Prefix + "not-acceptable",
        [408] = Prefix + "request-timeout",
        [409] = Prefix + "conflict",
        [412] = Prefix + "changed-meanwhile",
        [413] = Prefix + "too-large",
        [415] = Prefix + "unsupported-media-type",
        [422] = Prefix + "not-processable",
        [428] = Prefix + "precondition-required",
        [429] = Prefix + "too-many-requests",
        [500] = Prefix + "internal-error",
        [503] = Prefix + "unavailable",
    };

    /// <summary>A request with the same idempotency key is being answered.</summary>
    public const string KeyInFlight = Prefix + "idempotency-key-in-flight";

    /// <summary>The idempotency key was sent with another request.</summary>
    public const string KeyReused = Prefix + "idempotency-key-reused";

    /// <summary>The types of idempotency keys.</summary>
    public static readonly IReadOnlyList<string> OfKeys = [KeyInFlight, KeyReused];

    /// <summary>The types of a customer's state, which the library answers with.</summary>
    public static readonly IReadOnlyList<string> OfCustomers =
    [
        "urn:customer:other", "urn:customer:suspended", "urn:customer:archived", "urn:customer:upgrading",
        "urn:customer:failed", "urn:customer:provisioning", "urn:customer:unreachable", "urn:customer:over-limit",
    ];

    /// <summary>Gives a problem its type, where nothing but its status is known.</summary>
    public static void Complete(ProblemDetails problem)
    {
        // ASP.NET Core names the status' section of the RFC, which says nothing that the status doesn't.
        if ((problem.Type is null || problem.Type.StartsWith("https://tools.ietf.org/", StringComparison.Ordinal))
            && problem.Status is { } status)
        {
            problem.Type = ByStatus.GetValueOrDefault(status, Prefix + "other");
        }
    }
}
