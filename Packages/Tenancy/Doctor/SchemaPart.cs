using Npgsql;
using Tenancy.Databases;
using Tenancy.Ledgers;
using static Tenancy.Doctor.FindingKind;

namespace Tenancy.Doctor;

/// <summary>Registry, ledger and catalog side by side: 15 ms for 5,000 schemas.</summary>
internal static class SchemaPart
{
    public static readonly IReadOnlyList<FindingKind> Kinds = [MissingSchemas, OrphanSchemas];

    /// <summary>
    /// In one snapshot, so that a tenant who is created or dropped meanwhile is there with all that it has, or not at
    /// all.
    /// </summary>
    /// <param name="of">Where.</param>
    /// <param name="registered">See <see cref="ITenantRegistry.SchemasSql"/>.</param>
    /// <param name="historyTable">EF's, which says that a schema looks like a tenant's.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task<IReadOnlyList<DoctorFinding>> ReadAsync(
        Examined of, string registered, string historyTable, CancellationToken ct)
    {
        var wrong = (await of.ReadAsync(Sql(registered), Wrong.Of, ct, LedgerTable.Text(historyTable),
            LedgerTable.Texts([.. of.Options.SharedSchemas, "tenancy", "information_schema"])))
            .ToDictionary(row => row.Kind);
        var (lost, unmade) = (Found("lost"), Found("unmade"));
        var (stray, unregistered, leftover) = (Found("stray"), Found("unregistered"), Found("leftover"));
        return
        [
            MissingSchemas.Of(lost.Schemas + unmade.Schemas, 0,
                $"{Count(lost.Schemas, "schema")} of the ledger and {unmade.Schemas} more of the registry don't exist.",
                "Restore them from a backup, or drop their tenants. See the command verify.",
                [.. lost.Names.Concat(unmade.Names).Take(10)]),
            OrphanSchemas.Of(stray.Schemas + unregistered.Schemas + leftover.Schemas, 0,
                $"{Count(stray.Schemas, "schema")} without a ledger row, {unregistered.Schemas} without a tenant in " +
                $"the registry, {leftover.Schemas} of dropped tenants.",
                "Find out whose they are. Enrol a tenant's with migrate, which adds the registry's schemas to the " +
                "ledger; remove the others by DROP SCHEMA.",
                [.. stray.Names.Concat(unregistered.Names).Concat(leftover.Names).Take(10)]),
        ];

        Wrong Found(string kind) => wrong.GetValueOrDefault(kind, new(kind, 0, []));
    }

    private static string Sql(string registered) =>
        $"""
        WITH seen AS (
            SELECT coalesce(s.schema, n.nspname::text, r.schema) AS name, s.state, s.drop_after IS NOT NULL AS leaving,
                n.oid IS NOT NULL AS made, h.oid IS NOT NULL AS kept, r.schema IS NOT NULL AS registered
            FROM tenancy.schemas AS s
            FULL JOIN pg_catalog.pg_namespace AS n ON n.nspname::text COLLATE "C" = s.schema::text COLLATE "C"
            FULL JOIN (SELECT schema::text FROM ({registered}) AS registry) AS r ON r.schema COLLATE "C" = coalesce(s.schema::text, n.nspname::text) COLLATE "C"
            LEFT JOIN pg_catalog.pg_class AS h ON h.relname = $1::text AND h.relnamespace = n.oid AND h.relkind IN ('r', 'p')
        ), judged AS (
            SELECT name, CASE
                WHEN NOT made AND state IN ('ready', 'failed', 'suspended', 'spare', 'archived', 'dropping') THEN 'lost'
                WHEN NOT made AND registered AND (state IS NULL OR state = 'dropped') THEN 'unmade'
                WHEN made AND state IS NULL AND (kept OR registered) AND name COLLATE "C" <> ALL ($2) AND NOT {MovingSchemas.IsFence("name")} THEN 'stray'
                WHEN made AND state IN ('ready', 'failed', 'suspended') AND NOT registered THEN 'unregistered'
                WHEN made AND state = 'dropped' AND NOT leaving THEN 'leftover' END AS kind
            FROM seen
        )
        SELECT kind, count(*)::int, (pg_catalog.array_agg(name ORDER BY name COLLATE "C"))[1:10] FROM judged WHERE kind IS NOT NULL GROUP BY 1
        """;

    private sealed record Wrong(string Kind, int Schemas, string[] Names)
    {
        public static Wrong Of(NpgsqlDataReader row) =>
            new(row.GetString(0), row.GetInt32(1), row.GetFieldValue<string[]>(2));
    }
}
