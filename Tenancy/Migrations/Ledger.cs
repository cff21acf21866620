using System.Globalization;
using Npgsql;
using NpgsqlTypes;

namespace Tenancy;

/// <summary>The ledger's statements, on a connection whose transaction the caller owns.</summary>
internal sealed class Ledger(NpgsqlConnection connection, CompiledMigrations migrations)
{
    // Suspended customers are migrated too: they may be back tomorrow.
    private const string Behind = "version <> $1 AND state IN ('ready', 'failed', 'suspended') AND schema <> ALL ($2)";

    /// <summary>Locks the first schema in order that is behind and that nobody else holds; null when there is none.</summary>
    public async Task<SchemaName?> ClaimAsync(string[] except, CancellationToken ct)
    {
        await using var claim = new NpgsqlCommand(
            $"SELECT schema FROM tenancy.schemas WHERE {Behind} ORDER BY schema LIMIT 1 FOR UPDATE SKIP LOCKED", connection)
        {
            Parameters = { Text(migrations.Target), Texts(except) },
        };
        return await claim.ExecuteScalarAsync(ct) is string schema ? SchemaName.Parse(schema) : null;
    }

    public async Task<bool> AnyBehindAsync(string[] except, CancellationToken ct)
    {
        await using var any = new NpgsqlCommand($"SELECT EXISTS (SELECT FROM tenancy.schemas WHERE {Behind})", connection)
        {
            Parameters = { Text(migrations.Target), Texts(except) },
        };
        return await any.ExecuteScalarAsync(ct) is true;
    }

    /// <summary>What the schema itself says it has: EF's history table.</summary>
    public async Task<HashSet<string>> AppliedAsync(SchemaName schema, CancellationToken ct)
    {
        // The first of EF's two columns is the migration's id; naming conventions may change its name, not its place.
        await using var read = new NpgsqlCommand($"SELECT * FROM {schema.Qualify(migrations.HistoryTable)}", connection);
        await using var rows = await read.ExecuteReaderAsync(ct);
        var applied = new HashSet<string>(StringComparer.Ordinal);
        while (await rows.ReadAsync(ct))
        {
            applied.Add(rows.GetString(0));
        }

        return applied;
    }

    /// <summary>Commits with the DDL, so version and tables can't disagree.</summary>
    public async Task SucceedAsync(SchemaName schema, string version, CancellationToken ct)
    {
        await using var update = new NpgsqlCommand(
            """
            UPDATE tenancy.schemas
            SET version = $2, migrated_at = now(), attempts = 0, last_error = NULL,
                state = CASE state WHEN 'failed' THEN 'ready' ELSE state END
            WHERE schema = $1
            """,
            connection)
        {
            Parameters = { Text(schema.Value), Text(version) },
        };
        await update.ExecuteNonQueryAsync(ct);
    }

    /// <summary>After the rollback to the savepoint that it reports, still under the claim.</summary>
    public async Task FailAsync(SchemaName schema, string error, CancellationToken ct)
    {
        await using var update = new NpgsqlCommand(
            """
            UPDATE tenancy.schemas
            SET attempts = attempts + 1, last_error = $2, failed_at = now(),
                state = CASE state WHEN 'ready' THEN 'failed' ELSE state END
            WHERE schema = $1
            """,
            connection)
        {
            Parameters = { Text(schema.Value), Text(error) },
        };
        await update.ExecuteNonQueryAsync(ct);
    }

    private static NpgsqlParameter<string> Text(string value) => new() { TypedValue = value };

    private static NpgsqlParameter<string[]> Texts(string[] values) =>
        new() { TypedValue = values, NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };
}

/// <summary>Session settings, for one transaction only.</summary>
internal static class LocalSettings
{
    /// <summary>SET LOCAL ends with the transaction: nothing stays on the pooled connection. SET takes no parameters, hence the number.</summary>
    public static async Task SetLocalLockTimeoutAsync(this NpgsqlConnection connection, TimeSpan timeout, CancellationToken ct)
    {
        var milliseconds = ((long)timeout.TotalMilliseconds).ToString(CultureInfo.InvariantCulture);
        await using var set = new NpgsqlCommand($"SET LOCAL lock_timeout = {milliseconds}", connection);
        await set.ExecuteNonQueryAsync(ct);
    }
}
