using System.Globalization;
using Data;
using Data.Customers;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;
using Tenancy;

namespace Api.Health;

/// <summary>
/// Whether the API may get requests. All checks look over <see cref="DatabaseProbe"/>'s own connections, two seconds at
/// most: an exhausted pool is a busy API, not a broken one, and taking it out of rotation would make the others busier.
/// </summary>
internal static class Readiness
{
    public static IServiceCollection AddReadiness(this IServiceCollection services)
    {
        services.AddSingleton<SharedSchemaCheck>().AddSingleton<DirectoryCheck>().AddHealthChecks()
            .AddCheck<DatabaseCheck>("database").AddCheck<DirectoryCheck>("directory")
            .AddCheck<SharedSchemaCheck>("shared schema").AddCheck<FleetCheck>("fleet")
            .AddCheck<DoctorHealthCheck>("doctor").AddCheck<OtherDatabasesCheck>("other databases");
        return services;
    }

    /// <summary>Asks, and puts a failure into words.</summary>
    private static async Task<HealthCheckResult> AskAsync(DatabaseProbe probe,
        Func<DatabaseProbe, CancellationToken, Task<HealthCheckResult>> question, CancellationToken ct)
    {
        try
        {
            return await probe.AskAsync(question, ct);
        }
        catch (Exception e) when (ct.IsCancellationRequested && e is not OperationCanceledException)
        {
            // Whoever asked has gone. Otherwise that would be logged as a failed check.
            throw new OperationCanceledException("Nobody waits for the answer any more.", e, ct);
        }
        catch (NpgsqlException e) when (Unavailable.IsBusy(e))
        {
            return HealthCheckResult.Degraded(
                "PostgreSQL has no connection left. Raise max_connections, or use fewer or smaller connection pools.");
        }
        catch (Exception e) when (e is TimeoutException || Unavailable.Find(e) is not null)
        {
            return HealthCheckResult.Unhealthy(
                $"PostgreSQL can't be reached: {(Unavailable.Find(e) ?? e).Message.TrimEnd('.')}.");
        }
    }

    /// <summary>The login that serves customers gets in and is answered.</summary>
    private sealed class DatabaseCheck(DatabaseProbe probe, DatabaseOutage outage) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            var result = await AskAsync(probe, SelectAsync, cancellationToken);
            if (result.Status == HealthStatus.Unhealthy)
            {
                outage.Note(result.Description!);
            }
            else
            {
                outage.Over();
            }

            return result;
        }

        private static async Task<HealthCheckResult> SelectAsync(DatabaseProbe probe, CancellationToken ct)
        {
            await using var select = probe.Tenants.CreateCommand("SELECT 1");
            await select.ExecuteScalarAsync(ct);
            return HealthCheckResult.Healthy("PostgreSQL answers the login that serves customers.");
        }
    }

    /// <summary>
    /// The databases besides the first one answer. Degraded where one doesn't: the customers of the others are served.
    /// </summary>
    private sealed class OtherDatabasesCheck(TenancyPools pools) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context, CancellationToken cancellationToken = default) =>
                await pools.FindAbsentAsync(cancellationToken) is { Count: > 0 } absent
                    ? HealthCheckResult.Degraded(string.Join(' ', absent.Select(one =>
                        $"The database '{one.Key}' can't be reached: its customers get 503. {one.Value}")))
                    : HealthCheckResult.Healthy("All other databases answer.");
    }

    /// <summary>The directory's own query, for a slug that nobody can have.</summary>
    private sealed class DirectoryCheck(DatabaseProbe probe) : IHealthCheck
    {
        private readonly DbContextOptions<CustomersContext> _options = Options(probe);

        public Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context, CancellationToken cancellationToken = default) =>
                AskAsync(probe, FindAsync, cancellationToken);

        private static DbContextOptions<CustomersContext> Options(DatabaseProbe probe)
        {
            // As the application's, so that EF shares model and compiled queries.
            var options = new DbContextOptionsBuilder<CustomersContext>();
            options.UseCustomers(probe.Owner);
            return options.Options;
        }

        private async Task<HealthCheckResult> FindAsync(DatabaseProbe over, CancellationToken ct)
        {
            await using var db = new CustomersContext(_options);
            await CustomerRegistry.FindTenantAsync(db, "-", ct);
            return HealthCheckResult.Healthy("The directory finds customers.");
        }
    }

    /// <summary>
    /// The database has all shared migrations of this build. Once it has, it isn't asked again: nothing takes them
    /// back.
    /// </summary>
    private sealed class SharedSchemaCheck(DatabaseProbe probe) : IHealthCheck
    {
        private static readonly HealthCheckResult Fits = HealthCheckResult.Healthy(
            "All shared migrations of this build are applied.");

        private volatile bool _fits;

        public async Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context, CancellationToken cancellationToken = default) =>
                _fits ? Fits : await AskAsync(probe, CompareAsync, cancellationToken);

        private async Task<HealthCheckResult> CompareAsync(DatabaseProbe over, CancellationToken ct)
        {
            var applied = new HashSet<string>(StringComparer.Ordinal);
            try
            {
                await using var ask = over.Owner.CreateCommand(
                    """SELECT "MigrationId" FROM public."__EFMigrationsHistory" """);
                await using var rows = await ask.ExecuteReaderAsync(ct);
                while (await rows.ReadAsync(ct))
                {
                    applied.Add(rows.GetString(0));
                }
            }
            catch (PostgresException e)
                when (e.SqlState is PostgresErrorCodes.UndefinedTable or PostgresErrorCodes.InvalidSchemaName)
            {
                // Nobody has migrated this database yet.
            }

            var missing = MigrationIds.Of<CustomersContext>().Where(id => !applied.Contains(id)).ToList();
            _fits = missing.Count == 0;
            return _fits ? Fits : HealthCheckResult.Unhealthy(
                $"The shared schema lacks {string.Join(", ", missing)}: run the migration job.",
                data: new Dictionary<string, object> { ["missing"] = missing });
        }
    }

    /// <summary>
    /// Degraded when customers failed or are behind: the others are served. By the last count of the ledger, 15 seconds
    /// old at most.
    /// </summary>
    private sealed class FleetCheck(FleetMonitor watch) : IHealthCheck
    {
        public async Task<HealthCheckResult> CheckHealthAsync(
            HealthCheckContext context, CancellationToken cancellationToken = default)
        {
            if ((watch.Last ?? await watch.LookAsync(cancellationToken)) is not { } fleet)
            {
                return HealthCheckResult.Degraded(
                    "The ledger can't be read: nothing is known of the customers' schemas.");
            }

            IReadOnlyList<FleetSnapshot> all = [fleet, .. watch.LastOfOthers];
            var (customers, failed, behind) = (
                all.Sum(one => one.Customers), all.Sum(one => one.Failed), all.Sum(one => one.Behind));
            var data = new Dictionary<string, object> { ["customers"] = customers, ["failed"] = failed,
                ["behind"] = behind };
            return failed + behind == 0
                ? HealthCheckResult.Healthy(
                    string.Create(CultureInfo.InvariantCulture, $"{customers} customers, none failed, none is behind."),
                    data)
                : HealthCheckResult.Degraded(Words(customers, failed, behind) + Where(all), data: data);
        }

        /// <summary>How many are in which database; nothing where there is one.</summary>
        private static string Where(IReadOnlyList<FleetSnapshot> all) => all.Count == 1 ? "" : string.Concat(
            all.Where(one => one.Failed + one.Behind > 0).Select(one => string.Create(CultureInfo.InvariantCulture,
                $" In the database '{one.Database ?? TenancyOptions.FirstDatabase}' {one.Failed} failed, " +
                $"{one.Behind} behind.")));

        private static string Words(int all, int failing, int late)
        {
            var failed = string.Create(CultureInfo.InvariantCulture, $"{failing} of {all} customers failed");
            var behind = string.Create(CultureInfo.InvariantCulture, $"{late} {(late == 1 ? "is" : "are")} behind");
            return (failing, late) switch
            {
                (_, 0) =>
                    $"{failed}: answered with 503. The job's command status says why; mend it, then run its " +
                    "command retry.",
                (0, _) => $"Of {all} customers {behind}: answered with 503. Run the migration job.",
                _ =>
                    $"{failed}, {behind}: answered with 503. The job's command status says why; mend it, then run " +
                    "the migration job.",
            };
        }
    }
}
