using Npgsql;
using Tenancy.Ledgers;

namespace Tenancy.Provisioning;

/// <summary>Schemas made beforehand, as the ledger has them: how they are named, counted and given away.</summary>
internal static class SpareSchemas
{
    /// <summary>
    /// All names begin alike, and the ledger's key is in the order of the bytes: the few spares are found by a short
    /// stretch of the key, however many tenants there are. One whose schema somebody dropped by hand is none, and one
    /// between two transactions of a migration isn't yet.
    /// </summary>
    private const string OfVersion =
        """
        state = 'spare' AND version = $1 AND schema >= 'spare_' AND schema < 'spare`' AND unfinished IS NULL
        AND EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = schema)
        """;

    /// <summary>
    /// Takes a name if it is free, and with it a spare if there is one: whoever else looks for one at this moment takes
    /// the next, and nobody waits. The row changes its key, so it is another one: none of its name was there before.
    /// </summary>
    internal const string Claim =
        $"""
        WITH spare AS (
            SELECT schema, version, migrated_at, migrated_in_ms FROM tenancy.schemas WHERE {OfVersion}
            ORDER BY schema LIMIT 1 FOR UPDATE SKIP LOCKED
        ), reserved AS (
            INSERT INTO tenancy.schemas (schema, state, ring, version, migrated_at, migrated_in_ms)
            SELECT $2, CASE WHEN spare.schema IS NULL THEN 'provisioning' ELSE 'ready' END, $3, coalesce(spare.version, ''), spare.migrated_at, spare.migrated_in_ms
            FROM (VALUES (1)) AS one LEFT JOIN spare ON true
            WHERE NOT EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = $2)
            ON CONFLICT (schema) DO NOTHING
            RETURNING schema
        ), given AS (
            DELETE FROM tenancy.schemas AS row USING spare, reserved WHERE row.schema = spare.schema RETURNING row.schema
        )
        SELECT (SELECT count(*) FROM reserved) = 1, (SELECT schema FROM given)
        """;

    /// <summary>Never used again: a spare that became a tenant's leaves no trace of its name.</summary>
    public static SchemaName NewName() => SchemaName.Parse($"spare_{Guid.NewGuid():n}");

    /// <summary>
    /// By its identity everything follows, rights and defaults too, except what routines keep as text: their bodies and
    /// their search_path. No other text has a spare's name, because the compiler refuses the placeholder in literals.
    /// </summary>
    /// <param name="spare">Its name of now.</param>
    /// <param name="name">Its name from now on.</param>
    /// <param name="inRoutines">Whether its routines keep the name; else nothing is looked for.</param>
    public static string Rename(SchemaName spare, SchemaName name, bool inRoutines)
    {
        var rename = $"ALTER SCHEMA {spare.Quoted} RENAME TO {name.Quoted};\n";
        // What is in a schema depends on it: pg_depend has an index for that, pg_proc would be read in full.
        return !inRoutines ? rename : $"""
            {rename}DO $follow$
            DECLARE definition text;
            BEGIN
                FOR definition IN
                    SELECT pg_catalog.pg_get_functiondef(p.oid)
                    FROM pg_catalog.pg_depend AS d JOIN pg_catalog.pg_proc AS p ON p.oid = d.objid
                    WHERE d.refclassid = 'pg_catalog.pg_namespace'::regclass
                        AND d.classid = 'pg_catalog.pg_proc'::regclass
                        AND d.refobjid = (SELECT oid FROM pg_catalog.pg_namespace WHERE nspname = '{name.Value}')
                        AND p.prokind IN ('f', 'p', 'w')
                        AND pg_catalog.strpos(pg_catalog.concat(p.prosrc, p.proconfig), '{spare.Value}') > 0
                LOOP
                    EXECUTE pg_catalog.replace(definition, '{spare.Value}', '{name.Value}');
                END LOOP;
            END $follow$;

            """;
    }

    /// <returns>Whether the name was free, and the spare, if there was one.</returns>
    public static async Task<(bool Reserved, SchemaName? Spare)> ClaimAsync(
        NpgsqlTransaction transaction, string version, SchemaName name, int ring, CancellationToken ct)
    {
        await using var claim = new NpgsqlCommand(Claim, transaction.Connection, transaction)
        {
            Parameters = { LedgerTable.Text(version), LedgerTable.Text(name.Value),
                new NpgsqlParameter<int> { TypedValue = ring } },
        };
        await using var row = await claim.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        return (row.GetBoolean(0), await row.IsDBNullAsync(1, ct) ? null : SchemaName.Parse(row.GetString(1)));
    }

    /// <summary>
    /// How many there are, for who may make more: one process at a time, until its transaction ends. The lock comes
    /// first and alone, so that the count sees what its last holder has committed.
    /// </summary>
    /// <param name="transaction">Holds the lock.</param>
    /// <param name="version">Of which version.</param>
    /// <param name="without">Given away, in transactions that may not have ended.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>Null where another process has the lock.</returns>
    public static async Task<int?> CountAsync(
        NpgsqlTransaction transaction, string version, IEnumerable<SchemaName> without, CancellationToken ct)
    {
        await using var batch = transaction.Connection!.CreateBatch();
        batch.Transaction = transaction;
        batch.BatchCommands.Add(new("SELECT pg_try_advisory_xact_lock(hashtextextended('tenancy: warm pool', 0))"));
        batch.BatchCommands.Add(
            new($"SELECT count(*)::int FROM tenancy.schemas WHERE {OfVersion} AND schema <> ALL ($2)")
            {
                Parameters = { LedgerTable.Text(version), LedgerTable.Texts([.. without.Select(name => name.Value)]) },
            });
        await using var rows = await batch.ExecuteReaderAsync(ct);
        await rows.ReadAsync(ct);
        var locked = rows.GetBoolean(0);
        await rows.NextResultAsync(ct);
        await rows.ReadAsync(ct);
        return locked ? rows.GetInt32(0) : null;
    }
}
