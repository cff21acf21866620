using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Tests.Integration.Invoicing;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Tests.Journeys;

/// <summary>What all pages share: the way back, and addresses that lead nowhere.</summary>
[Collection(ConsoleApp.Journeys)]
public sealed class ShellJourney(ConsoleApp console) : IClassFixture<ConsoleApp>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_way_back_leads_to_where_one_was_and_a_wrong_address_leads_on()
    {
        var slug = await console.CustomerAsync();
        using var csv = new StringContent(
            CsvFiles.Of([.. Enumerable.Range(1, 25).Select(number => CsvFiles.Row($"A-{number}"))]), Encoding.UTF8,
            "text/csv");
        using var imported = await console.Api.PostAsync($"/customers/{slug}/invoices/import", csv, Ct);
        Assert.True(imported.IsSuccessStatusCode, await imported.Content.ReadAsStringAsync(Ct));
        await using var tab = await console.OpenAsync($"/customers/{slug}/invoices");
        var page = tab.Page;
        await Expect(page.Locator("a.row-link")).ToHaveCountAsync(25);

        // The chart of what is owed comes later and moves the rows.
        await tab.SettledAsync();
        await page.EvaluateAsync("scrollTo(0, 400)");
        await HoldsAsync(page,
            "Object.keys(sessionStorage).some(key => key.startsWith('scroll:') && sessionStorage[key] == scrollY)");
        var there = await page.EvaluateAsync<double>("scrollY");
        Assert.InRange(there, 300, 400);
        // A row that is in the window, so that the click doesn't scroll.
        var row = page.Locator("a.row-link").Nth(12);
        await Expect(row).ToBeInViewportAsync();
        await row.ClickAsync();
        await page.ToBeAtAsync($"**/customers/{slug}/invoices/*");
        await HoldsAsync(page, "scrollY === 0");
        await page.GoBackAsync();
        await HoldsAsync(page, string.Create(CultureInfo.InvariantCulture, $"Math.abs(scrollY - {there}) < 2"));

        await tab.GoAsync($"/customers/{slug}/nothing");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "There is no such page" })).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Navigation).GetByRole(AriaRole.Link, new() { Name = "Customers" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Customers" })).ToBeVisibleAsync();

        await tab.GoAsync("/customers/nobody-has-this");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("No customer has the slug 'nobody-has-this'.");
        await Expect(page.Locator(".problem-trace")).ToContainTextAsync("Trace");
    }

    [Theory]
    [InlineData("Pacific/Auckland")]
    [InlineData("America/Los_Angeles")]
    public async Task Times_are_in_the_browsers_time_zone(string zone)
    {
        var slug = await console.CustomerAsync();
        var created = (await console.Api.GetFromJsonAsync<JsonObject>($"/customers/{slug}", Ct))!["createdAt"]!;
        var local = TimeZoneInfo.ConvertTime(
            created.GetValue<DateTimeOffset>(), TimeZoneInfo.FindSystemTimeZoneById(zone));

        // The first page that this browser sees.
        await using var tab = await console.OpenAsync($"/customers/{slug}", zone: zone);

        await Expect(tab.Page.GetByRole(AriaRole.Definition).Filter(new()
        {
            HasText = local.ToString("dd/MM/yyyy HH:mm", CultureInfo.InvariantCulture),
        })).Not.ToHaveCountAsync(0);
    }

    [Fact]
    public async Task A_file_is_not_saved_when_the_session_has_ended_but_the_way_leads_to_the_sign_in()
    {
        var slug = await console.CustomerAsync();
        await using var tab = await console.OpenAsync($"/customers/{slug}/settings");
        var page = tab.Page;
        await tab.SettledAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Export", Exact = true }).ClickAsync();
        var link = page.GetByRole(AriaRole.Link, new() { Name = "Download the file" });
        await Expect(link).ToBeVisibleAsync();
        var saved = false;
        page.Download += (_, _) => saved = true;

        await page.Context.ClearCookiesAsync();
        await link.ClickAsync();

        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
        Assert.Contains(Uri.EscapeDataString($"/customers/{slug}/settings"), page.Url, StringComparison.Ordinal);
        Assert.False(saved);
    }

    /// <summary>Playwright's own way evaluates a text inside the page, which the page's policy forbids.</summary>
    private static Task HoldsAsync(IPage page, string expression) =>
        Eventually.HoldsAsync(() => page.EvaluateAsync<bool>(expression), expression);
}
