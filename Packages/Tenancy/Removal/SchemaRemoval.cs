using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Citus;
using Tenancy.Ledgers;
using Tenancy.Registries;

namespace Tenancy.Removal;

/// <summary>
/// Removes one schema whose grace is over. The first transaction takes the tenant out of the registry; from then on
/// only the removal goes on. Each further one drops a few tables: a transaction holds a lock for each table and index
/// that it drops, and the lock table is shared by all sessions.
/// </summary>
internal sealed class SchemaRemoval(
    NpgsqlDataSource database, TenantRoles roles, TenancyOptions options, IServiceScopeFactory scopes)
{
    /// <summary>SQL: things of a schema in other schemas' objects: a view or a foreign key by hand.</summary>
    private const string Users =
        $"""
        SELECT DISTINCT u.oid::regclass::text FROM pg_catalog.pg_class AS c
        JOIN pg_catalog.pg_depend AS d ON d.refobjid = c.oid AND d.refclassid = 'pg_catalog.pg_class'::regclass
        LEFT JOIN pg_catalog.pg_rewrite AS r ON d.classid = 'pg_catalog.pg_rewrite'::regclass AND r.oid = d.objid
        LEFT JOIN pg_catalog.pg_constraint AS k ON d.classid = 'pg_catalog.pg_constraint'::regclass AND k.oid = d.objid
        JOIN pg_catalog.pg_class AS u ON u.oid = coalesce(r.ev_class, nullif(k.conrelid, 0))
        WHERE c.oid IN ({SchemaRelations.Oids}) AND u.relnamespace <> c.relnamespace ORDER BY 1
        """;

    /// <summary>SQL: what is left, a statement for each, and how many locks it takes.</summary>
    private const string Left =
        $"""
        WITH things (kind, name, locks, nth) AS (
            SELECT CASE c.relkind WHEN 'f' THEN 'FOREIGN TABLE' WHEN 'v' THEN 'VIEW' WHEN 'm' THEN 'MATERIALIZED VIEW' WHEN 'S' THEN 'SEQUENCE' ELSE 'TABLE' END,
                c.oid::regclass::text,
                -- Itself, its toast table with its index, its two types; and each thing of its own has a lock, too.
                5 + (SELECT count(*) FROM pg_catalog.pg_index WHERE indrelid = c.oid)
                    + (SELECT count(*) FROM pg_catalog.pg_constraint WHERE conrelid = c.oid)
                    -- Foreign keys to it. No index of pg_constraint finds them.
                    + (SELECT count(DISTINCT k.oid) FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_constraint AS k ON k.oid = d.objid
                        WHERE d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjid = c.oid
                            AND d.classid = 'pg_catalog.pg_constraint'::regclass AND k.confrelid = c.oid AND k.conrelid <> c.oid)
                    + (SELECT count(*) FROM pg_catalog.pg_attrdef WHERE adrelid = c.oid)
                    + (SELECT count(*) FROM pg_catalog.pg_trigger WHERE tgrelid = c.oid)
                    + (SELECT count(*) FROM pg_catalog.pg_depend WHERE refobjid = c.oid AND refclassid = 'pg_catalog.pg_class'::regclass
                        AND classid = 'pg_catalog.pg_class'::regclass AND deptype IN ('a', 'i')),
                -- Partitions before their table, tables before the sequences that they own.
                CASE WHEN c.relispartition THEN 0 WHEN c.relkind = 'S' THEN 3 WHEN c.relkind IN ('v', 'm') THEN 1 ELSE 2 END
            FROM pg_catalog.pg_class AS c WHERE c.oid IN ({SchemaRelations.Oids}) AND c.relkind IN ('r', 'p', 'v', 'm', 'f', 'S')
            UNION ALL
            SELECT 'ROUTINE', p.oid::regprocedure::text, 1, 4 FROM pg_catalog.pg_proc AS p WHERE p.pronamespace = to_regnamespace($1)
        ), counted AS (
            SELECT kind, name, nth, sum(locks) OVER (ORDER BY nth, name) AS total, row_number() OVER (ORDER BY nth, name) AS at FROM things
        )
        SELECT kind, name FROM counted
        WHERE at = 1 OR total * {CitusLimits.PerEntry} <= pg_catalog.current_setting('max_locks_per_transaction')::int ORDER BY at
        """;

    /// <returns>False where its row changed meanwhile, or another process is at it.</returns>
    /// <exception cref="TenantInUseException">It is in use; what was removed stays removed.</exception>
    public async Task<bool> RunAsync(SchemaName schema, CancellationToken ct)
    {
        try
        {
            var more = await InTransactionAsync(schema, GiveUpAsync, ct);
            while (more is true)
            {
                more = await InTransactionAsync(schema, DropSomeAsync, ct);
            }

            return more is false;
        }
        catch (PostgresException e)
            when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            throw new TenantInUseException(
                $"The schema '{schema}' is in use ({e.MessageText}). What is removed stays removed; the next run " +
                "goes on.", e);
        }
    }

    /// <summary>Takes the tenant out of the registry. The slug is free afterwards, the schema's name isn't.</summary>
    private async Task<bool> GiveUpAsync(NpgsqlTransaction transaction, SchemaName schema, CancellationToken ct)
    {
        await using (var ask = new NpgsqlCommand(Users, transaction.Connection, transaction))
        {
            ask.Parameters.Add(LedgerTable.Text(schema.Value));
            if (await ask.NamesAsync(ct) is { Count: > 0 } users)
            {
                throw new TenantInUseException(
                    $"{string.Join(", ", users)} reads from the schema '{schema}': drop it, or change it, first.");
            }
        }

        await using var scope = scopes.CreateAsyncScope();
        await scope.ServiceProvider.Registry().TryRemoveAsync(schema, transaction, ct);
        await ExecuteAsync(transaction, $"UPDATE tenancy.schemas SET state = 'dropped' WHERE schema = '{schema}'", ct);
        return true;
    }

    /// <returns>False when nothing is left.</returns>
    private async Task<bool> DropSomeAsync(NpgsqlTransaction transaction, SchemaName schema, CancellationToken ct)
    {
        var statements = new List<string>();
        await using (var ask = new NpgsqlCommand(Left, transaction.Connection, transaction))
        {
            ask.Parameters.Add(LedgerTable.Text(schema.Value));
            await using var rows = await ask.ExecuteReaderAsync(ct);
            while (await rows.ReadAsync(ct))
            {
                // An earlier one of the chunk may take it along.
                statements.Add($"DROP {rows.GetString(0)} IF EXISTS {rows.GetString(1)} CASCADE;");
            }
        }

        if (statements.Count > 0)
        {
            await ExecuteAsync(transaction, string.Concat(statements), ct);
            return true;
        }

        await roles.DropAsync(transaction, schema, ct);
        await ExecuteAsync(transaction,
            $"DROP SCHEMA IF EXISTS {schema.Quoted} CASCADE; DELETE FROM tenancy.tasks WHERE schema = '{schema}'; " +
            $"UPDATE tenancy.schemas SET drop_after = NULL, unfinished = NULL WHERE schema = '{schema}'", ct);
        return false;
    }

    /// <returns>What the work returned; null where the row isn't to be had.</returns>
    private async Task<bool?> InTransactionAsync(SchemaName schema,
        Func<NpgsqlTransaction, SchemaName, CancellationToken, Task<bool>> work, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await RunLimits.SetLocalAsync(connection, options.LockTimeout, ct);
        // Names have to come with their schema in front.
        await ExecuteAsync(transaction, "SET LOCAL search_path = pg_catalog, pg_temp", ct);
        await using var claim = new NpgsqlCommand(
            $"""
            SELECT true FROM tenancy.schemas
            WHERE schema = $1 AND {LedgerModel.Removable} AND drop_after <= clock_timestamp() FOR UPDATE SKIP LOCKED
            """, connection, transaction) { Parameters = { LedgerTable.Text(schema.Value) } };
        if (await claim.ExecuteScalarAsync(ct) is not true)
        {
            return null;
        }

        var result = await work(transaction, schema, ct);
        await transaction.CommitAsync(ct);
        return result;
    }

    private static async Task ExecuteAsync(NpgsqlTransaction transaction, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }
}
