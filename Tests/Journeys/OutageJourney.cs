using Microsoft.AspNetCore.Components.Server;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Tests.Journeys;

/// <summary>The API is away, or the browser has lost the console: the page says so and recovers by itself.</summary>
[Collection(ConsoleApp.Journeys)]
public sealed class OutageJourney(ConsoleApp console) : IClassFixture<ConsoleApp>
{
    [Fact]
    public async Task A_page_says_that_the_API_is_away_or_slow_and_reads_again_by_itself()
    {
        var slug = await console.CustomerAsync();
        await using var other = console.Another();
        await using var tab = await console.OpenInAsync(other, $"/customers?search={slug}");
        var page = tab.Page;
        await Expect(page.GetByRole(AriaRole.Row)).ToHaveCountAsync(2);
        var alert = page.GetByRole(AriaRole.Alert).Filter(new() { HasText = "The API can't be reached." });

        other.Api.Away();
        await page.GetByRole(AriaRole.Link, new() { Name = "Migrations" }).ClickAsync();
        await Expect(alert).ToContainTextAsync("It may be starting or stopped.");
        await Expect(page.Locator(".problem-trace")).ToContainTextAsync("Trace");
        await Expect(page.GetByRole(AriaRole.Button, new() { Name = "Try again" })).ToBeVisibleAsync();
        await tab.CheckAsync();
        other.Api.Open();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Last runs" })).ToBeVisibleAsync();
        await Expect(alert).ToHaveCountAsync(0);

        // The head of a customer's pages reads on its own.
        other.Api.Away();
        await page.GetByRole(AriaRole.Link, new() { Name = "Customers" }).ClickAsync();
        await Expect(alert).ToHaveCountAsync(1);
        other.Api.Open();
        await page.GetByRole(AriaRole.Link, new() { Name = slug, Exact = true }).ClickAsync();
        await Expect(page.GetByText("Active: it is served")).ToBeVisibleAsync();

        other.Api.Stall();
        await page.GetByRole(AriaRole.Link, new() { Name = "Receivables" }).ClickAsync();
        await Expect(page.GetByText("Still waiting for the API…")).ToBeVisibleAsync();
        other.Api.Open();
        await Expect(page.GetByText("Read from")).ToBeVisibleAsync();
        await Expect(page.GetByText("Still waiting for the API…")).ToHaveCountAsync(0);
        await tab.CheckAsync();
    }

    [Fact]
    public async Task The_head_of_a_customers_pages_comes_back_with_the_API()
    {
        Assert.SkipUnless(TestDepth.IsFull, "It starts a console of its own: at full depth only.");
        var slug = await console.CustomerAsync("Acme Corporation");
        await using var other = console.Another();
        await using var tab = await console.OpenInAsync(other, "/customers");
        var page = tab.Page;
        other.Api.Away();
        await tab.GoAsync($"/customers/{slug}/contacts");
        await Expect(page.GetByText("The API can't be reached.")).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = slug })).ToBeVisibleAsync();

        other.Api.Open();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Acme Corporation" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "New contact" })).ToBeVisibleAsync();
        await tab.CheckAsync();
    }

    [Fact]
    public async Task A_lost_connection_is_told_and_what_was_being_entered_is_there_when_it_is_back()
    {
        var slug = await console.CustomerAsync();
        await using var other = console.Another();
        await using var cable = new Cable(other.Address);
        await using var tab = await console.OpenInAsync(other, $"/customers/{slug}/contacts/new", cable.Address);
        var page = tab.Page;
        await page.GetByLabel("Name").FillAsync("Ada Moreau");
        await page.GetByLabel("Email").FillAsync("ada@example.com");

        await cable.CutAsync();
        var lost = page.GetByRole(AriaRole.Dialog, new() { Name = "The connection is lost" });
        await Expect(lost).ToBeVisibleAsync();
        await Expect(lost).ToContainTextAsync("Next attempt in");
        // The page behind it doesn't react, so it can't be closed.
        await page.Keyboard.PressAsync("Escape");
        await Expect(lost).ToBeVisibleAsync();
        tab.TakeErrors();
        await tab.CheckAsync(quiet: false);

        cable.Join();
        await Expect(lost).ToBeHiddenAsync();
        await Expect(page.GetByLabel("Name")).ToHaveValueAsync("Ada Moreau");
        tab.TakeErrors();
        await page.GetByRole(AriaRole.Button, new() { Name = "Add contact" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Ada Moreau" })).ToBeVisibleAsync();
        await tab.CheckAsync();
    }

    [Fact]
    public async Task A_page_that_the_console_has_forgotten_is_loaded_again()
    {
        var slug = await console.CustomerAsync();
        // As after a restart of the console, or another replica's answer.
        await using var other = console.Another(services =>
            services.Configure<CircuitOptions>(circuits =>
                (circuits.DisconnectedCircuitMaxRetained, circuits.PersistedCircuitInMemoryMaxRetained) = (0, 0)));
        await using var cable = new Cable(other.Address);
        await using var tab = await console.OpenInAsync(other, $"/customers?search={slug}", cable.Address);
        var page = tab.Page;
        await Expect(page.GetByRole(AriaRole.Row)).ToHaveCountAsync(2);

        await cable.CutAsync();
        var lost = page.GetByRole(AriaRole.Dialog, new() { Name = "The connection is lost" });
        await Expect(lost).ToBeVisibleAsync();
        cable.Join();

        await Expect(page.Locator("dialog[open]")).ToHaveCountAsync(0);
        await Expect(page.GetByRole(AriaRole.Row)).ToHaveCountAsync(2);
        await page.GetByRole(AriaRole.Link, new() { Name = slug, Exact = true }).ClickAsync();
        await Expect(page.GetByText("Active: it is served")).ToBeVisibleAsync();
        tab.TakeErrors();
        await tab.CheckAsync();
    }
}
