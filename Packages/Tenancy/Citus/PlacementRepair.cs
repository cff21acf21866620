using System.Security.Cryptography;
using Npgsql;
using Tenancy.Ledgers;
using Tenancy.Transfer;

namespace Tenancy.Citus;

/// <summary>
/// Brings tables to the node of their schema, with their rows: those that a block made (<c>DO</c>), and whole schemas
/// that were made without Citus.
/// </summary>
internal static class PlacementRepair
{
    // Without it Citus copies over one connection and changes keys over another, which it then refuses.
    private const string OneConnection = "SET LOCAL citus.multi_shard_modify_mode TO 'sequential'";

    /// <summary>Places a schema that Citus doesn't know, with all that is in it.</summary>
    /// <param name="connection">In a transaction.</param>
    /// <param name="schema">Which.</param>
    /// <param name="ct">Ends it; roll the transaction back.</param>
    /// <exception cref="PostgresException">Citus refuses: a trigger, a key out of the schema.</exception>
    public static Task DistributeAsync(NpgsqlConnection connection, SchemaName schema, CancellationToken ct) =>
        ExecuteAsync(connection,
            $"{OneConnection}; SELECT citus_schema_distribute({Literal(schema.Quoted)}::regnamespace)", ct);

    /// <summary>Repairs one schema in a transaction of its own, under its ledger row.</summary>
    /// <returns>What was done, or why it couldn't be.</returns>
    public static async Task<PlacementMend> MendAsync(
        NpgsqlDataSource database, SchemaName schema, IReadOnlyList<Misplaced> misplaced, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        string[] tables = [.. misplaced.Select(one => one.Table).OfType<string>()];
        if (!await HoldAsync(connection, schema, ct))
        {
            return new(schema, tables, "somebody holds its row in tenancy.schemas: run this again");
        }

        try
        {
            if (misplaced.Any(one => one.Apart))
            {
                return new(schema, tables,
                    $"{string.Join(", ", misplaced.Where(one => one.Apart).Select(one => one.Table))} was " +
                    "distributed by hand and is apart from the schema's other tables: undo that by " +
                    "undistribute_table, then run " +
                    "this again");
            }

            if (tables.Length == 0)
            {
                await DistributeAsync(connection, schema, ct);
            }
            else
            {
                await PlaceAsync(connection, schema, tables, ct);
            }

            await transaction.CommitAsync(ct);
            return new(schema, tables, null);
        }
        catch (PostgresException error) when (error.IsTheSchemasOwn(onCitus: true))
        {
            return new(schema, tables,
                $"Citus refuses it ({error.SqlState}: {error.MessageText}). " +
                "Take the migration that made it back (down), change it to what Citus allows, and migrate again");
        }
    }

    /// <summary>
    /// Beside a table that Citus has just placed: a schema all of whose tables came from blocks has no other.
    /// </summary>
    private static async Task PlaceAsync(
        NpgsqlConnection connection, SchemaName schema, string[] tables, CancellationToken ct)
    {
        var beside = schema.Qualify($"tenancy_{RandomNumberGenerator.GetHexString(16, lowercase: true)}");
        var (ordered, _) = ForeignKey.Order(tables, await ForeignKey.ReadAsync(connection, schema, ct), _ => true);
        await ExecuteAsync(connection, $"{OneConnection}; CREATE TABLE {beside} ()", ct);
        foreach (var table in ordered)
        {
            await ExecuteAsync(connection,
                $"SELECT create_distributed_table({Literal(schema.Qualify(table))}, NULL, " +
                $"colocate_with := {Literal(beside)})", ct);
        }

        // The rows are on the node; what is left of them here nobody reads.
        await ExecuteAsync(connection, string.Concat(ordered.Select(table =>
            $"SELECT truncate_local_data_after_distributing_table({Literal(schema.Qualify(table))});"))
            + $"DROP TABLE {beside}", ct);
    }

    /// <summary>Nobody migrates it meanwhile.</summary>
    private static async Task<bool> HoldAsync(NpgsqlConnection connection, SchemaName schema, CancellationToken ct)
    {
        await using var hold = new NpgsqlCommand(
            "SELECT schema FROM tenancy.schemas WHERE schema = $1 FOR UPDATE SKIP LOCKED", connection)
        {
            Parameters = { LedgerTable.Text(schema.Value) },
        };
        return await hold.ExecuteScalarAsync(ct) is not null;
    }

    private static string Literal(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }
}
