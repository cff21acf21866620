using Microsoft.Extensions.Logging;
using Npgsql;

namespace Tenancy.Doctor;

/// <summary>
/// Vacuums the system catalogs that a run, or the removal of tenants, has left dead rows in. Autovacuum comes when a
/// fifth of a catalog is dead; by then the catalog has grown, and it never shrinks.
/// </summary>
internal sealed partial class CatalogVacuum(
    NpgsqlDataSource database, TenancyOptions options, ILogger<CatalogVacuum> log)
{
    private int _told;

    /// <summary>A catalog with fewer dead rows is left to autovacuum.</summary>
    public long AtLeast { get; init; } = 1000;

    /// <summary>A catalog with a smaller share of dead rows is left to autovacuum.</summary>
    public double Share { get; init; } = 0.05;

    /// <summary>
    /// Does nothing where it isn't worth it, one question of the statistics. A failure is a warning: the work that came
    /// before it is done.
    /// </summary>
    public async Task RunAsync(CancellationToken ct)
    {
        if (!options.VacuumCatalogs)
        {
            return;
        }

        try
        {
            await using var connection = await database.OpenConnectionAsync(ct);
            if (await DueAsync(connection, ct) is { Count: > 0 } due)
            {
                await VacuumAsync(connection, due, ct);
            }
        }
        catch (Exception e) when (e is NpgsqlException or OperationCanceledException)
        {
            LogFailed(log, e.Message);
        }
    }

    private async Task VacuumAsync(NpgsqlConnection connection, List<Catalog> due, CancellationToken ct)
    {
        if (!await MayAsync(connection, ct))
        {
            if (Interlocked.Exchange(ref _told, 1) == 0)
            {
                LogMayNot(log, due.Sum(catalog => catalog.Dead), connection.PostgreSqlVersion.Major >= 17
                    ? "GRANT pg_maintain TO its role"
                    : "ALTER DATABASE ... OWNER TO its role");
            }

            return;
        }

        // A role's or the database's limit would end it. The pool resets the session.
        await RunLimits.SetAsync(connection, statementTimeout: null, ct);
        // Skip what autovacuum works on already. Giving room back to the disk needs a lock that stops everybody.
        await using var vacuum = new NpgsqlCommand(
            "VACUUM (ANALYZE, SKIP_LOCKED, TRUNCATE false) " +
            string.Join(", ", due.Select(catalog => $"pg_catalog.{catalog.Name}")), connection) { CommandTimeout = 0 };
        await vacuum.ExecuteNonQueryAsync(ct);
        LogDone(log, string.Join(", ", due.Select(catalog => catalog.Name)), due.Sum(catalog => catalog.Dead));
    }

    private async Task<List<Catalog>> DueAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(BloatPart.Sql, connection);
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var due = new List<Catalog>();
        while (await rows.ReadAsync(ct))
        {
            if (Catalog.Of(rows) is var catalog && catalog.Dead >= AtLeast && catalog.DeadShare >= Share)
            {
                due.Add(catalog);
            }
        }

        return due;
    }

    /// <summary>PostgreSQL warns where a login may not vacuum a table, and goes on. So it is asked before.</summary>
    private static async Task<bool> MayAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(
            $"""
            SELECT pg_catalog.pg_has_role(current_user, datdba, 'USAGE')
                {(connection.PostgreSqlVersion.Major >= 17 ? "OR pg_catalog.has_table_privilege('pg_catalog.pg_class', 'MAINTAIN')" : "")}
            FROM pg_catalog.pg_database WHERE datname = pg_catalog.current_database()
            """, connection);
        return await ask.ExecuteScalarAsync(ct) is true;
    }

    [LoggerMessage(LogLevel.Information, "Vacuumed {Catalogs}: {Rows} dead rows.")]
    private static partial void LogDone(ILogger log, string catalogs, long rows);

    [LoggerMessage(LogLevel.Warning,
        "The system catalogs have {Rows} dead rows, and this login may not vacuum them. Let an administrator run " +
        "{Grant}, or set TenancyOptions.VacuumCatalogs to false.")]
    private static partial void LogMayNot(ILogger log, long rows, string grant);

    [LoggerMessage(LogLevel.Warning, "The system catalogs weren't vacuumed: {Error}")]
    private static partial void LogFailed(ILogger log, string error);
}
