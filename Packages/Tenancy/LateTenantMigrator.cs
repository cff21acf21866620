using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy.Ledgers;

namespace Tenancy;

/// <summary>
/// Migrates what an older build, which still serves during a deployment, makes after the migration job has ended:
/// nobody else would, and this build would call that tenant "being upgraded" for ever. Looks every
/// <see cref="TenancyOptions.FleetInterval"/>, and only after a run to this build's migrations has ended well. Gives
/// such a tenant its role, too, where that build makes none (<see cref="TenancyOptions.TenantRoles"/>). Registered by
/// <see cref="TenancyRegistration.AddWarmPool"/>, because it needs the same rights: the owner's.
/// </summary>
public sealed partial class LateTenantMigrator(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, CompiledMigrations build,
    SchemaVersions versions, FleetMigrator fleet, TenantRoles roles, TenancyOptions options, TimeProvider time,
    ILogger<LateTenantMigrator> log)
    : BackgroundService
{
    /// <summary>How many schemas a line of the log names.</summary>
    private const int Named = 10;

    private DateTime? _started;
    private bool _failing;

    /// <inheritdoc/>
    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        TenancyTelemetry.Detach();
        using var timer = new PeriodicTimer(options.FleetInterval, time);
        do
        {
            try
            {
                await MigrateAsync(stoppingToken);
                _failing = false;
            }
            catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
            catch (Exception e)
            {
                // The tenants that are served already don't need it: no reason to end the host.
                if (!_failing)
                {
                    LogFailed(log, e);
                }

                _failing = true;
            }
        }
        while (await NextAsync(timer, stoppingToken));
    }

    /// <summary>Finds late tenants and migrates them.</summary>
    /// <returns>How many were migrated.</returns>
    internal async Task<int> MigrateAsync(CancellationToken ct)
    {
        var found = await FindAsync(ct);
        if (found.Count == 0)
        {
            return 0;
        }

        // A host that ends waits for the schema in hand.
        var report = await fleet.RunAsync(
            new() { Only = found, Workers = 1 }, progress: null, stop: ct, CancellationToken.None);
        LogMigrated(log, report.Migrated, string.Join(", ", found.Take(Named))
            + (found.Count > Named ? $" and {found.Count - Named} more" : ""));
        return report.Migrated;
    }

    /// <summary>Finds the schemas to migrate. Schemas without a role get one on the way.</summary>
    private async Task<IReadOnlyList<SchemaName>> FindAsync(CancellationToken ct)
    {
        // Looking is no work of anybody's: each interval would begin a trace.
        using var unrecorded = TenancyTelemetry.Unrecorded();
        if (_started is null)
        {
            await using var clock = database.CreateCommand("SELECT now()");
            _started = (DateTime)(await clock.ExecuteScalarAsync(ct))!;
        }

        var given = await roles.EnsureAsync(_started.Value - LateTenants.Before, ct);
        if (given > 0)
        {
            LogGiven(log, given);
        }

        if (!await LedgerTable.AnyOtherAsync(database, build.Target, ct))
        {
            return [];
        }

        var others = await LedgerTable.VersionsAsync(database, ct);
        await versions.LearnAsync(others, ct);
        var behind = others.Where(version => versions.Find(version) is not null
            && versions.StandingOf(version) is VersionStanding.Behind).ToList();
        return behind.Count == 0
            ? []
            : await LateTenants.FindAsync(database, behind, build.Ids.LastOrDefault() ?? "", _started.Value, ct);
    }

    private static async Task<bool> NextAsync(PeriodicTimer timer, CancellationToken ct)
    {
        try
        {
            return await timer.WaitForNextTickAsync(ct);
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    [LoggerMessage(LogLevel.Information,
        "Migrated {Count} schemas that an older build had made after the migration job: {Schemas}.")]
    private static partial void LogMigrated(ILogger log, int count, string schemas);

    [LoggerMessage(LogLevel.Information, "Gave {Count} schemas that a build without TenantRoles had made their roles.")]
    private static partial void LogGiven(ILogger log, int count);

    [LoggerMessage(LogLevel.Warning,
        "Schemas that an older build made after the migration job can't be migrated at the moment. Trying again, " +
        "without saying so each time.")]
    private static partial void LogFailed(ILogger log, Exception error);
}
