using System.Globalization;
using Npgsql;

namespace Tenancy;

/// <summary>
/// The time limits of a run's connections. A server's or a role's own would end the run: a claim waits without a
/// statement while an index is built over another connection, and a migration may take longer than any request.
/// </summary>
public static class RunLimits
{
    /// <summary>The limits that the run sets, in milliseconds, 0 for none.</summary>
    /// <param name="postgres">The server's version.</param>
    /// <param name="lockTimeout">How long a statement waits for a lock.</param>
    /// <param name="statementTimeout">How long a statement may take; null for any time.</param>
    private static IEnumerable<(string Name, long Milliseconds)> Of(
        Version postgres, TimeSpan lockTimeout, TimeSpan? statementTimeout)
    {
        yield return ("lock_timeout", (long)lockTimeout.TotalMilliseconds);
        yield return ("statement_timeout", (long)(statementTimeout?.TotalMilliseconds ?? 0));
        yield return ("idle_in_transaction_session_timeout", 0);
        if (postgres.Major >= 17)
        {
            yield return ("transaction_timeout", 0);
        }
    }

    /// <summary>
    /// For a transaction: SET LOCAL ends with it, so nothing stays on the pooled connection. SET takes no parameters,
    /// hence the numbers.
    /// </summary>
    internal static void AddTo(
        NpgsqlBatch batch, Version postgres, TimeSpan lockTimeout, TimeSpan? statementTimeout)
    {
        // Citus tells its nodes of what follows, where the locks are. PostgreSQL alone takes no notice.
        batch.BatchCommands.Add(new("SET LOCAL citus.propagate_set_commands TO 'local'"));
        foreach (var (name, milliseconds) in Of(postgres, lockTimeout, statementTimeout))
        {
            batch.BatchCommands.Add(
                new(string.Create(CultureInfo.InvariantCulture, $"SET LOCAL {name} = {milliseconds}")));
        }
    }

    /// <summary>For the connection's transaction, at once: no limit but that for locks.</summary>
    /// <param name="connection">In a transaction.</param>
    /// <param name="lockTimeout">How long a statement waits for a lock; zero for any time.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task SetLocalAsync(NpgsqlConnection connection, TimeSpan lockTimeout, CancellationToken ct)
    {
        await using var batch = connection.CreateBatch();
        AddTo(batch, connection.PostgreSqlVersion, lockTimeout, statementTimeout: null);
        await batch.ExecuteNonQueryAsync(ct);
    }

    /// <summary>
    /// For what runs in no transaction: it stays in the session until the connection goes back to its pool, which
    /// resets it. No limit on locks: such a command waits for other transactions to end, and is made for it.
    /// </summary>
    /// <param name="connection">Of a data source that resets, open.</param>
    /// <param name="statementTimeout">How long a statement may take; null for any time.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task SetAsync(NpgsqlConnection connection, TimeSpan? statementTimeout, CancellationToken ct)
    {
        foreach (var (name, milliseconds) in Of(connection.PostgreSqlVersion, TimeSpan.Zero, statementTimeout))
        {
            await using var set = new NpgsqlCommand(
                string.Create(CultureInfo.InvariantCulture, $"SET {name} = {milliseconds}"), connection);
            await set.ExecuteNonQueryAsync(ct);
        }
    }
}
