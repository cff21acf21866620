using System.Globalization;
using Npgsql;
using static Tenancy.Doctor.FindingKind;

namespace Tenancy.Doctor;

/// <summary>How large the system catalogs are, and which share of their rows is dead.</summary>
internal static class BloatPart
{
    /// <summary>SQL: each catalog with its size, living and dead rows, the largest first.</summary>
    public const string Sql =
        """
        SELECT c.relname::text, pg_catalog.pg_total_relation_size(c.oid), pg_catalog.pg_stat_get_live_tuples(c.oid),
            pg_catalog.pg_stat_get_dead_tuples(c.oid)
        FROM pg_catalog.pg_class AS c
        WHERE c.relnamespace = 'pg_catalog'::pg_catalog.regnamespace AND c.relkind = 'r' AND NOT c.relisshared ORDER BY 2 DESC, 1
        """;

    public static readonly IReadOnlyList<FindingKind> Kinds = [CatalogSize, DeadCatalogRows];

    public static async Task<IReadOnlyList<DoctorFinding>> ReadAsync(Examined of, CancellationToken ct)
    {
        var catalogs = await of.ReadAsync(Sql, Catalog.Of, ct);
        var bytes = catalogs.Sum(catalog => catalog.Bytes);
        return
        [
            CatalogSize.Of(bytes, of.Limits.CatalogBytes,
                $"The catalogs take {Size(bytes)}; the largest are " +
                $"{string.Join(", ", catalogs.Take(3).Select(one => $"{one.Name} ({Size(one.Bytes)})"))}.",
                "See relations and dead-catalog-rows first. VACUUM FULL of a catalog gives its room back, and locks " +
                "everybody out meanwhile."),
            Dead(of, catalogs),
        ];
    }

    private static DoctorFinding Dead(Examined of, List<Catalog> catalogs)
    {
        var limit = Math.Round(100 * of.Limits.DeadCatalogShare, 1);
        if (!of.Server.Counts)
        {
            return DeadCatalogRows.Unknown(limit, "The server counts no dead rows: track_counts is off.",
                "Turn track_counts on. Autovacuum does nothing without it.");
        }

        var worst = catalogs.Where(catalog => catalog.Dead > of.Limits.DeadCatalogRows)
            .OrderByDescending(catalog => catalog.DeadShare).ToList();
        return DeadCatalogRows.Of(Math.Round(100 * (worst.FirstOrDefault()?.DeadShare ?? 0), 1), limit,
            $"Dead rows: {string.Join(", ", catalogs.Where(IsNamed).Select(Words))}.",
            "Run VACUUM (ANALYZE) on these catalogs as the database's owner. A run does it by itself when it may " +
            "(TenancyOptions.VacuumCatalogs). If the rows stay, something keeps them: see old-transaction, " +
            "prepared-transaction and replication.",
            [.. worst.Where(one => 100 * one.DeadShare > limit).Take(10).Select(Words)]);

        static bool IsNamed(Catalog catalog) => catalog.Name is "pg_attribute" or "pg_class" or "pg_depend";

        static string Words(Catalog catalog) => string.Create(CultureInfo.InvariantCulture,
            $"{catalog.Name} {catalog.Dead:N0} of {catalog.Live + catalog.Dead:N0}");
    }
}

/// <summary>A system catalog.</summary>
/// <param name="Name">E.g. <c>pg_attribute</c>.</param>
/// <param name="Bytes">Its size with its indexes.</param>
/// <param name="Live">Its living rows.</param>
/// <param name="Dead">Its dead rows.</param>
internal sealed record Catalog(string Name, long Bytes, long Live, long Dead)
{
    public double DeadShare => (double)Dead / Math.Max(1, Live + Dead);

    public static Catalog Of(NpgsqlDataReader row) =>
        new(row.GetString(0), row.GetInt64(1), row.GetInt64(2), row.GetInt64(3));
}
