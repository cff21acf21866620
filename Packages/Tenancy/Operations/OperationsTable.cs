using System.Globalization;
using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;
using Tenancy.Ledgers;

namespace Tenancy.Operations;

/// <summary>Somebody else has the operation: this attempt was taken for dead.</summary>
internal sealed class OperationLostException() : Exception("Another process has begun the operation again.");

/// <summary>Rows of <c>tenancy.operations</c> and <c>tenancy.operation_files</c>.</summary>
/// <remarks>The number of attempts tells attempts apart: one that was taken for dead writes nothing any more.</remarks>
internal sealed class OperationsTable(NpgsqlDataSource database)
{
    /// <summary>How often a running operation shows that it lives.</summary>
    public static readonly TimeSpan Beat = TimeSpan.FromSeconds(2);

    /// <summary>How often an operation is begun before it counts as failed.</summary>
    public const int MostAttempts = 3;

    private const string Columns =
        "id, kind, slug, asked_by, state, done, total, result, error, cancel, attempts, created_at, started_at, " +
        "ended_at";

    private const string Dead = "state = 'running' AND heartbeat_at < clock_timestamp() - interval '15 seconds'";

    /// <summary>Adds one, with its file, in one transaction.</summary>
    public async Task<Operation> AddAsync(
        string kind, string? slug, string askedBy, JsonObject arguments, Stream? file, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        Operation added;
        await using (var add = new NpgsqlCommand(
            $"INSERT INTO tenancy.operations (id, kind, slug, asked_by, arguments) VALUES ($1, $2, $3, $4, $5) " +
            $"RETURNING {Columns}", connection, transaction))
        {
            add.Parameters.Add(Id(Guid.CreateVersion7()));
            add.Parameters.Add(LedgerTable.Text(kind));
            add.Parameters.Add(OrNull(slug));
            add.Parameters.Add(LedgerTable.Text(askedBy));
            add.Parameters.Add(Json(arguments));
            added = (await ReadAsync(add, ct))[0];
        }

        var (part, length) = (new byte[FileWriter.Part], 0);
        for (var at = 0; file is not null && (length = await file.ReadAtLeastAsync(part, part.Length, false, ct)) > 0;
            at++)
        {
            await using var write = new NpgsqlCommand(
                "INSERT INTO tenancy.operation_files (operation, part, bytes) VALUES ($1, $2, $3)", connection,
                transaction);
            write.Parameters.Add(Id(added.Id));
            write.Parameters.Add(new NpgsqlParameter<int> { TypedValue = at });
            write.Parameters.Add(new NpgsqlParameter { Value = part.AsMemory(0, length).ToArray() });
            await write.ExecuteNonQueryAsync(ct);
        }

        await transaction.CommitAsync(ct);
        return added;
    }

    /// <summary>One that waits, of that kind and for no single tenant; null where there is none.</summary>
    public async Task<Operation?> FindQueuedAsync(string kind, JsonObject arguments, CancellationToken ct)
    {
        await using var find = database.CreateCommand(
            $"SELECT {Columns} FROM tenancy.operations WHERE ended_at IS NULL AND state = 'queued' AND kind = $1 " +
            "AND slug IS NULL AND arguments = $2 ORDER BY id LIMIT 1");
        find.Parameters.Add(LedgerTable.Text(kind));
        find.Parameters.Add(Json(arguments));
        return (await ReadAsync(find, ct)).SingleOrDefault();
    }

    public async Task<Operation?> FindAsync(Guid id, CancellationToken ct)
    {
        await using var find = database.CreateCommand($"SELECT {Columns} FROM tenancy.operations WHERE id = $1");
        find.Parameters.Add(Id(id));
        return (await ReadAsync(find, ct)).SingleOrDefault();
    }

    public async Task<IReadOnlyList<Operation>> ListAsync(OperationQuery query, CancellationToken ct)
    {
        await using var list = database.CreateCommand(
            $"""
            SELECT {Columns} FROM tenancy.operations
            WHERE ($1::text IS NULL OR slug = $1) AND ($2::text IS NULL OR kind = $2)
                AND ($3::text IS NULL OR state = $3) AND ($4::uuid IS NULL OR id < $4)
            ORDER BY id DESC LIMIT $5
            """);
        list.Parameters.Add(OrNull(query.Slug));
        list.Parameters.Add(OrNull(query.Kind));
        list.Parameters.Add(OrNull(query.State?.ToString().ToLowerInvariant()));
        list.Parameters.Add(new NpgsqlParameter
        {
            Value = query.Before is { } before ? before : DBNull.Value, NpgsqlDbType = NpgsqlDbType.Uuid,
        });
        list.Parameters.Add(new NpgsqlParameter<int> { TypedValue = query.Limit });
        return await ReadAsync(list, ct);
    }

    /// <summary>Ends one that waits; asks the process that runs it otherwise.</summary>
    /// <returns>False where it has ended, or there is none.</returns>
    public async Task<bool> CancelAsync(Guid id, string who, CancellationToken ct)
    {
        await using var cancel = database.CreateCommand(
            """
            UPDATE tenancy.operations SET cancel = coalesce(cancel, $2),
                state = CASE WHEN state = 'queued' THEN 'cancelled' ELSE state END,
                ended_at = CASE WHEN state = 'queued' THEN clock_timestamp() END
            WHERE id = $1 AND ended_at IS NULL
            """);
        cancel.Parameters.Add(Id(id));
        cancel.Parameters.Add(LedgerTable.Text(who));
        return await cancel.ExecuteNonQueryAsync(ct) == 1;
    }

    /// <summary>Begins the next: one that waits, or one whose process has died. The oldest first.</summary>
    /// <returns>Null where there is none.</returns>
    public async Task<(Operation Operation, JsonObject Arguments)?> ClaimAsync(CancellationToken ct)
    {
        await using var claim = database.CreateCommand(string.Create(CultureInfo.InvariantCulture,
            $"""
            UPDATE tenancy.operations SET state = 'running', attempts = attempts + 1,
                started_at = clock_timestamp(), heartbeat_at = clock_timestamp()
            WHERE id = (SELECT id FROM tenancy.operations WHERE ended_at IS NULL AND attempts < {MostAttempts} AND (state = 'queued' OR {Dead})
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

    /// <summary>Ends an attempt; writes nothing where another process has it.</summary>
    public async Task EndAsync(OperationContext context, OperationState state, JsonObject? result, string? error)
    {
        await using var end = database.CreateCommand(
            """
            UPDATE tenancy.operations SET state = $5, done = $3, total = $4, result = coalesce($6, result), error = $7,
                ended_at = clock_timestamp(), heartbeat_at = clock_timestamp()
            WHERE id = $1 AND attempts = $2 AND state = 'running'
            """);
        AddAttempt(end, context.Operation);
        AddProgress(end, context);
        end.Parameters.Add(LedgerTable.Text(state.ToString().ToLowerInvariant()));
        end.Parameters.Add(Json(result));
        end.Parameters.Add(OrNull(error));
        await end.ExecuteNonQueryAsync(CancellationToken.None);
    }

    /// <summary>Gives an attempt back, for another process: this one ends, or has lost the database.</summary>
    /// <param name="operation">As it was claimed.</param>
    /// <param name="counts">Whether it counts as an attempt.</param>
    public async Task ReturnAsync(Operation operation, bool counts)
    {
        await using var end = database.CreateCommand(
            "UPDATE tenancy.operations SET state = 'queued', attempts = attempts - $3 " +
            "WHERE id = $1 AND attempts = $2 AND state = 'running'");
        AddAttempt(end, operation);
        end.Parameters.Add(new NpgsqlParameter<int> { TypedValue = counts ? 0 : 1 });
        await end.ExecuteNonQueryAsync(CancellationToken.None);
    }

    /// <exception cref="OperationLostException">Another process has it.</exception>
    public static async Task KeepAsync(
        NpgsqlTransaction transaction, Operation operation, JsonObject result, CancellationToken ct)
    {
        await using var keep = new NpgsqlCommand(
            "UPDATE tenancy.operations SET result = $3 WHERE id = $1 AND attempts = $2 AND state = 'running'",
            transaction.Connection, transaction);
        AddAttempt(keep, operation);
        keep.Parameters.Add(Json(result));
        if (await keep.ExecuteNonQueryAsync(ct) == 0)
        {
            throw new OperationLostException();
        }
    }

    public async Task DeleteFileAsync(Operation operation, CancellationToken ct)
    {
        await using var delete = database.CreateCommand("DELETE FROM tenancy.operation_files WHERE operation = $1");
        delete.Parameters.Add(Id(operation.Id));
        await delete.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Deletes the file of an operation that has ended.</summary>
    public async Task DeleteReadFileAsync(Operation operation, CancellationToken ct)
    {
        await using var delete = database.CreateCommand(
            "DELETE FROM tenancy.operation_files AS f USING tenancy.operations AS o " +
            "WHERE f.operation = $1 AND o.id = $1 AND o.ended_at IS NOT NULL");
        delete.Parameters.Add(Id(operation.Id));
        await delete.ExecuteNonQueryAsync(ct);
    }

    /// <summary>Writes a part of an attempt's file. The row's lock keeps another process from beginning it meanwhile.
    /// </summary>
    /// <exception cref="OperationLostException">Another process has it.</exception>
    public async Task WritePartAsync(Operation operation, int part, ReadOnlyMemory<byte> bytes, CancellationToken ct)
    {
        await using var write = database.CreateCommand(
            "INSERT INTO tenancy.operation_files (operation, part, bytes) SELECT id, $3, $4 FROM tenancy.operations " +
            "WHERE id = $1 AND attempts = $2 AND state = 'running' FOR SHARE");
        AddAttempt(write, operation);
        write.Parameters.Add(new NpgsqlParameter<int> { TypedValue = part });
        write.Parameters.Add(new NpgsqlParameter { Value = bytes.ToArray() });
        if (await write.ExecuteNonQueryAsync(ct) == 0)
        {
            throw new OperationLostException();
        }
    }

    /// <returns>Null behind the last part.</returns>
    public async Task<byte[]?> ReadPartAsync(Guid id, int part, CancellationToken ct)
    {
        await using var read = database.CreateCommand(
            "SELECT bytes FROM tenancy.operation_files WHERE operation = $1 AND part = $2");
        read.Parameters.Add(Id(id));
        read.Parameters.Add(new NpgsqlParameter<int> { TypedValue = part });
        return await read.ExecuteScalarAsync(ct) as byte[];
    }

    public async Task<long> FileLengthAsync(Guid id, CancellationToken ct)
    {
        await using var ask = database.CreateCommand(
            "SELECT coalesce(sum(octet_length(bytes)), 0)::bigint FROM tenancy.operation_files WHERE operation = $1");
        ask.Parameters.Add(Id(id));
        return (long)(await ask.ExecuteScalarAsync(ct))!;
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

    /// <summary>Deletes what is kept no longer: files, and the operations themselves.</summary>
    public async Task ExpireAsync(TimeSpan files, TimeSpan operations, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        foreach (var (sql, age) in new[]
        {
            ("DELETE FROM tenancy.operation_files AS f USING tenancy.operations AS o WHERE o.id = f.operation AND " +
                "(o.ended_at < clock_timestamp() - $1 OR o.kind = 'import' AND o.ended_at IS NOT NULL)", files),
            ("DELETE FROM tenancy.operations WHERE ended_at < clock_timestamp() - $1", operations),
        })
        {
            await using var expire = new NpgsqlCommand(sql, connection);
            expire.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = age });
            await expire.ExecuteNonQueryAsync(ct);
        }
    }

    private static async Task<List<Operation>> ReadAsync(NpgsqlCommand command, CancellationToken ct)
    {
        var found = new List<Operation>();
        await using var rows = await command.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            found.Add(Read(rows));
        }

        return found;
    }

    private static Operation Read(NpgsqlDataReader row) => new(
        row.GetGuid(0), row.GetString(1), Text(row, 2), row.GetString(3),
        Enum.Parse<OperationState>(row.GetString(4), ignoreCase: true), row.GetInt64(5),
        row.IsDBNull(6) ? null : row.GetInt64(6),
        Text(row, 7) is { } result ? JsonNode.Parse(result)!.AsObject() : null, Text(row, 8), Text(row, 9),
        row.GetInt32(10), row.GetFieldValue<DateTimeOffset>(11), Time(row, 12), Time(row, 13));

    private static string? Text(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetString(column);

    private static DateTimeOffset? Time(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) ? null : row.GetFieldValue<DateTimeOffset>(column);

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

    private static NpgsqlParameter<Guid> Id(Guid id) => new() { TypedValue = id };

    private static NpgsqlParameter OrNull(string? text) =>
        new() { Value = (object?)text ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    private static NpgsqlParameter Json(JsonObject? json) =>
        new() { Value = (object?)json?.ToJsonString() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb };
}
