using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Data.Invoicing;
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
    public static void Write(HttpResponse response, string version) => response.GetTypedHeaders().ETag = Of(version);

    /// <summary>The version of a row, by PostgreSQL's <c>xmin</c>.</summary>
    public static string Of(Invoice invoice) => invoice.Version.ToString(CultureInfo.InvariantCulture);

    /// <summary>The version of a row without one of its own: what it says.</summary>
    public static string Of(Contact contact) => Convert.ToHexStringLower(SHA256.HashData(
        Encoding.UTF8.GetBytes($"{contact.Name}\n{contact.Email}")).AsSpan(0, 12));

    /// <summary>Whether the caller has this version already: then the answer is 304, without a body.</summary>
    public static bool IsKnown(HttpRequest request, string version) =>
        request.GetTypedHeaders().IfNoneMatch.Any(tag =>
            tag.Equals(EntityTagHeaderValue.Any) || tag.Compare(Of(version), useStrongComparison: false));

    /// <summary>Whether the request may change this version.</summary>
    /// <returns>Null where it may; else 428 without <c>If-Match</c>, 412 with another version.</returns>
    public static ProblemHttpResult? Refuse(HttpRequest request, string version)
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

    private static EntityTagHeaderValue Of(string version) => new($"\"{version}\"");
}
