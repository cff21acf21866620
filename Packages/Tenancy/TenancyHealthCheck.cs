using System.Globalization;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Npgsql;

namespace Tenancy;

/// <summary>
/// Whether tenants can be served: the database answers the login that serves them. Degraded where tenants failed or are
/// behind, by the last count of the ledger: the others are served. Over connections of its own, see
/// <see cref="DatabaseProbe"/>.
/// </summary>
internal sealed class TenancyHealthCheck(DatabaseProbe probe, FleetMonitor watch, TenancyPools pools) : IHealthCheck
{
    public async Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default)
    {
        try
        {
            await probe.AskAsync(async (over, ct) =>
            {
                await using var ask = over.Tenants.CreateCommand("SELECT");
                return await ask.ExecuteNonQueryAsync(ct);
            }, cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            return new(context.Registration.FailureStatus, $"PostgreSQL doesn't serve tenants: {e.Message}", e);
        }

        if (await pools.FindAbsentAsync(cancellationToken) is { Count: > 0 } absent)
        {
            return HealthCheckResult.Degraded(string.Join(' ', absent.Select(one =>
                $"The database '{one.Key}' doesn't answer, and its tenants are answered with 503: {one.Value}")));
        }

        if ((watch.Last ?? await watch.LookAsync(cancellationToken)) is not { } fleet)
        {
            return HealthCheckResult.Degraded("The ledger can't be read: run the migration job.");
        }

        IReadOnlyList<FleetSnapshot> all = [fleet, .. watch.LastOfOthers];
        var (failed, behind) = (all.Sum(one => one.Failed), all.Sum(one => one.Behind));
        var data = new Dictionary<string, object>
        {
            ["tenants"] = all.Sum(one => one.Customers), ["failed"] = failed, ["behind"] = behind,
        };
        var words = string.Join(' ', all.Select(one => string.Create(CultureInfo.InvariantCulture,
            $"{(one.Database is { } name ? $"In '{name}' " : "")}{one.Customers} tenants, {one.Failed} failed, " +
            $"{one.Behind} behind.")));
        return failed + behind == 0
            ? HealthCheckResult.Healthy(words, data)
            : HealthCheckResult.Degraded(
                words + " They are answered with 503: see the migration job's command status.", data: data);
    }
}
