using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Mvc;

namespace Api.Contract;

/// <summary>
/// What is wrong with a request that can't be read, in the words of whoever sent it: the field, and nothing of C#.
/// </summary>
internal static partial class RequestErrors
{
    private const string Title = "The request can't be read.";

    public static ProblemDetails Of(BadHttpRequestException error)
    {
        if (error.StatusCode != StatusCodes.Status400BadRequest)
        {
            return new() { Status = error.StatusCode, Title = Title, Detail = Words(error.StatusCode) };
        }

        var (field, words) = Field(error);
        return new HttpValidationProblemDetails(new Dictionary<string, string[]> { [field] = [words] })
        {
            Status = error.StatusCode, Title = Title, Detail = field.Length == 0 ? words : $"{field}: {words}",
        };
    }

    private static (string Field, string Words) Field(BadHttpRequestException error)
    {
        if (error.InnerException is JsonException json)
        {
            var path = json.Path is { Length: > 2 } known ? known[2..] : "";
            return (path, json.Message.Contains("could not be mapped to any .NET member", StringComparison.Ordinal)
                ? "There is no member of that name."
                : json.Message.Contains("Duplicate property", StringComparison.Ordinal)
                    ? "This member is there twice."
                    : path.Length > 0 ? "This value has the wrong type or form." : "The body isn't valid JSON.");
        }

        if (Unbound().Match(error.Message) is { Success: true } bound)
        {
            return (JsonNamingPolicy.CamelCase.ConvertName(bound.Groups["name"].Value),
                "This value has the wrong type or form.");
        }

        if (Missing().Match(error.Message) is { Success: true } missing)
        {
            return missing.Groups["where"].Value.Contains("body", StringComparison.Ordinal)
                ? ("", "The request needs a body of JSON.")
                : (JsonNamingPolicy.CamelCase.ConvertName(missing.Groups["name"].Value), "This value is missing.");
        }

        return ("", "The request isn't valid.");
    }

    private static string Words(int status) => status switch
    {
        StatusCodes.Status413PayloadTooLarge => "The request's body is too large.",
        StatusCodes.Status415UnsupportedMediaType => "The body has to be JSON: Content-Type: application/json.",
        StatusCodes.Status408RequestTimeout => "The request's body came too slowly.",
        _ => "The request isn't valid.",
    };

    [GeneratedRegex("^Failed to bind parameter \".* (?<name>\\w+)\" from ")]
    private static partial Regex Unbound();

    [GeneratedRegex("^Required parameter \".* (?<name>\\w+)\" was not provided from (?<where>.*)\\.$")]
    private static partial Regex Missing();
}
