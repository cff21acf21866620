using System.Globalization;
using System.Net;
using Bunit;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;
using Web.Overview;
using Web.Shell;
using Xunit;

namespace Tests.Unit.Web;

public sealed class OverviewPageTests : PageContext
{
    private static readonly Guid Id = Guid.Parse("0192d3a1-0000-7000-8000-000000000042");

    private readonly FleetFacts _facts = FleetFacts.WithOneFailure();

    public OverviewPageTests()
    {
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("en-US");
        Services.AddSingleton<IHostEnvironment>(new HostingEnvironment { EnvironmentName = "Production" });
        Api.Answer = _facts.Answer(request => request.Method == HttpMethod.Post
            ? FakeApi.Json(HttpStatusCode.Accepted, FleetFacts.Operation(Id, "migrate", "queued"))
            : FakeApi.Json(HttpStatusCode.OK, FleetFacts.Operation(Id, "migrate", "done")));
    }

    [Fact]
    public void Customers_are_counted_by_state_and_version_and_spare_or_removed_schemas_are_not()
    {
        var page = Render<OverviewPage>();

        Assert.Equal(["10 customers", "1 failed", "2 behind", "0 runs in progress"],
            page.FindAll(".tile").Select(tile => tile.TextContent.Trim()));
        // The ledger calls suspended and archived ones ready, too: the registry knows.
        Assert.Equal(
            ["Active 8", "Suspended 1", "Archived 1", "Upgrade failed 1"], Bars(page, "Customers by state"));
        Assert.Equal([$"{FleetFacts.Colors} 8", $"{FleetFacts.Initial} 2"],
            Bars(page, "Customers by schema version"));
        // The drawing says nothing that the words don't.
        Assert.All(page.FindAll(".bars svg"), bar => Assert.Equal("true", bar.GetAttribute("aria-hidden")));
        Assert.Equal("80%", page.FindAll("[aria-label='Customers by schema version'] .bars-part")[0]
            .GetAttribute("width"));
        Assert.Contains("3 MB", page.Find("[aria-label='Largest customers']").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void Who_failed_and_who_is_behind_can_be_migrated_from_the_row()
    {
        var page = Render<OverviewPage>();
        Assert.Equal(["acme Inc.", "initech Inc."], page.FindAll("a.row-link").Select(link => link.TextContent));

        page.Find("button[aria-label='Migrate initech Inc.']").Click();
        page.Find("button[aria-label='Retry acme Inc.']").Click();

        Assert.Equal([("/fleet/migrate", """{"ring":null,"customers":["initech"]}"""),
            ("/fleet/retry", """{"ring":null,"customers":["acme"]}""")],
            Api.Requests.Where(request => request.Method == HttpMethod.Post).Select(one => (one.Path, one.Body!)));
        Assert.Contains("Migration", page.Find("[aria-labelledby=live-runs]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void What_the_api_refuses_is_said_and_the_button_works_again()
    {
        var bar = Render<MudBlazor.MudSnackbarProvider>();
        var page = Render<OverviewPage>();
        Api.Answer = _facts.Answer(_ => FakeApi.Problem(HttpStatusCode.Forbidden,
            new { title = "This API can't change the fleet.", detail = "Use the job.", traceId = "0af765" }));

        page.Find("button[aria-label='Migrate initech Inc.']").Click();

        bar.WaitForAssertion(() => Assert.Contains("This API can't change the fleet. Use the job. Trace 0af765",
            bar.Markup, StringComparison.Ordinal));
        Assert.False(page.Find("button[aria-label='Migrate initech Inc.']").HasAttribute("disabled"));
    }

    [Fact]
    public void Without_customers_it_leads_to_the_first_one()
    {
        _facts.Groups.Clear();
        _facts.Failures.Clear();

        Assert.Equal("/customers", Render<OverviewPage>().Find(".empty a").GetAttribute("href"));
    }

    [Theory]
    [InlineData("Production", "production")]
    [InlineData("Staging", "staging")]
    [InlineData("Development", "other")]
    public void The_environment_is_a_word_and_a_colour(string name, string tone)
    {
        Services.AddSingleton<IHostEnvironment>(new HostingEnvironment { EnvironmentName = name });

        var badge = Render<EnvironmentBadge>().Find("span");

        Assert.Equal((name, $"environment {tone}"), (badge.TextContent, badge.ClassName));
    }

    private static IEnumerable<string> Bars(IRenderedComponent<OverviewPage> page, string chart) =>
        page.FindAll($"[aria-label='{chart}'] li").Select(bar =>
            $"{bar.QuerySelector(".bars-label")!.TextContent.Trim()} {bar.QuerySelector(".bars-number")!.TextContent}");
}
