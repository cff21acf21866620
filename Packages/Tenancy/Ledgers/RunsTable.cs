using Npgsql;

namespace Tenancy.Ledgers;

/// <summary>Rows of <c>tenancy.runs</c>: what lets somebody outside watch a run and halt it.</summary>
internal static class RunsTable
{
    /// <summary>How often a run shows that it lives, and looks whether it shall halt.</summary>
    public static readonly TimeSpan Beat = TimeSpan.FromSeconds(2);

    /// <summary>SQL: a run that is alive.</summary>
    public const string Alive = "ended_at IS NULL AND heartbeat_at > clock_timestamp() - interval '15 seconds'";

    /// <summary>Begins a run; ends, as lost, those that nobody has heard of for a minute.</summary>
    /// <returns>The server's time, before which a failure belongs to an earlier run.</returns>
    public static async Task<DateTime> BeginAsync(
        NpgsqlDataSource database, Guid id, string kind, string target, string? askedBy, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var batch = connection.CreateBatch();
        batch.BatchCommands.Add(
            new("UPDATE tenancy.runs SET ended_at = heartbeat_at, outcome = 'lost' WHERE ended_at IS NULL AND " +
                "heartbeat_at < clock_timestamp() - interval '1 minute'"));
        batch.BatchCommands.Add(
            new("INSERT INTO tenancy.runs (id, kind, asked_by, target, total) VALUES ($1, $2, $3, $4, 0) " +
                "RETURNING started_at")
            {
                Parameters =
                {
                    new NpgsqlParameter<Guid> { TypedValue = id }, LedgerTable.Text(kind),
                    LedgerTable.Text(askedBy ?? $"{Environment.UserName}@{Environment.MachineName}"),
                    LedgerTable.Text(target),
                },
            });
        return (DateTime)(await batch.ExecuteScalarAsync(ct))!;
    }

    /// <summary>Says how far it is.</summary>
    /// <returns>Who halts it and why; null while nobody does.</returns>
    public static async Task<string?> BeatAsync(
        NpgsqlDataSource database, Guid id, FleetProgress progress, CancellationToken ct)
    {
        await using var beat = database.CreateCommand(
            "UPDATE tenancy.runs SET heartbeat_at = clock_timestamp(), ring = $2, total = $3, migrated = $4, failed " +
            "= $5 WHERE id = $1 RETURNING halt");
        Add(beat, id, progress);
        return await beat.ExecuteScalarAsync(ct) as string;
    }

    public static async Task EndAsync(
        NpgsqlDataSource database, Guid id, FleetProgress progress, string outcome, CancellationToken ct)
    {
        await using var end = database.CreateCommand(
            """
            UPDATE tenancy.runs SET heartbeat_at = clock_timestamp(), ended_at = clock_timestamp(), ring = $2, total = $3, migrated = $4, failed = $5, outcome = $6
            WHERE id = $1
            """);
        Add(end, id, progress);
        end.Parameters.Add(LedgerTable.Text(outcome));
        await end.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Whether another run than this one is alive.</summary>
    public static async Task<bool> OthersAsync(NpgsqlDataSource database, Guid id, CancellationToken ct)
    {
        await using var any = database.CreateCommand(
            $"SELECT EXISTS (SELECT FROM tenancy.runs WHERE {Alive} AND id <> $1)");
        any.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        return await any.ExecuteScalarAsync(ct) is true;
    }

    /// <summary>
    /// Whether a run is alive that goes the other way: each would find the other's results due, again and again.
    /// </summary>
    /// <param name="database">The owner's.</param>
    /// <param name="id">This run's, which has begun: of two that begin at once, at least one sees the other.</param>
    /// <param name="down">Whether this run takes back.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task<bool> IsOpposedAsync(
        NpgsqlDataSource database, Guid id, bool down, CancellationToken ct)
    {
        await using var any = database.CreateCommand(
            $"SELECT EXISTS (SELECT FROM tenancy.runs WHERE {Alive} AND id <> $1 AND kind <> 'task' AND " +
            "(kind = 'down') <> $2)");
        any.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        any.Parameters.Add(new NpgsqlParameter<bool> { TypedValue = down });
        return await any.ExecuteScalarAsync(ct) is true;
    }

    /// <summary>Whether a run that migrates has begun since then.</summary>
    public static async Task<bool> HasMigratedSinceAsync(
        NpgsqlDataSource database, DateTimeOffset since, CancellationToken ct)
    {
        await using var any = database.CreateCommand(
            "SELECT EXISTS (SELECT FROM tenancy.runs WHERE kind IN ('migrate', 'retry') AND started_at > $1)");
        any.Parameters.Add(new NpgsqlParameter<DateTime>
        {
            TypedValue = since.UtcDateTime, NpgsqlDbType = NpgsqlTypes.NpgsqlDbType.TimestampTz,
        });
        return await any.ExecuteScalarAsync(ct) is true;
    }

    /// <summary>Asks all runs that are alive to end after the groups in hand.</summary>
    /// <returns>How many there were.</returns>
    public static async Task<int> HaltAsync(NpgsqlDataSource database, string reason, CancellationToken ct)
    {
        await using var halt = database.CreateCommand($"UPDATE tenancy.runs SET halt = $1 WHERE {Alive}");
        halt.Parameters.Add(LedgerTable.Text(reason));
        return await halt.ExecuteNonQueryAsync(ct);
    }

    private static void Add(NpgsqlCommand command, Guid id, FleetProgress progress)
    {
        command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = id });
        foreach (var number in new[] { progress.Ring, progress.Total, progress.Migrated, progress.Failed })
        {
            command.Parameters.Add(new NpgsqlParameter<int> { TypedValue = number });
        }
    }
}
