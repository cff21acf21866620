using Npgsql;

namespace Tenancy;

/// <summary>Classifies PostgreSQL's errors.</summary>
public static class PostgresErrors
{
    // idle_in_transaction_session_timeout and transaction_timeout: the server has ended the session.
    private static readonly string[] SessionEnded = ["25P03", "25P04"];

    /// <summary>
    /// Not a server that shuts down (57P0x), is out of resources (53xxx) or fails inside (58xxx, XXxxx): that concerns
    /// everybody.
    /// </summary>
    internal static bool IsTheSchemasOwn(this PostgresException error) =>
        error.SqlState[..2] is not ("08" or "53" or "58" or "XX")
            && !error.SqlState.StartsWith("57P", StringComparison.Ordinal) && !SessionEnded.Contains(error.SqlState);

    /// <summary>
    /// A lock conflict (lock not available, deadlock, serialization): retry.
    /// </summary>
    internal static bool GivesWay(this PostgresException error) =>
        error.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected
            or PostgresErrorCodes.SerializationFailure;

    /// <summary>
    /// The server is gone, restarting, has no connection left or has ended the session: worth asking again in a moment.
    /// A wrong password or a full disk is not.
    /// </summary>
    public static bool IsAbsence(this NpgsqlException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error is PostgresException said
            ? said.SqlState.StartsWith("57P", StringComparison.Ordinal)
                || said.SqlState.StartsWith("08", StringComparison.Ordinal)
                || said.SqlState == PostgresErrorCodes.TooManyConnections || SessionEnded.Contains(said.SqlState)
            : error.IsTransient || error.InnerException is IOException or System.Net.Sockets.SocketException;
    }
}
