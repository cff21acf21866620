using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Tenancy.Databases;

/// <summary>The fleets of all databases as one.</summary>
internal static class FleetsOfAll
{
    private const int MostRuns = 10;

    /// <param name="first">The first database's.</param>
    /// <param name="databases">The others.</param>
    /// <param name="mostFailures">At most so many failures.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task<FleetStatus> ReadAsync(
        FleetReader first, TenantDatabases databases, int mostFailures, CancellationToken ct)
    {
        // All at once: one that is gone may take as long as a connection's time limit.
        var others = Task.WhenAll(databases.Others.Select(database => TryAsync(database, mostFailures, ct)));
        var status = await first.OverviewAsync(mostFailures, ct);
        var found = await others;
        FleetStatus[] all = [status, .. found.Select(one => one.Status).OfType<FleetStatus>()];
        return status with
        {
            Groups = [.. all.SelectMany(one => one.Groups)],
            Failures =
            [
                .. all.SelectMany(one => one.Failures).OrderBy(one => one.Schema, StringComparer.Ordinal)
                    .Take(mostFailures),
            ],
            Laggards =
            [
                .. all.SelectMany(one => one.Laggards).OrderBy(one => one.Ring)
                    .ThenBy(one => one.Schema, StringComparer.Ordinal).Take(FleetReader.MostLaggards),
            ],
            // Those that haven't ended first, as each database's own.
            Runs =
            [
                .. all.SelectMany(one => one.Runs).OrderByDescending(run => run.EndedAt ?? DateTimeOffset.MaxValue)
                    .ThenByDescending(run => run.Id).Take(MostRuns),
            ],
            Databases = [new(null, null), .. found.Select(one => one.Database)],
        };
    }

    private static async Task<(FleetDatabase Database, FleetStatus? Status)> TryAsync(
        TenantDatabase database, int mostFailures, CancellationToken ct)
    {
        try
        {
            var reader = database.GetRequiredService<FleetReader>();
            return (new(database.Name, null), await reader.OverviewAsync(mostFailures, ct));
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            return (new(database.Name, e.Message), null);
        }
    }
}
