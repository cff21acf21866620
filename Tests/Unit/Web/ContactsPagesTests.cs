using System.Net;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Web.Contacts;
using Xunit;

namespace Tests.Unit.Web;

public sealed class ContactsPagesTests : PageContext
{
    private static readonly Guid Id = Guid.Parse("0192d3a1-0000-7000-8000-0000000000ad");

    private string _status = "active";

    public ContactsPagesTests() => Api.Answer = Answer;

    [Fact]
    public void Contacts_are_searched_for_that_customer_and_each_has_a_page()
    {
        Services.GetRequiredService<NavigationManager>().NavigateTo("/customers/acme/contacts?search=a%26b&page=2");

        var page = Render<ContactsPage>(p => p.Add(x => x.Slug, "acme"));

        var asked = Assert.Single(
            Api.Requests, request => request.Path.StartsWith("/contacts", StringComparison.Ordinal));
        Assert.Equal(("acme", "/contacts?page=2&pageSize=25&search=a%26b"), (asked.Customer, asked.Path));
        Assert.Equal($"/customers/acme/contacts/{Id}", page.Find("a.row-link").GetAttribute("href"));
        Assert.Equal("/customers/acme/contacts/new", page.Find("header a").GetAttribute("href"));
    }

    [Theory]
    [InlineData("", "Name", "ascending", "?sort=-name", "?sort=email")]
    [InlineData("?sort=-name&page=2", "Name", "descending", "", "?sort=email")]
    [InlineData("?sort=email&search=a", "Email", "ascending", "?search=a", "?sort=-email&search=a")]
    public void The_heads_say_and_change_the_order(
        string query, string sorted, string direction, string byName, string byEmail)
    {
        Services.GetRequiredService<NavigationManager>().NavigateTo($"/customers/acme/contacts{query}");

        var page = Render<ContactsPage>(p => p.Add(x => x.Slug, "acme"));

        var head = Assert.Single(page.FindAll("th[aria-sort]"));
        Assert.Equal(direction, head.GetAttribute("aria-sort"));
        Assert.StartsWith(sorted, head.TextContent.Trim(), StringComparison.Ordinal);
        Assert.Equal([$"http://localhost/customers/acme/contacts{byName}",
            $"http://localhost/customers/acme/contacts{byEmail}"],
            page.FindAll("th a").Select(link => link.GetAttribute("href")));
    }

    [Fact]
    public void A_customer_that_is_not_served_gets_no_new_contacts()
    {
        _status = "suspended";

        var page = Render<ContactsPage>(p => p.Add(x => x.Slug, "acme"));

        Assert.Empty(page.FindAll("a[href$='/new']"));
    }

    [Fact]
    public void A_contact_has_its_invoices_and_the_way_to_a_new_one()
    {
        var page = Render<ContactPage>(p => p.Add(x => x.Slug, "acme").Add(x => x.Id, Id));

        Assert.Equal("Ada Moreau", page.Find("h2").TextContent);
        Assert.Contains($"/invoices?pageSize=10&contact={Id}", Api.Requests.Select(request => request.Path));
        Assert.Equal("None was written for this contact.", page.Find(".empty p").TextContent);
        Assert.Equal($"/customers/acme/invoices/new?contact={Id}",
            page.FindAll(".part-actions a")[0].GetAttribute("href"));
    }

    private HttpResponseMessage Answer(HttpRequestMessage request) => request.RequestUri!.AbsolutePath switch
    {
        "/customers/acme" => FakeApi.Json(HttpStatusCode.OK, new
        {
            id = Guid.NewGuid(), slug = "acme", name = "Acme", schema = "customer_acme", status = _status, ring = 0,
            createdAt = "2026-11-23T12:00:00Z",
        }),
        "/contacts" => FakeApi.Json(HttpStatusCode.OK,
            new { items = new[] { new { id = Id, name = "Ada Moreau" } }, page = 2, pageSize = 25, total = 26 }),
        "/invoices" => FakeApi.Page(),
        _ => FakeApi.Json(HttpStatusCode.OK, new { id = Id, name = "Ada Moreau", email = "ada@example.com" }),
    };
}
