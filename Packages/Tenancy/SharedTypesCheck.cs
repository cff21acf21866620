using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Tenancy;

/// <summary>
/// Asks once, beside the start, whether the shared schemas have types of their own, and warns: unless they are loaded,
/// whoever reads such a value gets a message that names neither the type nor <see cref="TenancyOptions.LoadTypes"/>.
/// Once somebody has decided on that, it doesn't ask for them. Ends the host where values would be compared wrongly
/// (<see cref="SharedOperators"/>).
/// </summary>
internal sealed partial class SharedTypesCheck(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, TenancyOptions options,
    ILogger<SharedTypesCheck> log) : BackgroundService
{
    private const int MostNamed = 5;

    /// <remarks>
    /// No index of pg_type begins with the schema, and it has two rows for each table of each tenant. But a type
    /// depends on its schema, and pg_depend is indexed by what is depended on; a table's row type depends on its table
    /// instead, an array on its element, and neither shows up. LIMIT keeps PostgreSQL from joining pg_type in any other
    /// way than row by row.
    ///
    /// Domains are sent as what they are made of. An extension's types that only its index entries have (pg_trgm's
    /// gtrgm) are no values of anybody's.
    /// </remarks>
    internal const string Query =
        """
        SELECT quote_ident(n.nspname) || '.' || quote_ident(t.typname) COLLATE "C" AS name
        FROM pg_catalog.pg_namespace AS n
        CROSS JOIN LATERAL (
            SELECT objid FROM pg_catalog.pg_depend
            WHERE refclassid = 'pg_catalog.pg_namespace'::regclass AND refobjid = n.oid AND classid = 'pg_catalog.pg_type'::regclass OFFSET 0) AS d
        CROSS JOIN LATERAL (
            SELECT typname FROM pg_catalog.pg_type
            WHERE oid = d.objid AND typtype IN ('b', 'c', 'e', 'r') AND NOT EXISTS (SELECT FROM pg_catalog.pg_opclass WHERE opckeytype = pg_type.oid) LIMIT 1) AS t
        WHERE n.nspname = ANY ($1)
        ORDER BY name
        """;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        try
        {
            await SharedOperators.RefuseUnseenAsync(database, options, stoppingToken).WaitAsync(stoppingToken);
            if (options.LoadTypes is not null)
            {
                return;
            }

            // Npgsql doesn't look at the token while it waits for the answer to its first byte: the host's end would
            // wait for the connection's timeout.
            var types = await FindAsync(stoppingToken).WaitAsync(stoppingToken);
            if (types.Count > 0)
            {
                var more = types.Count - MostNamed;
                LogNotLoaded(log, string.Join(", ", types.Take(MostNamed)) + (more > 0 ? $" and {more} more" : ""));
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
            // The host ends before the answer came.
        }
        catch (Exception e) when (e is not UnseenOperatorsException)
        {
            // The application notices by itself what is wrong with its database; nothing that it does waits for this
            // answer.
            LogNotAsked(log, e);
        }
    }

    /// <summary>With their schemas, in the order of their names.</summary>
    internal async Task<IReadOnlyList<string>> FindAsync(CancellationToken ct)
    {
        await using var ask = database.CreateCommand(Query);
        ask.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. options.SharedSchemas] });
        return await ask.NamesAsync(ct);
    }

    [LoggerMessage(LogLevel.Warning,
        "The shared schemas have types that can be neither read nor written, because types aren't loaded: {Types}. " +
        "Set TenancyOptions.LoadTypes to true to read and write " +
        "them, which makes the first connection of a process slower, the more tenants the slower; or to false to " +
        "hear no more of it.")]
    private static partial void LogNotLoaded(ILogger log, string types);

    [LoggerMessage(LogLevel.Debug, "Whether the shared schemas have types of their own couldn't be asked.")]
    private static partial void LogNotAsked(ILogger log, Exception error);
}
