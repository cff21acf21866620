using System.Globalization;
using static Tenancy.Doctor.FindingKind;

namespace Tenancy.Doctor;

/// <summary>How often pg_stat_statements has no room for the statements of all tenants.</summary>
internal static class StatementsPart
{
    public static readonly IReadOnlyList<FindingKind> Kinds = [StatementEvictions];

    public static async Task<IReadOnlyList<DoctorFinding>> ReadAsync(Examined of, CancellationToken ct)
    {
        var limit = of.Limits.StatementEvictionsPerHour;
        if (await of.ReadAsync(
            """
            SELECT pg_catalog.quote_ident(n.nspname) FROM pg_catalog.pg_extension AS e
            JOIN pg_catalog.pg_namespace AS n ON n.oid = e.extnamespace WHERE e.extname = 'pg_stat_statements'
            """, row => row.GetString(0), ct) is not [var schema])
        {
            return [StatementEvictions.Of(0, limit, "This database has no pg_stat_statements.", "")];
        }

        // Fresh statistics say little of an hour: one eviction in their first minute isn't sixty.
        var (evictions, hours) = (await of.ReadAsync(
            $"""
            SELECT dealloc, greatest(1, extract(epoch FROM pg_catalog.clock_timestamp() - stats_reset) / 3600)::float8
            FROM {schema}.pg_stat_statements_info
            """, row => (row.GetInt64(0), row.GetDouble(1)), ct))[0];
        return
        [
            StatementEvictions.Of(Math.Round(evictions / hours, 2), limit,
                string.Create(CultureInfo.InvariantCulture,
                    $"{evictions:N0} evictions in {hours:0.#} hours since the statistics were reset."),
                of.Connection.PostgreSqlVersion.Major >= 18
                    ? "Raise pg_stat_statements.max and restart PostgreSQL."
                    : "Raise pg_stat_statements.max (about 5 MB for 10,000 statements) and restart PostgreSQL, or " +
                        "upgrade to PostgreSQL 18, which counts the same statement of all tenants once."),
        ];
    }
}
