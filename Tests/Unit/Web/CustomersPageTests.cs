using System.Net;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using Web.Customers;
using Xunit;

namespace Tests.Unit.Web;

public sealed class CustomersPageTests : PageContext
{
    private static readonly object Acme = new
    {
        id = Guid.NewGuid(),
        slug = "acme",
        name = "Acme Corporation",
        schema = "customer_acme",
        status = "suspended",
        ring = 1,
        createdAt = "2026-11-23T12:00:00Z",
    };

    [Fact]
    public void A_customer_is_listed_with_a_way_to_its_invoices()
    {
        Api.Answer = _ => FakeApi.Page(Acme);

        var page = Render<CustomersPage>();

        Assert.Equal("/customers/acme", page.Find("a.row-link").GetAttribute("href"));
        Assert.Contains("customer_acme", page.Markup, StringComparison.Ordinal);
        Assert.Equal("Suspended", page.Find(".mud-chip").TextContent.Trim());
        Assert.Contains("1 customer", page.Find(".pager").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_there_are_no_customers_the_page_offers_to_create_one()
    {
        Api.Answer = _ => FakeApi.Page();

        var page = Render<CustomersPage>();

        Assert.Equal("No customers yet", page.Find(".empty h2").TextContent);
        Assert.Equal("Create the first customer", page.Find(".empty button").TextContent.Trim());
    }

    [Fact]
    public void A_search_that_finds_nothing_says_what_was_searched()
    {
        Api.Answer = _ => FakeApi.Page();
        Services.GetRequiredService<NavigationManager>().NavigateTo("/customers?search=globex&page=3");

        var page = Render<CustomersPage>();

        Assert.Equal("Nothing matches “globex”", page.Find(".empty h2").TextContent);
        Assert.Equal("/customers?page=3&pageSize=25&search=globex", Assert.Single(Api.Requests).Path);
    }

    [Fact]
    public void A_page_beyond_the_last_leads_back_to_the_first()
    {
        Api.Answer = _ =>
            FakeApi.Json(HttpStatusCode.OK, new { items = Array.Empty<object>(), page = 9, pageSize = 25, total = 30 });
        Services.GetRequiredService<NavigationManager>().NavigateTo("/customers?page=9");

        var page = Render<CustomersPage>();

        Assert.Equal("There is no page 9", page.Find(".empty h2").TextContent);
    }

    [Fact]
    public void An_error_is_shown_in_words_and_trying_again_helps()
    {
        Api.Answer = _ => throw new HttpRequestException(HttpRequestError.ConnectionError);
        var page = Render<CustomersPage>();
        Assert.Contains("The API can't be reached.", page.Find("[role=alert]").TextContent, StringComparison.Ordinal);

        Api.Answer = _ => FakeApi.Page(Acme);
        page.Find(".problem-actions button").Click();

        Assert.Empty(page.FindAll("[role=alert]"));
        Assert.Equal("Acme Corporation", page.Find("a.row-link").TextContent);
    }
}

public sealed class NewCustomerDialogTests : PageContext
{
    [Fact]
    public async Task What_is_missing_is_said_beside_the_fields_and_nothing_is_sent()
    {
        var dialog = await OpenAsync();

        await dialog.Find("form").SubmitAsync();

        Assert.Equal("Enter a name.", Beside(dialog, "Name"));
        Assert.Equal("Enter a slug.", Beside(dialog, "Slug"));
        Assert.Empty(Api.Requests);
    }

    [Fact]
    public async Task The_slug_follows_the_name_until_someone_chooses_one()
    {
        var dialog = await OpenAsync();

        await Field(dialog, "Name").InputAsync("Müller & Söhne");
        Assert.Equal("muller-sohne", Field(dialog, "Slug").GetAttribute("value"));

        await Field(dialog, "Slug").InputAsync("mueller");
        await Field(dialog, "Name").InputAsync("Müller & Töchter");
        Assert.Equal("mueller", Field(dialog, "Slug").GetAttribute("value"));
    }

    [Fact]
    public async Task What_the_api_objects_to_is_said_beside_the_field()
    {
        Api.Answer = _ => FakeApi.Problem(HttpStatusCode.BadRequest, new
        {
            title = "One or more validation errors occurred.",
            errors = new Dictionary<string, string[]> { ["name"] = ["Too loud."] },
        });
        var dialog = await OpenAsync();
        await Field(dialog, "Name").InputAsync("ACME");

        await dialog.Find("form").SubmitAsync();

        Assert.Equal("Too loud.", Beside(dialog, "Name"));
        Assert.Equal("""{"slug":"acme","name":"ACME"}""", Assert.Single(Api.Requests).Body);
    }

    [Fact]
    public async Task A_taken_slug_is_said_beside_the_slug_until_it_changes()
    {
        Api.Answer = _ =>
            FakeApi.Problem(
                HttpStatusCode.Conflict, new { title = "The slug is taken.", detail = "Choose another than 'acme'." });
        var dialog = await OpenAsync();
        await Field(dialog, "Name").InputAsync("Acme");

        await dialog.Find("form").SubmitAsync();
        Assert.Equal("Choose another than 'acme'.", Beside(dialog, "Slug"));

        await Field(dialog, "Slug").InputAsync("acme-2");
        Assert.Equal("", Beside(dialog, "Slug"));
    }

    [Fact]
    public async Task What_belongs_to_no_field_is_said_above_the_form()
    {
        Api.Answer = _ => throw new HttpRequestException(HttpRequestError.ConnectionError);
        var dialog = await OpenAsync();
        await Field(dialog, "Name").InputAsync("Acme");

        await dialog.Find("form").SubmitAsync();

        Assert.Contains("The API can't be reached. Nothing was saved.",
            string.Join(' ', dialog.FindAll("form .problem p").Select(p => p.TextContent)), StringComparison.Ordinal);
    }

    private async Task<IRenderedComponent<MudDialogProvider>> OpenAsync()
    {
        var dialogs = Render<MudDialogProvider>();
        await dialogs.InvokeAsync(() =>
            Services.GetRequiredService<IDialogService>().ShowAsync<NewCustomerDialog>("New customer"));
        return dialogs;
    }

    private static AngleSharp.Dom.IElement Field(IRenderedComponent<MudDialogProvider> dialog, string label) =>
        dialog.Find("#" + dialog.FindAll("label").Single(l => l.TextContent == label).GetAttribute("for"));
}
