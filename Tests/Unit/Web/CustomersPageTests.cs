using System.Net;
using System.Text;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using Web.Customers;
using Xunit;

namespace Tests.Unit.Web;

public sealed class CustomersPageTests : PageContext
{
    private const string Long = "Allgemeine Versicherungs- und Rückversicherungsgesellschaft für das Handwerk und den " +
        "Mittelstand in Süddeutschland und Österreich AG";

    private static readonly object Counts = new
    {
        total = 10003, active = 9676, suspended = 200, archived = 127, failed = 30, behind = 277, dropping = 0,
        rings = new[] { new { ring = 0, customers = 100 }, new { ring = 1, customers = 9903 } },
    };

    [Fact]
    public void A_customer_is_listed_with_a_way_to_its_page()
    {
        Answer(FakeApi.Page(Named("acme", "Acme Corporation", status: "suspended")));

        var page = Render<CustomersPage>();

        Assert.Equal("/customers/acme", page.Find("a.name").GetAttribute("href"));
        Assert.Equal("Suspended", page.Find("td .mud-chip").TextContent.Trim());
        Assert.Contains("1 customer", page.Find(".pager").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void A_long_name_has_a_tooltip_and_names_of_either_direction_are_shown_right()
    {
        Answer(FakeApi.Page(Named("acme", Long)));

        var name = Render<CustomersPage>().Find("a.name");

        Assert.Equal((Long, "auto"), (name.GetAttribute("title"), name.GetAttribute("dir")));
    }

    [Fact]
    public void Where_there_are_no_customers_the_page_offers_to_create_one()
    {
        Answer(FakeApi.Page());

        var page = Render<CustomersPage>();

        Assert.Equal("No customers yet", page.Find(".empty h2").TextContent);
        Assert.Equal("Create the first customer", page.Find(".empty button").TextContent.Trim());
    }

    [Fact]
    public void A_search_that_finds_nothing_says_what_was_searched()
    {
        Answer(FakeApi.Page());
        Go("/customers?search=globex&page=3");

        var page = Render<CustomersPage>();

        Assert.Equal("Nothing matches “globex”", page.Find(".empty h2").TextContent);
        Assert.Contains(Api.Requests, asked => asked.Path == "/customers?page=3&pageSize=25&search=globex");
        Assert.Contains(Api.Requests, asked => asked.Path == "/customer-counts?search=globex");
    }

    [Fact]
    public void A_blank_at_the_end_of_the_search_stays_because_somebody_types_on()
    {
        Answer(FakeApi.Page(Named("acme", "Acme")));
        var page = Render<CustomersPage>();

        page.Find("input[type=search]").Input("big ");

        page.WaitForAssertion(() => Assert.EndsWith("?search=big%20", Navigation.Uri, StringComparison.Ordinal));
    }

    [Fact]
    public void A_page_beyond_the_last_leads_back_to_the_first()
    {
        Answer(FakeApi.Json(
            HttpStatusCode.OK, new { items = Array.Empty<object>(), page = 9, pageSize = 25, total = 30 }));
        Go("/customers?page=9&sort=-name");

        var page = Render<CustomersPage>();

        Assert.Equal("There is no page 9", page.Find(".empty h2").TextContent);
        Assert.Equal("/customers?sort=-name", page.Find(".empty a").GetAttribute("href"));
    }

    [Fact]
    public void An_error_is_shown_in_words_and_trying_again_helps()
    {
        Api.Answer = _ => throw new HttpRequestException(HttpRequestError.ConnectionError);
        var page = Render<CustomersPage>();
        Assert.Contains("The API can't be reached.", page.Find("[role=alert]").TextContent, StringComparison.Ordinal);

        Answer(FakeApi.Page(Named("acme", "Acme Corporation")));
        page.Find(".problem-actions button").Click();

        Assert.Empty(page.FindAll("[role=alert]"));
        Assert.Equal("Acme Corporation", page.Find("a.name").TextContent);
    }

    [Fact]
    public void Each_chip_has_its_count_and_keeps_search_ring_order_and_size()
    {
        Answer(FakeApi.Page(Named("acme", "Acme")));
        Go("/customers?search=ac&sort=-created&pageSize=100&page=7&condition=failed");

        var page = Render<CustomersPage>();

        var chips = page.FindAll("a.chip");
        Assert.Equal(["All 10,003", "Active 9,676", "Suspended 200", "Failed 30", "Behind 277", "Archived 127", "Deleted 0"],
            chips.Select(chip => string.Join(' ', chip.TextContent.Split(default(char[]), StringSplitOptions.RemoveEmptyEntries))));
        Assert.Equal(["Failed"], chips.Where(chip => chip.GetAttribute("aria-current") == "true")
            .Select(chip => chip.TextContent.Trim().Split(' ')[0]));
        Assert.Equal("/customers?search=ac&status=suspended&sort=-created&pageSize=100",
            chips[2].GetAttribute("href"));
        Assert.Contains(Api.Requests, asked => asked.Path ==
            "/customers?page=7&pageSize=100&search=ac&condition=failed&sort=-created");

        // What is counted knows no ring: a number would be wrong.
        Navigation.NavigateTo("/customers?search=ac&ring=1");
        page.WaitForAssertion(() => Assert.Equal(
            "/customers?search=ac&status=suspended&ring=1", page.FindAll("a.chip")[2].GetAttribute("href")));
        Assert.All(page.FindAll("a.chip .chip-count"), count => Assert.Equal("", count.TextContent.Trim()));
        Assert.Equal("1", page.Find("select[aria-label=Ring]").GetAttribute("value"));
    }

    [Fact]
    public void Another_ring_begins_at_the_first_page()
    {
        Answer(FakeApi.Page(Named("acme", "Acme")));
        Go("/customers?status=active&page=2");
        var page = Render<CustomersPage>();

        page.Find("select[aria-label=Ring]").Change("0");
        Assert.EndsWith("/customers?status=active&ring=0", Navigation.Uri, StringComparison.Ordinal);

        page.Find("select[aria-label=Ring]").Change("");
        Assert.EndsWith("/customers?status=active", Navigation.Uri, StringComparison.Ordinal);
    }

    [Fact]
    public void A_column_sorts_one_way_then_the_other_and_says_so()
    {
        Answer(FakeApi.Page(Named("acme", "Acme")));
        Go("/customers?sort=-created");

        var page = Render<CustomersPage>();

        Assert.Equal("descending", page.Find("th.c-created").GetAttribute("aria-sort"));
        Assert.Null(page.Find("th.c-slug").GetAttribute("aria-sort"));
        Assert.Equal("/customers?sort=created", page.Find("th.c-created a").GetAttribute("href"));
        Assert.Equal("/customers?sort=slug", page.Find("th.c-slug a").GetAttribute("href"));
        Assert.Equal("/customers?sort=-size", page.Find("th.c-size a").GetAttribute("href"));
    }

    [Fact]
    public void What_was_begun_here_is_followed_whatever_the_list_shows()
    {
        var id = Guid.NewGuid();
        Answer(FakeApi.Page(Named("acme", "Acme")), operation: new
        {
            id, kind = "retry", askedBy = "ada", state = "failed", done = 2, total = 2, createdAt = "2026-11-23T12:00:00Z",
            error = "1 failed. customer_globex: 23505: duplicate",
        });
        Go($"/customers?status=active&operation={id}");

        var page = Render<CustomersPage>();

        Assert.Contains("customer_globex: 23505", page.Find(".operation").TextContent, StringComparison.Ordinal);
        Assert.EndsWith($"&operation={id}", page.FindAll("a.chip")[2].GetAttribute("href"), StringComparison.Ordinal);
    }

    private NavigationManager Navigation => Services.GetRequiredService<NavigationManager>();

    private void Go(string address) => Navigation.NavigateTo(address);

    private void Answer(HttpResponseMessage list, object? operation = null)
    {
        var body = list.Content.ReadAsStringAsync().GetAwaiter().GetResult();
        Api.Answer = request => request.RequestUri!.AbsolutePath switch
        {
            "/customer-counts" => FakeApi.Json(HttpStatusCode.OK, Counts),
            "/customers" => new(HttpStatusCode.OK) { Content = new StringContent(body, Encoding.UTF8, "application/json") },
            _ => FakeApi.Json(HttpStatusCode.OK, operation!),
        };
    }

    internal static object Named(
        string slug, string name, string status = "active", string? lastError = null, int ring = 1) => new
    {
        id = Guid.NewGuid(),
        slug,
        name,
        schema = $"customer_{slug}",
        status,
        ring,
        createdAt = "2026-11-23T12:00:00Z",
        lastError,
    };
}

/// <summary>Several customers at once.</summary>
public sealed class BulkBarTests : PageContext
{
    [Fact]
    public async Task What_failed_is_told_by_name_and_the_others_are_done_all_the_same()
    {
        Answer(request => request.RequestUri!.AbsolutePath == "/customers/globex/resume"
            ? FakeApi.Problem(HttpStatusCode.Conflict, new { title = "Still in use.", detail = "2 transactions are open." })
            : new(HttpStatusCode.NoContent));
        var page = Render<CustomersPage>();
        Assert.Empty(page.FindAll(".bulk"));
        await page.Find("thead input").ChangeAsync(true);
        Assert.Contains("3 selected", page.Find(".bulk").TextContent, StringComparison.Ordinal);

        await Press(page, "Resume");

        Assert.Equal(["/customers/acme/resume", "/customers/globex/resume", "/customers/initech/resume"],
            Api.Requests.Where(asked => asked.Method == HttpMethod.Post).Select(asked => asked.Path).Order());
        Assert.Equal("2 of 3 customers are active.", page.Find(".bulk-result .problem-title").TextContent);
        Assert.Equal("Globex: Still in use. 2 transactions are open.",
            page.Find(".bulk-failed li").TextContent.Trim());
        // To try again is one click.
        Assert.Contains("1 selected", page.Find(".bulk").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Nobody_is_suspended_before_somebody_confirms_it()
    {
        Answer(_ => new(HttpStatusCode.NoContent));
        var dialogs = Render<MudDialogProvider>();
        var page = Render<CustomersPage>();
        await page.Find("tbody input[aria-label='Select Acme']").ChangeAsync(true);

        var asking = Press(page, "Suspend…");
        Assert.Contains("Suspend Acme?", dialogs.Markup, StringComparison.Ordinal);
        Assert.DoesNotContain(Api.Requests, asked => asked.Method == HttpMethod.Post);
        await dialogs.FindAll("button").Single(button => button.TextContent.Trim() == "Suspend").ClickAsync(new());
        await asking;

        Assert.Equal("/customers/acme/suspend", Assert.Single(Api.Requests, asked => asked.Method == HttpMethod.Post).Path);
        Assert.Equal("Acme is suspended.", page.Find(".bulk-result .problem-title").TextContent);
    }

    [Fact]
    public async Task Only_customers_whose_migration_failed_are_retried_and_the_run_is_followed()
    {
        var id = Guid.NewGuid();
        Answer(_ => FakeApi.Json(HttpStatusCode.Accepted, Run(id)), Run(id));
        var page = Render<CustomersPage>();
        await page.Find("thead input").ChangeAsync(true);

        await Press(page, "Retry migration");

        Assert.Equal("""{"customers":["initech"]}""",
            Assert.Single(Api.Requests, asked => asked.Path == "/fleet/retry").Body);
        Assert.EndsWith($"operation={id}", Services.GetRequiredService<NavigationManager>().Uri, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_a_failed_migration_there_is_nothing_to_retry()
    {
        Answer(_ => throw new InvalidOperationException("Nothing should be sent."));
        var page = Render<CustomersPage>();
        await page.Find("tbody input[aria-label='Select Acme']").ChangeAsync(true);

        await Press(page, "Retry migration");

        Assert.Contains("there is nothing to retry", page.Find("[role=alert]").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_stopped_change_says_who_was_not_tried()
    {
        using var stop = new CancellationTokenSource();
        var customers = Enumerable.Range(0, 30).Select(at => new Customer(
            Guid.NewGuid(), $"c{at}", $"C{at}", "customer", "active", "served", 1, DateTimeOffset.UnixEpoch)).ToList();

        var outcome = await BulkChange.RunAsync(customers, "suspended", customer =>
        {
            if (customer.Slug == "c9")
            {
                stop.Cancel();
            }

            return Task.FromResult<global::Web.Api.Result<global::Web.Api.Done>>(global::Web.Api.Done.Value);
        }, () => { }, stop.Token);

        Assert.Equal((10, 20, 30), (outcome.Succeeded.Count, outcome.Untried.Count, outcome.Total));
        Assert.Contains("20 customers were not tried",
            Render<BulkResult>(p => p.Add(x => x.Outcome, outcome)).Markup, StringComparison.Ordinal);
    }

    private static object Run(Guid id) => new
    {
        id, kind = "retry", askedBy = "ada", state = "done", done = 1, total = 1, createdAt = "2026-11-23T12:00:00Z",
    };

    private static Task Press(IRenderedComponent<CustomersPage> page, string label) =>
        page.FindAll(".bulk button").Single(button => button.TextContent.Trim() == label).ClickAsync(new());

    private void Answer(Func<HttpRequestMessage, HttpResponseMessage> write, object? operation = null) =>
        Api.Answer = request => (request.Method == HttpMethod.Get, request.RequestUri!.AbsolutePath) switch
        {
            (true, "/customer-counts") => FakeApi.Json(HttpStatusCode.OK, new { total = 3 }),
            (true, "/customers") => FakeApi.Page(
                CustomersPageTests.Named("acme", "Acme"), CustomersPageTests.Named("globex", "Globex"),
                CustomersPageTests.Named("initech", "Initech", lastError: "23505: duplicate")),
            (true, _) => FakeApi.Json(HttpStatusCode.OK, operation!),
            _ => write(request),
        };
}

public sealed class NewCustomerDialogTests : PageContext
{
    [Fact]
    public async Task What_is_missing_is_said_beside_the_fields_and_nothing_is_sent()
    {
        var dialog = await OpenAsync();

        await dialog.Find("form").SubmitAsync();

        Assert.Equal("Enter a name.", Beside(dialog, "Name"));
        Assert.Equal("Enter a slug.", Beside(dialog, "Slug"));
        Assert.Empty(Sent);
    }

    [Fact]
    public async Task The_slug_follows_the_name_until_someone_chooses_one()
    {
        var dialog = await OpenAsync();

        await Field(dialog, "Name").InputAsync("Müller & Söhne");
        Assert.Equal("muller-sohne", Field(dialog, "Slug").GetAttribute("value"));

        await Field(dialog, "Slug").InputAsync("mueller");
        await Field(dialog, "Name").InputAsync("Müller & Töchter");
        Assert.Equal("mueller", Field(dialog, "Slug").GetAttribute("value"));
    }

    [Fact]
    public async Task What_the_api_objects_to_is_said_beside_the_field()
    {
        Api.Answer = _ => FakeApi.Problem(HttpStatusCode.BadRequest, new
        {
            title = "One or more validation errors occurred.",
            errors = new Dictionary<string, string[]> { ["name"] = ["Too loud."] },
        });
        var dialog = await OpenAsync();
        await Field(dialog, "Name").InputAsync("ACME");

        await dialog.Find("form").SubmitAsync();

        Assert.Equal("Too loud.", Beside(dialog, "Name"));
        Assert.Equal("""{"slug":"acme","name":"ACME"}""", Assert.Single(Sent).Body);
    }

    [Fact]
    public async Task Pressing_the_button_again_sends_the_same_key_and_another_name_another_one()
    {
        Api.Answer = _ => throw new HttpRequestException(HttpRequestError.ResponseEnded);
        var dialog = await OpenAsync();
        await Field(dialog, "Name").InputAsync("ACME");
        await dialog.Find("form").SubmitAsync();
        await dialog.Find("form").SubmitAsync();
        await Field(dialog, "Name").InputAsync("ACME Inc");
        await dialog.Find("form").SubmitAsync();

        var keys = Sent.Select(asked => asked.Key).ToList();
        Assert.Equal(3, keys.Count);
        Assert.NotNull(keys[0]);
        Assert.Equal(keys[0], keys[1]);
        Assert.NotEqual(keys[1], keys[2]);
    }

    [Fact]
    public async Task A_taken_slug_is_said_beside_the_slug_until_it_changes()
    {
        Api.Answer = _ =>
            FakeApi.Problem(
                HttpStatusCode.Conflict, new { title = "The slug is taken.", detail = "Choose another than 'acme'." });
        var dialog = await OpenAsync();
        await Field(dialog, "Name").InputAsync("Acme");

        await dialog.Find("form").SubmitAsync();
        Assert.Equal("Choose another than 'acme'.", Beside(dialog, "Slug"));

        await Field(dialog, "Slug").InputAsync("acme-2");
        Assert.Equal("", Beside(dialog, "Slug"));
    }

    [Fact]
    public async Task What_belongs_to_no_field_is_said_above_the_form()
    {
        Api.Answer = _ => throw new HttpRequestException(HttpRequestError.ConnectionError);
        var dialog = await OpenAsync();
        await Field(dialog, "Name").InputAsync("Acme");

        await dialog.Find("form").SubmitAsync();

        Assert.Contains("The API can't be reached. Nothing was saved.",
            string.Join(' ', dialog.FindAll("form .problem p").Select(p => p.TextContent)), StringComparison.Ordinal);
    }

    [Fact]
    public async Task With_several_databases_a_customer_is_made_in_the_chosen_one_of_those_that_answer()
    {
        Api.Answer = request => request.RequestUri!.AbsolutePath == "/fleet"
            ? FakeApi.Json(HttpStatusCode.OK, new
            {
                databases = new object[]
                {
                    new { name = (string?)null, error = (string?)null }, new { name = "two", error = (string?)null },
                    new { name = "three", error = "Connection refused" },
                },
            })
            : throw new HttpRequestException(HttpRequestError.ConnectionError);
        var dialog = await OpenAsync();
        await Field(dialog, "Name").InputAsync("ACME");
        var select = dialog.FindComponent<MudSelect<string>>();
        Assert.Equal("The first database", select.Find("input").GetAttribute("value"));
        await dialog.Find("form").SubmitAsync();
        await dialog.InvokeAsync(() => select.Instance.SelectOption("two"));
        await dialog.Find("form").SubmitAsync();

        Assert.Equal(
            ["first", "two"], dialog.FindComponents<MudSelectItem<string>>().Select(item => item.Instance.Value));
        Assert.Equal(
            ["""{"slug":"acme","name":"ACME"}""", """{"slug":"acme","name":"ACME","database":"two"}"""],
            Sent.Select(asked => asked.Body));
        Assert.Equal(2, Sent.Select(asked => asked.Key).Distinct().Count());
    }

    private List<FakeApi.Asked> Sent => [.. Api.Requests.Where(asked => asked.Method == HttpMethod.Post)];

    private async Task<IRenderedComponent<MudDialogProvider>> OpenAsync()
    {
        var dialogs = Render<MudDialogProvider>();
        await dialogs.InvokeAsync(() =>
            Services.GetRequiredService<IDialogService>().ShowAsync<NewCustomerDialog>("New customer"));
        return dialogs;
    }

    private static AngleSharp.Dom.IElement Field(IRenderedComponent<MudDialogProvider> dialog, string label) =>
        dialog.Find("#" + dialog.FindAll("label").Single(l => l.TextContent == label).GetAttribute("for"));
}
