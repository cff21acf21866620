using Microsoft.Extensions.Diagnostics.HealthChecks;

namespace Tenancy;

/// <summary>
/// Degraded where a number was over its limit when this process last examined the databases. It asks nothing itself,
/// so that a probe never waits for it. A database that can't be examined doesn't degrade it.
/// </summary>
/// <param name="doctor">Whose last examinations it tells.</param>
public sealed class DoctorHealthCheck(TenancyDoctor doctor) : IHealthCheck
{
    /// <inheritdoc/>
    public Task<HealthCheckResult> CheckHealthAsync(
        HealthCheckContext context, CancellationToken cancellationToken = default) =>
            Task.FromResult(doctor.LastOfAll?.Health() ?? HealthCheckResult.Healthy("Nothing was examined yet."));
}
