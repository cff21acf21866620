using System.Data.Common;
using System.Diagnostics.CodeAnalysis;
using System.Security.Cryptography;
using Data.Invoicing;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Primitives;

namespace Api.Contract;

/// <summary>
/// Requests that can be sent again without a second effect: the caller gives them a key. The response is stored in the
/// transaction of the write, so there is never one without the other. docs/idempotency.md is for callers.
/// </summary>
internal static class Idempotency
{
    public const string Header = "Idempotency-Key";

    /// <summary>Takes the header. Without it, nothing is different.</summary>
    public static RouteHandlerBuilder Idempotent(this RouteHandlerBuilder operation)
    {
        operation.Add(endpoint =>
        {
            // Not a filter: filters run when the body has been read, and the key is for its bytes.
            var handler = endpoint.RequestDelegate!;
            endpoint.RequestDelegate = http => http.Request.Headers.TryGetValue(Header, out var keys)
                ? AnswerAsync(http, keys, handler)
                : handler(http);
        });
        return operation.DescribeIdempotency();
    }

    /// <summary>Whether the header has one key as it has to be.</summary>
    public static bool IsKey(StringValues keys, [NotNullWhen(true)] out string? key)
    {
        key = keys is [{ Length: > 0 and <= IdempotencyKey.LongestKey } one] && one.All(c => c is > ' ' and <= '~')
            ? one
            : null;
        return key is not null;
    }

    public static ValidationProblem NoKey() => TypedResults.ValidationProblem(new Dictionary<string, string[]>
    {
        [Header] = [$"Send one key of 1 to {IdempotencyKey.LongestKey} visible ASCII characters, e.g. a UUID."],
    });

    public static ProblemHttpResult OtherRequest() => TypedResults.Problem(
        "This key was sent with another request: use a new key for each one.", statusCode: 422,
        title: "The key is another request's.", type: ProblemTypes.KeyReused);

    private static async Task AnswerAsync(HttpContext http, StringValues keys, RequestDelegate handler)
    {
        if (!IsKey(keys, out var key))
        {
            await NoKey().ExecuteAsync(http);
            return;
        }

        var db = http.RequestServices.GetRequiredService<InvoicingContext>();
        var (operation, hash) = (OperationOf(http), await HashAsync(http.Request));
        await db.NoteKeyAsync(key, operation, hash, http.RequestAborted);
        var isKept = false;
        IResult answer;
        try
        {
            (isKept, answer) = await RunAsync(http, db, key, operation, hash, handler);
        }
        finally
        {
            if (!isKept)
            {
                await ForgetAsync(db, key);
            }
        }

        // The transaction has ended: a slow reader holds no lock.
        await answer.ExecuteAsync(http);
    }

    /// <summary>Runs the handler in the transaction that has locked the key, or finds why it can't run.</summary>
    /// <returns>Whether the key's row stays, and what is to be sent.</returns>
    private static async Task<(bool IsKept, IResult Answer)> RunAsync(HttpContext http, InvoicingContext db,
        string key, string operation, byte[] hash, RequestDelegate handler)
    {
        await using var transaction = await db.Database.BeginTransactionAsync(http.RequestAborted);
        var known = await db.LockKeyAsync(key, http.RequestAborted);
        if (known is null)
        {
            http.Response.Headers.RetryAfter = "1";
            return (true, TypedResults.Problem(
                "A request with this key is being answered: send it again in a second.", statusCode: 409,
                title: "The request is being answered.", type: ProblemTypes.KeyInFlight));
        }

        if (known.Operation != operation || !known.BodyHash.AsSpan().SequenceEqual(hash))
        {
            return (true, OtherRequest());
        }

        if (known.Status is { } status)
        {
            return (true, new StoredResponse(status, known.Headers!, known.Body!, IsReplay: true));
        }

        var written = await StoredResponse.OfAsync(http, handler);
        if (written.Status is < 200 or > 299)
        {
            return (false, written);
        }

        await db.AnswerKeyAsync(key, written.Status, written.Headers, written.Body, http.RequestAborted);
        await transaction.CommitAsync(http.RequestAborted);
        return (true, written);
    }

    /// <summary>
    /// Gives the key up, also when the request was cancelled. If that fails, the row stays without a response: then the
    /// same request can be sent again, and another one can't until the key is old.
    /// </summary>
    private static async Task ForgetAsync(InvoicingContext db, string key)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(5));
        try
        {
            await db.ForgetKeyAsync(key, limit.Token);
        }
        catch (Exception e) when (e is DbException or OperationCanceledException)
        {
        }
    }

    private static string OperationOf(HttpContext http) => string.Join(' ',
        http.Request.RouteValues.OrderBy(value => value.Key, StringComparer.Ordinal)
            .Select(value => $"{value.Key}={value.Value}")
            .Prepend($"{http.Request.Method} {((RouteEndpoint)http.GetEndpoint()!).RoutePattern.RawText}"));

    private static async Task<byte[]> HashAsync(HttpRequest request)
    {
        request.EnableBuffering();
        var hash = await SHA256.HashDataAsync(request.Body, request.HttpContext.RequestAborted);
        request.Body.Position = 0;
        return hash;
    }
}
