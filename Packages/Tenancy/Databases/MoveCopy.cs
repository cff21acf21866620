using System.Data;
using System.Globalization;
using Npgsql;
using Tenancy.Adoption;
using Tenancy.Ledgers;
using Tenancy.Transfer;

namespace Tenancy.Databases;

/// <summary>A tenant in its new place, not served yet.</summary>
/// <param name="Tenant">With its new schema and database.</param>
/// <param name="Migrations">Its version's.</param>
/// <param name="Rows">How many, by table.</param>
internal sealed record MovedCopy(
    Tenant Tenant, IReadOnlySet<string> Migrations, IReadOnlyDictionary<string, long> Rows);

/// <summary>Copies a tenant that is moved, through a temporary file, and compares the copy with the rows.</summary>
internal sealed class MoveCopy(
    NpgsqlDataSource from, SourceTenants sources, NpgsqlDataSource to, TenantLandings landings,
    CompiledMigrations migrations, TimeProvider time)
{
    /// <summary>A tenant of the application's own: no limit protects anybody.</summary>
    private static readonly TenantImportLimits NoLimits = new()
    {
        FileBytes = long.MaxValue, Bytes = long.MaxValue, Rows = long.MaxValue, Expansion = int.MaxValue,
    };

    /// <summary>
    /// Makes the copy, in one transaction, in the state <c>moving</c>. As long as it takes, nobody ends the move.
    /// </summary>
    /// <param name="entry">The tenant, whose old schema has its other name.</param>
    /// <param name="ct">Ends it; nothing of the copy stays.</param>
    /// <exception cref="TenantTransferException">The copy isn't what was copied, or can't be made.</exception>
    public async Task<MovedCopy> RunAsync(TenantEntry entry, CancellationToken ct)
    {
        await using var source = await SourceTenants.RetryAsync(() => OpenAsync(entry, ct));
        await using var file = SpooledFile.New();
        await ExportFile.WriteAsync(source, migrations.HistoryTable, file, time.GetUtcNow(), ct);
        file.Position = 0;
        await using var import = await ImportFile.OpenAsync(file, NoLimits, ct);
        await using var connection = await to.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var landing = await landings.OpenForAsync(transaction, entry.Tenant, source.Migrations, ct);
        var rows = await import.WriteAsync(landing, ct);
        await landing.CloseAsync(ct);
        foreach (var table in landing.Tables)
        {
            await CompareAsync(source, landing, table, ct);
        }

        await MarkAsync(source, entry.Tenant.Schema, landing, ct);
        await transaction.CommitAsync(ct);
        // The row is let go with a whole minute to turn the registry.
        await using var last = new NpgsqlCommand(
            "UPDATE tenancy.schemas SET drop_after = clock_timestamp() + " +
            $"{MovingSchemas.Interrupted} WHERE schema = $1", source.Connection, source.Transaction)
        {
            Parameters = { LedgerTable.Text(entry.Tenant.Schema.Value) },
        };
        await last.ExecuteNonQueryAsync(ct);
        await source.Transaction.CommitAsync(ct);
        return new(landing.Tenant, source.Migrations, rows);
    }

    /// <summary>One snapshot, and the row against whoever would end the move.</summary>
    private async Task<SourceTenant> OpenAsync(TenantEntry entry, CancellationToken ct)
    {
        var fenced = entry with
        {
            Tenant = entry.Tenant with { Schema = MovingSchemas.Fence(entry.Tenant.Schema) },
        };
        var connection = await from.OpenConnectionAsync(ct);
        try
        {
            var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
            await using (var hold = new NpgsqlCommand(
                "SELECT state FROM tenancy.schemas WHERE schema = $1 FOR UPDATE NOWAIT", connection, transaction))
            {
                hold.Parameters.Add(LedgerTable.Text(entry.Tenant.Schema.Value));
                if (await hold.ExecuteScalarAsync(ct) is not "moving")
                {
                    throw Ended(entry.Tenant);
                }
            }

            var ids = await sources.HistoryAsync(connection, fenced.Tenant.Schema, ct);
            return new(fenced, connection, transaction, ids);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            await connection.DisposeAsync();
            throw new TenantInUseException($"Another command moves '{entry.Tenant.Slug}': wait for its end.", e);
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>Somebody else has ended the move, as an interrupted one.</summary>
    public static TenantInUseException Ended(Tenant tenant) => new(
        $"The move of '{tenant.Slug}' was ended by another command. The tenant is where it was: move it again.");

    /// <summary>The sum doesn't depend on the rows' order, and each column of each row is in it.</summary>
    private static async Task CompareAsync(
        SourceTenant source, Landing landing, SchemaTable table, CancellationToken ct)
    {
        var columns = string.Join(", ", table.Columns.Select(Quoted.Name));
        var (wanted, has) = (await SumAsync(source.Connection, source.Schema),
            await SumAsync(landing.Connection, landing.Schema));
        if (wanted != has)
        {
            throw new TenantTransferException(string.Create(CultureInfo.InvariantCulture,
                $"The copy of the table '{table.Name}' has {has.Count} rows, and {wanted.Count} were copied, or other ")
                + "values. Nothing was changed.");
        }

        async Task<(long Count, decimal Sum)> SumAsync(NpgsqlConnection connection, SchemaName schema)
        {
            await using var ask = new NpgsqlCommand(
                $"SELECT count(*), coalesce(sum(hashtextextended(ROW({columns})::text, 0)::numeric), 0) FROM " +
                $"{(table.IsPartitioned ? "" : "ONLY ")}{schema.Qualify(table.Name)}", connection)
            {
                CommandTimeout = 0,
            };
            await using var row = await ask.ExecuteReaderAsync(ct);
            await row.ReadAsync(ct);
            return (row.GetInt64(0), row.GetDecimal(1));
        }
    }

    /// <summary>The copy's ledger row says what the old one says, and its tasks are done that were done.</summary>
    private static async Task MarkAsync(
        SourceTenant source, SchemaName old, Landing landing, CancellationToken ct)
    {
        await using var read = new NpgsqlCommand(
            """
            SELECT to_jsonb(s)::text,
                (SELECT coalesce(jsonb_agg(t), '[]')::text FROM tenancy.tasks AS t WHERE t.schema = $1)
            FROM tenancy.schemas AS s WHERE s.schema = $1
            """, source.Connection, source.Transaction) { Parameters = { LedgerTable.Text(old.Value) } };
        string row, tasks;
        await using (var rows = await read.ExecuteReaderAsync(ct))
        {
            await rows.ReadAsync(ct);
            (row, tasks) = (rows.GetString(0), rows.GetString(1));
        }

        await using var mark = new NpgsqlCommand(
            $"""
            UPDATE tenancy.schemas AS s
            SET state = 'moving', drop_after = clock_timestamp() + {MovingSchemas.Interrupted},
                ring = o.ring, attempts = o.attempts, last_error = o.last_error, failed_at = o.failed_at,
                created_at = o.created_at, migrated_at = o.migrated_at, migrated_in_ms = o.migrated_in_ms
            FROM jsonb_to_record($2::jsonb) AS o (ring int, attempts int, last_error text, failed_at timestamptz,
                created_at timestamptz, migrated_at timestamptz, migrated_in_ms double precision)
            WHERE s.schema = $1
            """, landing.Connection) { Parameters = { LedgerTable.Text(landing.Schema.Value), LedgerTable.Text(row) } };
        await mark.ExecuteNonQueryAsync(ct);
        await using var copy = new NpgsqlCommand(
            """
            INSERT INTO tenancy.tasks (task, schema, done_at, attempts, last_error, failed_at)
            SELECT task, $1, done_at, attempts, last_error, failed_at FROM jsonb_to_recordset($2::jsonb) AS t
                (task text, done_at timestamptz, attempts int, last_error text, failed_at timestamptz)
            """, landing.Connection)
        {
            Parameters = { LedgerTable.Text(landing.Schema.Value), LedgerTable.Text(tasks) },
        };
        await copy.ExecuteNonQueryAsync(ct);
    }
}
