using System.Net;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.Extensions.DependencyInjection;
using Web.Palette;
using Xunit;

namespace Tests.Unit.Web;

public sealed class CommandPaletteTests : PageContext
{
    private readonly ManualTime _time = new();

    public CommandPaletteTests()
    {
        Services.AddSingleton<TimeProvider>(_time);
        Api.Answer = request => request.RequestUri!.Query.Contains("search=glo", StringComparison.Ordinal)
            ? FakeApi.Page(CustomersPageTests.Named("globex", "Globex"), CustomersPageTests.Named("glow", "Glow"))
            : FakeApi.Page(CustomersPageTests.Named("acme", "Acme"));
    }

    private NavigationManager Navigation => Services.GetRequiredService<NavigationManager>();

    [Fact]
    public async Task Customers_are_searched_when_the_typing_pauses_and_Enter_opens_the_chosen_one()
    {
        var palette = Render<CommandPalette>();
        await palette.InvokeAsync(palette.Instance.Opened);
        _ = palette.Find("input").InputAsync("gl");
        _ = palette.Find("input").InputAsync("glo");
        _time.Advance(seconds: 1);
        palette.WaitForAssertion(() => Assert.Equal(["Globex", "Glow"], Labels(palette)));
        Assert.DoesNotContain(Api.Requests, asked => asked.Path.EndsWith("search=gl", StringComparison.Ordinal));

        await palette.Find("input").KeyDownAsync(new KeyboardEventArgs { Key = "ArrowDown" });
        Assert.Equal("Glow", palette.Find("[aria-selected=true] .palette-label").TextContent);
        Assert.Equal(palette.Find("[aria-selected=true]").Id, palette.Find("input").GetAttribute("aria-activedescendant"));
        await palette.Find("input").KeyDownAsync(new KeyboardEventArgs { Key = "Enter" });

        Assert.EndsWith("/customers/glow", Navigation.Uri, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Pages_are_found_too_and_those_about_the_customer_that_is_looked_at_come_first()
    {
        Navigation.NavigateTo("/customers/acme/invoices?page=2");
        var palette = Render<CommandPalette>();

        await palette.InvokeAsync(palette.Instance.Opened);

        var labels = Labels(palette);
        Assert.Equal(["Overview", "Invoices", "Contacts", "Keys", "Operations", "Settings"], labels.Take(6));
        Assert.Contains("Receivables", labels);
        Assert.Equal("Acme", labels[^1]);
        palette.FindAll("[role=option]")[5].Click();
        Assert.EndsWith("/customers/acme/settings", Navigation.Uri, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_the_api_pages_are_found_all_the_same()
    {
        Api.Answer = _ => FakeApi.Problem(HttpStatusCode.ServiceUnavailable, new { title = "PostgreSQL is gone." });
        var palette = Render<CommandPalette>();

        await palette.InvokeAsync(palette.Instance.Opened);

        Assert.Contains("Receivables", Labels(palette));
        Assert.Equal("Customers can't be searched: PostgreSQL is gone.", palette.Find(".palette-foot").TextContent);
    }

    [Fact]
    public async Task A_closed_palette_has_forgotten_what_was_typed()
    {
        var palette = Render<CommandPalette>();
        await palette.InvokeAsync(palette.Instance.Opened);
        Assert.NotEmpty(Labels(palette));

        await palette.InvokeAsync(palette.Instance.Closed);

        Assert.Empty(Labels(palette));
    }

    private static List<string> Labels(IRenderedComponent<CommandPalette> palette) =>
        [.. palette.FindAll(".palette-label").Select(label => label.TextContent)];
}
