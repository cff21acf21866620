using Npgsql;
using NpgsqlTypes;

namespace Tenancy.Ledgers;

/// <summary>
/// Schemas that an older build made after the last run had ended: behind this build, although a run has migrated all
/// that there were.
/// </summary>
internal static class LateTenants
{
    private const int MinutesBefore = 10;

    /// <summary>How long before it is committed a tenant's row may have been written.</summary>
    public static readonly TimeSpan Before = TimeSpan.FromMinutes(MinutesBefore);

    /// <summary>
    /// A tenant's transaction may have begun before the run that didn't see its row; a spare is left alone as long as
    /// the old build may still be there to make another in its place.
    /// </summary>
    /// <remarks>
    /// Only after a run to this build's last migration has ended well, or where none was needed since the process
    /// started: who halts a run, takes migrations back or goes ring by ring decides himself who is migrated when. A
    /// task's run migrates nobody and says nothing of that.
    /// </remarks>
    private static readonly string Query =
        $"""
        WITH last AS (
            SELECT kind, target, outcome, started_at FROM tenancy.runs
            WHERE kind <> 'task' ORDER BY started_at DESC LIMIT 1)
        SELECT schema FROM tenancy.schemas
        WHERE {LedgerModel.Migrated} AND version = ANY ($1)
            AND attempts = 0 AND last_error IS NULL AND unfinished IS NULL
            AND NOT EXISTS (SELECT FROM last WHERE kind = 'down' OR outcome IS DISTINCT FROM 'done')
            AND created_at >=
                coalesce((SELECT started_at FROM last WHERE target = $2), $3) - interval '{MinutesBefore} minutes'
            AND (state <> 'spare' OR created_at < now() - interval '15 minutes')
        ORDER BY schema LIMIT 100
        """;

    /// <param name="database">The owner's.</param>
    /// <param name="behind">The versions that lack a migration of this build.</param>
    /// <param name="target">The build's last migration.</param>
    /// <param name="started">When this process first looked, by the server's clock.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task<IReadOnlyList<SchemaName>> FindAsync(
        NpgsqlDataSource database, IReadOnlyCollection<string> behind, string target, DateTime started,
        CancellationToken ct)
    {
        await using var ask = database.CreateCommand(Query);
        ask.Parameters.Add(LedgerTable.Texts([.. behind]));
        ask.Parameters.Add(LedgerTable.Text(target));
        ask.Parameters.Add(
            new NpgsqlParameter<DateTime> { TypedValue = started, NpgsqlDbType = NpgsqlDbType.TimestampTz });
        return await ask.SchemasAsync(ct);
    }
}
