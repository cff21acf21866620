using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Tenancy;

/// <summary>
/// What an error in a task's or an operation's work means. EF wraps the server's errors, so all of the chain is looked
/// at.
/// </summary>
internal static class WorkErrors
{
    /// <summary>
    /// Whether an error is this tenant's. What the server does to everybody is not, and neither is the run's own end.
    /// </summary>
    public static bool IsTheTenantsOwn(this Exception error, CancellationToken ct) =>
        Said(error) is { } said ? said.IsTheSchemasOwn()
        : Absence(error) is null && !(error is OperationCanceledException && ct.IsCancellationRequested);

    /// <summary>
    /// The error of a server that is gone or restarting; null for any other. EF wraps it. A command's own time limit
    /// looks like it, and isn't.
    /// </summary>
    public static NpgsqlException? Absence(this Exception error) =>
        Chain(error).OfType<NpgsqlException>().FirstOrDefault() is { InnerException: not TimeoutException } database
            && database.IsAbsence()
            ? database
            : null;

    /// <summary>Whether a command's own time limit ended it.</summary>
    public static bool IsTimeLimit(this Exception error) =>
        Chain(error).OfType<NpgsqlException>().FirstOrDefault() is { InnerException: TimeoutException };

    /// <summary>The error of a server that failed for everybody, however it was wrapped; null for any other.</summary>
    public static NpgsqlException? OfTheServer(this Exception error) => Chain(error).OfType<NpgsqlException>()
        .FirstOrDefault(one => (one as PostgresException)?.IsTheSchemasOwn() is not true);

    /// <summary>What the server said, however it was wrapped; null where it said nothing.</summary>
    public static PostgresException? Said(this Exception error) =>
        Chain(error).OfType<PostgresException>().FirstOrDefault();

    private static IEnumerable<Exception> Chain(Exception error)
    {
        for (var one = error; one is not null; one = one.InnerException)
        {
            yield return one;
        }
    }

    /// <summary>The error for people.</summary>
    public static string Words(this Exception error) => Said(error) is { } said
        ? $"{said.SqlState}: {said.MessageText}"
        : error is DbUpdateException { InnerException: { } cause } ? cause.Message : error.Message;
}
