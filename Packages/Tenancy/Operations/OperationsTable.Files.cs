using Npgsql;

namespace Tenancy.Operations;

/// <summary>Operations' files, in parts.</summary>
internal sealed partial class OperationsTable
{
    /// <summary>Deletes what an earlier attempt wrote. The row's lock keeps another process from beginning it
    /// meanwhile.</summary>
    /// <exception cref="OperationLostException">Another process has it.</exception>
    public async Task DeleteFileAsync(Operation operation, CancellationToken ct)
    {
        await using var delete = database.CreateCommand(
            """
            WITH mine AS (
                SELECT id FROM tenancy.operations WHERE id = $1 AND attempts = $2 AND state = 'running' FOR SHARE),
            gone AS (DELETE FROM tenancy.operation_files USING mine WHERE operation = mine.id)
            SELECT EXISTS (SELECT FROM mine)
            """);
        // Rows of a megabyte take their time, and nobody waits for an answer.
        delete.CommandTimeout = 0;
        AddAttempt(delete, operation);
        if (await delete.ExecuteScalarAsync(ct) is not true)
        {
            throw new OperationLostException();
        }
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
}
