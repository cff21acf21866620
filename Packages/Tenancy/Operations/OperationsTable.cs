using System.Text.Json.Nodes;
using Npgsql;
using NpgsqlTypes;
using Tenancy.Ledgers;

namespace Tenancy.Operations;

/// <summary>Rows of <c>tenancy.operations</c> and <c>tenancy.operation_files</c>.</summary>
internal sealed partial class OperationsTable(NpgsqlDataSource database)
{
    private const string Columns =
        "id, kind, slug, asked_by, state, done, total, result, error, cancel, attempts, created_at, started_at, " +
        "ended_at";

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
            $"AND slug IS NULL AND arguments = $2 AND attempts < {MostAttempts} ORDER BY id LIMIT 1");
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
            // Rows of a megabyte take their time, and nobody waits for an answer.
            await using var expire = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
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
        row.GetGuid(0), row.GetString(1), row.TextOrNull(2), row.GetString(3),
        Enum.Parse<OperationState>(row.GetString(4), ignoreCase: true), row.GetInt64(5),
        row.IsDBNull(6) ? null : row.GetInt64(6),
        row.TextOrNull(7) is { } result ? JsonNode.Parse(result)!.AsObject() : null, row.TextOrNull(8),
        row.TextOrNull(9),
        row.GetInt32(10), row.GetFieldValue<DateTimeOffset>(11), row.TimeOrNull(12), row.TimeOrNull(13));

    private static NpgsqlParameter<Guid> Id(Guid id) => new() { TypedValue = id };

    private static NpgsqlParameter OrNull(string? text) =>
        new() { Value = (object?)text ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Text };

    private static NpgsqlParameter Json(JsonObject? json) =>
        new() { Value = (object?)json?.ToJsonString() ?? DBNull.Value, NpgsqlDbType = NpgsqlDbType.Jsonb };
}
