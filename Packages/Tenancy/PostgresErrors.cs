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
        error.IsLostNode() || (error.SqlState[..2] is not ("08" or "53" or "58" or "XX")
            && !error.SqlState.StartsWith("57P", StringComparison.Ordinal) && !SessionEnded.Contains(error.SqlState));

    /// <summary>
    /// The same where the engine is known. Citus refuses much of what a migration may ask for with the code of an
    /// internal error, e.g. a trigger: there it is the schema's own.
    /// </summary>
    internal static bool IsTheSchemasOwn(this PostgresException error, bool onCitus) =>
        error.IsTheSchemasOwn() || (onCitus && error.SqlState == PostgresErrorCodes.InternalError);

    /// <summary>
    /// A node of a Citus cluster can't be reached, or ends: the coordinator answers, so only the tenants on that node
    /// are concerned. After an error (ERROR) the session lives; a server that goes away itself says FATAL.
    /// </summary>
    public static bool IsLostNode(this PostgresException error)
    {
        ArgumentNullException.ThrowIfNull(error);
        return error.InvariantSeverity == "ERROR"
            && (error.SqlState is "08000" or "08001" or "08003" or "08006"
                || error.SqlState.StartsWith("57P", StringComparison.Ordinal)
                // Citus' own words, which have no code: a node went away in the midst of a change.
                || error.MessageText.StartsWith("failure on connection marked as essential", StringComparison.Ordinal));
    }

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
            ? !said.IsLostNode() && (said.SqlState.StartsWith("57P", StringComparison.Ordinal)
                || said.SqlState.StartsWith("08", StringComparison.Ordinal)
                || said.SqlState == PostgresErrorCodes.TooManyConnections || SessionEnded.Contains(said.SqlState))
            : error.IsTransient || error.InnerException is IOException or System.Net.Sockets.SocketException;
    }
}
