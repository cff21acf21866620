using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Tenancy;
using Tenancy.AspNetCore;
using Tenancy.Databases;
using Tests.Integration.Adoption;
using Tests.Integration.Metrics;
using Xunit;

namespace Tests.Integration.Placement;

/// <summary>What the doctor of a process that serves says of all databases.</summary>
public sealed class DoctorOfDatabasesTests(App app) : IAsyncLifetime
{
    private const string Missing = "missing-schemas";

    private TwoDatabases _two = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _two = await TwoDatabases.StartAsync(app);
        await _two.CreateAsync("acme");
        await _two.CreateAsync("globex", "two");
        await TwoDatabases.ExecuteAsync(_two.Second, "DROP SCHEMA customer_globex CASCADE");
    }

    public ValueTask DisposeAsync() => _two.DisposeAsync();

    [Fact]
    public async Task The_numbers_of_all_databases_or_of_the_chosen_one_are_told_and_one_that_is_gone_is_named()
    {
        var both = await ExamineAsync("");
        Assert.Equal([(null, null), ("two", null)], Databases(both));
        Assert.Equal([(null, 0), ("two", 1)], Numbers(both));
        Assert.Equal(1, (int)both["over"]!);

        var first = await ExamineAsync("&database=first");
        Assert.Equal([(null, null)], Databases(first));
        Assert.Equal([(null, 0)], Numbers(first));
        var second = await ExamineAsync("&database=two");
        Assert.Equal([("two", null)], Databases(second));
        Assert.Equal([("two", 1)], Numbers(second));

        await _two.KillSecondAsync();
        both = await ExamineAsync("");
        Assert.Equal([null, "two"], Databases(both).Select(database => database.Name));
        Assert.NotEmpty(Databases(both)[1].Error!);
        Assert.Equal([(null, 0)], Numbers(both));
        using var gone = await _two.Http.GetAsync("/doctor?fresh=true&database=two", Ct);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, gone.StatusCode);
    }

    [Fact]
    public async Task Health_is_degraded_by_a_number_of_the_second_database_and_names_it()
    {
        await _two.Api.Services.GetRequiredService<TenancyDoctor>().ExamineAsync(Ct);
        var unseen = await HealthAsync();
        Assert.Equal("Healthy", (string?)unseen["status"]);
        Assert.Contains("The database 'two' wasn't examined.", (string?)unseen["description"], StringComparison.Ordinal);

        await ExamineAsync("");

        var health = await HealthAsync();
        Assert.Equal("Degraded", (string?)health["status"]);
        Assert.StartsWith(
            "Over the limit: missing-schemas (two).", (string?)health["description"], StringComparison.Ordinal);
        Assert.Equal(1, (int)health["data"]![$"two.{Missing}"]!);
    }

    [Fact]
    public async Task A_second_database_that_cannot_be_examined_leaves_health_to_the_check_of_other_databases()
    {
        using var measured = new Measured(_two.Api.Services);
        await ExamineAsync("");
        Assert.Equal("Degraded", (string?)(await HealthAsync())["status"]);
        await _two.KillSecondAsync();
        await ExamineAsync("");

        using var answer = await _two.Http.GetAsync("/health", Ct);
        var entries = (await answer.Content.ReadFromJsonAsync<JsonObject>(Ct))!["entries"]!;

        Assert.Equal((HttpStatusCode.OK, "Degraded", "Healthy"),
            (answer.StatusCode, (string?)entries["other databases"]!["status"], (string?)entries["doctor"]!["status"]));
        Assert.Contains("The database 'two' wasn't examined.", (string?)entries["doctor"]!["description"],
            StringComparison.Ordinal);
        Assert.DoesNotContain(
            measured.Of(TenancyTelemetry.DoctorOver).SelectMany(sample => sample.Tags),
            tag => tag.EndsWith("=two", StringComparison.Ordinal));
    }

    [Fact]
    public async Task The_gauges_name_the_database_for_all_but_the_first()
    {
        using var measured = new Measured(_two.Api.Services);

        await ExamineAsync("");

        Assert.Equal([$"0 tenancy.finding={Missing}", $"1 tenancy.finding={Missing},tenancy.database=two"],
            measured.Of(TenancyTelemetry.DoctorOver, $"{TenancyTelemetry.Finding}={Missing}")
                .Select(sample => $"{sample.Value} {string.Join(',', sample.Tags)}").Order());
        Assert.Equal(["", "two"], measured.Of(TenancyTelemetry.DoctorUsage, $"{TenancyTelemetry.Finding}=relations")
            .Select(sample => sample.Tags.Count == 1 ? "" : sample.Tags[1].Split('=')[1]).Order());
    }

    [Fact]
    public async Task A_process_that_serves_examines_each_database_by_itself()
    {
        var second = await app.Server.ConnectionStringAsync(Ct);
        await using var site = await ShopSite.StartAsync(app, tenancy => tenancy
            .AddContext<OrderingContext>(context => context.ReplaceSchema(OrderingContext.Schema))
            .Resolve(request => request.Header("X-Shop"))
            .Configure(options => options.DoctorInterval = TimeSpan.FromMilliseconds(100))
            .AddDatabase("two", database => database.ConnectionString = second), _ => { });
        var doctor = site.Application.Services.GetRequiredService<TenantDatabases>().Named("two")
            .GetRequiredService<TenancyDoctor>();

        await Eventually.HoldsAsync(() => doctor.Last is not null);
    }

    private async Task<JsonObject> ExamineAsync(string more) =>
        (await _two.Http.GetFromJsonAsync<JsonObject>($"/doctor?fresh=true{more}", Ct))!;

    private async Task<JsonNode> HealthAsync() =>
        (await _two.Http.GetFromJsonAsync<JsonObject>("/health", Ct))!["entries"]!["doctor"]!;

    private static List<(string? Name, string? Error)> Databases(JsonObject report) =>
        [.. report["databases"]!.AsArray().Select(one => ((string?)one!["name"], (string?)one["error"]))];

    private static IEnumerable<(string? Database, double Value)> Numbers(JsonObject report) =>
        report["findings"]!.AsArray().Where(finding => (string?)finding!["id"] == Missing)
            .Select(finding => ((string?)finding!["database"], (double)finding["value"]!));
}
