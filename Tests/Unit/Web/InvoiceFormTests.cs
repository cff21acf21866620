using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using Web.Contacts;
using Web.Invoices;
using Xunit;

namespace Tests.Unit.Web;

/// <summary>
/// What is entered isn't lost: not to a lost answer, not to somebody else's change, not to a wrong click.
/// </summary>
public sealed class InvoiceFormTests : PageContext
{
    private static readonly Guid Id = Guid.Parse("0192d3a1-0000-7000-8000-000000000017");

    private string _version = "7";
    private string _description = "Support";
    private string? _default;
    private Func<HttpRequestMessage, HttpResponseMessage>? _written;

    public InvoiceFormTests()
    {
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("en-US");
        Api.Answer = Answer;
    }

    [Fact]
    public void A_new_invoice_begins_with_the_currency_of_the_last_one()
    {
        var page = Render<NewInvoicePage>(p => p.Add(x => x.Slug, "acme"));

        Assert.Equal("JPY", page.FindComponent<MudSelect<string>>().Find("input").GetAttribute("value"));
        Assert.Contains("/invoices?pageSize=1", Api.Requests.Select(request => request.Path));
    }

    [Fact]
    public void A_new_invoice_begins_with_the_customers_default_currency_where_one_was_chosen()
    {
        _default = "EUR";

        var page = Render<NewInvoicePage>(p => p.Add(x => x.Slug, "acme"));

        Assert.StartsWith("EUR", page.FindComponent<MudSelect<string>>().Find("input").GetAttribute("value"),
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_same_invoice_sent_again_has_the_same_key_and_a_changed_one_another()
    {
        _written = _ => throw new TaskCanceledException();
        var page = Render<NewInvoicePage>(p => p.Add(x => x.Slug, "acme"));
        await Field(page, "Contact").ChangeAsync("Jane");
        await Field(page, "Description").ChangeAsync("Support");
        await Field(page, "Unit price").InputAsync("10");

        await page.Find("form").SubmitAsync();
        Assert.Contains("nothing is saved twice", page.Find("[role=alert]").TextContent, StringComparison.Ordinal);
        await page.Find("form").SubmitAsync();
        await Field(page, "Unit price").InputAsync("11");
        await page.Find("form").SubmitAsync();

        var keys = Api.Requests.Where(r => r.Method == HttpMethod.Post).Select(r => r.Key).ToList();
        Assert.Equal(3, keys.Count);
        Assert.NotNull(keys[0]);
        Assert.Equal(keys[0], keys[1]);
        Assert.NotEqual(keys[1], keys[2]);
    }

    [Fact]
    public async Task A_change_names_the_version_that_was_seen()
    {
        var page = Render<EditInvoicePage>(p => p.Add(x => x.Slug, "acme").Add(x => x.Id, Id));
        await Field(page, "Description").ChangeAsync("Advice");

        await page.Find("form").SubmitAsync();

        var sent = Assert.Single(Api.Requests, request => request.Method == HttpMethod.Put);
        Assert.Equal("\"7\"", sent.Version);
        Assert.Contains("\"Advice\"", sent.Body, StringComparison.Ordinal);
        Assert.EndsWith($"/customers/acme/invoices/{Id}", Services.GetRequiredService<NavigationManager>().Uri,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Somebody_elses_change_is_shown_beside_ones_own_and_replaced_only_knowingly()
    {
        _written = request => request.Headers.IfMatch.ToString() == $"\"{_version}\""
            ? FakeApi.Json(HttpStatusCode.OK, View())
            : FakeApi.Problem(HttpStatusCode.PreconditionFailed, new { title = "Changed meanwhile." });
        var page = Render<EditInvoicePage>(p => p.Add(x => x.Slug, "acme").Add(x => x.Id, Id));
        await Field(page, "Description").ChangeAsync("Mine");
        (_version, _description) = ("8", "Theirs");

        await page.Find("form").SubmitAsync();

        Assert.Contains("Somebody changed this invoice while you were editing it.",
            page.Find("[role=alert]").TextContent, StringComparison.Ordinal);
        Assert.Equal(["Line 1", "Theirs: 2.5 × 12.125", "Mine: 2.5 × 12.125"],
            page.FindAll(".differences tbody tr > *").Select(cell => cell.TextContent));
        Assert.Equal("Mine", Field(page, "Description").GetAttribute("value"));

        await page.FindAll("button").Single(b => b.TextContent.Trim() == "Save mine over it").ClickAsync();

        Assert.Equal(["\"7\"", "\"8\""],
            Api.Requests.Where(request => request.Method == HttpMethod.Put).Select(request => request.Version));
    }

    [Fact]
    public async Task Somebody_elses_change_can_be_taken_over()
    {
        _written = _ => FakeApi.Problem(HttpStatusCode.PreconditionFailed, new { title = "Changed meanwhile." });
        var page = Render<EditInvoicePage>(p => p.Add(x => x.Slug, "acme").Add(x => x.Id, Id));
        await Field(page, "Description").ChangeAsync("Mine");
        _description = "Theirs";
        await page.Find("form").SubmitAsync();

        await page.FindAll("button").Single(b =>
            b.TextContent.Trim().StartsWith("Take over", StringComparison.Ordinal)).ClickAsync();

        Assert.Equal("Theirs", Field(page, "Description").GetAttribute("value"));
        Assert.Empty(page.FindAll("[role=alert]"));
    }

    [Fact]
    public async Task A_form_with_changes_is_left_only_after_a_question()
    {
        var dialogs = Render<MudDialogProvider>();
        var page = Render<EditInvoicePage>(p => p.Add(x => x.Slug, "acme").Add(x => x.Id, Id));
        var navigation = Services.GetRequiredService<NavigationManager>();
        navigation.NavigateTo("/customers/acme/contacts");
        Assert.EndsWith("/contacts", navigation.Uri, StringComparison.Ordinal);

        // Typing alone counts: the field hasn't been left yet.
        await Field(page, "Description").InputAsync("Mi");
        await page.InvokeAsync(() => navigation.NavigateTo("/customers"));
        Assert.EndsWith("/contacts", navigation.Uri, StringComparison.Ordinal);
        await DialogButton(dialogs, "Stay on this page").ClickAsync();
        dialogs.WaitForAssertion(() => Assert.Empty(dialogs.FindAll("[role=dialog]")));

        await Field(page, "Description").ChangeAsync("Mine");
        await page.InvokeAsync(() => navigation.NavigateTo("/customers"));
        await DialogButton(dialogs, "Leave").ClickAsync();
        // Nothing is drawn when the page is left: there is no rendering to wait for.
        await Eventually.HoldsAsync(() => navigation.Uri.EndsWith("/customers", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Somebody_known_brings_the_address_along()
    {
        var page = Render<NewInvoicePage>(p => p.Add(x => x.Slug, "acme"));

        await Field(page, "Contact").InputAsync("Ada");
        page.WaitForAssertion(() => Assert.Single(page.FindAll("datalist option")));
        await Field(page, "Contact").ChangeAsync("Ada Moreau");

        Assert.Equal("ada@example.com", Field(page, "Email (optional)").GetAttribute("value"));
    }

    [Fact]
    public async Task A_contact_that_somebody_else_changed_is_shown_beside_ones_own()
    {
        _written = _ => FakeApi.Problem(HttpStatusCode.PreconditionFailed, new { title = "Changed meanwhile." });
        var page = Render<EditContactPage>(p => p.Add(x => x.Slug, "acme").Add(x => x.Id, Id));
        await Field(page, "Name").ChangeAsync("Ada Byron");

        await page.Find("form").SubmitAsync();

        Assert.Equal(["Name", "Ada Moreau", "Ada Byron"],
            page.FindAll(".differences tbody tr > *").Select(cell => cell.TextContent));
    }

    [Fact]
    public async Task A_contact_that_is_there_already_is_said_to_be()
    {
        _written = _ => FakeApi.Problem(HttpStatusCode.Conflict,
            new { title = "The contact is there.", detail = "There is a contact of that name and address." });
        var page = Render<NewContactPage>(p => p.Add(x => x.Slug, "acme"));
        await page.Find("form").SubmitAsync();
        Assert.Equal("Enter a name.", Beside(page, "Name"));

        await Field(page, "Name").ChangeAsync("Ada Moreau");
        await page.Find("form").SubmitAsync();

        Assert.Contains("There is a contact of that name", page.Find("[role=alert]").TextContent,
            StringComparison.Ordinal);
        Assert.NotNull(Assert.Single(Api.Requests, request => request.Method == HttpMethod.Post).Key);
    }

    private static AngleSharp.Dom.IElement Field<T>(IRenderedComponent<T> page, string label) where T : IComponent =>
        page.Find($"[id='{page.FindAll("label").First(l => l.TextContent == label).GetAttribute("for")}']");

    private HttpResponseMessage Answer(HttpRequestMessage request) => request.RequestUri!.AbsolutePath switch
    {
        "/customers/acme" => FakeApi.Json(HttpStatusCode.OK, new
        {
            id = Guid.NewGuid(), slug = "acme", name = "Acme", schema = "customer_acme", status = "active", ring = 0,
            createdAt = "2026-11-23T12:00:00Z",
        }),
        "/currencies" => FakeApi.Json(HttpStatusCode.OK, new[]
        {
            new { code = "EUR", name = "Euro", decimals = 2 }, new { code = "JPY", name = "Yen", decimals = 0 },
        }),
        "/settings" => FakeApi.Json(HttpStatusCode.OK, new { currency = _default }),
        _ when request.Method != HttpMethod.Get => _written is { } answer
            ? answer(request)
            : FakeApi.Json(HttpStatusCode.OK, View()),
        "/invoices" => FakeApi.Page(new
        {
            id = Guid.NewGuid(), number = 16, contact = "Jane", currency = "JPY", decimals = 0,
            issuedOn = "2026-11-23", dueOn = "2026-12-23", status = "open", total = 1m,
        }),
        "/contacts" => FakeApi.Page(Ada),
        var path when path.StartsWith("/contacts/", StringComparison.Ordinal) => Versioned(Ada),
        _ => Versioned(View()),
    };

    private HttpResponseMessage Versioned(object body)
    {
        var response = FakeApi.Json(HttpStatusCode.OK, body);
        response.Headers.ETag = new EntityTagHeaderValue($"\"{_version}\"");
        return response;
    }

    private static readonly object Ada = new { id = Id, name = "Ada Moreau", email = "ada@example.com" };

    private object View() => new
    {
        id = Id,
        number = 17,
        contact = new { id = Guid.NewGuid(), name = "Jane", email = (string?)null },
        currency = new { code = "EUR", name = "Euro", decimals = 2 },
        issuedOn = "2026-11-23",
        dueOn = "2026-12-23",
        paidOn = (string?)null,
        status = "open",
        total = 30.31m,
        lines = new[] { new { id = Guid.NewGuid(), position = 1, description = _description, quantity = 2.5m,
            unitPrice = 12.125m, total = 30.31m } },
    };
}
