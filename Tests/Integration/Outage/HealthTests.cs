using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Data.Customers;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Outage;

/// <summary>What /health answers, to people and to the AppHost.</summary>
public sealed class HealthTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task It_is_degraded_with_numbers_when_customers_failed_or_are_behind_and_still_gets_requests()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using var api = await ServedApi.StartAsync(database, app.Server.AsNewLogin(database));
        foreach (var slug in (string[])["one", "two", "three"])
        {
            await api.NewCustomerAsync(slug);
        }

        await api.Services.GetRequiredService<FleetMonitor>().LookAsync(Ct);
        var (wellCode, well) = await api.HealthAsync(HttpStatusCode.OK);
        await ExecuteAsync(database,
            "UPDATE tenancy.schemas SET state = 'failed', last_error = 'a test' WHERE schema = 'customer_one'");
        await ExecuteAsync(database,
            $"UPDATE tenancy.schemas SET version = '{CompiledMigrations.Fingerprint([])}' WHERE schema = " +
            "'customer_two'");
        await api.Services.GetRequiredService<FleetMonitor>().LookAsync(Ct);
        var (code, health) = await api.HealthAsync(Ct);

        Assert.Equal((HttpStatusCode.OK, "Healthy"), (wellCode, (string)well["status"]!));
        Assert.Equal(["database", "directory", "doctor", "fleet", "other databases", "self", "shared schema"],
            well["entries"]!.AsObject().Select(entry => entry.Key).Order());
        Assert.Equal((HttpStatusCode.OK, "Degraded"), (code, (string)health["status"]!));
        var fleet = health["entries"]!["fleet"]!;
        Assert.Equal(("Degraded", 3, 1, 1),
            ((string)fleet["status"]!, (int)fleet["data"]!["customers"]!, (int)fleet["data"]!["failed"]!,
                (int)fleet["data"]!["behind"]!));
        Assert.StartsWith(
            "1 of 3 customers failed, 1 is behind", (string)fleet["description"]!, StringComparison.Ordinal);
    }

    [Fact]
    public async Task It_is_degraded_by_the_last_examination_and_asks_for_none()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using var api = await ServedApi.StartAsync(database, app.Server.AsNewLogin(database));
        var doctor = api.Services.GetRequiredService<TenancyDoctor>();
        await api.Services.GetRequiredService<FleetMonitor>().LookAsync(Ct);
        api.Services.GetRequiredService<TenancyOptions>().Doctor.Relations = 10;
        var report = await doctor.ExamineAsync(Ct);

        var (code, health) = await api.HealthAsync(Ct);

        Assert.Equal((HttpStatusCode.OK, "Degraded"), (code, (string)health["entries"]!["doctor"]!["status"]!));
        Assert.Equal(report.Findings.Single(finding => finding.Id == "relations").Value,
            (double)health["entries"]!["doctor"]!["data"]!["relations"]!);
        Assert.Same(report, doctor.Last);
    }

    [Fact]
    public async Task It_is_unhealthy_while_a_shared_migration_of_this_build_is_missing_and_names_it()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using var api = await ServedApi.StartAsync(database, app.Server.AsNewLogin(database));
        await ExecuteAsync(database,
            """CREATE TABLE kept AS SELECT * FROM public."__EFMigrationsHistory" ORDER BY 1 DESC LIMIT 1; DELETE FROM public."__EFMigrationsHistory" WHERE "MigrationId" IN (SELECT "MigrationId" FROM kept)""");

        var (missingCode, missing) = await api.HealthAsync(Ct);
        await ExecuteAsync(database, """INSERT INTO public."__EFMigrationsHistory" SELECT * FROM kept""");
        var (code, _) = await api.HealthAsync(HttpStatusCode.OK);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, missingCode);
        Assert.Contains(MigrationIds.Of<CustomersContext>()[^1],
            (string)missing["entries"]!["shared schema"]!["description"]!, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, code);
    }

    [Fact]
    public async Task It_is_unhealthy_when_the_login_that_serves_customers_is_refused()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using var api = await ServedApi.StartAsync(database, app.Server.AsNewLogin(database));
        await ExecuteAsync(database, $"ALTER ROLE {new NpgsqlConnectionStringBuilder(api.Serving).Username} NOLOGIN");

        var (code, health) = await api.HealthAsync(Ct);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy", "Healthy"),
            (code, (string)health["entries"]!["database"]!["status"]!,
                (string)health["entries"]!["directory"]!["status"]!));
    }

    [Fact]
    public async Task Neither_health_nor_the_count_of_the_fleet_leaves_a_span()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        var name = new NpgsqlConnectionStringBuilder(database).Database!;
        var spans = new ConcurrentQueue<Activity>();
        using var listener = new ActivityListener
        {
            ShouldListenTo = source => source.Name == "Npgsql",
            // OpenTelemetry's default sampler: as the parent was sampled, and always where there is none.
            Sample = (ref creation) =>
                creation.Parent == default || creation.Parent.TraceFlags.HasFlag(ActivityTraceFlags.Recorded)
                    ? ActivitySamplingResult.AllDataAndRecorded
                    : ActivitySamplingResult.None,
            ActivityStopped = spans.Enqueue,
        };
        await using var api = await ServedApi.StartAsync(database, app.Server.AsNewLogin(database));
        ActivitySource.AddActivityListener(listener);

        await api.HealthAsync(Ct);
        await api.Services.GetRequiredService<FleetMonitor>().LookAsync(Ct);
        // What the library asks once, beside the start, isn't meant.
        Assert.DoesNotContain(spans,
            span => OfThisDatabase(span)
                && !$"{span.GetTagItem("db.query.text")}".Contains("pg_depend", StringComparison.Ordinal));
        // A request does, so the test would have seen them.
        using var customers = await api.Http.GetAsync("/customers", Ct);
        Assert.Contains(spans, OfThisDatabase);

        bool OfThisDatabase(Activity span) =>
            span.TagObjects.Any(tag => $"{tag.Value}".Contains(name, StringComparison.Ordinal));
    }

    private static async Task ExecuteAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
