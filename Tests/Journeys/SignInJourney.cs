using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Tests.Journeys;

/// <summary>Signing in and out.</summary>
[Collection(ConsoleApp.Journeys)]
public sealed class SignInJourney(ConsoleApp console) : IClassFixture<ConsoleApp>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operator_signs_in_comes_where_it_wanted_and_signs_out_everywhere()
    {
        var acme = await console.CustomerAsync();
        await using var tab = await console.OpenSignedOutAsync($"/customers/{acme}?tab=1");
        var page = tab.Page;
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
        await tab.CheckAsync();

        await ConsoleApp.SignInAsync(page, "tko_unknown_key");
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The API doesn't know this key.");
        await ConsoleApp.SignInAsync(page, await KeyAsync(acme));
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("This key is a customer's.");
        var own = await KeyAsync(null);
        await ConsoleApp.SignInAsync(page, own);

        await page.ToBeAtAsync($"**/customers/{acme}?tab=1");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync(acme);
        await tab.CheckAsync();

        var other = await page.Context.NewPageAsync();
        await other.GotoAsync(new Uri(console.Address, "/customers").ToString());
        await Expect(other.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToHaveTextAsync("Customers");
        var cookies = await RunningConsole.CookiesAsync(page);

        await page.GetByRole(AriaRole.Button, new() { Name = "Account" }).ClickAsync();
        await Expect(page.GetByText("Signed in as")).ToContainTextAsync(own[..10]);
        await page.GetByText("Sign out").ClickAsync();
        await page.ToBeAtAsync("**/sign-in");

        // The other window still has its circuit; what it asks for has no credential any more.
        await other.GetByRole(AriaRole.Link, new() { Name = "Receivables" }).ClickAsync();
        await Expect(other.GetByRole(AriaRole.Alert)).ToContainTextAsync("You aren't signed in any more.");
        await Expect(other.GetByRole(AriaRole.Link, new() { Name = "Sign in again" })).ToHaveAttributeAsync(
            "href", "/sign-in?ReturnUrl=%2Freports%2Freceivables");
        // Nor does a copy of the cookie.
        await page.Context.AddCookiesAsync(cookies);
        await tab.GoAsync("/customers");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Sign in" })).ToBeVisibleAsync();
    }

    [Theory]
    [InlineData("https://elsewhere.example/")]
    [InlineData("//elsewhere.example/")]
    [InlineData("/\\elsewhere.example/")]
    [InlineData("/\t/elsewhere.example/")]
    public async Task Nobody_is_led_elsewhere_by_signing_in(string address)
    {
        await using var tab = await console.OpenSignedOutAsync($"/sign-in?ReturnUrl={Uri.EscapeDataString(address)}");

        await ConsoleApp.SignInAsync(tab.Page, Integration.ApiFactory.OperatorKey);

        await tab.Page.ToHaveLeftAsync("sign-in");
        Assert.Equal(console.Address.Authority, new Uri(tab.Page.Url).Authority);
    }

    private async Task<string> KeyAsync(string? customer)
    {
        using var made = await console.Api.PostAsJsonAsync("/api-keys", new { name = "a journey's", customer }, Ct);
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        return (string)(await made.Content.ReadFromJsonAsync<JsonObject>(Ct))!["key"]!;
    }
}
