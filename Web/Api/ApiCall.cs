namespace Web.Api;

/// <summary>
/// One call of the API. It ends in a value or a problem; only its caller's cancellation and defects of ours are thrown.
/// </summary>
internal static class ApiCall
{
    /// <param name="http">The client.</param>
    /// <param name="visit">The page that asks, whose visitor's credential goes along; null where there is none.</param>
    /// <param name="what">What is asked for, for telemetry.</param>
    /// <param name="request">The request, which this disposes of.</param>
    /// <param name="ct">Gives up waiting.</param>
    public static async Task<Result<T>> SendAsync<T>(this HttpClient http, Visit? visit, string what,
        HttpRequestMessage request, CancellationToken ct) where T : class
    {
        var writes = request.Method != HttpMethod.Get;
        var isRepeatable = request.Headers.Contains(WriteKey.Header);
        using var span = visit?.Begin(what, writes);
        try
        {
            if (visit is not null && await visit.CredentialAsync() is { } credential)
            {
                request.Headers.Authorization = new("Bearer", credential);
            }

            using (request)
            using (var response = await http.SendAsync(request, ct))
            {
                if (!response.IsSuccessStatusCode)
                {
                    return await Problem.ReadAsync(response, ct);
                }

                if (Done.Value is T done)
                {
                    return done;
                }

                return await response.Content.ReadFromJsonAsync<T>(ct) is { } value
                    ? value.Seen(response.Headers.ETag)
                    : new Problem("The API answered with nothing.", "It and this page may be of different versions.")
                    {
                        Trace = span?.TraceId.ToString(),
                    };
            }
        }
        catch (Exception exception) when (!ct.IsCancellationRequested &&
            Problem.From(exception, writes, isRepeatable) is { } problem)
        {
            return problem with { Trace = span?.TraceId.ToString() };
        }
    }
}
