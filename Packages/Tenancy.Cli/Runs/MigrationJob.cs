using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy.Cli.Commands;
using Tenancy.Databases;
using Tenancy.Registries;

namespace Tenancy.Cli.Runs;

/// <summary>
/// The run: shared schema, the library's own tables, what the application adds, fleet, report. A plain class that
/// Program.cs awaits, because a BackgroundService that throws leaves the exit code 0, and what serves would start over
/// a database nobody migrated.
/// </summary>
internal sealed partial class MigrationJob(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, SharedMigrations shared,
    FleetMigrator fleet, CompiledMigrations tenants, ITenantRegistry registry, JobSettings settings,
    RunEnding ending, IServiceProvider services, ILogger<MigrationJob> log)
{
    /// <summary>Everything, as before a deployment.</summary>
    /// <param name="plan">For the tenants.</param>
    /// <param name="display">Shows how far it is.</param>
    /// <param name="stop">Ends it after the groups in hand.</param>
    /// <param name="ct">Ends it at once.</param>
    /// <exception cref="System.Data.Common.DbException">The database or the shared schema failed.</exception>
    /// <exception cref="TenantMigrationException">The build's migrations can't be applied to tenants.</exception>
    /// <exception cref="TenantLoginException">A login can't be set up.</exception>
    public async Task<ExitCode> MigrateAsync(
        FleetPlan plan, RunDisplay display, CancellationToken stop, CancellationToken ct)
    {
        await TenantPlaceholder.RefuseIfItExistsAsync(database, ct);
        await SharedOperators.RefuseUnseenAsync(database, services.GetRequiredService<TenancyOptions>(), ct);
        var (pending, unknown) = await shared.PendingAsync(stop);
        if (pending.Count > 0)
        {
            // A build that fails here leaves the database as it was.
            tenants.Compile();
            await shared.MigrateAsync(stop);
        }

        var options = services.GetRequiredService<TenancyOptions>();
        await TenancyTables.EnsureAsync(database, services.GetService<RegistryKind>(), options, stop);
        foreach (var step in settings.BeforeTenants)
        {
            await step(services, stop);
        }

        // Behind the steps, because one of them makes the login.
        await JoinedTables.EnsureAsync(database, services.GetRequiredService<TenancyOptions>(), stop);
        if (pending.Count > 0 || unknown > 0)
        {
            await shared.EnrolUnknownAsync(stop);
        }

        var code = await RunAsync(plan, display, stop, ct);
        await services.GetRequiredService<TenantRoles>().EnsureAsync(stop);
        await RemoveDroppedAsync(stop);
        // Once, and not for each database.
        var isLast = code == ExitCode.Done && !stop.IsCancellationRequested && options.Database is null;
        foreach (var step in isLast ? settings.AfterTenants : [])
        {
            await step(services, stop);
        }

        return code;
    }

    /// <summary>Migrates the tenants alone: again those that failed, or back.</summary>
    /// <inheritdoc cref="MigrateAsync"/>
    public async Task<ExitCode> RunAsync(
        FleetPlan plan, RunDisplay display, CancellationToken stop, CancellationToken ct)
    {
        FleetReport report;
        try
        {
            report = await display.WatchAsync(progress => fleet.RunAsync(plan, progress, stop, ct));
        }
        catch (ArgumentException e) when (e.ParamName == nameof(plan))
        {
            throw new UsageException(e.Message.Split(" (Parameter", 2)[0], e);
        }

        LogDone(
            log, await CountAsync(ct), settings.Noun, report.Migrated, report.Failed.Count,
            report.Outcome == FleetOutcome.Done ? "the others were at this version" : "the others are as they were",
            report.Elapsed.TotalSeconds);
        return await ending.TellAsync(report, plan.Isolate, "the command status", ct);
    }

    /// <summary>What can't be removed now is nobody's: it keeps no release from serving.</summary>
    private async Task RemoveDroppedAsync(CancellationToken stop)
    {
        var report = await services.GetRequiredService<TenantRemoval>().ReconcileHereAsync(stop);
        foreach (var schema in report.Removed)
        {
            LogRemoved(log, schema, settings.Noun);
        }

        foreach (var (schema, error) in report.Failed)
        {
            LogNotRemoved(log, schema, error);
        }
    }

    private async Task<long> CountAsync(CancellationToken ct)
    {
        var schemas = await registry.SchemasSqlAsync(services.GetRequiredService<TenancyOptions>(), ct);
        await using var count = database.CreateCommand($"SELECT count(*) FROM ({schemas}) AS registered");
        return (long)(await count.ExecuteScalarAsync(ct))!;
    }

    [LoggerMessage(LogLevel.Information,
        "{Tenants} {Noun}s: {Migrated} migrated, {Failed} failed, {Others}. {Seconds:0.0} s.")]
    private static partial void LogDone(
        ILogger log, long tenants, string noun, int migrated, int failed, string others, double seconds);

    [LoggerMessage(LogLevel.Information, "Removed the schema {Schema} of a dropped {Noun}.")]
    private static partial void LogRemoved(ILogger log, SchemaName schema, string noun);

    [LoggerMessage(LogLevel.Warning, "Not removed yet: {Schema}: {Error} The next run tries again.")]
    private static partial void LogNotRemoved(ILogger log, SchemaName schema, string error);
}
