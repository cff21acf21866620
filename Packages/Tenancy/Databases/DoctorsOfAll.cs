using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Tenancy.Databases;

/// <summary>The doctor's reports on all databases as one.</summary>
internal static class DoctorsOfAll
{
    /// <param name="first">The first database's.</param>
    /// <param name="databases">The others.</param>
    /// <param name="atMost">How old each report may be.</param>
    /// <param name="only">See <see cref="TenantDatabases.Chosen"/>.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task<DoctorReport> ReportAsync(
        TenancyDoctor first, TenantDatabases databases, TimeSpan atMost, string? only, CancellationToken ct)
    {
        var (isFirst, chosen) = databases.Chosen(only);
        if (databases.Others.Count == 0)
        {
            return await first.ReportAsync(atMost, ct);
        }

        if (!isFirst)
        {
            return Together([(new(only, null), await Of(chosen[0]).ReportAsync(atMost, ct))])!;
        }

        // All at once: one that is gone may take as long as a connection's time limit.
        var others = Task.WhenAll(chosen.Select(database => TryAsync(database, atMost, ct)));
        var report = await first.ReportAsync(atMost, ct);
        return Together([(new(null, null), report), .. await others])!;
    }

    /// <summary>Those of this process; null before the first.</summary>
    public static DoctorReport? Last(TenancyDoctor first, TenantDatabases databases) => Together(
    [
        Known(null, first.Last), .. databases.Others.Select(database => Known(database.Name, Of(database).Last)),
    ]);

    private static DoctorReport? Together(IReadOnlyList<(FleetDatabase Database, DoctorReport? Report)> all)
    {
        var reports = all.Select(one => one.Report).OfType<DoctorReport>().ToList();
        return reports.Count == 0 ? null : new(
            reports.Min(report => report.At), reports.Max(report => report.Elapsed),
            [.. reports.SelectMany(report => report.Findings)])
        {
            Databases = [.. all.Select(one => one.Database)],
        };
    }

    private static async Task<(FleetDatabase Database, DoctorReport? Report)> TryAsync(
        TenantDatabase database, TimeSpan atMost, CancellationToken ct)
    {
        try
        {
            return (new(database.Name, null), await Of(database).ReportAsync(atMost, ct));
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
            return (new(database.Name, e.Message), null);
        }
    }

    private static (FleetDatabase, DoctorReport?) Known(string? name, DoctorReport? last) =>
        (new(name, last is null ? "It wasn't examined." : null), last);

    private static TenancyDoctor Of(TenantDatabase database) => database.GetRequiredService<TenancyDoctor>();
}
