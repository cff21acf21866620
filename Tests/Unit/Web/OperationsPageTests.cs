using System.Net;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Web.Operations;
using Xunit;

namespace Tests.Unit.Web;

public sealed class OperationsPageTests : PageContext
{
    private static readonly Guid Id = Guid.Parse("0192d3a1-0000-7000-8000-000000000042");
    private static readonly Guid Next = Guid.Parse("0192d3a1-0000-7000-8000-000000000007");

    private readonly ManualTime _time = new();

    public OperationsPageTests() => Services.AddSingleton<TimeProvider>(_time);

    private NavigationManager Navigation => Services.GetRequiredService<NavigationManager>();

    [Fact]
    public void The_filters_of_the_address_are_asked_for_and_led_on_with()
    {
        Api.Answer = _ => Listed(FleetFacts.Operation(Id, "export", "done", customer: "acme"));
        Navigation.NavigateTo("/operations?state=done&kind=export&customer=acme");

        var page = Render<OperationsPage>();

        Assert.Equal("/operations?pageSize=25&customer=acme&kind=export&state=done", Assert.Single(Api.Requests).Path);
        Assert.Equal("Done", page.Find(".chip[aria-current]").TextContent);
        Assert.Equal($"/operations/{Id}", page.Find("a.row-link").GetAttribute("href"));
        Assert.Equal("/customers/acme", page.Find("a.customer-link").GetAttribute("href"));
        var failed = page.FindAll(".chip").Single(chip => chip.TextContent == "Failed").GetAttribute("href")!;
        Assert.Equal("customer=acme&kind=export&state=failed",
            string.Join('&', new Uri(failed).Query[1..].Split('&').Order(StringComparer.Ordinal)));
    }

    [Fact]
    public void Older_ones_are_a_page_of_their_own_and_another_filter_begins_with_the_newest()
    {
        Api.Answer = _ => Listed(Next, FleetFacts.Operation(Id, state: "done"));
        Navigation.NavigateTo($"/operations?before={Id}");

        var page = Render<OperationsPage>();

        Assert.Contains($"before={Id}", Assert.Single(Api.Requests).Path, StringComparison.Ordinal);
        Assert.Equal([null, Next.ToString()], page.FindAll("[aria-label=Pages] a").Select(link =>
            System.Web.HttpUtility.ParseQueryString(new Uri(link.GetAttribute("href")!).Query)["before"]));
        Assert.DoesNotContain(page.FindAll(".chip"), chip =>
            chip.GetAttribute("href")!.Contains("before", StringComparison.Ordinal));
    }

    [Fact]
    public void One_that_runs_is_followed_and_can_be_cancelled_from_its_row()
    {
        var state = "running";
        Api.Answer = request => request.Method == HttpMethod.Post
            ? FakeApi.Json(HttpStatusCode.Accepted, FleetFacts.Operation(Id))
            : Listed(FleetFacts.Operation(Id, state: state));
        var page = Render<OperationsPage>();
        Assert.Contains("3 of 8", page.Markup, StringComparison.Ordinal);

        page.Find("tbody button").Click();
        Assert.Single(Api.Requests, request => request.Path == $"/operations/{Id}/cancel");

        state = "cancelled";
        _time.Advance(seconds: 2);
        page.WaitForAssertion(() => Assert.Contains("Cancelled", page.Find("tbody").TextContent,
            StringComparison.Ordinal));
        Assert.Empty(page.FindAll("tbody button"));
        var asked = Api.Requests.Count;
        _time.Advance(seconds: 6);
        Assert.Equal(asked, Api.Requests.Count);
    }

    [Theory]
    [InlineData("/operations", "No operations yet")]
    [InlineData("/operations?state=failed", "No operations match")]
    public void Where_there_are_none_the_page_says_why(string address, string title)
    {
        Api.Answer = _ => Listed();
        Navigation.NavigateTo(address);

        Assert.Equal(title, Render<OperationsPage>().Find(".empty h2").TextContent);
    }

    [Fact]
    public void An_operation_has_a_page_that_names_all_on_whom_it_failed()
    {
        Api.Answer = _ => FakeApi.Json(HttpStatusCode.OK, FleetFacts.Operation(Id, "migrate", "failed", new
        {
            migrated = 5,
            failed = new[]
            {
                new { schema = "customer_acme", slug = "acme", error = "42P07: relation exists" },
                new { schema = "spare_1", slug = (string?)null, error = "57014: too long" }!,
            },
        }));

        var page = Render<OperationDetailPage>(p => p.Add(x => x.Id, Id));

        Assert.Equal("Migration", page.Find("h1").TextContent);
        Assert.Equal("/customers/acme", page.Find(".failed a").GetAttribute("href"));
        Assert.Equal(["42P07: relation exists", "57014: too long"],
            page.FindAll(".failed pre").Select(error => error.TextContent));
    }

    [Fact]
    public void An_unknown_operation_is_said_to_be_unknown()
    {
        Api.Answer = _ => FakeApi.Problem(HttpStatusCode.NotFound,
            new { title = "Unknown operation.", detail = "It ended more than a week ago." });

        Assert.Contains("It ended more than a week ago.",
            Render<OperationDetailPage>(p => p.Add(x => x.Id, Id)).Find("[role=alert]").TextContent,
            StringComparison.Ordinal);
    }

    private static HttpResponseMessage Listed(params object[] items) => Listed(null, items);

    private static HttpResponseMessage Listed(Guid? next, params object[] items) =>
        FakeApi.Json(HttpStatusCode.OK, new { items, next });
}
