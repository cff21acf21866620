using Microsoft.Playwright;
using Xunit;

namespace Tests.Integration.Telemetry;

/// <summary>A visit of a page is one trace: the page, its calls of the API and their SQL, and nothing else.</summary>
public sealed class PageTracesTests(TracedSystem system, Browser browser) : IClassFixture<TracedSystem>
{
    [Theory]
    [InlineData("/customers", "web: GET /customers",
        "GET /customers > list customers > GET > GET /customers/ > SELECT customers", null, "Globex")]
    [InlineData("/customers/acme/invoices", "web: GET /customers/{Slug}/invoices",
        "GET /customers/{Slug}/invoices > list invoices > GET > GET /invoices/ > SELECT invoices", "acme", "EUR")]
    public async Task A_visit_of_a_page_is_one_trace_down_to_its_sql(
        string path, string root, string sql, string? customer, string shown)
    {
        var page = await browser.NewPageAsync();
        // The start page asks the doctor after all else; its answer would come into the next trace.
        await page.GotoAsync(new Uri(system.Web.Http.BaseAddress!, "/sign-in?ReturnUrl=%2Fcustomers").ToString());
        await Journeys.ConsoleApp.SignInAsync(page, ApiFactory.OperatorKey);
        await page.GetByText("Globex").First.WaitForAsync();
        await Assertions.Expect(page.Locator("[aria-busy=true]")).ToHaveCountAsync(0);

        var (spans, _) = await system.TraceAsync(async () =>
        {
            await page.GotoAsync(new Uri(system.Web.Http.BaseAddress!, path).ToString());
            await page.GetByText(shown).First.WaitForAsync();
            // Whatever the page does when it is left belongs to the visit.
            await page.CloseAsync();
            for (var probe = 0; probe < 3; probe++)
            {
                (await system.Web.Http.GetAsync("/health", TestContext.Current.CancellationToken))
                    .EnsureSuccessStatusCode();
                (await system.Api.Http.GetAsync("/health", TestContext.Current.CancellationToken))
                    .EnsureSuccessStatusCode();
            }
        });

        Assert.Equal([root], spans.Roots());
        Assert.Contains(sql, spans.Select(spans.Path));
        Assert.All(spans, span => Assert.Equal(customer, span.Tenant));
    }
}
