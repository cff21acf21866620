using Microsoft.Playwright;
using Tests.Integration;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Tests.Journeys;

/// <summary>An operator looks for customers and looks after them.</summary>
[Collection(ConsoleApp.Journeys)]
public sealed class CustomersJourney(ConsoleApp console) : IClassFixture<ConsoleApp>
{
    private const string German = "Allgemeine Versicherungs- und Rückversicherungsgesellschaft für das Handwerk und " +
        "den Mittelstand in Süddeutschland und Österreich";

    private const string Arabic = "شركة المراعي للتجارة والمقاولات العامة ذات المسؤولية المحدودة وأبنائه للتجارة " +
        "الدولية والخدمات اللوجستية والنقل البري";

    [Fact]
    public async Task Customers_are_found_sorted_and_changed_together_and_long_names_push_nothing_away()
    {
        var mark = App.NewSlug();
        var first = await console.CustomerAsync($"{mark} {German}");
        var second = await console.CustomerAsync($"{mark} {Arabic}");
        await console.CustomerAsync($"{mark} short");
        await using var tab = await console.OpenAsync($"/customers?search={mark}&sort=name");
        var page = tab.Page;
        var rows = page.GetByRole(AriaRole.Table, new() { Name = "Customers" }).Locator("tbody tr");
        await Expect(rows).ToHaveCountAsync(3);
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Active 3" })).ToBeVisibleAsync();
        await tab.CheckAsync();
        foreach (var at in (int[])[0, 1, 2])
        {
            Assert.Equal(38, Math.Round((await rows.Nth(at).BoundingBoxAsync())!.Height));
        }

        await page.GetByRole(AriaRole.Columnheader, new() { Name = "Name" }).GetByRole(AriaRole.Link).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Columnheader, new() { Name = "Name" }))
            .ToHaveAttributeAsync("aria-sort", "descending");
        await Expect(rows.Nth(0)).ToContainTextAsync("المراعي");

        await page.GetByLabel($"Select {mark} {German}").CheckAsync();
        await page.GetByLabel($"Select {mark} {Arabic}").CheckAsync();
        var selected = page.GetByRole(AriaRole.Region, new() { Name = "Selected customers" });
        await selected.GetByRole(AriaRole.Button, new() { Name = "Ring…" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByLabel("Ring", new() { Exact = true }).FillAsync("4");
        await page.GetByRole(AriaRole.Button, new() { Name = "Put into this ring" }).ClickAsync();
        await Expect(page.GetByText("2 customers are in ring 4.")).ToBeVisibleAsync();
        await page.GetByLabel("Ring", new() { Exact = true }).SelectOptionAsync("4");
        await Expect(rows).ToHaveCountAsync(2);

        await page.GetByLabel("Select all customers on this page").CheckAsync();
        await selected.GetByRole(AriaRole.Button, new() { Name = "Suspend…" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Suspend" }).ClickAsync();
        await Expect(page.GetByText("2 customers are suspended.")).ToBeVisibleAsync();
        await page.GetByLabel("Ring", new() { Exact = true }).SelectOptionAsync("");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Suspended 2" })).ToBeVisibleAsync();
        await tab.CheckAsync();

        // From anywhere, by the keyboard alone.
        await page.Keyboard.PressAsync("Control+k");
        await page.Keyboard.TypeAsync(second);
        var found = page.GetByRole(AriaRole.Listbox).GetByRole(AriaRole.Option);
        await Expect(found).ToHaveCountAsync(1);
        await Expect(found).ToContainTextAsync(second);
        await tab.CheckAsync();
        await page.Keyboard.PressAsync("Enter");
        await page.ToBeAtAsync($"**/customers/{second}");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("المراعي");
        await Expect(page.GetByText("Suspended: its users are refused")).ToBeVisibleAsync();
        await tab.CheckAsync();

        await using var phone = await console.OpenAsync($"/customers?search={mark}", width: 390, dark: true);
        await Expect(phone.Page.GetByRole(AriaRole.Row)).ToHaveCountAsync(4);
        await phone.CheckAsync();
        await phone.GoAsync($"/customers/{first}");
        await Expect(phone.Page.GetByText("Suspended: its users are refused")).ToBeVisibleAsync();
        await phone.CheckAsync();
    }

    [Fact]
    public async Task A_customer_is_exported_imported_renamed_deleted_and_restored()
    {
        var acme = await console.CustomerAsync("Acme");
        var (copy, renamed) = (App.NewSlug(), App.NewSlug());
        await using var tab = await console.OpenAsync($"/customers/{acme}/settings");
        var page = tab.Page;
        await tab.SettledAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Export", Exact = true }).ClickAsync();
        await Expect(page.GetByText("rows in the file.")).ToBeVisibleAsync();
        await page.ReloadAsync();
        var file = await page.RunAndWaitForDownloadAsync(() =>
            page.GetByRole(AriaRole.Link, new() { Name = "Download the file" }).ClickAsync());
        Assert.StartsWith($"{acme}-", file.SuggestedFilename, StringComparison.Ordinal);
        await tab.CheckAsync();

        await tab.GoAsync($"/customers/{acme}/operations");
        var ended = page.GetByRole(AriaRole.Table, new() { Name = "Operations that have ended" });
        await Expect(ended.GetByRole(AriaRole.Row, new() { Name = "Export" })).ToContainTextAsync("rows in the file.");
        await tab.CheckAsync();

        await tab.GoAsync($"/customers/{acme}/settings");
        await tab.SettledAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Import…" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Import a customer" });
        await dialog.GetByLabel("Name").FillAsync("Acme, restored");
        await dialog.GetByLabel("Slug").FillAsync(copy);
        await page.Locator("input[type=file]").SetInputFilesAsync(await file.PathAsync());
        await Expect(dialog.GetByText("KB")).ToBeVisibleAsync();
        await tab.CheckAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Import", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = $"Open {copy}" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Acme, restored");

        await page.GetByRole(AriaRole.Link, new() { Name = "Settings" }).ClickAsync();
        await page.ToBeAtAsync("**/settings");
        await tab.SettledAsync();
        var names = page.GetByRole(AriaRole.Form, new() { Name = "Name and slug" });
        await names.GetByLabel("Slug").FillAsync(renamed);
        await names.GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await page.ToBeAtAsync($"**/customers/{renamed}/settings");

        await page.GetByLabel($"Type {renamed} to confirm").FillAsync(copy);
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete this customer" }).ClickAsync();
        await Expect(page.GetByText($"Type {renamed} to confirm.")).ToBeVisibleAsync();
        await page.GetByLabel($"Type {renamed} to confirm").FillAsync(renamed);
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete this customer" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Deleted");
        await page.GetByRole(AriaRole.Button, new() { Name = "Restore" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Active");
    }

    [Fact]
    public async Task A_customer_is_cloned_and_the_way_leads_to_the_clone()
    {
        var (acme, clone) = (await console.CustomerAsync("Acme"), App.NewSlug());
        await using var tab = await console.OpenAsync($"/customers/{acme}/settings");
        var page = tab.Page;
        await tab.SettledAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Clone…" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog, new() { Name = "Clone Acme" });
        await Expect(dialog.GetByLabel("Name")).ToHaveValueAsync("Acme sandbox");
        // A slug that is taken is told beside its field.
        await dialog.GetByLabel("Slug").FillAsync(acme);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Clone", Exact = true }).ClickAsync();
        await Expect(dialog.GetByLabel("Slug")).ToHaveAttributeAsync("aria-invalid", "true");
        await tab.CheckAsync();
        await dialog.GetByLabel("Slug").FillAsync(clone);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Clone", Exact = true }).ClickAsync();

        await Expect(page.GetByText($"{clone} created")).ToBeVisibleAsync();
        // It is found again after a reload.
        await page.ReloadAsync();
        await tab.CheckAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = $"Open {clone}" }).ClickAsync();
        await page.ToBeAtAsync($"**/customers/{clone}");
        await Expect(page.GetByRole(AriaRole.Heading, new() { Level = 1 })).ToContainTextAsync("Acme sandbox");
    }

    [Fact]
    public async Task Secrets_are_shown_once_and_a_revoked_key_stays_listed()
    {
        var acme = await console.CustomerAsync();
        await using var tab = await console.OpenAsync($"/customers/{acme}/settings", width: 390);
        var page = tab.Page;
        await page.GetByLabel("Reason").FillAsync("Ticket 4711");
        await page.GetByRole(AriaRole.Button, new() { Name = "Make a token" }).ClickAsync();
        await Expect(page.GetByLabel("Token")).ToHaveValueAsync(new System.Text.RegularExpressions.Regex("^tki_"));
        await tab.CheckAsync();

        await page.GetByRole(AriaRole.Link, new() { Name = "Keys" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Create the first key" }).ClickAsync();
        await page.GetByLabel("Purpose").FillAsync("till");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create key" }).ClickAsync();
        await Expect(page.GetByLabel("The key till")).ToHaveValueAsync(new System.Text.RegularExpressions.Regex("^tk"));
        await tab.CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Done" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Revoke the key till" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Revoke", Exact = true }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Row, new() { Name = "till" })).ToContainTextAsync("Revoked");
    }
}
