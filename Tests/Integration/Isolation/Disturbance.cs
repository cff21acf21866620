using System.Net.Sockets;
using Npgsql;
using Tests.Integration.Citus;

namespace Tests.Integration.Isolation;

/// <summary>What a request's failure was.</summary>
internal static class Disturbance
{
    /// <summary>Its name, or null when it is none that these tests provoke.</summary>
    public static string? Of(Exception problem) => Chain(problem).Select(Name).FirstOrDefault(name => name is not null);

    /// <summary>
    /// Whether the server itself refused or ended the statement, so that nothing of it is kept. A lost connection or a
    /// token that was cancelled says nothing. On Citus, nor does the server's word that it cancelled: the node may have
    /// committed before (docs/citus.md).
    /// </summary>
    public static bool IsRefusal(Exception problem) =>
        Chain(problem).OfType<PostgresException>().Any(error => Name(error) is not "broken"
            && (Name(error) is not "cancelled" || !CitusCluster.IsConfigured));

    private static string? Name(Exception problem) => problem switch
    {
        PostgresException { SqlState: PostgresErrorCodes.QueryCanceled } => "cancelled",
        PostgresException { SqlState: PostgresErrorCodes.AdminShutdown } => "broken",
        // The pooler's words for a server connection that went away.
        PostgresException { SqlState: "08P01" or PostgresErrorCodes.ConnectionFailure } => "broken",
        PostgresException { SqlState: PostgresErrorCodes.UniqueViolation or PostgresErrorCodes.CheckViolation } =>
            "refused",
        OperationCanceledException => "cancelled",
        IOException or SocketException => "broken",
        _ => null,
    };

    private static IEnumerable<Exception> Chain(Exception? problem)
    {
        for (; problem is not null; problem = problem.InnerException)
        {
            yield return problem;
        }
    }
}
