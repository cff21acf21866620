using System.Globalization;
using Npgsql;
using static Tenancy.Doctor.FindingKind;

namespace Tenancy.Doctor;

/// <summary>
/// What one scan of pg_class tells: 0.3 s for 120,000 relations, most of it for the statistics of each table.
/// </summary>
internal static class CatalogPart
{
    /// <summary>SQL: the columns of <see cref="Figures"/>. $1 is the share of the freeze age.</summary>
    /// <remarks>
    /// A table's own storage parameters win over the server's settings, as they do for autovacuum.
    /// </remarks>
    private const string Sql =
        """
        WITH relations AS MATERIALIZED (
            SELECT c.oid, c.relkind, c.relnamespace, c.relpersistence, greatest(c.reltuples, 0) AS tuples,
                CASE WHEN c.relkind IN ('r', 't', 'm') THEN pg_catalog.age(c.relfrozenxid) END AS age,
                CASE WHEN c.relkind IN ('r', 't', 'm') THEN pg_catalog.pg_stat_get_dead_tuples(c.oid) END AS dead,
                CASE WHEN c.reloptions IS NOT NULL THEN (SELECT o.option_value::float8 FROM pg_catalog.pg_options_to_table(c.reloptions) AS o WHERE o.option_name = 'autovacuum_vacuum_threshold') END AS base,
                CASE WHEN c.reloptions IS NOT NULL THEN (SELECT o.option_value::float8 FROM pg_catalog.pg_options_to_table(c.reloptions) AS o WHERE o.option_name = 'autovacuum_vacuum_scale_factor') END AS share
            FROM pg_catalog.pg_class AS c
        ), judged AS (
            SELECT r.oid, r.relkind, r.relpersistence <> 't'
                AND r.relnamespace NOT IN ('pg_catalog'::pg_catalog.regnamespace, 'information_schema'::pg_catalog.regnamespace) AS own,
                r.age, r.dead, r.dead > coalesce(r.base, pg_catalog.current_setting('autovacuum_vacuum_threshold')::float8)
                + coalesce(r.share, pg_catalog.current_setting('autovacuum_vacuum_scale_factor')::float8) * r.tuples AS past,
                r.age > $1 * pg_catalog.current_setting('autovacuum_freeze_max_age')::float8 AS old
            FROM relations AS r
        )
        SELECT count(*), count(*) FILTER (WHERE own AND relkind IN ('r', 'p')), count(*) FILTER (WHERE own AND relkind = 'S'),
            coalesce(max(age), 0)::bigint, count(*) FILTER (WHERE old), count(*) FILTER (WHERE past),
            coalesce((pg_catalog.array_agg(oid::regclass::text ORDER BY dead DESC) FILTER (WHERE past))[1:10], '{}'),
            coalesce((pg_catalog.array_agg(oid::regclass::text ORDER BY age DESC) FILTER (WHERE old))[1:10], '{}')
        FROM judged
        """;

    public static readonly IReadOnlyList<FindingKind> Kinds =
        [FindingKind.Relations, VacuumBacklog, FreezeAge, DumpLocks];

    public static async Task<IReadOnlyList<DoctorFinding>> ReadAsync(Examined of, CancellationToken ct)
    {
        var figures = (await of.ReadAsync(Sql, Figures.Of, ct,
            new NpgsqlParameter<double> { TypedValue = of.Limits.FreezeAgeShare }))[0];
        return [CountRelations(of, figures), Backlog(of, figures), Freeze(of, figures), Dump(of, figures)];
    }

    private static DoctorFinding CountRelations(Examined of, Figures figures) => FindingKind.Relations.Of(
        figures.Relations, of.Limits.Relations,
        $"The database has {Count(figures.Relations, "relation")}, {Count(figures.Tables, "table")} among them.",
        "Drop tenants and spare schemas that nobody needs, merge small tables of a tenant, or put further tenants " +
        "into a second database.");

    private static DoctorFinding Backlog(Examined of, Figures figures)
    {
        // Without autovacuum nobody vacuums even one of them.
        var limit = of.Server.Vacuums ? of.Limits.TablesPastVacuum : 0;
        return of.Server.Counts
            ? VacuumBacklog.Of(figures.Past, limit,
                $"{Count(figures.Past, "table")} passed autovacuum's threshold" +
                $"{(of.Server.Vacuums ? "" : ", and autovacuum is off")}.",
                of.Server.Vacuums
                    ? "Raise autovacuum_max_workers and autovacuum_vacuum_cost_limit, lower autovacuum_naptime, or " +
                        "run vacuumdb -j 4 in quiet hours."
                    : "Turn autovacuum on.",
                figures.MostDead)
            : VacuumBacklog.Unknown(limit, "The server counts no dead rows: track_counts is off.",
                "Turn track_counts on. Autovacuum does nothing without it.");
    }

    private static DoctorFinding Freeze(Examined of, Figures figures)
    {
        var limit = Math.Floor(of.Limits.FreezeAgeShare * of.Server.FreezeMaxAge);
        return FreezeAge.Of(figures.Age, limit,
            string.Create(CultureInfo.InvariantCulture,
                $"The oldest table is {figures.Age:N0} transactions old; autovacuum freezes it at ") +
            string.Create(CultureInfo.InvariantCulture, $"{of.Server.FreezeMaxAge:N0}. ") +
            $"{Count(figures.Old, "table")} passed the limit.",
            "Run vacuumdb --freeze --min-xid-age in quiet hours, a few tables at a time, before autovacuum has to. " +
            "Mend what holds vacuum up: see old-transaction, prepared-transaction and replication.", figures.Oldest);
    }

    private static DoctorFinding Dump(Examined of, Figures figures)
    {
        var locks = figures.Tables + figures.Sequences;
        var enough = 64 * Math.Ceiling(locks * 1.25 / of.Server.Transactions / 64);
        return DumpLocks.Of(locks, of.Server.Locks,
            string.Create(CultureInfo.InvariantCulture,
                $"A pg_dump of the whole database takes {locks:N0} locks; the lock table has {of.Server.Locks:N0} ") +
            $"entries (max_locks_per_transaction is {of.Server.LocksPerTransaction}).",
            string.Create(CultureInfo.InvariantCulture,
                $"Set max_locks_per_transaction to {enough:0} and restart PostgreSQL. Or dump one schema at a time ") +
            "(pg_dump -n), or copy the server's files (pg_basebackup).");
    }

    private sealed record Figures(long Relations, long Tables, long Sequences, long Age, long Old, long Past,
        string[] MostDead, string[] Oldest)
    {
        public static Figures Of(NpgsqlDataReader row) => new(
            row.GetInt64(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3), row.GetInt64(4), row.GetInt64(5),
            row.GetFieldValue<string[]>(6), row.GetFieldValue<string[]>(7));
    }
}
