using System.Globalization;
using System.Net;
using Bunit;
using Web.Doctor;
using Web.Overview;
using Xunit;

namespace Tests.Unit.Web;

public sealed class DoctorPageTests : PageContext
{
    private readonly FleetFacts _facts = FleetFacts.WithOneFailure();

    public DoctorPageTests()
    {
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("en-US");
        Api.Answer = _facts.Answer();
    }

    [Fact]
    public void What_is_over_its_limit_stands_first_with_number_limit_reason_and_advice()
    {
        _facts.Findings.AddRange(
        [
            FleetFacts.Finding("relations", 12_000, 500_000, "relations"),
            FleetFacts.Finding("orphan-schemas", 2, 0, "schemas", "stray", "lost"),
            FleetFacts.Finding("backend-memory", 6.5 * (1L << 30), 4L << 30, "bytes"),
            FleetFacts.Finding("old-transaction", null, 3600, "seconds"),
        ]);

        var page = Render<DoctorPage>();

        Assert.Equal(["Over the limit", "Unknown", "Within the limit"],
            page.FindAll("h2").Select(heading => heading.TextContent));
        Assert.Equal(["2 schemas limit: none", "6.5 GB limit: 4 GB"],
            page.FindAll(".finding-number").Select(number => number.TextContent.Trim()));
        var orphans = page.Find("#orphan-schemas").TextContent;
        Assert.All((string[])["It says orphan-schemas.", "It hurts.", "Mend it.", "stray", "lost"],
            words => Assert.Contains(words, orphans, StringComparison.Ordinal));
        Assert.Contains("Mend it.", page.Find("[aria-labelledby=unknown]").TextContent, StringComparison.Ordinal);
        Assert.Equal(["Title of relationsIt says relations.", "12,000 relations", "500,000 relations"],
            page.FindAll("[aria-labelledby=well] tbody td").Select(cell => cell.TextContent.Trim()));
        Assert.Contains("4 numbers read", page.Find("[aria-labelledby=over]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void When_nothing_is_over_its_limit_it_says_so()
    {
        _facts.Findings.Add(FleetFacts.Finding("dump", 0, 0, "sessions"));

        var page = Render<DoctorPage>();

        Assert.Equal("Nothing is over its limit", page.Find(".empty h2").TextContent);
        Assert.Empty(page.FindAll(".findings"));
    }

    [Fact]
    public void The_button_asks_for_a_new_examination_and_the_page_itself_does_not()
    {
        var page = Render<DoctorPage>();
        page.Find("button").Click();

        Assert.Equal(["/doctor", "/doctor?fresh=true"], Api.Requests.Select(request => request.Path));
    }

    [Fact]
    public void When_the_api_cannot_examine_it_says_why()
    {
        Api.Answer = _ => FakeApi.Problem(
            HttpStatusCode.ServiceUnavailable, new { title = "The database can't be reached.", detail = "Wait." });

        Assert.Contains("The database can't be reached.", Render<DoctorPage>().Find("[role=alert]").TextContent,
            StringComparison.Ordinal);
    }

    [Fact]
    public void The_overview_names_what_is_over_its_limit_and_leads_to_what_to_do()
    {
        Assert.Empty(Render<OverviewPage>().FindAll("[aria-labelledby=warnings]"));
        _facts.Findings.Add(FleetFacts.Finding("dead-catalog-rows", 34.5, 20, "%"));

        var warning = Render<OverviewPage>().Find("[aria-labelledby=warnings] .warnings li");

        Assert.Equal("/doctor#dead-catalog-rows", warning.QuerySelector("a")!.GetAttribute("href"));
        Assert.Contains("34.5 % · limit: 20 %", warning.TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void The_overview_stands_without_the_doctor()
    {
        var others = _facts.Answer();
        Api.Answer = request => request.RequestUri!.AbsolutePath == "/doctor"
            ? FakeApi.Problem(HttpStatusCode.ServiceUnavailable, new { title = "The database is busy." })
            : others(request);

        var page = Render<OverviewPage>();

        Assert.Contains(
            "The database couldn't be examined: The database is busy.", page.Markup, StringComparison.Ordinal);
        Assert.NotEmpty(page.FindAll(".tile"));
    }

    [Theory]
    [InlineData(1, "schemas", "1 schema")]
    [InlineData(90, "seconds", "2 min")]
    [InlineData(7200, "seconds", "2 hours")]
    [InlineData(200_000, "seconds", "2.3 days")]
    [InlineData(52_428_800, "bytes", "50 MB")]
    [InlineData(0.25, "evictions per hour", "0.25 evictions per hour")]
    [InlineData(1, "evictions per hour", "1 eviction per hour")]
    public void A_number_is_written_in_its_unit(double value, string unit, string words) => Assert.Equal(
        words, new Finding("", "", value, 0, unit, "", "", "", [], "ok").Number);
}
