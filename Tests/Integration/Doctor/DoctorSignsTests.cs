using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Hosting;
using Tenancy;
using Tenancy.Doctor;
using Tests.Integration.Metrics;
using Xunit;

namespace Tests.Integration.Doctor;

/// <summary>Gauges, health, and how often the database is asked.</summary>
public sealed class DoctorSignsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Gauges_tell_each_finding_once_something_was_examined()
    {
        await using var database = await Examination.StartAsync(app);
        using var measured = new Measured(database.Services);
        Assert.Empty(measured.Of(TenancyTelemetry.DoctorOver));
        database.Limits.Relations = 10;

        var report = await database.Doctor.ExamineAsync(Ct);

        Assert.Equal(report.Findings.Where(finding => finding.Value is not null)
                .Select(finding => $"{TenancyTelemetry.Finding}={finding.Id}"),
            measured.Of(TenancyTelemetry.DoctorOver).Select(sample => Assert.Single(sample.Tags)));
        Assert.Equal(1, measured.Sum(TenancyTelemetry.DoctorOver, $"{TenancyTelemetry.Finding}=relations"));
        Assert.Equal(0, measured.Sum(TenancyTelemetry.DoctorOver, $"{TenancyTelemetry.Finding}=catalog-size"));
        Assert.Equal(report.Findings.Single(finding => finding.Id == "relations").Value!.Value / 10,
            measured.Sum(TenancyTelemetry.DoctorUsage, $"{TenancyTelemetry.Finding}=relations"));
        // A share of nothing is none.
        Assert.Empty(measured.Of(TenancyTelemetry.DoctorUsage, $"{TenancyTelemetry.Finding}=dump"));
    }

    [Fact]
    public async Task A_number_over_its_limit_degrades_health_and_one_that_is_unknown_does_not()
    {
        await using var database = await Examination.StartAsync(app);
        var well = (await database.Doctor.ExamineAsync(Ct)).Health();
        database.Limits.Relations = 10;

        var over = (await database.Doctor.ExamineAsync(Ct)).Health();
        var unknown = (await database.Doctor.ExamineAsync(Ct)) with
        {
            Findings = [new("relations", "", null, 10, "", "", "", "", [])],
        };

        Assert.Equal((HealthStatus.Healthy, HealthStatus.Degraded, HealthStatus.Healthy),
            (well.Status, over.Status, unknown.Health().Status));
        Assert.Contains("relations", over.Description, StringComparison.Ordinal);
        Assert.Equal("relations", Assert.Single(over.Data).Key);
    }

    [Fact]
    public async Task A_report_young_enough_is_shown_again_and_many_who_ask_at_once_get_one()
    {
        await using var database = await Examination.StartAsync(app);

        var together = await Task.WhenAll(
            Enumerable.Range(0, 5).Select(_ => database.Doctor.ReportAsync(TimeSpan.FromHours(1), Ct)));

        Assert.Single(together.Distinct());
        Assert.Same(together[0], database.Doctor.Last);
        Assert.NotSame(together[0], await database.Doctor.ExamineAsync(Ct));
    }

    [Fact]
    public async Task A_process_that_serves_examines_by_itself_unless_that_is_turned_off()
    {
        await using var database = await Examination.StartAsync(app);
        var options = database.Services.GetRequiredService<TenancyOptions>();
        var monitor = Assert.Single(database.Services.GetServices<IHostedService>().OfType<DoctorMonitor>());

        options.DoctorInterval = null;
        await monitor.StartAsync(Ct);
        await monitor.ExecuteTask!;
        Assert.Null(database.Doctor.Last);

        options.DoctorInterval = TimeSpan.FromMilliseconds(1);
        await monitor.StartAsync(Ct);
        await Eventually.HoldsAsync(() => database.Doctor.Last is not null);
        await monitor.StopAsync(Ct);
    }
}
