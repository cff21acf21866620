using System.Globalization;
using System.Net;
using Bunit;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using Web.Fleet;
using Xunit;

namespace Tests.Unit.Web;

public sealed class MigrationsPageTests : PageContext
{
    private static readonly Guid Id = Guid.Parse("0192d3a1-0000-7000-8000-000000000042");

    private readonly ManualTime _time = new();
    private readonly FleetFacts _facts = FleetFacts.WithOneFailure();

    public MigrationsPageTests()
    {
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("en-US");
        Services.AddSingleton<TimeProvider>(_time);
        Api.Answer = _facts.Answer();
    }

    [Fact]
    public void Each_migration_is_shown_with_how_many_customers_of_each_ring_have_it()
    {
        var page = Render<MigrationsPage>();

        var rows = page.FindAll("table.matrix tbody tr").Select(row => string.Join('|', row.Children.Skip(1).Take(2)
            .Select(cell => cell.TextContent))).ToList();
        Assert.Equal(["3 of 3|5 of 7", "3 of 3|7 of 7"], rows);
        Assert.Contains("breaks older builds", page.Find("table.matrix tbody tr").TextContent, StringComparison.Ordinal);
        Assert.Contains("2 of 10 customers lack a migration of this build.", page.Markup, StringComparison.Ordinal);
        Assert.Equal([$"Take back {FleetFacts.Colors}"],
            page.FindAll("table.matrix button").Select(button => button.GetAttribute("aria-label")));
    }

    [Fact]
    public void A_failed_customer_is_named_with_its_error_and_can_be_tried_again()
    {
        _facts.Failures.Add(new { schema = "spare_1", ring = 1, attempts = 1, error = "no space left" });
        Api.Answer = _facts.Answer(request => request.Method == HttpMethod.Post
            ? FakeApi.Json(HttpStatusCode.Accepted, FleetFacts.Operation(Id, "retry", "queued"))
            : FakeApi.Json(HttpStatusCode.OK, FleetFacts.Operation(Id, "retry", "running")));
        var page = Render<MigrationsPage>();

        Assert.Equal("/customers/acme", page.Find("a.row-link").GetAttribute("href"));
        Assert.Contains("acme · customer_acme", page.Markup, StringComparison.Ordinal);
        Assert.Contains("relation \"colors\" already exists", page.Find(".failure-error").TextContent,
            StringComparison.Ordinal);
        Assert.Contains("no space left", page.Find("details").TextContent, StringComparison.Ordinal);
        page.Find("button[aria-label='Retry acme Inc.']").Click();

        var sent = Assert.Single(Api.Requests, request => request.Method == HttpMethod.Post);
        Assert.Equal(("/fleet/retry", """{"ring":null,"customers":["acme"]}"""), (sent.Path, sent.Body));
        Assert.Contains("Retry of failed migrations", page.Find("[aria-labelledby=live-runs]").TextContent,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_is_begun_after_one_has_read_what_it_would_do_and_watched_until_its_end()
    {
        var ended = false;
        Api.Answer = _facts.Answer(request => request.Method == HttpMethod.Post
            ? FakeApi.Json(HttpStatusCode.Accepted, FleetFacts.Operation(Id, state: "queued"))
            : FakeApi.Json(HttpStatusCode.OK, FleetFacts.Operation(Id, state: ended ? "done" : "running",
                result: ended ? new { migrated = 40, failed = Array.Empty<object>() } : null)));
        var dialogs = Render<MudDialogProvider>();
        var page = Render<MigrationsPage>();

        Button(page, "Migrate…").Click();
        Assert.Equal(["Ring 0: 0 of 3 customers", "Ring 1: 2 of 7 customers, and 2 schemas in reserve"],
            dialogs.FindAll(".preview li").Select(li => li.TextContent));
        Assert.DoesNotContain(Api.Requests, request => request.Method == HttpMethod.Post);
        _facts.Active.Add(FleetFacts.Operation(Id));
        _facts.Runs.Add(FleetFacts.Run());
        await dialogs.Find("form").SubmitAsync();

        Assert.Equal("""{"ring":null,"customers":null}""",
            Assert.Single(Api.Requests, request => request.Path == "/fleet/migrate").Body);
        page.WaitForAssertion(() => Assert.Contains(
            "Ring 1. 18 of 40 done, 2 failed. 2 per second, about 10 seconds left.",
            page.Find("[aria-labelledby=live-runs]").TextContent, StringComparison.Ordinal));
        var asked = Looks();
        _time.Advance(seconds: 2);
        page.WaitForAssertion(() => Assert.True(Looks() > asked));

        ended = true;
        _facts.Active.Clear();
        _facts.Runs[0] = FleetFacts.Run(outcome: "done", migrated: 38);
        _time.Advance(seconds: 2);
        page.WaitForAssertion(() =>
            Assert.Contains("40 customers done", page.Find("[aria-labelledby=live-runs]").TextContent,
                StringComparison.Ordinal));
        page.WaitForAssertion(() => Assert.Equal("Just ended", page.Find("#live-runs").TextContent));
        asked = Looks();
        _time.Advance(seconds: 10);
        Assert.Equal(asked, Looks());
        await Button(page, "Hide").ClickAsync();
        Assert.Empty(page.FindAll("#live-runs"));
    }

    [Fact]
    public void What_runs_is_found_again_after_a_reload_whoever_began_it()
    {
        _facts.Active.Add(FleetFacts.Operation(Id, "verify"));
        _facts.Runs.Add(FleetFacts.Run());
        Api.Answer = _facts.Answer(_ => FakeApi.Json(HttpStatusCode.OK, FleetFacts.Operation(Id, "verify")));

        var page = Render<MigrationsPage>();

        var live = page.Find("[aria-labelledby=live-runs]").TextContent;
        Assert.Contains("Comparison", live, StringComparison.Ordinal);
        Assert.Contains("by job@host", live, StringComparison.Ordinal);
        Assert.Contains("2 per second", live, StringComparison.Ordinal);
    }

    [Fact]
    public void Nothing_is_asked_while_nobody_looks()
    {
        var module = JSInterop.SetupModule("./Shell/Again.razor.js");
        module.Setup<bool>("isHidden").SetResult(true);
        _facts.Runs.Add(FleetFacts.Run());
        var page = Render<MigrationsPage>();
        var asked = Looks();

        // It asks whether somebody looks before each look: a second question comes after the first look.
        for (var question = 1; question <= 2; question++)
        {
            _time.Advance(seconds: 2);
            page.WaitForAssertion(() => Assert.Equal(question, module.Invocations["isHidden"].Count));
        }

        Assert.Equal(asked, Looks());
    }

    [Fact]
    public void A_look_that_fails_leaves_what_was_there_and_says_so()
    {
        _facts.Runs.Add(FleetFacts.Run());
        var page = Render<MigrationsPage>();
        Api.Answer = _ => throw new HttpRequestException(HttpRequestError.ConnectionError);

        _time.Advance(seconds: 2);

        page.WaitForAssertion(() => Assert.Contains("no longer up to date: The API can't be reached.",
            page.Find(".stale").TextContent, StringComparison.Ordinal));
        Assert.NotEmpty(page.FindAll("table.matrix"));
    }

    [Fact]
    public async Task Runs_are_halted_with_a_reason()
    {
        _facts.Runs.Add(FleetFacts.Run());
        Api.Answer = _facts.Answer(_ => FakeApi.Json(HttpStatusCode.OK, new { runs = 1 }));
        var dialogs = Render<MudDialogProvider>();
        var page = Render<MigrationsPage>();

        Button(page, "Halt all runs").Click();
        await dialogs.Find("form").SubmitAsync();
        Assert.Equal("Say why: the run's report repeats it.", Beside(dialogs, "Reason"));
        await Field(dialogs, "Reason").InputAsync(" The index takes too long ");
        await dialogs.Find("form").SubmitAsync();

        Assert.Equal("""{"reason":"The index takes too long"}""",
            Assert.Single(Api.Requests, request => request.Path == "/fleet/halt").Body);
    }

    [Fact]
    public async Task Migrations_are_taken_back_by_whoever_repeats_the_oldest_ones_name()
    {
        Api.Answer = _facts.Answer(_ => FakeApi.Json(HttpStatusCode.Accepted, FleetFacts.Operation(Id, "down")));
        var dialogs = Render<MudDialogProvider>();
        var page = Render<MigrationsPage>();

        page.Find($"button[aria-label='Take back {FleetFacts.Colors}']").Click();
        Assert.Contains("It concerns 8 customers.", dialogs.Markup, StringComparison.Ordinal);
        await Field(dialogs, "Customers (optional)").InputAsync("acme, Not-A-Slug");
        await Field(dialogs, $"Enter {FleetFacts.Colors} to confirm").InputAsync(FleetFacts.Initial);
        await dialogs.Find("form").SubmitAsync();
        Assert.StartsWith("Enter", Beside(dialogs, $"Enter {FleetFacts.Colors} to confirm"), StringComparison.Ordinal);
        Assert.StartsWith("“Not-A-Slug” is no slug", Beside(dialogs, "Customers (optional)"), StringComparison.Ordinal);
        Assert.DoesNotContain(Api.Requests, request => request.Method == HttpMethod.Post);

        await Field(dialogs, "Customers (optional)").InputAsync("acme, globex acme");
        await Field(dialogs, $"Enter {FleetFacts.Colors} to confirm").InputAsync(FleetFacts.Colors);
        await dialogs.Find("form").SubmitAsync();

        var sent = Assert.Single(Api.Requests, request => request.Method == HttpMethod.Post);
        Assert.Equal(("/fleet/down", $$"""{"to":"{{FleetFacts.Initial}}","migrations":["{{FleetFacts.Colors}}"],"ring":null,"customers":["acme","globex"]}"""),
            (sent.Path, sent.Body));
    }

    [Fact]
    public void The_last_comparison_tells_what_differs_in_words()
    {
        _facts.Compared.Add(FleetFacts.Operation(Id, "verify", "done", new
        {
            isClean = false,
            @checked = 9,
            drifted = new[] { new { schema = "customer_acme", slug = "acme", differences = new[] { "column invoices.by_hand is in no migration" } } },
            incomparable = new[] { new { schema = "customer_new", slug = (string?)null, reason = "it has migrations which this build doesn't know" } },
            strays = new[] { "customer_old" },
            missing = new[] { "customer_gone" },
            unregistered = new[] { "customer_nobody" },
        }));

        var page = Render<MigrationsPage>();

        var drift = page.Find("[aria-labelledby=drift]");
        Assert.Equal(["Differences 1", "Missing 1", "Strays 1", "Unregistered 1", "Not compared 1"],
            drift.QuerySelectorAll("h3").Select(heading => heading.TextContent));
        Assert.Equal("/customers/acme", drift.QuerySelector("ul.drift a")!.GetAttribute("href"));
        foreach (var words in new[] { "column invoices.by_hand is in no migration", "customer_old", "customer_gone",
            "customer_nobody", "it has migrations which this build doesn't know", "9 schemas compared." })
        {
            Assert.Contains(words, drift.TextContent, StringComparison.Ordinal);
        }
    }

    [Fact]
    public void Schemas_without_a_difference_are_said_to_have_none()
    {
        _facts.Compared.Add(FleetFacts.Operation(Id, "verify", "done", new
        {
            isClean = true, @checked = 9, drifted = Array.Empty<object>(),
        }));

        Assert.Contains("Nothing differs: 9 schemas are as the migrations make them.",
            Render<MigrationsPage>().Find("[aria-labelledby=drift]").TextContent, StringComparison.Ordinal);
    }

    private int Looks() => Api.Requests.Count(request => request.Path == "/fleet?failures=50");

    private static AngleSharp.Dom.IElement Button<T>(IRenderedComponent<T> page, string label)
        where T : Microsoft.AspNetCore.Components.IComponent =>
            page.FindAll("button, a").Single(button => button.TextContent.Trim() == label);

    private static AngleSharp.Dom.IElement Field(IRenderedComponent<MudDialogProvider> dialog, string label) =>
        dialog.Find("#" + dialog.FindAll("label").Single(l => l.TextContent == label).GetAttribute("for"));
}
