using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Tenancy;
using Tests.Integration.Fleet;
using Xunit;

namespace Tests.Integration.Citus;

/// <summary>A node that is gone is its customers' trouble alone.</summary>
public sealed class LostNodeTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Customers_of_a_lost_node_get_503_and_the_others_are_served()
    {
        await using var cluster = await BreakableCluster.StartAsync(app);
        var (there, lost) = (await cluster.NewCustomerAsync(lost: false), await cluster.NewCustomerAsync(lost: true));

        cluster.Lose();
        using var served = await cluster.GetAsync(there);
        using var refused = await cluster.GetAsync(lost);
        using var write = await cluster.PostAsync(lost);

        Assert.Equal(HttpStatusCode.OK, served.StatusCode);
        foreach (var (answer, detail) in new[] { (refused, "Try again in 5 seconds."),
            (write, "It isn't known whether it was saved: look before you try again.") })
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
            Assert.Equal(TimeSpan.FromSeconds(5), answer.Headers.RetryAfter?.Delta);
            var problem = await answer.Content.ReadFromJsonAsync<JsonNode>(Ct);
            Assert.Equal("urn:problem:unavailable", (string?)problem!["type"]);
            Assert.Equal("The customer's database node can't be reached.", (string?)problem["title"]);
            Assert.Equal(detail, (string?)problem["detail"]);
        }
    }

    [Fact]
    public async Task The_report_over_all_customers_names_those_of_a_lost_node_and_reads_the_others()
    {
        await using var cluster = await BreakableCluster.StartAsync(app);
        var (there, lost) = (await cluster.NewCustomerAsync(lost: false), await cluster.NewCustomerAsync(lost: true));

        cluster.Lose();
        var report = (await cluster.Client.GetFromJsonAsync<JsonNode>("/reports/receivables", Ct))!;

        Assert.Equal(cluster.Customers(lost: true), report["missing"]!.AsArray().Select(one => (string?)one!["slug"]));
        Assert.Contains(lost.Slug, cluster.Customers(lost: true));
        Assert.DoesNotContain(there.Slug, cluster.Customers(lost: true));
        Assert.StartsWith("08006: ", (string?)report["missing"]![0]!["reason"], StringComparison.Ordinal);
        Assert.Equal(cluster.Customers(lost: false).Count, (int?)report["read"]);
    }

    [Fact]
    public async Task A_run_writes_a_lost_node_down_as_its_customers_failure_and_the_next_run_mends_it()
    {
        await using var proxies = await BreakableDatabase.CreateAsync(app);
        await using var fleet = await TestFleet.StartAsync(proxies.ConnectionString);
        var schemas = await fleet.ProvisionAsync(CitusFleet.Old, 4);

        proxies.Lose();
        var broken = await fleet.Migrator(CitusFleet.New).RunAsync(new() { Isolate = true }, Ct);
        proxies.Find();
        var mended = await fleet.Migrator(CitusFleet.New).RunAsync(new() { OnlyFailed = true }, Ct);

        Assert.Equal(FleetOutcome.Done, broken.Outcome);
        Assert.NotEmpty(broken.Failed);
        Assert.All(broken.Failed, failed => Assert.Contains(proxies.Node, failed.Error, StringComparison.Ordinal));
        Assert.Empty(mended.Failed);
        Assert.Equal(schemas.Count, broken.Migrated + mended.Migrated);
        Assert.True((await DriftFleet.Verifier(fleet, CitusFleet.New).VerifyAsync(ct: Ct)).IsClean);
    }
}
