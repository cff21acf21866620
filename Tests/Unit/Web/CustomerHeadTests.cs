using System.Net;
using Bunit;
using Web.Api;
using Web.Customers;
using Xunit;

namespace Tests.Unit.Web;

public sealed class CustomerHeadTests : PageContext
{
    [Fact]
    public void The_head_names_the_customer_and_marks_the_open_tab()
    {
        Api.Answer = _ => FakeApi.Json(HttpStatusCode.OK, Named("acme", "Acme Corporation"));

        var head = Render<CustomerHead>(p => p.Add(x => x.Slug, "acme").Add(x => x.Tab, CustomerTab.Keys));

        Assert.Equal("Acme Corporation", head.Find(".head-name").TextContent);
        Assert.Equal("Suspended", head.Find("h1 .mud-chip").TextContent.Trim());
        Assert.Equal("/customers/acme/keys", head.Find("[aria-current=page].tab").GetAttribute("href"));
        Assert.Equal("/customers/acme", head.FindAll(".tab")[0].GetAttribute("href"));
    }

    [Fact]
    public void The_page_is_told_about_the_customer_and_the_trail_asks_no_second_time()
    {
        Customer? told = null;
        Api.Answer = _ => FakeApi.Json(HttpStatusCode.OK, Named("acme", "Acme Corporation"));

        Render<CustomerHead>(p => p.Add(x => x.Slug, "acme").Add(x => x.Found, customer => told = customer));

        Assert.Equal("Acme Corporation", told?.Name);
        Assert.Single(Api.Requests);
    }

    [Fact]
    public void The_page_is_told_that_there_is_no_such_customer()
    {
        Problem? told = null;
        Api.Answer = _ => FakeApi.Problem(HttpStatusCode.NotFound, new { title = "Unknown customer." });

        var head = Render<CustomerHead>(p => p.Add(x => x.Slug, "nobody").Add(x => x.Missing, problem => told = problem));

        Assert.Equal("Unknown customer.", told?.Title);
        Assert.Equal("nobody", head.Find(".head-name").TextContent);
    }

    [Fact]
    public void The_next_tab_has_the_customers_name_before_the_api_answers()
    {
        Api.Answer = _ => FakeApi.Json(HttpStatusCode.OK, Named("acme", "Acme Corporation"));
        Render<CustomerHead>(p => p.Add(x => x.Slug, "acme"));
        Api.Answer = _ => throw new HttpRequestException(HttpRequestError.ConnectionError);

        var next = Render<CustomerHead>(p => p.Add(x => x.Slug, "acme").Add(x => x.Tab, CustomerTab.Invoices));
        var other = Render<CustomerHead>(p => p.Add(x => x.Slug, "globex"));

        Assert.Equal("Acme Corporation", next.Find(".head-name").TextContent);
        Assert.Equal("globex", other.Find(".head-name").TextContent);
    }

    private static object Named(string slug, string name) => new
    {
        id = Guid.NewGuid(),
        slug,
        name,
        schema = $"customer_{slug}",
        status = "suspended",
        ring = 1,
        createdAt = "2026-11-23T12:00:00Z",
    };
}
