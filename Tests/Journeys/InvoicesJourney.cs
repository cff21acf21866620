using System.Net.Http.Json;
using Deque.AxeCore.Playwright;
using Microsoft.Playwright;
using Xunit;
using static Microsoft.Playwright.Assertions;

namespace Tests.Journeys;

/// <summary>One customer's invoices and contacts, from the first to a paid one on paper.</summary>
[Collection(ConsoleApp.Journeys)]
public sealed class InvoicesJourney(ConsoleApp console) : IClassFixture<ConsoleApp>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_invoice_is_written_changed_by_two_printed_and_paid()
    {
        var acme = await console.CustomerAsync("Acme Corporation");
        await using var tab = await console.OpenAsync($"/customers/{acme}/settings");
        var page = tab.Page;
        await page.GetByRole(AriaRole.Combobox, new() { Name = "Default currency" }).ClickAsync();
        await page.GetByRole(AriaRole.Option, new() { Name = "CHF" }).ClickAsync();
        await page.GetByRole(AriaRole.Form, new() { Name = "Default currency" })
            .GetByRole(AriaRole.Button, new() { Name = "Save" }).ClickAsync();
        await Expect(page.GetByText("The default currency is changed.")).ToBeVisibleAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Invoices", Exact = true }).ClickAsync();
        await page.GetByRole(AriaRole.Link, new() { Name = "Write the first invoice" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Combobox, new() { Name = "Currency" })).ToContainTextAsync("CHF");

        // What is entered isn't lost by a wrong click.
        await page.GetByLabel("Contact", new() { Exact = true }).FillAsync("Ada Moreau");
        await page.GetByRole(AriaRole.Link, new() { Name = "Cancel" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Stay on this page" }).ClickAsync();
        await page.GetByLabel("Email (optional)").FillAsync("ada@example.com");
        await page.GetByLabel("Currency").ClickAsync();
        await page.GetByRole(AriaRole.Option, new() { Name = "KWD" }).ClickAsync();
        await page.GetByLabel("Description").FillAsync("Consulting");
        await page.GetByLabel("Unit price").FillAsync("120.5");
        await page.GetByRole(AriaRole.Button, new() { Name = "Create invoice" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Heading, new() { Name = "Invoice #1" })).ToBeVisibleAsync();
        await Expect(page.GetByRole(AriaRole.Table, new() { Name = "Lines" })).ToContainTextAsync("120.500");
        var id = new Uri(page.Url).Segments[^1];
        // Loaded again, without the message that is fading.
        await tab.GoAsync($"/customers/{acme}/invoices/{id}");
        await tab.CheckAsync();

        // Somebody else changes it while it is edited.
        await page.GetByRole(AriaRole.Link, new() { Name = "Edit" }).ClickAsync();
        await Expect(page.GetByLabel("Description")).ToHaveValueAsync("Consulting");
        await ChangeAsync(acme, id, "Support");
        await page.GetByLabel("Description").FillAsync("Training");
        await page.GetByRole(AriaRole.Button, new() { Name = "Save changes" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Table, new() { Name = "What differs" })).ToContainTextAsync("Support");
        await tab.CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Save mine over it" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Cell, new() { Name = "Training" })).ToBeVisibleAsync();

        // On paper there is the invoice, black on white, and nothing to press.
        await page.EmulateMediaAsync(new() { Media = Media.Print, ColorScheme = ColorScheme.Dark });
        await Expect(page.GetByText("Acme Corporation").And(page.Locator(".invoice-from"))).ToBeVisibleAsync();
        Assert.Equal(0, await page.Locator("button:visible, nav:visible, header.mud-appbar:visible").CountAsync());
        Assert.Equal("rgb(255, 255, 255) rgb(0, 0, 0)", await page.Locator(".invoice").EvaluateAsync<string>(
            "it => `${getComputedStyle(it.closest('.mud-paper')).backgroundColor} ${getComputedStyle(it).color}`"));
        await page.EmulateMediaAsync(new() { Media = Media.Screen, ColorScheme = ColorScheme.Light });

        await page.GetByRole(AriaRole.Button, new() { Name = "Mark as paid" }).ClickAsync();
        await page.GetByRole(AriaRole.Dialog).GetByRole(AriaRole.Button, new() { Name = "Mark as paid" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Edit" })).ToHaveCountAsync(0);

        // The next one begins with the customer's currency again, not with the last one's, and the contact is known.
        await tab.GoAsync($"/customers/{acme}/invoices/new");
        await Expect(page.GetByLabel("Currency")).ToContainTextAsync("CHF");
        await tab.GoAsync($"/customers/{acme}/contacts?search=ada");
        await page.GetByRole(AriaRole.Link, new() { Name = "Ada Moreau" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Table, new() { Name = "Invoices" })).ToContainTextAsync("#1");
        await tab.CheckAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Delete the contact" }).ClickAsync();
        await Expect(page.GetByRole(AriaRole.Alert)).ToContainTextAsync("The contact has invoices.");
    }

    [Fact]
    public async Task A_files_mistakes_are_grouped_and_what_was_imported_is_a_link_away()
    {
        var acme = await console.CustomerAsync();
        await using var tab = await console.OpenAsync($"/customers/{acme}/invoices");
        var page = tab.Page;
        await page.GetByRole(AriaRole.Button, new() { Name = "Import CSV" }).ClickAsync();
        var dialog = page.GetByRole(AriaRole.Dialog);
        var today = DateTime.UtcNow;

        await ChooseAsync(Enumerable.Range(1, 60).Select(i => Row(i, "EUR", "none")).Append(Row(61, "XYZ", "1")));
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Import", Exact = true }).ClickAsync();
        await Expect(dialog.GetByText("quantity: 60 rows")).ToBeVisibleAsync(new() { Timeout = 15_000 });
        await Expect(dialog.GetByText("currency: 1 row")).ToBeVisibleAsync();
        Assert.Empty((await dialog.RunAxe()).Violations.Select(violation => violation.Help));
        var saving = page.WaitForDownloadAsync();
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Download all 61 problems as CSV" }).ClickAsync();
        var problems = await File.ReadAllLinesAsync(await (await saving).PathAsync(), Ct);
        Assert.Equal(62, problems.Length);
        Assert.Equal("61,quantity,'none' is no number: write it like 1234.5.", problems[60]);

        await ChooseAsync([Row(1, "EUR", "2", late: 10), Row(2, "JPY", "3", late: 70), Row(3, "EUR", "1", late: -5)]);
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Import", Exact = true }).ClickAsync();
        await dialog.GetByRole(AriaRole.Link, new() { Name = "Show them" }).ClickAsync();

        await page.ToBeAtAsync("**/invoices?numberFrom=1&numberTo=3");
        await Expect(page.GetByRole(AriaRole.Link, new() { Name = "Numbers #1 to #3: take this away" }))
            .ToBeVisibleAsync();
        var list = page.GetByRole(AriaRole.Table, new() { Name = "Invoices" });
        await Expect(list.GetByRole(AriaRole.Row)).ToHaveCountAsync(4);
        await Expect(page.GetByRole(AriaRole.Navigation, new() { Name = "Status" })
            .GetByRole(AriaRole.Link, new() { Name = "Overdue" })).ToHaveTextAsync("Overdue2");
        await tab.CheckAsync();

        // Decimals stand below each other, whatever the currency.
        var ends = await list.Locator(".amount-code").EvaluateAllAsync<double[]>(
            "codes => codes.map(code => code.getBoundingClientRect().left)");
        Assert.Single(ends.Select(left => (int)left).Distinct());

        // The chart leads to its invoices, and back leads back.
        await page.GetByRole(AriaRole.Link, new() { Name = "over 60 days late: show these invoices" }).ClickAsync();
        await Expect(list.GetByRole(AriaRole.Row)).ToHaveCountAsync(2);
        await page.GoBackAsync();
        await Expect(list.GetByRole(AriaRole.Row)).ToHaveCountAsync(4);
        await page.ReloadAsync();
        await Expect(list.GetByRole(AriaRole.Row)).ToHaveCountAsync(4);

        string Row(int number, string currency, string quantity, int late = 0) => string.Join(',', $"A-{number}",
            "Ada Moreau", currency, $"{today.AddDays(-100):yyyy-MM-dd}", $"{today.AddDays(-late):yyyy-MM-dd}", "Work",
            quantity, "10");

        async Task ChooseAsync(IEnumerable<string> rows)
        {
            var file = System.Text.Encoding.UTF8.GetBytes(string.Join('\n',
                rows.Prepend("invoice,contact,currency,issued_on,due_on,description,quantity,unit_price")));
            var chooser = await page.RunAndWaitForFileChooserAsync(() =>
                dialog.GetByRole(AriaRole.Button, new() { Name = "Choose" }).ClickAsync());
            await chooser.SetFilesAsync(
                new FilePayload { Name = "invoices.csv", MimeType = "text/csv", Buffer = file });
            await Expect(dialog.GetByText($"invoices.csv, {(file.Length + 1023) / 1024} KB")).ToBeVisibleAsync();
        }
    }

    [Fact]
    public async Task What_is_owed_has_one_row_for_each_customer_and_goes_into_a_spreadsheet()
    {
        var acme = await console.CustomerAsync("=1+1 Acme");
        await WriteAsync(acme, "EUR", 120m);
        await WriteAsync(acme, "JPY", 900m);
        await using var tab = await console.OpenAsync($"/reports/receivables?search={acme}");
        var page = tab.Page;

        var row = page.GetByRole(AriaRole.Table, new() { Name = "Receivables" }).GetByRole(AriaRole.Row)
            .Filter(new() { HasText = "=1+1 Acme" });
        await Expect(row).ToHaveCountAsync(1);
        await Expect(row).ToContainTextAsync("120.00");
        await Expect(row).ToContainTextAsync("900");
        await tab.CheckAsync();

        var saving = page.WaitForDownloadAsync();
        await page.GetByRole(AriaRole.Button, new() { Name = "Download CSV" }).ClickAsync();
        var csv = await File.ReadAllTextAsync(await (await saving).PathAsync(), Ct);
        Assert.StartsWith("customer,slug,unpaid invoices,", csv, StringComparison.Ordinal);
        Assert.Contains($"'=1+1 Acme,{acme},2,", csv, StringComparison.Ordinal);
    }

    private async Task ChangeAsync(string customer, string id, string description)
    {
        using var request = new HttpRequestMessage(HttpMethod.Put, $"/customers/{customer}/invoices/{id}")
        {
            Content = JsonContent.Create(Body("KWD", 120.5m, description)),
        };
        request.Headers.TryAddWithoutValidation("If-Match", "*");
        using var changed = await console.Api.SendAsync(request, Ct);
        Assert.True(changed.IsSuccessStatusCode, await changed.Content.ReadAsStringAsync(Ct));
    }

    private async Task WriteAsync(string customer, string currency, decimal price)
    {
        using var written = await console.Api.PostAsJsonAsync(
            $"/customers/{customer}/invoices", Body(currency, price, "Work"), Ct);
        Assert.True(written.IsSuccessStatusCode, await written.Content.ReadAsStringAsync(Ct));
    }

    private static object Body(string currency, decimal price, string description) => new
    {
        contact = new { name = "Ada Moreau", email = "ada@example.com" }, currency, issuedOn = "2026-11-23",
        dueOn = "2999-12-23", lines = new[] { new { description, quantity = 1m, unitPrice = price } },
    };
}
