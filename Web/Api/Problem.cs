using System.Diagnostics;
using System.Net;
using System.Text.Json;
using Polly.CircuitBreaker;
using Polly.RateLimiting;
using Polly.Timeout;

namespace Web.Api;

/// <summary>
/// Why the API didn't do what it was asked, in words for the person in front of the screen. The one place that finds
/// these words.
/// </summary>
/// <param name="Title">What happened, in a sentence.</param>
/// <param name="Detail">What it means or what to do, or null.</param>
public sealed record Problem(string Title, string? Detail = null)
{
    /// <summary>When to ask an API again that is away and didn't say.</summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(5);

    /// <summary>The response's status, or null when there was no response.</summary>
    public HttpStatusCode? Status { get; init; }

    /// <summary>
    /// What is wrong with which field, by the field's path in the request, for example <c>lines[0].quantity</c>.
    /// </summary>
    public IReadOnlyDictionary<string, string[]> Errors { get; init; } = new Dictionary<string, string[]>();

    /// <summary>The id of the trace, by which the logs are found; null where there is none.</summary>
    public string? Trace { get; init; }

    /// <summary>When to come back: as the API asks, soon where it is away; null where that wouldn't help.</summary>
    public TimeSpan? RetryAfter { get; init; }

    /// <summary>Reads RFC 9457 problem details, as far as there are any, and fills the gaps from the status.</summary>
    public static async Task<Problem> ReadAsync(HttpResponseMessage response, CancellationToken ct)
    {
        var wire = await ReadWireAsync(response, ct);
        var (title, detail) = Describe(response.StatusCode);
        // Of a credential that is no longer one, the API says what a program has to send.
        var told = response.StatusCode == HttpStatusCode.Unauthorized ? null : wire;
        return new Problem(
            IsStock(told?.Title) ? title : told!.Title!, told?.Detail ?? (IsStock(told?.Title) ? detail : null))
        {
            Status = response.StatusCode,
            Errors = wire?.Errors ?? new Dictionary<string, string[]>(),
            Trace = ActivityContext.TryParse(wire?.TraceId, null, out var trace)
                ? trace.TraceId.ToString()
                : wire?.TraceId ?? Activity.Current?.TraceId.ToString(),
            RetryAfter = response.Headers.RetryAfter is { } when
                ? when.Delta ?? when.Date - response.Headers.Date
                : response.StatusCode is HttpStatusCode.BadGateway or HttpStatusCode.ServiceUnavailable
                    or HttpStatusCode.GatewayTimeout ? Soon : null,
        };
    }

    /// <summary>
    /// The words for a call that got no usable answer, or null for an exception that is a defect of ours.
    /// </summary>
    /// <param name="exception">What the call threw.</param>
    /// <param name="writes">Whether the call would have changed something.</param>
    /// <param name="isRepeatable">Whether it can be sent again without a second effect.</param>
    public static Problem? From(Exception exception, bool writes, bool isRepeatable = false) => exception switch
    {
        HttpRequestException { HttpRequestError: HttpRequestError.ConnectionError
            or HttpRequestError.NameResolutionError } =>
            new("The API can't be reached.",
                (writes ? "Nothing was saved. " : "") + "It may be starting or stopped. Try again in a moment.")
            {
                RetryAfter = Soon,
            },
        BrokenCircuitException broken =>
            new("The API doesn't answer.",
                (writes ? "Nothing was saved. " : "") +
                    "It failed several times in a row and is left alone for some seconds.") { RetryAfter =
                        broken.RetryAfter ?? Soon },
        RateLimiterRejectedException =>
            new("Too much is going on at once.", (writes ? "Nothing was saved. " : "") + "Try again in a moment."),
        TimeoutRejectedException or OperationCanceledException =>
            new("The API took too long to answer.", Afterwards(writes, isRepeatable)) { RetryAfter = Soon },
        HttpRequestException =>
            new("The connection to the API broke.", Afterwards(writes, isRepeatable)) { RetryAfter = Soon },
        JsonException =>
            new("The API answered in a way this page doesn't understand.",
                "They may be of different versions. " +
                    (writes ? Afterwards(writes, isRepeatable) : "Tell whoever runs them.")),
        _ => null,
    };

    private static string Afterwards(bool writes, bool isRepeatable) => (writes, isRepeatable) switch
    {
        (true, true) => "It isn't known whether it was saved. Try again: nothing is saved twice.",
        (true, false) => "It isn't known whether it was saved: look at the list before you try again.",
        _ => "Try again in a moment.",
    };

    private static (string Title, string? Detail) Describe(HttpStatusCode status) => status switch
    {
        HttpStatusCode.BadRequest => ("The API didn't accept this.", "Check what you entered."),
        HttpStatusCode.Unauthorized =>
            ("You aren't signed in any more.", "The session has ended, or the key was revoked."),
        HttpStatusCode.Forbidden =>
            ("You aren't allowed to do this.", "Sign in with a key that may, or ask whoever runs this."),
        HttpStatusCode.NotFound => ("This doesn't exist.", "It may have been removed, or the address is wrong."),
        HttpStatusCode.Conflict => ("This clashes with what is there already.", "Look at it again, then decide."),
        HttpStatusCode.TooManyRequests => ("Too many requests.", "Try again in a moment."),
        HttpStatusCode.ServiceUnavailable => ("Not available at the moment.", "It is being upgraded or is paused."),
        >= HttpStatusCode.InternalServerError =>
            ("The API failed.", "This isn't your mistake. Try again; if it stays, tell whoever runs it."),
        _ => ($"The API refused this ({(int)status}).", "Tell whoever runs it, and name the trace."),
    };

    /// <summary>Titles that ASP.NET Core writes when nobody gave one: they name the status and say nothing.</summary>
    private static bool IsStock(string? title) =>
        title is null or "" or "Bad Request" or "Unauthorized" or "Forbidden" or "Not Found" or "Conflict"
            or "Too Many Requests" or "Internal Server Error" or "Bad Gateway" or "Service Unavailable"
            or "Gateway Timeout"
            or "One or more validation errors occurred." or "An error occurred while processing your request.";

    private static async Task<Wire?> ReadWireAsync(HttpResponseMessage response, CancellationToken ct)
    {
        if (response.Content.Headers.ContentType?.MediaType is not ("application/problem+json" or "application/json"))
        {
            return null;
        }

        try
        {
            return await response.Content.ReadFromJsonAsync<Wire>(ct);
        }
        catch (JsonException)
        {
            // Not problem details after all: the status must do.
            return null;
        }
    }

    private sealed record Wire(string? Title, string? Detail, Dictionary<string, string[]>? Errors, string? TraceId);
}
