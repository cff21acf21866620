using System.Globalization;
using System.Net;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Web.Reports;
using Xunit;

namespace Tests.Unit.Web;

public sealed class ReceivablesPageTests : PageContext
{
    public ReceivablesPageTests() => CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("en-US");

    [Fact]
    public void What_is_owed_is_listed_by_customer_and_currency_and_summed_by_currency_alone()
    {
        Api.Answer = _ =>
            Report(
                [Balance("acme", "EUR", 2, 3, 1_200.5m, 200m), Balance("acme", "JPY", 0, 1, 900m, 0m),
                    Balance("globex", "EUR", 2, 1, 100m, 100m)]);

        var page = Render<ReceivablesPage>();

        Assert.Equal(
            ["acme Inc.", "EUR", "3", "1,200.50", "200.00", "acme Inc.", "JPY", "1", "900", "–", "globex Inc.", "EUR",
                "1", "100.00", "100.00"],
            page.FindAll("tbody td").Select(td => td.TextContent.Trim()));
        Assert.Equal(["1,300.50 of it overdue 300.00", "900 of it overdue 0"],
            page.FindAll(".totals dd").Select(dd => dd.TextContent));
        Assert.Equal("/customers/globex", page.FindAll("a.row-link")[^1].GetAttribute("href"));
        Assert.Empty(page.FindAll("[role=alert], .missing"));
        Assert.Equal(["/reports/receivables"], Api.Requests.Select(request => request.Path));
    }

    [Fact]
    public void Customers_that_could_not_be_read_are_named_with_the_reason()
    {
        Api.Answer = _ =>
            Report([Balance("acme", "EUR", 2, 1, 1m, 0m)],
                new { slug = "initech", name = "Initech", reason = "Its schema is being upgraded." });

        var page = Render<ReceivablesPage>();

        Assert.Equal(
            ["Initech: Its schema is being upgraded."], page.FindAll(".missing li").Select(li => li.TextContent));
        Assert.Contains("1 customer couldn't be read and is in no figure here.", page.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public void Where_nothing_is_owed_the_page_says_who_was_asked()
    {
        Api.Answer = _ => Report([]);

        var page = Render<ReceivablesPage>();

        Assert.Equal("Nothing is owed", page.Find(".empty h2").TextContent);
        Assert.Equal("3 customers were read: no invoice is unpaid.", page.Find(".empty p").TextContent);
    }

    [Fact]
    public void Many_balances_come_in_pages_and_are_read_once()
    {
        Api.Answer = _ => Report([.. Enumerable.Range(1, 60).Select(i => Balance($"c{i}", "EUR", 2, 1, 1m, 0m))]);
        Services.GetRequiredService<NavigationManager>().NavigateTo("/reports/receivables?page=2");

        var page = Render<ReceivablesPage>();

        Assert.Equal(10, page.FindAll("a.row-link").Count);
        Assert.Equal("60.00 of it overdue 0.00", page.Find(".totals dd").TextContent);
        Assert.Single(Api.Requests);
    }

    [Fact]
    public async Task The_report_is_read_again_when_asked()
    {
        Api.Answer = _ => throw new HttpRequestException(HttpRequestError.ConnectionError);
        var page = Render<ReceivablesPage>();
        Assert.Contains("The API can't be reached.", page.Find("[role=alert]").TextContent, StringComparison.Ordinal);

        Api.Answer = _ => Report([Balance("acme", "EUR", 2, 1, 1m, 0m)]);
        await page.Find("header button").ClickAsync();

        Assert.Single(page.FindAll("a.row-link"));
    }

    private static HttpResponseMessage Report(object[] balances, params object[] missing) =>
        FakeApi.Json(HttpStatusCode.OK, new { balances, missing, read = 3, at = "2026-11-23T12:00:00Z" });

    private static object Balance(
        string slug, string currency, int decimals, int openInvoices, decimal open, decimal overdue) =>
            new { slug, name = $"{slug} Inc.", currency, decimals, openInvoices, open, overdue };
}
