using System.Runtime.CompilerServices;
using Microsoft.Playwright;
using Xunit;

namespace Tests.EndToEnd;

/// <summary>
/// Makes the pictures in docs/images from the running system. Not a test: it runs only when it is asked for, see
/// CONTRIBUTING.md.
/// </summary>
public sealed class Pictures(SystemWithDashboard system, Browser browser) : IClassFixture<SystemWithDashboard>
{
    private const string Customer = "umbrella";

    [Fact(Explicit = true)]
    public async Task Make()
    {
        await system.Running.CreateCustomerAsync(Customer);
        await system.Running.CreateInvoiceAsync(Customer, 1250m);
        await system.Running.InvoicesAsync(Customer);

        var page = await browser.NewPageAsync();
        await page.GotoAsync((await system.Running.DashboardAsync()).ToString());
        await page.GetByText("migrations", new() { Exact = true }).First.WaitForAsync();
        var dashboard = new Uri(page.Url);
        await ShootAsync(page, "dashboard");
        await ShootAsync(page, "graph", new Uri(dashboard, "/?view=Graph"));
        await ShootAsync(page, "filter", new Uri(dashboard, $"/traces?filters=tenant.slug:equals:{Customer}"),
            "api: POST /customers/");
        await OpenAsync(page, "api: GET /invoices/", "trace-request");
        await ShootAsync(page, "traces", new Uri(dashboard, "/traces"), "migrations: migrate");
        await OpenAsync(page, "migrations: migrate", "trace-run");
        await ShootAsync(page, "metrics",
            new Uri(dashboard, "/metrics/resource/api?meter=Tenancy&instrument=tenancy.tenants"), "tenancy.tenants");
    }

    private static async Task OpenAsync(IPage page, string trace, string name)
    {
        await page.GetByText(trace).First.ClickAsync();
        await page.WaitForURLAsync("**/traces/detail/**");
        await ShootAsync(page, name);
    }

    private static async Task ShootAsync(IPage page, string name, Uri? address = null, string? shows = null)
    {
        if (address is not null)
        {
            await page.GotoAsync(address.ToString());
        }

        if (shows is not null)
        {
            await page.GetByText(shows).First.WaitForAsync();
        }

        // Animations, and numbers that come a moment later.
        await page.WaitForTimeoutAsync(4000);
        await page.ScreenshotAsync(new() { Path = Path.Combine(Folder(), name + ".png") });
    }

    private static string Folder([CallerFilePath] string thisFile = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(thisFile)!, "..", "..", "docs", "images"));
}
