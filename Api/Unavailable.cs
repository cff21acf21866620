using Npgsql;
using Tenancy;

namespace Api;

/// <summary>
/// An answer of 503 because of the database: why, what it means for the request, and when to ask again.
/// </summary>
/// <param name="Reason">For the metric.</param>
/// <param name="Title">What is wrong.</param>
/// <param name="Detail">What it means for this request.</param>
/// <param name="RetryAfter">When to ask again.</param>
/// <param name="Cause">A sentence with Npgsql's words, for the log.</param>
internal sealed record Unavailable(
    Unavailability Reason, string Title, string Detail, TimeSpan RetryAfter, string Cause)
{
    /// <returns>Null where the database isn't to blame.</returns>
    public static Unavailable? Because(Exception exception, HttpRequest request)
    {
        // EF wraps what Npgsql throws, with a text of its own.
        if (Find(exception) is not { } error)
        {
            return null;
        }

        if (error is PostgresException said && said.IsLostNode())
        {
            return LostNode(said, request);
        }

        if (!error.IsAbsence())
        {
            return null;
        }

        var busy = IsBusy(error);
        var wait = TimeSpan.FromSeconds(busy ? 1 : 5);
        var again = $"Try again in {(busy ? "a second" : $"{wait.TotalSeconds} seconds")}.";
        return new(
            busy ? Unavailability.Busy : Unavailability.Database,
            busy ? "Too much is going on at once." : "The database can't be reached.",
            IsRead(request) ? again
                : NeverConnected(error) ? $"Nothing was saved. {again}"
                : "It isn't known whether it was saved: look before you try again.",
            wait, $"PostgreSQL can't be reached: {error.Message.TrimEnd('.')}.");
    }

    /// <summary>
    /// One node of a Citus cluster is gone: its customers wait, the others are served. Nobody knows whether it has
    /// committed what it was sent.
    /// </summary>
    private static Unavailable LostNode(PostgresException error, HttpRequest request)
    {
        var wait = TimeSpan.FromSeconds(5);
        var again = $"Try again in {wait.TotalSeconds} seconds.";
        return new(Unavailability.Node, "The customer's database node can't be reached.",
            IsRead(request) ? again : "It isn't known whether it was saved: look before you try again.",
            wait, $"A node of the Citus cluster can't be reached: {error.MessageText.TrimEnd('.')}.");
    }

    /// <summary>The pool or the server has no connection left: the server itself is well.</summary>
    public static bool IsBusy(NpgsqlException error) =>
        error is PostgresException { SqlState: PostgresErrorCodes.TooManyConnections }
            || error.Message.Contains("pool has been exhausted", StringComparison.Ordinal);

    public static NpgsqlException? Find(Exception? exception) =>
        exception as NpgsqlException ?? (exception is null ? null : Find(exception.InnerException));

    private static bool IsRead(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) || HttpMethods.IsHead(request.Method);

    /// <summary>
    /// No handler opens a connection after it has committed something, so a request that got none has saved nothing.
    /// </summary>
    private static bool NeverConnected(NpgsqlException error) => IsBusy(error)
        || error is PostgresException { SqlState: PostgresErrorCodes.CannotConnectNow }
        // Npgsql's own words; of a statement that takes too long it says "Exception while reading from stream".
        || error.Message.StartsWith("Failed to connect", StringComparison.Ordinal)
        || error.Message == "The operation has timed out";
}
