using System.Globalization;
using System.Net;
using System.Text;
using Bunit;
using Microsoft.AspNetCore.Components.Forms;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using Web.Api;
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
    public async Task What_is_wrong_with_a_file_is_grouped_by_column_until_another_is_chosen()
    {
        var errors = Enumerable.Range(2, 60).ToDictionary(
            line => $"line {line}: quantity", _ => new[] { "Say how much." });
        errors["line 7: currency"] = ["There is no currency 'XYZ' here."];
        errors["line 9"] = ["This row has 2 fields, the header has 10."];
        Api.Answer = _ => FakeApi.Problem(HttpStatusCode.BadRequest, new
        {
            title = "The file can't be imported.", detail = "Nothing was written.", errors,
        });
        var dialog = await OpenAsync();

        Choose(dialog, Csv);
        await Button(dialog, "Import").ClickAsync();

        dialog.WaitForAssertion(() => Assert.Equal(["quantity: 60 rows", "currency: 1 row", "1 whole row"],
            dialog.FindAll(".objection summary").Select(one => one.TextContent)));
        Assert.Equal("line 2: Say how much.", dialog.FindAll(".objection li")[0].TextContent);
        Assert.Equal("And 50 more rows.", dialog.Find(".objection p").TextContent);
        Assert.Equal(["The file can't be imported.", "Nothing was written."],
            dialog.FindAll("[role=alert] p").Select(p => p.TextContent));
        Button(dialog, "Download all 62 problems as CSV");

        Choose(dialog, Csv);
        dialog.WaitForAssertion(() => Assert.Empty(dialog.FindAll("[role=alert], .objection")));
    }

    [Fact]
    public void All_problems_of_a_file_are_in_one_to_download_in_the_order_of_its_lines()
    {
        var problem = new Problem("The file can't be imported.")
        {
            Errors = new Dictionary<string, string[]>
            {
                ["line 12: quantity"] = ["'=1+1' is no number: write it like 1234.5."],
                ["line 2: =cmd|' /C calc'!A0"] = ["This column is unknown."], ["line 3"] = ["Too \"few\", really."],
                ["file"] = ["The file isn't UTF-8."],
            },
        };

        var csv = Encoding.UTF8.GetString(ImportProblems.ToCsv(ImportProblems.Of(problem)));

        Assert.Equal(
            "\ufeffline,column,problem\r\n,file,The file isn't UTF-8.\r\n" +
            "2,'=cmd|' /C calc'!A0,This column is unknown.\r\n" +
            "3,row,\"Too \"\"few\"\", really.\"\r\n12,quantity,'=1+1' is no number: write it like 1234.5.\r\n",
            csv);
    }

    [Fact]
    public async Task What_was_just_imported_is_a_link_away()
    {
        Api.Answer = _ =>
            FakeApi.Json(HttpStatusCode.OK, new { invoices = 2, lines = 3, firstNumber = 17, lastNumber = 18 });
        var dialog = await OpenAsync();
        Choose(dialog, Csv);

        await Button(dialog, "Import").ClickAsync();

        dialog.WaitForAssertion(() => Assert.Equal("/customers/acme/invoices?numberFrom=17&numberTo=18",
            dialog.FindAll("a").Single(a => a.TextContent.Trim() == "Show them").GetAttribute("href")));
    }

    [Fact]
    public async Task The_same_file_sent_again_has_the_same_key_and_another_file_another()
    {
        Api.Answer = _ => throw new TaskCanceledException();
        var dialog = await OpenAsync();
        Choose(dialog, Csv);
        for (var attempt = 1; attempt <= 2; attempt++)
        {
            await Button(dialog, "Import").ClickAsync();
            dialog.WaitForAssertion(() => Assert.Single(dialog.FindAll("[role=alert]")));
        }

        Choose(dialog, Csv);
        await Button(dialog, "Import").ClickAsync();
        dialog.WaitForAssertion(() => Assert.Equal(3, Api.Requests.Count));

        var keys = Api.Requests.Select(request => request.Key).ToList();
        Assert.NotNull(keys[0]);
        Assert.Equal(keys[0], keys[1]);
        Assert.NotEqual(keys[1], keys[2]);
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
