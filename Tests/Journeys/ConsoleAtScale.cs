using System.Diagnostics;
using System.Globalization;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.Playwright;
using Xunit;

namespace Tests.Journeys;

/// <summary>
/// The console with 10,000 customers and 5,000 invoices of one of them: pictures at two widths and in both themes, and
/// how long pages take. Not a test: it runs only when it is asked for, see CONTRIBUTING.md.
/// </summary>
[Collection(ConsoleApp.Journeys)]
public sealed class ConsoleAtScale(ConsoleApp console) : IClassFixture<ConsoleApp>
{
    private const int Times = 5;

    private static readonly string Folder = Directory.CreateDirectory(
        Path.Combine(Path.GetTempPath(), "console-at-scale")).FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact(Explicit = true)]
    public async Task Look()
    {
        var acme = await new ScaleDatabase(console).FillAsync();
        var invoice = (await console.Api.GetFromJsonAsync<JsonObject>($"/customers/{acme}/invoices?pageSize=1", Ct))!;
        await TimesAsync(acme);
        await using var findings = await DoctorFindings.MakeAsync(console);
        using var lowered = findings.LowerLimits();
        await console.Api.GetStringAsync("/doctor?fresh=true", Ct);
        var pages = Pages(acme, (string)invoice["items"]![0]!["id"]!);
        foreach (var (width, dark) in new[] { (1400, false), (390, false), (1400, true), (390, true) })
        {
            await using var tab = await console.OpenAsync("/customers", width, dark);
            foreach (var (name, path, act) in pages)
            {
                await tab.GoAsync(path);
                await DrawnAsync(tab.Page);
                await act(tab.Page);
                await tab.Page.WaitForTimeoutAsync(500);
                await tab.Page.ScreenshotAsync(new()
                {
                    Path = Path.Combine(Folder, $"{name}-{width}{(dark ? "-dark" : "")}.png"),
                    // What lies over a page is where the window is.
                    FullPage = width == 390 && act == Nothing,
                });
            }
        }
    }

    /// <summary>The pages, and what is done on each before its picture is taken.</summary>
    private static (string Name, string Path, Func<IPage, Task> Act)[] Pages(string acme, string invoice)
    {
        var (customer, found) = ($"/customers/{acme}", "/customers?search=many-0000");
        return
        [
            ("overview", "/", Nothing), ("customers", "/customers", Nothing),
            ("customers-failed", "/customers?condition=failed", Nothing),
            ("customers-last", $"/customers?page={ScaleDatabase.Customers / 25}", Nothing),
            ("customers-none", "/customers?search=zzzzzz", Nothing), ("customers-bulk", found, SelectAsync),
            ("migrations", "/migrations", Nothing), ("tasks", "/tasks", Nothing),
            ("task", "/tasks/2026-12-trim-names", Nothing),
            ("task-failed", "/tasks/2026-12-trim-names?state=failed", Nothing), ("doctor", "/doctor", Nothing),
            ("operations", "/operations", Nothing), ("receivables", "/reports/receivables", Nothing),
            ("customer", customer, Nothing), ("customer-failed", "/customers/many-00050", Nothing),
            ("right-to-left", "/customers/many-00002", Nothing), ("settings", $"{customer}/settings", Nothing),
            ("invoices", $"{customer}/invoices", Nothing), ("invoices-page", $"{customer}/invoices?page=100", Nothing),
            ("invoice", $"{customer}/invoices/{invoice}", Nothing),
            ("invoice-edit", $"{customer}/invoices/{invoice}/edit", Nothing),
            ("new-invoice", $"{customer}/invoices/new", Nothing), ("contacts", $"{customer}/contacts", Nothing),
            ("new-contact", $"{customer}/contacts/new", Nothing), ("keys", $"{customer}/keys", Nothing),
            ("customer-operations", $"{customer}/operations", Nothing),
            ("customer-missing", "/customers/nobody", Nothing), ("not-found", "/nothing/here", Nothing),
            ("dialog-new", "/customers", Press("New customer")), ("dialog-import", "/customers", Press("Import")),
            ("dialog-ring", found, async page =>
            {
                await SelectAsync(page);
                await Press("Ring…")(page);
            }),
            ("dialog-clone", $"{customer}/settings", Press("Clone…")),
            ("dialog-suspend", $"{customer}/settings", Press("Suspend…")),
            ("dialog-migrate", "/migrations", Press("Migrate…")), ("dialog-key", $"{customer}/keys", Press("New key")),
            ("dialog-invoices", $"{customer}/invoices", Press("Import CSV")),
            ("palette", "/customers", page => page.Keyboard.PressAsync("Control+k")),
            ("palette-found", "/customers", async page =>
            {
                await page.Keyboard.PressAsync("Control+k");
                await page.Keyboard.TypeAsync("many-0004");
                await Assertions.Expect(page.GetByRole(AriaRole.Option, new() { Name = "many-00040" }))
                    .ToBeVisibleAsync();
            }),
        ];
    }

    private static Task Nothing(IPage page) => Task.CompletedTask;

    private static Func<IPage, Task> Press(string button) =>
        page => page.GetByRole(AriaRole.Button, new() { Name = button, Exact = true }).ClickAsync();

    private static Task SelectAsync(IPage page) => page.GetByLabel("Select all customers on this page").CheckAsync();

    private static Task DrawnAsync(IPage page) => Assertions
        .Expect(page.Locator("[aria-busy=true]:not([role=progressbar]), .skeleton, .rows-skeleton"))
        .ToHaveCountAsync(0, new() { Timeout = 120_000 });

    private async Task TimesAsync(string acme)
    {
        var told = new StringBuilder();
        foreach (var path in new[]
        {
            "/customers?page=1&pageSize=25", "/customers?page=400&pageSize=25",
            "/customers?sort=-size&page=1&pageSize=25", "/customers?search=0042&page=1&pageSize=25",
            "/customer-counts?search=", "/fleet?failures=50", "/fleet", "/fleet/tasks", "/doctor?fresh=true",
            $"/customers/{acme}/invoices?page=1&pageSize=25", $"/customers/{acme}/invoices/overview",
        })
        {
            await TellAsync($"API {path}", async () => await console.Api.GetStringAsync(path, Ct));
        }

        await using var tab = await console.OpenAsync("/customers");
        foreach (var path in new[] { "/customers", "/customers?page=400", "/customers?sort=-size", "/", "/migrations",
            "/tasks", "/tasks/2026-12-trim-names", "/doctor", "/reports/receivables", $"/customers/{acme}/invoices" })
        {
            await TellAsync($"page {path}", async () =>
            {
                await tab.GoAsync(path);
                await DrawnAsync(tab.Page);
            });
        }

        await File.WriteAllTextAsync(Path.Combine(Folder, "times.txt"), told.ToString(), Ct);

        async Task TellAsync(string what, Func<Task> act)
        {
            await act();
            var times = new List<double>();
            for (var time = 0; time < Times; time++)
            {
                var began = Stopwatch.GetTimestamp();
                await act();
                times.Add(Stopwatch.GetElapsedTime(began).TotalMilliseconds);
            }

            told.AppendLine(CultureInfo.InvariantCulture, $"{what}: median {times.Order().ElementAt(Times / 2):0} ms");
        }
    }
}
