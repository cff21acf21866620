using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Tests.Integration;
using Tests.Integration.Placement;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Tests.Journeys;

/// <summary>An operator looks after customers in two databases.</summary>
[Collection(ConsoleApp.Journeys)]
public sealed class SeveralDatabasesJourney(App app, ConsoleApp console) : IClassFixture<ConsoleApp>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_migrations_of_two_databases_are_seen_and_steered_and_one_that_is_gone_is_named()
    {
        Assert.SkipUnless(TestDepth.IsFull, "It starts a console of its own: at full depth only.");
        await using var two = await TwoDatabases.StartAsync(app);
        await two.CreateAsync("acme");
        await two.CreateAsync("globex", "two");
        await TwoDatabases.ExecuteAsync(
            two.First, "INSERT INTO tenancy.tasks (task, schema, done_at) VALUES ('greet', 'customer_acme', now())");
        var last = (string)(await two.Http.GetFromJsonAsync<JsonArray>("/fleet/migrations", Ct))![^1]!["id"]!;
        await using var other = ConsoleApp.Over(two.Api);
        await using var tab = await console.OpenInAsync(other, "/migrations");
        var page = tab.Page;
        var second = page.GetByRole(AriaRole.Region, new() { Name = "Database two", Exact = true });
        await Expect(second).ToContainTextAsync("All customers have all migrations of this build.");
        await tab.CheckAsync();

        await page.GetByRole(AriaRole.Button, new() { Name = $"Take back {last}, two" }).ClickAsync();
        await page.GetByLabel($"Enter {last} to confirm").FillAsync(last);
        await tab.CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Take back", Exact = true }).ClickAsync();
        await Expect(second).ToContainTextAsync("1 of 1 customer lacks a migration of this build.");
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Database first", Exact = true }))
            .ToContainTextAsync("All customers have all migrations of this build.");

        await page.GetByRole(AriaRole.Button, new() { Name = "Migrate…" }).ClickAsync();
        await Expect(page.GetByText("Ring 1: 1 of 2 customers")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Combobox, new() { Name = "Database" }).ClickAsync();
        await page.GetByText("The database two", new() { Exact = true }).ClickAsync();
        await Expect(page.GetByText("Ring 1: 1 of 1 customer")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Migrate", Exact = true }).ClickAsync();
        await Expect(second).ToContainTextAsync("All customers have all migrations of this build.");
        await Expect(page.GetByRole(AriaRole.Table, new() { Name = "Last runs" }).GetByRole(AriaRole.Row)
            .Filter(new() { HasText = "Migration" }).Filter(new() { HasText = "two" }).First)
            .ToContainTextAsync("1 of 1");

        await page.GetByRole(AriaRole.Button, new() { Name = "Compare now" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Compare", Exact = true }).ClickAsync();
        await Expect(page.GetByText("Nothing differs: 2 schemas are as the migrations make them.")).ToBeVisibleAsync();
        await tab.CheckAsync();

        await tab.GoAsync("/tasks");
        await Expect(page.GetByRole(AriaRole.Region, new() { Name = "Database two", Exact = true }))
            .ToContainTextAsync("greet");
        await tab.CheckAsync();
        await page.GetByRole(AriaRole.Table, new() { Name = "Tasks, two" })
            .GetByRole(AriaRole.Link, new() { Name = "greet" }).ClickAsync();
        await Expect(page.GetByText("globex", new() { Exact = true })).ToBeVisibleAsync();
        await Expect(page.GetByText("acme", new() { Exact = true })).ToHaveCountAsync(0);
        await tab.CheckAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "All databases" }).ClickAsync();
        await Expect(page.GetByText("acme", new() { Exact = true })).ToBeVisibleAsync();

        await tab.GoAsync("/doctor");
        await Expect(page.GetByRole(AriaRole.Cell, new() { Name = "two", Exact = true }).First).ToBeVisibleAsync();
        await tab.CheckAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "two", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Cell, new() { Name = "first", Exact = true })).ToHaveCountAsync(0);
        await tab.CheckAsync();

        await tab.GoAsync("/customers");
        await page.GetByRole(AriaRole.Button, new() { Name = "New customer" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByLabel("Name").FillAsync("Initech");
        await page.GetByRole(AriaRole.Combobox, new() { Name = "Database" }).ClickAsync();
        await page.GetByText("The database two", new() { Exact = true }).ClickAsync();
        await tab.CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Create customer" }).ClickAsync();
        await Expect(page.GetByText("Initech is ready.")).ToBeVisibleAsync();
        Assert.Contains("customer_initech", await TwoDatabases.SchemasAsync(two.Second));

        await tab.GoAsync("/customers/globex/settings");
        var place = page.GetByRole(AriaRole.Region, new() { Name = "Database", Exact = true });
        await Expect(place).ToContainTextAsync("This customer is in the database two.");
        await page.GetByRole(AriaRole.Button, new() { Name = "Move…" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Move Customer globex" });
        await Expect(dialog).ToContainTextAsync("isn't served while its rows are copied");
        await tab.CheckAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Move", Exact = true }).ClickAsync();
        await Expect(page.GetByText("globex moved to the first database")).ToBeVisibleAsync();
        await Expect(place).ToContainTextAsync("This customer is in the first database.");
        await tab.CheckAsync();

        await tab.GoAsync("/migrations");
        await two.KillSecondAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Refresh" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Status).Filter(new() { HasText = "The database two doesn't answer" }))
            .ToBeVisibleAsync();
        await Expect(second).ToHaveCountAsync(0);
        await tab.GoAsync("/");
        await Expect(page.GetByText("The database two doesn't answer")).ToBeVisibleAsync();
        await tab.CheckAsync();
        await tab.GoAsync("/tasks");
        await Expect(page.GetByText("The database two doesn't answer")).ToBeVisibleAsync();
        await tab.CheckAsync();
        await tab.GoAsync("/doctor");
        await page.GetByRole(AriaRole.Button, new() { Name = "Examine now" }).ClickAsync();
        await Expect(page.GetByText("The database two doesn't answer")).ToBeVisibleAsync();
        await tab.CheckAsync();
    }
}
