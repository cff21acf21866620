using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy.Databases;

namespace Tenancy.Cli.Runs;

/// <summary>Applies the shared migrations, and adds tenants that the ledger doesn't know.</summary>
internal sealed partial class SharedMigrations(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, ITenantRegistry registry,
    JobSettings settings, TenancyOptions options, IServiceProvider services, ILogger<SharedMigrations> log)
{
    // Any number will do that no other program of this database locks.
    private const long Lock = 0x74656E616E6379;

    /// <summary>
    /// Whether there is anything to do, asked without EF: its first use takes longer than the whole of a run that finds
    /// nothing.
    /// </summary>
    /// <returns>The shared migrations that the database lacks, and how many tenants the ledger doesn't
    /// know.</returns>
    public async Task<(IReadOnlyList<string> Pending, int Unknown)> PendingAsync(CancellationToken ct)
    {
        string[] build = [.. settings.Shared.SelectMany(context => context.Ids)];
        try
        {
            await using var connection = await database.OpenConnectionAsync(ct);
            // Asked first: a table that isn't there is an error in the server's log, and a red span in the trace of
            // every first run.
            await using var exists = new NpgsqlCommand(
                "SELECT bool_and(to_regclass(name) IS NOT NULL) FROM unnest($1) AS name", connection)
            {
                Parameters =
                {
                    new NpgsqlParameter<string[]>
                    {
                        TypedValue = ["tenancy.schemas", .. settings.Shared.Select(context => context.History)],
                    },
                },
            };
            if (await exists.ExecuteScalarAsync(ct) is not true)
            {
                return (build, 0);
            }

            var schemas = await registry.SchemasSqlAsync(options, ct);
            await using var ask = connection.CreateBatch();
            foreach (var context in settings.Shared)
            {
                ask.BatchCommands.Add(new($"""SELECT "MigrationId" FROM {context.History}"""));
            }

            ask.BatchCommands.Add(new(
                $"SELECT count(*)::int FROM ({schemas}) AS r WHERE NOT EXISTS (SELECT FROM " +
                "tenancy.schemas AS s WHERE s.schema = r.schema)"));
            await using var rows = await ask.ExecuteReaderAsync(ct);
            var pending = new List<string>();
            foreach (var context in settings.Shared)
            {
                var applied = new HashSet<string>(StringComparer.Ordinal);
                while (await rows.ReadAsync(ct))
                {
                    applied.Add(rows.GetString(0));
                }

                pending.AddRange(context.Ids.Where(id => !applied.Contains(id)));
                await rows.NextResultAsync(ct);
            }

            await rows.ReadAsync(ct);
            return (pending, rows.GetInt32(0));
        }
        catch (PostgresException e)
            when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
        {
            // A database that is being migrated just now, or lacks one of the tables.
            return (build, 0);
        }
    }

    /// <summary>
    /// Under a lock of its own, held by a second connection's transaction: on an empty database EF has nothing yet to
    /// lock.
    /// </summary>
    /// <exception cref="System.Data.Common.DbException">The database or a migration failed.</exception>
    public async Task MigrateAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        // A server's or a role's limits would end the wait for another replica, or this transaction while EF migrates.
        await RunLimits.SetLocalAsync(connection, TimeSpan.Zero, ct);
        await using var take = new NpgsqlCommand("SELECT pg_advisory_xact_lock($1)", connection)
        {
            // Another replica may take its time.
            CommandTimeout = 0,
            Parameters = { new NpgsqlParameter<long> { TypedValue = Lock } },
        };
        await take.ExecuteNonQueryAsync(ct);
        foreach (var context in settings.Shared)
        {
            await MigrateAsync(context, ct);
        }

        await transaction.RollbackAsync(ct);
    }

    private async Task MigrateAsync(SharedContext context, CancellationToken ct)
    {
        await using var shared = context.Create(services);
        // Over the owner's login and connections that are reset, because the limits are the session's.
        await using var connection = await database.OpenConnectionAsync(ct);
        shared.Database.SetDbConnection(connection, contextOwnsConnection: false);
        await RunLimits.SetAsync(connection, statementTimeout: null, ct);
        // First of all, lest EF ask a table that isn't there, and log an error on every first run.
        await shared.GetService<IHistoryRepository>().CreateIfNotExistsAsync(ct);
        var pending = (await shared.Database.GetPendingMigrationsAsync(ct)).ToList();
        if (pending.Count > 0)
        {
            await shared.Database.MigrateAsync(ct);
            LogShared(log, string.Join(", ", pending));
        }
    }

    /// <summary>
    /// A tenant without a ledger row (a restored backup, a row written by hand) would be passed over for ever.
    /// </summary>
    public async Task EnrolUnknownAsync(CancellationToken ct)
    {
        var schemas = await registry.SchemasSqlAsync(options, ct);
        await using var enrol = database.CreateCommand(
            $"""
            INSERT INTO tenancy.schemas (schema, state, ring)
            SELECT schema, 'failed', ring FROM ({schemas}) AS registered
            ON CONFLICT (schema) DO NOTHING
            """);
        if (await enrol.ExecuteNonQueryAsync(ct) is > 0 and var enrolled)
        {
            LogEnrolled(log, enrolled, settings.Noun);
        }
    }

    [LoggerMessage(LogLevel.Information, "Migrated the shared schema: {Migrations}.")]
    private static partial void LogShared(ILogger log, string migrations);

    [LoggerMessage(LogLevel.Warning, "{Count} {Noun}s were unknown to the ledger and are enrolled now.")]
    private static partial void LogEnrolled(ILogger log, int count, string noun);
}
