using System.Data.Common;
using Data;
using Data.Customers;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy;

namespace MigrationService;

/// <summary>What customers that could not be migrated mean for the exit code.</summary>
internal enum OnFailure
{
    Fail,
    Isolate,
}

/// <summary>What the process says when it ends. Anything but <see cref="Done"/> keeps the API from starting.</summary>
internal enum ExitCode
{
    Done = 0,
    CustomersFailed = 1,
    DatabaseFailed = 2,

    /// <summary>As in sysexits.h.</summary>
    Usage = 64,

    Cancelled = 130,
}

/// <summary>
/// The run: shared schema, the API's login, registry, fleet, report. A plain class that Program.cs awaits, because a BackgroundService that throws
/// leaves the exit code 0, and the API would start over a database nobody migrated.
/// </summary>
internal sealed partial class MigrationJob(
    CustomersContext shared, NpgsqlDataSource database, TenantLogin login, FleetMigrator fleet, DemoCustomers demo, IHostEnvironment environment,
    ILogger<MigrationJob> log)
{
    // Any number will do that no other program of this database locks.
    private const long SharedSchemaLock = 0x74656E616E6379;

    /// <summary>Runs the job inside a started host (telemetry needs one) and turns every way it can end into an exit code.</summary>
    public static async Task<int> RunAsync(IHost host, IServiceProvider scope, OnFailure onFailure, int workers, CancellationToken ct)
    {
        var log = host.Services.GetRequiredService<ILogger<MigrationJob>>();
        try
        {
            await host.StartAsync(ct);
            var stopping = host.Services.GetRequiredService<IHostApplicationLifetime>().ApplicationStopping;
            using var either = CancellationTokenSource.CreateLinkedTokenSource(ct, stopping);
            var code = await scope.GetRequiredService<MigrationJob>().RunAsync(onFailure, new() { Workers = workers }, either.Token);
            // Telemetry is flushed here.
            await host.StopAsync(CancellationToken.None);
            return (int)code;
        }
        catch (OperationCanceledException)
        {
            LogCancelled(log);
            return (int)ExitCode.Cancelled;
        }
        catch (Exception e)
        {
            // Whatever it was: nothing says that the customers are migrated, so nothing may say that only customers failed.
            // EF wraps what the server said; the login's words say more than the server's.
            LogDatabaseFailed(log, e, (e is TenantLoginException ? e : e.InnerException as DbException ?? e).Message);
            return (int)ExitCode.DatabaseFailed;
        }
    }

    /// <exception cref="DbException">The database or the shared schema failed.</exception>
    /// <exception cref="TenantLoginException">The API's login can't be set up.</exception>
    public async Task<ExitCode> RunAsync(OnFailure onFailure, FleetPlan plan, CancellationToken ct)
    {
        await TenantPlaceholder.RefuseIfItExistsAsync(database, ct);
        await MigrateSharedAsync(ct);
        await login.EnsureAsync(DataRegistration.ApiRole, ct);
        await EnrolUnknownAsync(ct);

        var report = await fleet.RunAsync(plan, ct);
        if (environment.IsDevelopment())
        {
            await demo.AddOnFirstRunAsync(ct);
        }

        var customers = await shared.Customers.CountAsync(ct);
        LogDone(log, customers, report.Migrated, report.Failed.Count, report.Elapsed.TotalSeconds);
        foreach (var (schema, error) in report.Failed)
        {
            LogCustomerFailed(log, schema, error);
        }

        return report.Failed.Count == 0 || onFailure == OnFailure.Isolate ? ExitCode.Done : ExitCode.CustomersFailed;
    }

    /// <summary>Under a lock of its own, held by a second connection's transaction: on an empty database EF has nothing yet to lock.</summary>
    private async Task MigrateSharedAsync(CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await using var take = new NpgsqlCommand("SELECT pg_advisory_xact_lock($1)", connection)
        {
            // Another replica may take its time.
            CommandTimeout = 0,
            Parameters = { new NpgsqlParameter<long> { TypedValue = SharedSchemaLock } },
        };
        await take.ExecuteNonQueryAsync(ct);

        // First of all, lest EF ask a table that isn't there, and log an error on every first run.
        await shared.GetService<IHistoryRepository>().CreateIfNotExistsAsync(ct);
        var pending = (await shared.Database.GetPendingMigrationsAsync(ct)).ToList();
        if (pending.Count > 0)
        {
            await shared.Database.MigrateAsync(ct);
            LogShared(log, string.Join(", ", pending));
        }

        await transaction.RollbackAsync(ct);
    }

    /// <summary>A customer without a ledger row (a restored backup, a row written by hand) would be passed over for ever.</summary>
    private async Task EnrolUnknownAsync(CancellationToken ct)
    {
        var enrolled = await shared.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO tenancy.schemas (schema, state, ring)
            SELECT schema, 'failed', ring FROM public.customers
            ON CONFLICT (schema) DO NOTHING
            """,
            ct);
        if (enrolled > 0)
        {
            LogEnrolled(log, enrolled);
        }
    }

    [LoggerMessage(LogLevel.Information, "Migrated the shared schema: {Migrations}.")]
    private static partial void LogShared(ILogger log, string migrations);

    [LoggerMessage(LogLevel.Warning, "{Count} customers were unknown to the ledger and are enrolled now.")]
    private static partial void LogEnrolled(ILogger log, int count);

    [LoggerMessage(LogLevel.Information, "{Customers} customers: {Migrated} migrated, {Failed} failed, the others were at this version. {Seconds:0.0} s.")]
    private static partial void LogDone(ILogger log, int customers, int migrated, int failed, double seconds);

    [LoggerMessage(LogLevel.Error, "Failed: {Schema}: {Error}")]
    private static partial void LogCustomerFailed(ILogger log, SchemaName schema, string error);

    [LoggerMessage(LogLevel.Warning, "Cancelled. What was migrated stays; run again for the rest.")]
    private static partial void LogCancelled(ILogger log);

    [LoggerMessage(LogLevel.Critical, "The database or the shared schema failed, nothing more was tried: {Message}")]
    private static partial void LogDatabaseFailed(ILogger log, Exception error, string message);
}
