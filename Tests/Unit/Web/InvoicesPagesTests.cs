using System.Globalization;
using System.Net;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Web.Invoices;
using Xunit;

namespace Tests.Unit.Web;

public sealed class InvoicesPagesTests : PageContext
{
    private static readonly object Acme = new
    {
        id = Guid.NewGuid(),
        slug = "acme",
        name = "Acme Corporation",
        schema = "customer_acme",
        status = "active",
        ring = 0,
        createdAt = "2026-11-23T12:00:00Z",
    };

    private static readonly Guid Id = Guid.Parse("0192d3a1-0000-7000-8000-000000000017");

    public InvoicesPagesTests() => CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("en-US");

    [Fact]
    public void Amounts_have_their_currencys_decimals_and_dates_are_short()
    {
        Answer(invoices: () =>
            FakeApi.Page(Summary(17, "EUR", 2, 1234.5m), Summary(16, "JPY", 0, 1500m), Summary(15, "KWD", 3, 1.25m)));

        var page = Render<InvoicesPage>(p => p.Add(x => x.Slug, "acme"));

        Assert.Equal(["#17", "#16", "#15"], page.FindAll("a.row-link").Select(a => a.TextContent));
        Assert.Equal(["1,234.50\u00a0EUR", "1,500\u00a0JPY", "1.250\u00a0KWD"],
            page.FindAll("td.money").Select(td => td.TextContent.Trim()));
        Assert.Contains("11/23/2026", page.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public void A_customer_without_invoices_is_offered_the_first()
    {
        Answer(invoices: () => FakeApi.Page());

        var page = Render<InvoicesPage>(p => p.Add(x => x.Slug, "acme"));

        Assert.Equal("No invoices yet", page.Find(".empty h2").TextContent);
        Assert.Equal("/customers/acme/invoices/new", page.Find(".empty a").GetAttribute("href"));
    }

    [Fact]
    public void A_customer_that_is_being_upgraded_is_tried_again_when_the_api_says()
    {
        Answer(invoices: () =>
        {
            var response = FakeApi.Problem(HttpStatusCode.ServiceUnavailable,
                new { title = "Being upgraded.", detail = "'acme' is being upgraded." });
            response.Headers.RetryAfter = new(TimeSpan.FromSeconds(1));
            return response;
        });
        var page = Render<InvoicesPage>(p => p.Add(x => x.Slug, "acme"));
        Assert.Contains("Being upgraded.", page.Find("[role=alert]").TextContent, StringComparison.Ordinal);
        Assert.Contains("Trying again by itself in 1 s", page.Markup, StringComparison.Ordinal);

        Answer(invoices: () => FakeApi.Page(Summary(1, "EUR", 2, 1m)));

        page.WaitForAssertion(() => Assert.Equal("#1", page.Find("a.row-link").TextContent), TimeSpan.FromSeconds(10));
    }

    [Fact]
    public void An_unknown_customer_is_said_to_be_unknown_and_offered_nothing()
    {
        Api.Answer = _ =>
            FakeApi.Problem(HttpStatusCode.NotFound,
                new { title = "Unknown customer.", detail = "No customer has the slug 'nobody'." });

        var page = Render<InvoicesPage>(p => p.Add(x => x.Slug, "nobody"));

        Assert.Contains(
            "No customer has the slug 'nobody'.", page.Find("[role=alert]").TextContent, StringComparison.Ordinal);
        Assert.Empty(page.FindAll("button, a[href$='/new'], .chip"));
    }

    [Fact]
    public void One_invoice_is_shown_with_its_lines_and_total()
    {
        Answer(invoices: () => FakeApi.Json(HttpStatusCode.OK, View()));

        var page = Render<InvoicePage>(p => p.Add(x => x.Slug, "acme").Add(x => x.Id, Id));

        Assert.StartsWith("Invoice #17", page.Find("h2[id=invoice-title]").TextContent, StringComparison.Ordinal);
        Assert.Equal(["Support", "2.5", "12.125", "30.31", "30.31"],
            page.FindAll("tbody td").Select(td => td.TextContent.Trim()));
        Assert.Equal("Total in EUR", page.Find(".total th").TextContent);
        Assert.Equal(["acme"],
            Api.Requests.Where(request => request.Path == $"/invoices/{Id}").Select(request => request.Customer));
    }

    [Fact]
    public async Task What_the_api_objects_to_in_a_line_is_said_beside_that_line()
    {
        Answer(
            invoices: () => FakeApi.Page(), written: () => FakeApi.Problem(HttpStatusCode.BadRequest, new
            {
                title = "One or more validation errors occurred.",
                errors = new Dictionary<string, string[]> { ["lines[0].quantity"] = ["Not so many."],
                    ["contact.email"] = ["Unknown there."] },
            }));
        var page = Render<NewInvoicePage>(p => p.Add(x => x.Slug, "acme"));
        await FillAsync(page);

        await page.Find("form").SubmitAsync();

        Assert.Equal("Not so many.", Beside(page, "Quantity"));
        Assert.Equal("Unknown there.", Beside(page, "Email (optional)"));
        Assert.Empty(page.FindAll("form [role=alert]"));
    }

    [Fact]
    public async Task What_is_missing_is_said_beside_the_fields_and_nothing_is_sent()
    {
        Answer(invoices: () => FakeApi.Page());
        var page = Render<NewInvoicePage>(p => p.Add(x => x.Slug, "acme"));

        await page.Find("form").SubmitAsync();

        Assert.Equal("Enter who the invoice is for.", Beside(page, "Contact"));
        Assert.Equal("Enter what is invoiced.", Beside(page, "Description"));
        Assert.Equal("Enter a price.", Beside(page, "Unit price"));
        Assert.DoesNotContain(Api.Requests, request => request.Method == HttpMethod.Post);
    }

    [Fact]
    public async Task A_created_invoice_is_sent_for_that_customer_and_then_shown()
    {
        Answer(invoices: () => FakeApi.Page(), written: () => FakeApi.Json(HttpStatusCode.Created, View()));
        var page = Render<NewInvoicePage>(p => p.Add(x => x.Slug, "acme"));
        await FillAsync(page);

        await page.Find("form").SubmitAsync();

        var sent = Assert.Single(Api.Requests, request => request.Method == HttpMethod.Post);
        Assert.Equal("acme", sent.Customer);
        Assert.Contains("""
            "lines":[{"description":"Support","quantity":2.5,"unitPrice":12.125}]
            """.Trim(), sent.Body, StringComparison.Ordinal);
        Assert.EndsWith($"/customers/acme/invoices/{Id}", Services.GetRequiredService<NavigationManager>().Uri,
            StringComparison.Ordinal);
    }

    private static async Task FillAsync(IRenderedComponent<NewInvoicePage> page)
    {
        await Field(page, "Contact").ChangeAsync("Jane");
        await Field(page, "Description").ChangeAsync("Support");
        await Field(page, "Quantity").InputAsync("2.5");
        await Field(page, "Unit price").InputAsync("12.125");
        var currency = page.FindComponent<MudBlazor.MudSelect<string>>();
        await page.InvokeAsync(() => currency.Instance.SelectOption("EUR"));
    }

    private static AngleSharp.Dom.IElement Field(IRenderedComponent<NewInvoicePage> page, string label) =>
        page.Find("#" + page.FindAll("label").Single(l => l.TextContent == label).GetAttribute("for"));

    private void Answer(Func<HttpResponseMessage> invoices, Func<HttpResponseMessage>? written = null) =>
        Api.Answer = request => request.RequestUri!.AbsolutePath switch
        {
            "/customers/acme" => FakeApi.Json(HttpStatusCode.OK, Acme),
            "/currencies" => FakeApi.Json(HttpStatusCode.OK, new[]
            {
                new { code = "EUR", name = "Euro", decimals = 2 }, new { code = "JPY", name = "Yen", decimals = 0 },
            }),
            "/settings" => FakeApi.Json(HttpStatusCode.OK, new { currency = (string?)null }),
            "/invoices/overview" => FakeApi.Json(HttpStatusCode.OK, Overview),
            "/contacts" => FakeApi.Page(),
            _ when request.Method != HttpMethod.Get && written is not null => written(),
            _ => invoices(),
        };

    private static readonly object Overview = new
    {
        today = "2026-12-01",
        counts = new { open = 2, overdue = 1, paid = 3 },
        balances = Array.Empty<object>(),
    };

    private static object Summary(int number, string currency, int decimals, decimal total) => new
    {
        id = Guid.NewGuid(),
        number,
        contact = "Jane",
        currency,
        decimals,
        issuedOn = "2026-11-23",
        dueOn = "2026-12-23",
        status = "open",
        total,
    };

    private static object View() => new
    {
        id = Id,
        number = 17,
        contact = new { id = Guid.NewGuid(), name = "Jane", email = (string?)null },
        currency = new { code = "EUR", name = "Euro", decimals = 2 },
        issuedOn = "2026-11-23",
        dueOn = "2026-12-23",
        paidOn = (string?)null,
        status = "open",
        total = 30.31m,
        lines = new[] { new { id = Guid.NewGuid(), position = 1, description = "Support", quantity = 2.5m,
            unitPrice = 12.125m, total = 30.31m } },
    };
}
