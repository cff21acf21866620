using System.Globalization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Api.Contract;

/// <summary>
/// Versions of rows as RFC 9110's entity tags. Who changes something says which version he has seen, so that nobody
/// overwrites what he hasn't seen.
/// </summary>
internal static class ETags
{
    /// <summary>Says the version of what is answered.</summary>
    public static void Write(HttpResponse response, uint version) => response.GetTypedHeaders().ETag = Of(version);

    /// <summary>Whether the caller has this version already: then the answer is 304, without a body.</summary>
    public static bool IsKnown(HttpRequest request, uint version) =>
        request.GetTypedHeaders().IfNoneMatch.Any(tag =>
            tag.Equals(EntityTagHeaderValue.Any) || tag.Compare(Of(version), useStrongComparison: false));

    /// <summary>Whether the request may change this version.</summary>
    /// <returns>Null where it may; else 428 without <c>If-Match</c>, 412 with another version.</returns>
    public static ProblemHttpResult? Refuse(HttpRequest request, uint version)
    {
        if (request.Headers.IfMatch.Count == 0)
        {
            return TypedResults.Problem(
                "Say which version is to be changed: If-Match, with the ETag of what was read.",
                statusCode: StatusCodes.Status428PreconditionRequired, title: "Which version?");
        }

        return request.GetTypedHeaders().IfMatch.Any(tag =>
            tag.Equals(EntityTagHeaderValue.Any) || tag.Compare(Of(version), useStrongComparison: true))
                ? null
                : Changed();
    }

    /// <summary>Somebody changed it meanwhile.</summary>
    public static ProblemHttpResult Changed() => TypedResults.Problem(
        "Somebody changed it meanwhile: read it again.", statusCode: StatusCodes.Status412PreconditionFailed,
        title: "Changed meanwhile.");

    private static EntityTagHeaderValue Of(uint version) =>
        new($"\"{version.ToString(CultureInfo.InvariantCulture)}\"");
}
