using System.Globalization;
using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;
using Tenancy.Ledgers;

namespace Tenancy.Operations;

/// <summary>Somebody else has the operation: this attempt was taken for dead.</summary>
internal sealed class OperationLostException() : Exception("Another process has begun the operation again.");

/// <summary>Attempts at operations: begun, alive, ended, given back.</summary>
/// <remarks>The number of attempts tells attempts apart: one that was taken for dead writes nothing any more.</remarks>
internal sealed partial class OperationsTable
{
    /// <summary>How often a running operation shows that it lives.</summary>
    public static readonly TimeSpan Beat = TimeSpan.FromSeconds(2);

    /// <summary>How often an operation is begun before it counts as failed.</summary>
    public const int MostAttempts = 3;

    private const string Dead = "state = 'running' AND heartbeat_at < clock_timestamp() - interval '15 seconds'";

    /// <summary>Begins the next: one that waits, or one whose process has died. The oldest first.</summary>
    /// <returns>Null where there is none.</returns>
    public async Task<(Operation Operation, JsonObject Arguments)?> ClaimAsync(CancellationToken ct)
    {
        await using var claim = database.CreateCommand(string.Create(CultureInfo.InvariantCulture,
            $"""
            UPDATE tenancy.operations SET state = 'running', attempts = attempts + 1,
                started_at = clock_timestamp(), heartbeat_at = clock_timestamp()
            WHERE id = (
                SELECT id FROM tenancy.operations
                WHERE ended_at IS NULL AND attempts < {MostAttempts} AND (state = 'queued' OR {Dead})
                ORDER BY id LIMIT 1 FOR UPDATE SKIP LOCKED)
            RETURNING {Columns}, arguments
            """));
        await using var rows = await claim.ExecuteReaderAsync(ct);
        return await rows.ReadAsync(ct)
            ? (Read(rows), JsonNode.Parse(rows.GetString(14))!.AsObject())
            : null;
    }

    /// <summary>Says how far an attempt is.</summary>
    /// <returns>Who cancels it; null while nobody does.</returns>
    /// <exception cref="OperationLostException">Another process has it.</exception>
    public async Task<string?> BeatAsync(OperationContext context, CancellationToken ct)
    {
        await using var beat = database.CreateCommand(
            "UPDATE tenancy.operations SET heartbeat_at = clock_timestamp(), done = $3, total = $4 " +
            "WHERE id = $1 AND attempts = $2 AND state = 'running' RETURNING coalesce(cancel, '')");
        AddAttempt(beat, context.Operation);
        AddProgress(beat, context);
        return await beat.ExecuteScalarAsync(ct) switch
        {
            null => throw new OperationLostException(),
            "" => null,
            var who => (string)who,
        };
    }

    /// <summary>Ends an attempt.</summary>
    /// <returns>False where another process has it: nothing was written.</returns>
    public async Task<bool> EndAsync(OperationContext context, OperationState state, JsonObject? result, string? error)
    {
        await using var end = database.CreateCommand(
            """
            UPDATE tenancy.operations SET state = $5, done = $3, total = $4, result = $6, error = $7,
                ended_at = clock_timestamp(), heartbeat_at = clock_timestamp()
            WHERE id = $1 AND attempts = $2 AND state = 'running'
            """);
        AddAttempt(end, context.Operation);
        AddProgress(end, context);
        end.Parameters.Add(LedgerTable.Text(state.ToString().ToLowerInvariant()));
        end.Parameters.Add(Json(result));
        end.Parameters.Add(OrNull(error));
        return await end.ExecuteNonQueryAsync(CancellationToken.None) == 1;
    }

    /// <summary>
    /// Gives an attempt back, for another process: this one ends, or has lost the database. One that somebody has
    /// cancelled ends.
    /// </summary>
    /// <param name="operation">As it was claimed.</param>
    /// <param name="counts">Whether it counts as an attempt.</param>
    public async Task ReturnAsync(Operation operation, bool counts)
    {
        await using var end = database.CreateCommand(
            """
            UPDATE tenancy.operations SET attempts = attempts - $3,
                state = CASE WHEN cancel IS NULL THEN 'queued' ELSE 'cancelled' END,
                ended_at = CASE WHEN cancel IS NOT NULL THEN clock_timestamp() END
            WHERE id = $1 AND attempts = $2 AND state = 'running'
            """);
        AddAttempt(end, operation);
        end.Parameters.Add(new NpgsqlParameter<int> { TypedValue = counts ? 0 : 1 });
        await end.ExecuteNonQueryAsync(CancellationToken.None);
    }

    /// <summary>Ends those whose processes died again and again.</summary>
    public async Task GiveUpAsync(CancellationToken ct)
    {
        await using var end = database.CreateCommand(string.Create(CultureInfo.InvariantCulture,
            $"""
            UPDATE tenancy.operations SET state = 'failed', ended_at = clock_timestamp(),
                error = 'It was begun ' || attempts || ' times, and each time its process ended.'
            WHERE ended_at IS NULL AND (state = 'queued' OR {Dead}) AND attempts >= {MostAttempts}
            """));
        await end.ExecuteNonQueryAsync(ct);
    }

    private static void AddAttempt(NpgsqlCommand command, Operation operation)
    {
        command.Parameters.Add(Id(operation.Id));
        command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = operation.Attempts });
    }

    private static void AddProgress(NpgsqlCommand command, OperationContext context)
    {
        command.Parameters.Add(new NpgsqlParameter<long> { TypedValue = context.Done });
        command.Parameters.Add(new NpgsqlParameter
        {
            Value = context.Total is { } total ? total : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Bigint,
        });
    }
}
