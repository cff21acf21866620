using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using Web.Invoices;
using Xunit;

namespace Tests.Unit.Web;

/// <summary>What can be done with one invoice.</summary>
public sealed class InvoicePageTests : PageContext
{
    private static readonly Guid Id = Guid.Parse("0192d3a1-0000-7000-8000-000000000017");

    private string? _paidOn;
    private HttpStatusCode _deleted = HttpStatusCode.NoContent;

    public InvoicePageTests()
    {
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("en-US");
        Api.Answer = Answer;
    }

    [Fact]
    public void A_paid_invoice_can_be_printed_and_nothing_else()
    {
        _paidOn = "2026-11-30";

        var page = Render<InvoicePage>(p => p.Add(x => x.Slug, "acme").Add(x => x.Id, Id));

        Assert.Equal(["Print"],
            page.FindAll(".part-actions button, .part-actions a").Select(one => one.TextContent.Trim()));
        Assert.Contains("11/30/2026", page.Find(".facts").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void The_browser_is_asked_to_print()
    {
        var module = JSInterop.SetupModule("./Invoices/InvoicePage.razor.js");
        var print = module.SetupVoid("print").SetVoidResult();
        var page = Render<InvoicePage>(p => p.Add(x => x.Slug, "acme").Add(x => x.Id, Id));

        page.FindAll("button").Single(b => b.TextContent.Trim() == "Print").Click();

        Assert.Single(print.Invocations);
        // On paper the customer's name says whom the invoice is from.
        Assert.Equal("Acme Corporation", page.Find(".invoice-from").TextContent);
    }

    [Fact]
    public async Task An_invoice_is_deleted_after_a_question_and_as_the_version_that_was_seen()
    {
        await DeleteAsync("Delete the invoice");

        Assert.Equal("\"7\"", Assert.Single(Api.Requests, request => request.Method == HttpMethod.Delete).Version);
        Assert.EndsWith("/customers/acme/invoices", Services.GetRequiredService<NavigationManager>().Uri,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_invoice_that_is_kept_is_kept()
    {
        await DeleteAsync("Keep it");

        Assert.DoesNotContain(Api.Requests, request => request.Method == HttpMethod.Delete);
    }

    [Fact]
    public async Task An_invoice_that_somebody_changed_meanwhile_is_not_deleted_and_shown_as_it_is_now()
    {
        _deleted = HttpStatusCode.PreconditionFailed;

        var page = await DeleteAsync("Delete the invoice");

        Assert.Contains("Somebody changed this invoice meanwhile.", page.Find("[role=alert]").TextContent,
            StringComparison.Ordinal);
        Assert.Equal(2, Api.Requests.Count(
            request => request.Path == $"/invoices/{Id}" && request.Method == HttpMethod.Get));
    }

    private async Task<IRenderedComponent<InvoicePage>> DeleteAsync(string answer)
    {
        var dialogs = Render<MudDialogProvider>();
        var page = Render<InvoicePage>(p => p.Add(x => x.Slug, "acme").Add(x => x.Id, Id));
        // It ends when the question does.
        var asked = page.FindAll("button").Single(b => b.TextContent.Trim() == "Delete").ClickAsync();
        await DialogButton(dialogs, answer).ClickAsync();
        await asked;
        return page;
    }

    private HttpResponseMessage Answer(HttpRequestMessage request)
    {
        if (request.RequestUri!.AbsolutePath == "/customers/acme")
        {
            return FakeApi.Json(HttpStatusCode.OK, new
            {
                id = Guid.NewGuid(), slug = "acme", name = "Acme Corporation", schema = "customer_acme",
                status = "active", ring = 0, createdAt = "2026-11-23T12:00:00Z",
            });
        }

        if (request.Method == HttpMethod.Delete)
        {
            return _deleted == HttpStatusCode.NoContent
                ? new(_deleted)
                : FakeApi.Problem(_deleted, new { title = "Changed meanwhile." });
        }

        var response = FakeApi.Json(HttpStatusCode.OK, new
        {
            id = Id, number = 17, contact = new { id = Guid.NewGuid(), name = "Jane" },
            currency = new { code = "EUR", name = "Euro", decimals = 2 }, issuedOn = "2026-11-23",
            dueOn = "2026-12-23", paidOn = _paidOn, status = _paidOn is null ? "open" : "paid", total = 1m,
            lines = Array.Empty<object>(),
        });
        response.Headers.ETag = new EntityTagHeaderValue("\"7\"");
        return response;
    }
}
