using System.Globalization;
using System.Net;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using Web.Invoices;
using Xunit;

namespace Tests.Unit.Web;

/// <summary>
/// What a list of invoices shows stands in its address, and what stands above it leads to such addresses.
/// </summary>
public sealed class InvoiceListTests : PageContext
{
    private static readonly string Ada = "0192d3a1-0000-7000-8000-0000000000ad";

    public InvoiceListTests() => CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("en-US");

    [Fact]
    public void What_stands_in_the_address_is_asked_for_and_each_filter_can_be_taken_away()
    {
        Api.Answer = Answer;
        var page = Open(
            $"?status=overdue&currency=EUR&contact={Ada}&numberFrom=3&numberTo=9&sort=dueFirst&page=2&search=a%26b");

        Assert.Contains(
            $"/invoices?pageSize=25&search=a%26b&status=overdue&currency=EUR&contact={Ada}&numberFrom=3&numberTo=9" +
            "&sort=dueFirst&page=2", Api.Requests.Select(request => request.Path));
        Assert.Equal("Overdue", page.Find(".chip[aria-current=true]").FirstChild!.TextContent);
        Assert.Equal(["In EUR", "For Ada Moreau", "Numbers #3 to #9"],
            page.FindAll(".narrowing .cut").Select(one => one.TextContent));
        Assert.Equal(
            $"/customers/acme/invoices?search=a%26b&status=overdue&contact={Ada}&numberFrom=3&numberTo=9&sort=dueFirst",
            page.Find(".narrowing").GetAttribute("href"));
        Assert.Equal("ascending", page.FindAll("th")
            .Single(th => th.TextContent.StartsWith("Due", StringComparison.Ordinal)).GetAttribute("aria-sort"));
    }

    [Fact]
    public void Chips_have_the_counts_and_bars_the_shares_of_what_is_owed()
    {
        Api.Answer = Answer;
        var page = Open("");

        Assert.Equal(["All1,006", "Open2", "Overdue4", "Paid1,000"], page.FindAll(".chip").Select(a => a.TextContent));
        var euros = page.FindAll(".ages tbody tr")[0];
        Assert.Equal(["EUR", "", "400.00", "100.00", "60.00", "–", "240.00"],
            euros.Children.Select(cell => cell.TextContent.Trim()));
        Assert.Equal([("not-due", "0", "25"), ("late-30", "25", "15"), ("late-more", "40", "60")],
            euros.QuerySelectorAll("rect").Select(part =>
                (part.ClassName!, part.GetAttribute("x")!, part.GetAttribute("width")!)));
        Assert.Equal(
            [
                "/customers/acme/invoices?status=open&currency=EUR&sort=dueFirst",
                "/customers/acme/invoices?status=overdue&currency=EUR&dueFrom=2026-11-01&sort=dueFirst",
                "/customers/acme/invoices?status=overdue&currency=EUR&dueTo=2026-10-01&sort=dueFirst",
            ],
            euros.QuerySelectorAll("a").Select(a => a.GetAttribute("href")));
        Assert.Equal("240.00\u00a0EUR over 60 days late: show these invoices",
            euros.QuerySelectorAll("a")[^1].GetAttribute("aria-label"));
    }

    [Fact]
    public void Amounts_line_up_whatever_their_currencies()
    {
        Api.Answer = Answer;
        var page = Open("");

        // Yen have no decimals: three digits and the point stay free beside dinars.
        Assert.Equal(["pad-1", "pad-point-3", ""],
            page.FindAll("td.money .amount > span:first-child").Select(amount => amount.ClassName ?? ""));
    }

    [Fact]
    public void A_list_without_matches_says_so_and_offers_all()
    {
        Api.Answer = request => request.RequestUri!.AbsolutePath == "/invoices" ? FakeApi.Page() : Answer(request);

        var page = Open("?search=nobody");

        Assert.Equal("No invoices match", page.Find(".empty h2").TextContent);
        Assert.Equal("/customers/acme/invoices", page.Find(".empty a").GetAttribute("href"));
    }

    [Fact]
    public async Task An_invoice_is_marked_as_paid_in_its_row()
    {
        Api.Answer = Answer;
        var dialogs = Render<MudDialogProvider>();
        var page = Open("");

        // It ends when the dialog does.
        var asked = page.Find("[aria-label='Mark invoice #3 as paid']").ClickAsync();
        dialogs.WaitForElement("input", TimeSpan.FromSeconds(10));
        await dialogs.Find("input").ChangeAsync("11/30/2026");
        await DialogButton(dialogs, "Mark as paid").ClickAsync();

        await asked;
        dialogs.WaitForAssertion(() => Assert.Empty(dialogs.FindAll("[role=dialog]")));
        var paid = Assert.Single(Api.Requests, request => request.Method == HttpMethod.Post);
        Assert.Equal("""{"paidOn":"2026-11-30"}""", paid.Body);
        Assert.EndsWith("/payment", paid.Path, StringComparison.Ordinal);
        Assert.NotNull(paid.Key);
        // The list and what stands above it are read again.
        page.WaitForAssertion(() => Assert.Equal(2,
            Api.Requests.Count(request => request.Path == "/invoices/overview")));
        Assert.Empty(page.FindAll("[aria-label='Mark invoice #1 as paid']"));
    }

    [Fact]
    public void An_address_of_all_invoices_has_no_parameters()
    {
        Assert.Equal("/customers/acme/invoices", new InvoiceFilter { Search = " ", Status = "" }.Address("acme"));
        Assert.False(new InvoiceFilter { Sort = "oldest", Page = 3 }.IsNarrow);
        Assert.True(new InvoiceFilter { IssuedTo = "2026-11-23" }.IsNarrow);
    }

    private IRenderedComponent<InvoicesPage> Open(string query)
    {
        Services.GetRequiredService<NavigationManager>().NavigateTo($"/customers/acme/invoices{query}");
        return Render<InvoicesPage>(p => p.Add(x => x.Slug, "acme"));
    }

    private static HttpResponseMessage Answer(HttpRequestMessage request) => request.RequestUri!.AbsolutePath switch
    {
        "/customers/acme" => FakeApi.Json(HttpStatusCode.OK, new
        {
            id = Guid.NewGuid(), slug = "acme", name = "Acme", schema = "customer_acme", status = "active", ring = 0,
            createdAt = "2026-11-23T12:00:00Z",
        }),
        "/invoices/overview" => FakeApi.Json(HttpStatusCode.OK, new
        {
            today = "2026-12-01",
            counts = new { open = 2, overdue = 4, paid = 1_000 },
            balances = new object[]
            {
                new { currency = "EUR", decimals = 2, invoices = 5, owed = 400m, notDue = 100m, overdueTo30 = 60m,
                    overdueTo60 = 0m, overdueMore = 240m },
                new { currency = "JPY", decimals = 0, invoices = 1, owed = 7m, notDue = 7m, overdueTo30 = 0m,
                    overdueTo60 = 0m, overdueMore = 0m },
            },
        }),
        "/invoices" => FakeApi.Page(
            Summary(3, "EUR", 2, 1234.5m, "open"), Summary(2, "JPY", 0, 1500m, "overdue"),
            Summary(1, "KWD", 3, 1.25m, "paid")),
        var path when path.StartsWith("/contacts/", StringComparison.Ordinal) =>
            FakeApi.Json(HttpStatusCode.OK, new { id = Ada, name = "Ada Moreau", email = "ada@example.com" }),
        _ => FakeApi.Json(HttpStatusCode.OK, new
        {
            id = Guid.NewGuid(), number = 3, contact = new { id = Ada, name = "Ada Moreau" },
            currency = new { code = "EUR", name = "Euro", decimals = 2 }, issuedOn = "2026-11-23",
            dueOn = "2026-12-23", paidOn = "2026-11-30", status = "paid", total = 1m, lines = Array.Empty<object>(),
        }),
    };

    private static object Summary(int number, string currency, int decimals, decimal total, string status) => new
    {
        id = Guid.NewGuid(), number, contact = "Jane", currency, decimals, issuedOn = "2026-11-23",
        dueOn = "2026-12-23", status, total,
    };
}
