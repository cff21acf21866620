using System.Net;
using Web.SignIn;

namespace Web.Operations;

/// <summary>
/// A browser has no key of the API. So it gets the file of an operation here, and the console passes on what the API
/// sends, byte by byte.
/// </summary>
internal static class OperationFiles
{
    public static void MapOperationFiles(this IEndpointRouteBuilder routes) =>
        // HEAD tells whether there is a file: a browser would save an error, too.
        routes.MapMethods("/operations/{id:guid}/file", [HttpMethods.Get, HttpMethods.Head], PassOnAsync);

    private static async Task PassOnAsync(Guid id, OperationsClient client, OperatorKey key, HttpContext http)
    {
        key.Use(http.User);
        using var answer = await OpenAsync(client, id, http.RequestAborted);
        if (!answer.IsSuccessStatusCode)
        {
            var problem = await Api.Problem.ReadAsync(answer, http.RequestAborted);
            http.Response.StatusCode = (int)answer.StatusCode;
            http.Response.ContentType = "text/plain; charset=utf-8";
            await http.Response.WriteAsync(
                $"{problem.Title} {problem.Detail}\nTrace {problem.Trace}\n", http.RequestAborted);
            return;
        }

        var (from, to) = (answer.Content.Headers, http.Response);
        to.ContentType = from.ContentType?.ToString() ?? "application/zip";
        to.ContentLength = from.ContentLength;
        to.Headers.ContentDisposition = from.ContentDisposition?.ToString() ?? $"attachment; filename={id}.zip";
        // Customers' rows stay in no cache on their way.
        to.Headers.CacheControl = "no-store";
        to.Headers.XContentTypeOptions = "nosniff";
        if (!HttpMethods.IsHead(http.Request.Method))
        {
            await answer.Content.CopyToAsync(to.Body, http.RequestAborted);
        }
    }

    private static async Task<HttpResponseMessage> OpenAsync(OperationsClient client, Guid id, CancellationToken ct)
    {
        try
        {
            return await client.OpenFileAsync(id, ct);
        }
        catch (Exception exception) when (
            !ct.IsCancellationRequested && Api.Problem.From(exception, writes: false) is not null)
        {
            // The words of Problem for it are those of an API that is away.
            return new(HttpStatusCode.BadGateway);
        }
    }
}
