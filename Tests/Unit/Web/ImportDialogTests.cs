using System.Globalization;
using System.Net;
using Bunit;
using Microsoft.AspNetCore.Components.Forms;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using Web.Invoices;
using Xunit;

namespace Tests.Unit.Web;

public sealed class ImportDialogTests : PageContext
{
    private const string Csv = "invoice,contact\nA-1,Zoë\n";

    public ImportDialogTests() => CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("en-US");

    [Fact]
    public async Task A_chosen_file_is_sent_for_that_customer_and_what_was_written_is_said()
    {
        Api.Answer = _ =>
            FakeApi.Json(HttpStatusCode.OK, new { invoices = 2, lines = 1_003, firstNumber = 17, lastNumber = 18 });
        var dialog = await OpenAsync();

        Choose(dialog, Csv);
        Assert.Equal("invoices.csv, 1 KB", dialog.Find("[aria-live]").TextContent.Trim());
        await Button(dialog, "Import").ClickAsync();

        dialog.WaitForAssertion(() =>
            Assert.Equal("2 invoices with 1,003 lines are written: #17 to #18.",
                dialog.Find("[role=status]").TextContent.Trim()));
        Assert.Equal((HttpMethod.Post, "/invoices/import", "acme", Csv),
            Assert.Single(Api.Requests.Select(r => (r.Method, r.Path, r.Customer, r.Body))));
        await Button(dialog, "Done").ClickAsync();
        dialog.WaitForAssertion(() => Assert.Empty(dialog.FindAll("[role=dialog]")));
    }

    [Fact]
    public async Task What_is_wrong_with_a_file_is_listed_line_by_line_until_another_is_chosen()
    {
        Api.Answer = _ => FakeApi.Problem(HttpStatusCode.BadRequest, new
        {
            title = "The file can't be imported.",
            detail = "Nothing was written.",
            errors = new Dictionary<string, string[]> { ["line 2: quantity"] = ["Say how much."],
                ["line 7: currency"] = ["There is no currency 'XYZ' here."] },
        });
        var dialog = await OpenAsync();

        Choose(dialog, Csv);
        await Button(dialog, "Import").ClickAsync();

        dialog.WaitForAssertion(() => Assert.Equal(
            ["line 2: quantity: Say how much.", "line 7: currency: There is no currency 'XYZ' here."],
            dialog.FindAll("[role=alert] li").Select(li => li.TextContent)));
        Assert.Equal(["The file can't be imported.", "Nothing was written."],
            dialog.FindAll("[role=alert] p").Select(p => p.TextContent));

        Choose(dialog, Csv);
        dialog.WaitForAssertion(() => Assert.Empty(dialog.FindAll("[role=alert]")));
    }

    [Fact]
    public async Task Without_a_file_or_with_one_that_is_too_large_nothing_is_sent()
    {
        var dialog = await OpenAsync();

        await Button(dialog, "Import").ClickAsync();
        Assert.Contains("Choose a CSV file first.", dialog.Find("[role=alert]").TextContent, StringComparison.Ordinal);

        Choose(dialog, new string('x', 10 * 1024 * 1024 + 1));
        await Button(dialog, "Import").ClickAsync();
        Assert.Contains("A file has at most 10 MB", dialog.Find("[role=alert]").TextContent, StringComparison.Ordinal);
        Assert.Empty(Api.Requests);
    }

    [Fact]
    public async Task A_template_can_be_downloaded()
    {
        var dialog = await OpenAsync();

        Assert.Equal("/invoices-template.csv", dialog.Find("a[download]").GetAttribute("href"));
    }

    private async Task<IRenderedComponent<MudDialogProvider>> OpenAsync()
    {
        var dialogs = Render<MudDialogProvider>();
        await dialogs.InvokeAsync(() => Services.GetRequiredService<IDialogService>()
            .ShowAsync<ImportDialog>(
                "Import invoices", new DialogParameters<ImportDialog> { { dialog => dialog.Slug, "acme" } }));
        return dialogs;
    }

    private static void Choose(IRenderedComponent<MudDialogProvider> dialog, string csv) =>
        dialog.FindComponents<InputFile>()[^1].UploadFiles(InputFileContent.CreateFromText(csv, "invoices.csv"));

    private static AngleSharp.Dom.IElement Button(IRenderedComponent<MudDialogProvider> dialog, string label) =>
        dialog.FindAll("button").Single(button => button.TextContent.Trim() == label);
}
