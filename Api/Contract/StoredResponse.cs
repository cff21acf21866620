using System.Text.Json;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.Net.Http.Headers;

namespace Api.Contract;

/// <summary>A response that is held back, and may be stored and sent again.</summary>
/// <param name="Status">Its status.</param>
/// <param name="Headers">A JSON object of the headers that a repetition gets, by name.</param>
/// <param name="Body">Its bytes.</param>
/// <param name="IsReplay">Whether it is an earlier request's.</param>
internal sealed record StoredResponse(int Status, string Headers, byte[] Body, bool IsReplay = false) : IResult
{
    /// <summary>Says that the response is an earlier request's.</summary>
    public const string ReplayedHeader = "Idempotent-Replayed";

    private static readonly string[] Stored = [HeaderNames.ContentType, HeaderNames.ETag, HeaderNames.Location];

    /// <summary>Lets the handler answer, and holds the body back. The status and the headers are set.</summary>
    public static async Task<StoredResponse> OfAsync(HttpContext http, RequestDelegate handler)
    {
        var sent = http.Features.GetRequiredFeature<IHttpResponseBodyFeature>();
        using var body = new MemoryStream();
        var held = new StreamResponseBodyFeature(body);
        http.Features.Set<IHttpResponseBodyFeature>(held);
        try
        {
            await handler(http);
            await held.CompleteAsync();
        }
        finally
        {
            http.Features.Set(sent);
        }

        var headers = Stored.Where(http.Response.Headers.ContainsKey)
            .ToDictionary(name => name, name => http.Response.Headers[name].ToString());
        return new(http.Response.StatusCode, JsonSerializer.Serialize(headers), body.ToArray());
    }

    public async Task ExecuteAsync(HttpContext httpContext)
    {
        var response = httpContext.Response;
        if (IsReplay)
        {
            response.StatusCode = Status;
            foreach (var (name, value) in JsonSerializer.Deserialize<Dictionary<string, string>>(Headers)!)
            {
                response.Headers[name] = value;
            }

            response.Headers[ReplayedHeader] = "true";
        }

        // Without a body nothing is begun: the page of the status comes behind.
        if (Body.Length > 0)
        {
            await response.Body.WriteAsync(Body, httpContext.RequestAborted);
        }
    }
}
