using System.Net;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Forms;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using Web.Customers;
using Web.Customers.Settings;
using Web.Operations;
using Xunit;

namespace Tests.Unit.Web;

/// <summary>What is set for one customer, and its end.</summary>
public sealed class CustomerSettingsTests : PageContext
{
    private static readonly Guid Begun = Guid.Parse("0192d3a1-0000-7000-8000-000000000042");

    private readonly IRenderedComponent<MudDialogProvider> _dialogs;
    private object[] _operations = [];
    private string _status = "active";
    private DateTimeOffset? _dropAfter;
    private object[] _databases = [];
    private string? _database;

    public CustomerSettingsTests()
    {
        Services.AddSingleton<TimeProvider>(new ManualTime());
        _dialogs = Render<MudDialogProvider>();
    }

    private NavigationManager Navigation => Services.GetRequiredService<NavigationManager>();

    [Fact]
    public async Task A_rename_sends_what_changed_and_goes_on_at_the_new_address()
    {
        Answer(_ => new(HttpStatusCode.NoContent));
        var page = Open();

        await Field(page, "Slug").InputAsync("acme-inc");
        await page.Find("form[aria-label='Name and slug']").SubmitAsync();

        Assert.Equal(("/customers/acme", """{"slug":"acme-inc"}"""), Written(HttpMethod.Patch));
        Assert.EndsWith("/customers/acme-inc/settings", Navigation.Uri, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_taken_slug_is_said_beside_the_slug_and_the_page_stays()
    {
        Answer(_ => FakeApi.Problem(HttpStatusCode.Conflict, new { title = "The slug is taken.", detail = "By another." }));
        var page = Open();

        await Field(page, "Slug").InputAsync("globex");
        await page.Find("form[aria-label='Name and slug']").SubmitAsync();

        Assert.Equal("By another.", Beside(page, "Slug"));
        Assert.EndsWith("/customers/acme/settings", Navigation.Uri, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_ring_is_changed_alone()
    {
        Answer(_ => new(HttpStatusCode.NoContent));
        var page = Open();

        await Field(page, "Ring").InputAsync("0");
        await page.Find("form[aria-label=Ring]").SubmitAsync();

        Assert.Equal(("/customers/acme", """{"ring":0}"""), Written(HttpMethod.Patch));
    }

    [Fact]
    public async Task A_default_currency_is_chosen_and_saved()
    {
        Answer(_ => FakeApi.Json(HttpStatusCode.OK, new { currency = "JPY" }));
        var page = Open();

        var select = page.FindComponents<MudSelect<string>>().Single(one => one.Instance.Label == "Default currency");
        Assert.StartsWith("EUR", select.Find("input").GetAttribute("value"), StringComparison.Ordinal);
        await page.InvokeAsync(() => select.Instance.SelectOption("JPY"));
        await page.Find("form[aria-label='Default currency']").SubmitAsync();

        Assert.Equal(("/settings", """{"currency":"JPY"}"""), Written(HttpMethod.Put));
        Assert.True(Button(page.Find("form[aria-label='Default currency']"), "Save").HasAttribute("disabled"));
    }

    [Theory]
    [InlineData("suspended")]
    [InlineData("archived")]
    public void Who_is_not_served_has_no_default_currency_to_choose(string status)
    {
        _status = status;
        Answer(_ => new(HttpStatusCode.NoContent));

        Open();

        Assert.DoesNotContain(Api.Requests, request => request.Path == "/settings");
    }

    [Fact]
    public async Task An_export_is_followed_at_an_address_that_survives_a_reload()
    {
        Answer(_ => FakeApi.Json(HttpStatusCode.Accepted, Export("queued")));
        var page = Open();

        await Button(page, "Export").ClickAsync();

        Assert.EndsWith($"/customers/acme/settings?operation={Begun}", Navigation.Uri, StringComparison.Ordinal);
        // The same address, later: however it ended, it is there.
        Answer(_ => new(HttpStatusCode.NotFound), Export("done"));
        var again = Open($"?operation={Begun}");
        Assert.Equal($"/operations/{Begun}/file", again.Find(".operation a[download]").GetAttribute("href"));
    }

    [Fact]
    public void What_goes_on_is_found_without_its_address_and_what_has_ended_is_not_shown()
    {
        _operations = [Export("running")];
        Answer(_ => new(HttpStatusCode.NotFound), Export("running"));
        Assert.Contains("Running", Open().Find(".operation").TextContent, StringComparison.Ordinal);

        _operations = [Export("done")];
        Assert.Empty(Open().FindAll(".operation"));
    }

    [Theory]
    [InlineData("active", false, "Suspend… Archive…")]
    [InlineData("suspended", false, "Resume Archive…")]
    [InlineData("archived", false, "Restore")]
    [InlineData("archived", true, "Restore")]
    public void Each_status_offers_what_can_follow(string status, bool isDeleted, string offered)
    {
        (_status, _dropAfter) = (status, isDeleted ? DateTimeOffset.UnixEpoch.AddDays(7) : null);
        Answer(_ => new(HttpStatusCode.NoContent));

        var buttons = Open().FindAll("button").Select(button => button.TextContent.Trim()).ToList();

        Assert.Equal(offered, string.Join(' ', buttons.Where(label =>
            label is "Suspend…" or "Resume" or "Archive…" or "Restore")));
        Assert.Equal(!isDeleted, buttons.Contains("Delete this customer"));
    }

    [Fact]
    public async Task A_suspension_is_confirmed_and_a_conflict_is_told_in_words()
    {
        Answer(_ => FakeApi.Problem(HttpStatusCode.Conflict,
            new { title = "Still in use.", detail = "'acme' is suspended, and 2 of its transactions are still open." }));
        var page = Open();

        var asking = Button(page, "Suspend…").ClickAsync();
        Assert.DoesNotContain(Api.Requests, asked => asked.Method == HttpMethod.Post);
        await Button(_dialogs, "Suspend").ClickAsync();
        await asking;

        Assert.Contains("2 of its transactions are still open", page.Find("[role=alert]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nothing_is_deleted_before_the_slug_is_typed_again()
    {
        Answer(_ => FakeApi.Json(HttpStatusCode.Accepted, new { slug = "acme", dropAfter = "2026-12-07T12:00:00Z" }));
        var page = Open();
        var form = page.Find("form[aria-label='Delete this customer']");
        await form.SubmitAsync();
        await Field(page, "Type acme to confirm").InputAsync("acm");
        await form.SubmitAsync();

        Assert.Equal("Type acme to confirm.", Beside(page, "Type acme to confirm"));
        Assert.DoesNotContain(Api.Requests, asked => asked.Method == HttpMethod.Delete);

        await Field(page, "Type acme to confirm").InputAsync("acme");
        await form.SubmitAsync();
        Assert.Equal("/customers/acme?confirm=acme&graceDays=7", Written(HttpMethod.Delete).Path);
    }

    [Fact]
    public async Task A_removal_that_begins_at_once_is_followed_on_the_list()
    {
        Answer(_ => FakeApi.Json(HttpStatusCode.Accepted,
            new { slug = "acme", dropAfter = "2026-11-23T12:00:00Z", operation = Begun }));
        var page = Open();

        await Field(page, "Days to restore it").InputAsync("0");
        Assert.Contains("can't be taken back", page.Find(".warning").TextContent, StringComparison.Ordinal);
        await Field(page, "Type acme to confirm").InputAsync("acme");
        await page.Find("form[aria-label='Delete this customer']").SubmitAsync();

        Assert.EndsWith($"/customers?operation={Begun}", Navigation.Uri, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_token_is_shown_once_with_its_customer_its_reason_and_its_end()
    {
        Answer(_ => FakeApi.Json(HttpStatusCode.Created, new
        {
            id = Guid.NewGuid(), customer = "acme", expiresAt = "2026-11-23T12:15:00Z", token = "tki_secret",
        }));
        var page = Open();
        var form = page.Find("form[aria-label=Impersonation]");
        await form.SubmitAsync();
        Assert.Equal("Say why: it is kept.", Beside(page, "Reason"));

        await Field(page, "Reason").InputAsync("Ticket 4711");
        await form.SubmitAsync();

        Assert.Equal(("/customers/acme/impersonation", """{"reason":"Ticket 4711","minutes":15}"""), Written(HttpMethod.Post));
        Assert.Equal("tki_secret", page.Find(".once-text").GetAttribute("value"));
        Assert.Equal(["acme", "Ticket 4711"], page.FindAll(".said dd").Take(2).Select(dd => dd.TextContent));
        await Button(page, "Done").ClickAsync();
        Assert.DoesNotContain("tki_secret", page.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_clone_has_a_name_and_a_slug_to_begin_with()
    {
        Answer(_ => FakeApi.Json(HttpStatusCode.Accepted, Export("queued")));
        var page = Open();

        var opened = Button(page, "Clone…").ClickAsync();
        await _dialogs.Find("form").SubmitAsync();
        await opened;

        Assert.Equal(("/customers/acme/clone", """{"slug":"acme-sandbox","name":"Acme sandbox"}"""), Written(HttpMethod.Post));
        Assert.EndsWith($"?operation={Begun}", Navigation.Uri, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(null, "The database two", "")]
    [InlineData("first", "The first database", ",\"database\":\"first\"")]
    public async Task A_clone_is_made_in_the_originals_database_unless_another_one_is_chosen(
        string? chosen, string shown, string sent)
    {
        _databases = [Database(null), Database("two"), Database("three", "Connection refused")];
        _database = "two";
        Answer(_ => FakeApi.Json(HttpStatusCode.Accepted, Export("queued")));
        var page = Open();

        var opened = Button(page, "Clone…").ClickAsync();
        var select = _dialogs.FindComponents<MudSelect<string>>().Single(one => one.Instance.Label == "Database");
        if (chosen is not null)
        {
            await _dialogs.InvokeAsync(() => select.Instance.SelectOption(chosen));
        }

        Assert.Equal(shown, select.Find("input").GetAttribute("value"));
        await _dialogs.Find("form").SubmitAsync();
        await opened;

        Assert.Equal($$"""{"slug":"acme-sandbox","name":"Acme sandbox"{{sent}}}""", Written(HttpMethod.Post).Body);
    }

    [Fact]
    public async Task An_import_goes_into_the_chosen_database()
    {
        _databases = [Database(null), Database("two")];
        Answer(_ => FakeApi.Json(HttpStatusCode.Accepted, Export("queued")));
        var page = Open();
        var opened = Button(page, "Import…").ClickAsync();
        await Field(_dialogs, "Name").InputAsync("Acme");
        var select = _dialogs.FindComponents<MudSelect<string>>().Single(one => one.Instance.Label == "Database");
        await _dialogs.InvokeAsync(() => select.Instance.SelectOption("two"));
        _dialogs.FindComponents<InputFile>()[^1].UploadFiles(InputFileContent.CreateFromText("PK rows", "acme.zip"));
        await _dialogs.Find("form").SubmitAsync();
        await opened;

        Assert.Equal("/customers/acme/import?name=Acme&database=two", Written(HttpMethod.Post).Path);
    }

    [Fact]
    public async Task A_move_offers_the_other_databases_that_answer_and_says_what_it_means()
    {
        _databases = [Database(null), Database("two"), Database("three", "Connection refused"), Database("four")];
        _database = "two";
        Answer(_ => FakeApi.Json(HttpStatusCode.Accepted, Export("queued")));
        var page = Open();
        Assert.Contains("This customer is in the database two.", page.Markup, StringComparison.Ordinal);

        var opened = Button(page, "Move…").ClickAsync();
        Assert.Equal(["first", "four"],
            _dialogs.FindComponent<MoveDialog>().Instance.Databases.Select(database => database.Choice));
        Assert.Contains("isn't served while its rows are copied", _dialogs.Markup, StringComparison.Ordinal);
        Assert.Contains("gets another", _dialogs.Markup, StringComparison.Ordinal);
        var select = _dialogs.FindComponents<MudSelect<string>>().Single(one => one.Instance.Label == "Move to");
        Assert.Equal("The first database", select.Find("input").GetAttribute("value"));
        await _dialogs.InvokeAsync(() => select.Instance.SelectOption("four"));
        await _dialogs.Find("form").SubmitAsync();
        await opened;

        Assert.Equal(("/customers/acme/move", """{"database":"four"}"""), Written(HttpMethod.Post));
        Assert.EndsWith($"?operation={Begun}", Navigation.Uri, StringComparison.Ordinal);
    }

    [Fact]
    public void With_one_database_or_for_a_deleted_customer_nothing_of_a_move_is_seen()
    {
        Answer(_ => throw new InvalidOperationException());
        Assert.DoesNotContain("Move…", Open().Markup, StringComparison.Ordinal);

        _databases = [Database(null), Database("two")];
        Assert.Contains("Move…", Open().Markup, StringComparison.Ordinal);

        _dropAfter = DateTimeOffset.UnixEpoch;
        Assert.DoesNotContain("Move…", Open().Markup, StringComparison.Ordinal);
    }

    private static object Database(string? name, string? error = null) => new { name, error };

    [Fact]
    public async Task An_export_that_is_chosen_is_sent_as_it_is_and_becomes_an_operation()
    {
        Answer(_ => FakeApi.Json(HttpStatusCode.Accepted, Export("queued")));
        var page = Open();
        var opened = Button(page, "Import…").ClickAsync();
        await Field(_dialogs, "Name").InputAsync("Acme & more");
        await _dialogs.Find("form").SubmitAsync();
        Assert.Contains("No file is chosen.", _dialogs.Find("[role=alert]").TextContent, StringComparison.Ordinal);

        _dialogs.FindComponents<InputFile>()[^1].UploadFiles(InputFileContent.CreateFromText("PK rows", "acme.zip"));
        await _dialogs.Find("form").SubmitAsync();
        await opened;

        Assert.Equal(("/customers/acme-more/import?name=Acme%20%26%20more", "PK rows"), Written(HttpMethod.Post));
        Assert.EndsWith($"?operation={Begun}", Navigation.Uri, StringComparison.Ordinal);
    }

    [Fact]
    public void An_unknown_customer_has_no_settings()
    {
        Api.Answer = request => request.RequestUri!.AbsolutePath == "/operations"
            ? FakeApi.Page()
            : FakeApi.Problem(HttpStatusCode.NotFound, new { title = "Unknown customer." });

        var page = Open();

        Assert.Contains("Unknown customer.", page.Find("[role=alert]").TextContent, StringComparison.Ordinal);
        Assert.Empty(page.FindAll("form"));
    }

    private (string Path, string? Body) Written(HttpMethod method) =>
        Api.Requests.Where(asked => asked.Method == method).Select(asked => (asked.Path, asked.Body)).Single();

    private IRenderedComponent<CustomerSettingsPage> Open(string query = "")
    {
        Navigation.NavigateTo($"/customers/acme/settings{query}");
        return Render<CustomerSettingsPage>(p => p.Add(x => x.Slug, "acme"));
    }

    private static object Export(string state) => new
    {
        id = Begun, kind = "export", customer = "acme", askedBy = "ada", state, done = 0,
        file = state == "done" ? $"/operations/{Begun}/file" : null, createdAt = "2026-11-23T12:00:00Z",
    };

    private void Answer(Func<HttpRequestMessage, HttpResponseMessage> write, object? operation = null) =>
        Api.Answer = request => (request.Method == HttpMethod.Get, request.RequestUri!.AbsolutePath) switch
        {
            (true, "/customers/acme" or "/customers/acme-inc") => FakeApi.Json(HttpStatusCode.OK, new
            {
                id = Begun, slug = request.RequestUri.Segments[^1], name = "Acme", schema = "customer_acme", status = _status, ring = 1,
                availability = "served", createdAt = "2026-11-23T12:00:00Z", dropAfter = _dropAfter,
                database = _database,
            }),
            (true, "/currencies") => FakeApi.Json(HttpStatusCode.OK, new[]
            {
                new { code = "EUR", name = "Euro", decimals = 2 }, new { code = "JPY", name = "Yen", decimals = 0 },
            }),
            (true, "/settings") => FakeApi.Json(HttpStatusCode.OK, new { currency = "EUR" }),
            (true, "/fleet") => FakeApi.Json(HttpStatusCode.OK, new { databases = _databases }),
            (true, "/operations") => FakeApi.Json(HttpStatusCode.OK, new { items = _operations, next = (Guid?)null }),
            (true, _) => FakeApi.Json(HttpStatusCode.OK, operation ?? Export("queued")),
            _ => write(request),
        };

    private static AngleSharp.Dom.IElement Button(AngleSharp.Dom.IElement part, string label) =>
        part.QuerySelectorAll("button").Single(button => button.TextContent.Trim() == label);

    private static AngleSharp.Dom.IElement Button<T>(IRenderedComponent<T> page, string label) where T : IComponent =>
        page.FindAll("button").Single(button => button.TextContent.Trim() == label);

    private static AngleSharp.Dom.IElement Field<T>(IRenderedComponent<T> page, string label) where T : IComponent =>
        page.Find("#" + page.FindAll("label").Single(l => l.TextContent == label).GetAttribute("for"));
}

/// <summary>A customer's own page and its operations.</summary>
public sealed class CustomerPagesTests : PageContext
{
    [Fact]
    public void The_overview_says_what_the_last_migration_said_and_until_when_a_deleted_one_can_be_restored()
    {
        Api.Answer = _ => FakeApi.Json(HttpStatusCode.OK, new
        {
            id = Guid.NewGuid(), slug = "acme", name = "Acme", schema = "customer_acme", status = "archived", ring = 2,
            availability = "closed", createdAt = "2026-11-23T12:00:00Z", version = "abc", bytes = 3 * 1024 * 1024,
            lastError = "23505: duplicate", failedAt = "2026-11-24T12:00:00Z", dropAfter = "2026-12-07T12:00:00Z",
        });

        var page = Render<CustomerPage>(p => p.Add(x => x.Slug, "acme"));

        Assert.Equal("23505: duplicate", page.Find("pre.error").TextContent);
        var facts = page.FindAll(".facts > div").ToDictionary(
            fact => fact.QuerySelector("dt")!.TextContent, fact => fact.QuerySelector("dd")!.TextContent);
        Assert.Equal(("customer_acme", "2", "abc", "3 MB"), (facts["Schema"], facts["Ring"], facts["Version"], facts["Size"]));
        Assert.StartsWith("Deleted; can be restored until", facts["State"], StringComparison.Ordinal);
        Assert.Equal("/customers/acme/settings", page.Find(".restore").GetAttribute("href"));
    }

    [Fact]
    public async Task A_failed_migration_is_retried_for_that_customer_alone_and_followed()
    {
        var id = Guid.NewGuid();
        Services.AddSingleton<TimeProvider>(new ManualTime());
        Api.Answer = request => request.RequestUri!.AbsolutePath switch
        {
            "/customers/acme" => FakeApi.Json(HttpStatusCode.OK, CustomersPageTests.Named("acme", "Acme", lastError: "23505")),
            "/operations" => FakeApi.Json(HttpStatusCode.OK, new { items = Array.Empty<object>() }),
            _ => FakeApi.Json(HttpStatusCode.OK, Operation(id, "running")),
        };
        var page = Render<CustomerPage>(p => p.Add(x => x.Slug, "acme"));
        Assert.Empty(page.FindAll(".operation"));

        await page.FindAll("button").Single(one => one.TextContent.Trim() == "Retry the migration").ClickAsync();

        Assert.Equal("""{"customers":["acme"]}""", Assert.Single(Api.Requests, asked => asked.Path == "/fleet/retry").Body);
        Assert.EndsWith($"/customers/acme?operation={id}",
            Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal);
        page.WaitForElement(".operation");
    }

    [Fact]
    public void Operations_that_go_on_are_followed_and_the_others_are_listed_with_what_came_of_them()
    {
        var (running, failed, done, next) = (Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid(), Guid.NewGuid());
        Api.Answer = request => request.RequestUri!.AbsolutePath switch
        {
            "/customers/acme" => FakeApi.Json(HttpStatusCode.OK, CustomersPageTests.Named("acme", "Acme")),
            "/operations" => FakeApi.Json(HttpStatusCode.OK, new
            {
                items = new[]
                {
                    Operation(running, "running"), Operation(failed, "failed", error: "The disk is full."),
                    Operation(done, "done", file: $"/operations/{done}/file"),
                },
                next,
            }),
            _ => FakeApi.Json(HttpStatusCode.OK, Operation(running, "running")),
        };

        var page = Render<CustomerOperationsPage>(p => p.Add(x => x.Slug, "acme"));

        Assert.Single(page.FindAll(".operation"));
        Assert.Equal(["The disk is full.", "–"], page.FindAll("td.words").Select(cell => cell.TextContent));
        Assert.Equal([$"/operations/{done}/file"], page.FindAll("td a").Select(link => link.GetAttribute("href")));
        Assert.Equal($"/customers/acme/operations?before={next}", page.Find(".older a").GetAttribute("href"));
    }

    private static object Operation(Guid id, string state, string? error = null, string? file = null) => new
    {
        id, kind = "export", customer = "acme", askedBy = "ada", state, done = 0, error, file,
        createdAt = "2026-11-23T12:00:00Z",
    };
}
