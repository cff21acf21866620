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
    public void Each_customer_has_one_row_with_its_currencies_as_columns_which_are_never_added_up()
    {
        Api.Answer = _ =>
            Report(
                [Balance("globex", "EUR", 2, 1, 100m, 100m), Balance("acme", "EUR", 2, 3, 1_200.5m, 200m),
                    Balance("acme", "JPY", 0, 1, 900m, 0m)]);

        var page = Render<ReceivablesPage>();

        Assert.Equal(
            ["acme Inc.", "4", "1,200.50", "200.00", "900", "–", "globex Inc.", "1", "100.00", "100.00", "–", "–"],
            page.FindAll(".report tbody tr > *").Select(cell => cell.TextContent.Trim()));
        Assert.Equal(["EUR", "JPY"], page.FindAll("th[scope=colgroup]").Select(th => th.TextContent));
        Assert.Equal(["1,300.50 owed", "900 owed"], page.FindAll(".total-owed").Select(one => one.TextContent.Trim()));
        Assert.Equal(["300.00 overdue", "0 overdue"], page.FindAll(".total-overdue").Select(one => one.TextContent));
        Assert.Equal("/customers/globex/invoices", page.FindAll(".report .name .cut")[^1].GetAttribute("href"));
        Assert.Equal("/customers/acme/invoices?status=overdue&currency=EUR&sort=dueFirst",
            page.Find(".overdue a").GetAttribute("href"));
        Assert.Empty(page.FindAll("[role=alert], .missing"));
        Assert.Equal(["/reports/receivables"], Api.Requests.Select(request => request.Path));
    }

    [Fact]
    public void One_currency_can_be_looked_at_alone_and_sorted_by()
    {
        Api.Answer = _ =>
            Report(
                [Balance("acme", "EUR", 2, 3, 10m, 2m), Balance("globex", "EUR", 2, 1, 100m, 1m),
                    Balance("initech", "EUR", 2, 1, 50m, 0m), Balance("umbrella", "JPY", 0, 1, 900m, 0m)]);

        Assert.Equal(["globex Inc.", "initech Inc.", "acme Inc."], Names("?currency=EUR&sort=owed"));
        Assert.Equal(["acme Inc.", "globex Inc.", "initech Inc."], Names("?currency=EUR&sort=overdue"));
        Assert.Equal(["acme Inc.", "globex Inc."], Names("?show=overdue&sort=owed"));
        Assert.Equal(["umbrella Inc."], Names("?search=UMB"));
        Assert.Empty(Names("?search=nobody"));

        IEnumerable<string> Names(string query)
        {
            Services.GetRequiredService<NavigationManager>().NavigateTo($"/reports/receivables{query}");
            return [.. Render<ReceivablesPage>().FindAll(".report .name .cut").Select(a => a.TextContent)];
        }
    }

    [Fact]
    public void The_file_has_every_customer_and_those_that_could_not_be_read_and_runs_nothing()
    {
        var report = new Receivables(
            [
                new("acme", "=HYPERLINK(\"x\")", "EUR", 2, 3, 1200.5m, 200m),
                new("acme", "=HYPERLINK(\"x\")", "JPY", 0, 1, 900m, 0m),
                new("globex", "Globex, Inc.", "EUR", 2, 1, 100m, 100m),
            ],
            [new("initech", "Initech", "Its schema is being upgraded.")], 2, DateTimeOffset.UnixEpoch);

        Assert.Equal(
            "\ufeffcustomer,slug,unpaid invoices,owed EUR,overdue EUR,owed JPY,overdue JPY,not read because\r\n" +
            "\"'=HYPERLINK(\"\"x\"\")\",acme,4,1200.5,200,900,0,\r\n" +
            "\"Globex, Inc.\",globex,1,100,100,,,\r\n" +
            "Initech,initech,,,,,,Its schema is being upgraded.\r\n",
            System.Text.Encoding.UTF8.GetString(Owed.ToCsv(report)));
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
    public void Many_customers_come_in_pages_and_are_read_once()
    {
        Api.Answer = _ => Report([.. Enumerable.Range(1, 60).Select(i => Balance($"c{i}", "EUR", 2, 1, 1m, 0m))]);
        Services.GetRequiredService<NavigationManager>().NavigateTo("/reports/receivables?page=2");

        var page = Render<ReceivablesPage>();

        Assert.Equal(10, page.FindAll(".report tbody tr").Count);
        Assert.Equal("60.00 owed", page.Find(".total-owed").TextContent.Trim());
        Assert.Single(Api.Requests);
    }

    [Fact]
    public async Task The_report_is_read_again_when_asked()
    {
        Api.Answer = _ => throw new HttpRequestException(HttpRequestError.ConnectionError);
        var page = Render<ReceivablesPage>();
        Assert.Contains("The API can't be reached.", page.Find("[role=alert]").TextContent, StringComparison.Ordinal);

        Api.Answer = _ => Report([Balance("acme", "EUR", 2, 1, 1m, 0m)]);
        await page.FindAll("header button").Single(b => b.TextContent.Trim() == "Refresh").ClickAsync();

        Assert.Single(page.FindAll(".report tbody tr"));
    }

    private static HttpResponseMessage Report(object[] balances, params object[] missing) =>
        FakeApi.Json(HttpStatusCode.OK, new { balances, missing, read = 3, at = "2026-11-23T12:00:00Z" });

    private static object Balance(
        string slug, string currency, int decimals, int openInvoices, decimal open, decimal overdue) =>
            new { slug, name = $"{slug} Inc.", currency, decimals, openInvoices, open, overdue };
}
