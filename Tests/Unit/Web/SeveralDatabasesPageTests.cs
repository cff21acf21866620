using System.Globalization;
using System.Net;
using Bunit;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using Web.Fleet;
using Web.Overview;
using Xunit;

namespace Tests.Unit.Web;

/// <summary>The pages of all customers where these are in several databases.</summary>
public sealed class SeveralDatabasesPageTests : PageContext
{
    private static readonly Guid Id = Guid.Parse("0192d3a1-0000-7000-8000-000000000042");

    private readonly FleetFacts _facts = FleetFacts.WithOneFailure();

    public SeveralDatabasesPageTests()
    {
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("en-US");
        Services.AddSingleton<TimeProvider>(new ManualTime());
        _facts.Databases.AddRange([Database(null), Database("two")]);
        _facts.Groups.AddRange(
            [FleetFacts.Group(0, "ready", "v1", 2, "two"), FleetFacts.Group(2, "ready", "v2", 4, "two")]);
        _facts.Runs.Add(FleetFacts.Run(outcome: "done", database: "two"));
        Api.Answer = _facts.Answer(_ => FakeApi.Json(HttpStatusCode.Accepted, FleetFacts.Operation(Id)));
    }

    [Fact]
    public void Each_database_shows_what_is_applied_and_its_runs()
    {
        var page = Render<MigrationsPage>();

        Assert.Equal(["Database first", "Database two"],
            page.FindAll(".section-database h3").Select(h => h.TextContent));
        Assert.Equal(
            ["2 of 10 customers lack a migration of this build.", "2 of 6 customers lack a migration of this build."],
            page.FindAll(".section-database > p").Select(p => p.TextContent));
        Assert.Equal(["0 of 2|4 of 4", "2 of 2|4 of 4"], page.FindAll("[aria-label='Migrations by ring, two'] tbody tr")
            .Select(row => string.Join('|', row.Children.Skip(1).Take(2).Select(cell => cell.TextContent))));
        Assert.Contains("two", page.Find("[aria-label='Last runs'] tbody tr").TextContent, StringComparison.Ordinal);
        Assert.Contains("first", page.Find("[aria-labelledby=failed] tbody tr").TextContent, StringComparison.Ordinal);
        // The rings of both.
        Assert.Contains("4 of 16 customers lack a migration of this build.", page.Markup, StringComparison.Ordinal);
    }

    [Fact]
    public void A_database_that_does_not_answer_is_named_and_the_others_are_shown()
    {
        _facts.Databases[1] = Database("two", "Connection refused");

        foreach (var markup in new[] { Render<MigrationsPage>().Markup, Render<OverviewPage>().Markup })
        {
            Assert.Contains("doesn't answer, so its customers are in none of these", markup, StringComparison.Ordinal);
            Assert.Contains("Connection refused", markup, StringComparison.Ordinal);
        }

        Assert.Equal(["Database first"],
            Render<MigrationsPage>().FindAll(".section-database h3").Select(h => h.TextContent));
    }

    [Theory]
    [InlineData("Migrate…", "/fleet/migrate", """{"ring":null,"customers":null,"database":"two"}""")]
    [InlineData("Compare now", "/fleet/verify", """{"ring":null,"customers":null,"database":"two"}""")]
    public async Task A_run_and_a_comparison_go_over_the_database_that_is_chosen(
        string button, string path, string body)
    {
        var dialogs = Render<MudDialogProvider>();
        var page = Render<MigrationsPage>();

        page.FindAll("button").Single(one => one.TextContent.Trim() == button).Click();
        await ChooseAsync(dialogs, "two");
        await dialogs.Find("form").SubmitAsync();

        Assert.Equal(body, Assert.Single(Api.Requests, request => request.Path == path).Body);
    }

    [Fact]
    public async Task What_a_run_would_do_is_told_of_the_database_that_is_chosen()
    {
        var dialogs = Render<MudDialogProvider>();
        var page = Render<MigrationsPage>();

        page.FindAll("button").Single(one => one.TextContent.Trim() == "Migrate…").Click();
        Assert.Equal(3, dialogs.FindAll(".preview li").Count);
        await ChooseAsync(dialogs, "two");

        Assert.Equal(["Ring 0: 2 of 2 customers", "Ring 2: 0 of 4 customers"],
            dialogs.FindAll(".preview li").Select(li => li.TextContent));
    }

    [Fact]
    public async Task Runs_of_one_database_are_halted()
    {
        _facts.Runs.Add(FleetFacts.Run(database: "two"));
        Api.Answer = _facts.Answer(
            _ => FakeApi.Json(HttpStatusCode.OK, new { runs = 1, unreached = new[] { "first" } }));
        var dialogs = Render<MudDialogProvider>();
        var page = Render<MigrationsPage>();
        Assert.Contains("Database two. Ring 1.", page.Markup, StringComparison.Ordinal);

        page.FindAll("button").Single(one => one.TextContent.Trim() == "Halt all runs").Click();
        await ChooseAsync(dialogs, "two");
        await dialogs.Find("#" + dialogs.FindAll("label").Single(l => l.TextContent == "Reason").GetAttribute("for"))
            .InputAsync("It takes too long");
        await dialogs.Find("form").SubmitAsync();

        Assert.Equal("""{"reason":"It takes too long","database":"two"}""",
            Assert.Single(Api.Requests, request => request.Path == "/fleet/halt").Body);
    }

    [Fact]
    public async Task A_migration_is_taken_back_in_the_database_whose_button_was_clicked()
    {
        var dialogs = Render<MudDialogProvider>();
        var page = Render<MigrationsPage>();

        page.Find($"button[aria-label='Take back {FleetFacts.Colors}, two']").Click();
        Assert.Contains("It concerns 4 customers.", dialogs.Markup, StringComparison.Ordinal);
        var confirm = dialogs.FindAll("label").Single(l => l.TextContent == $"Enter {FleetFacts.Colors} to confirm");
        await dialogs.Find("#" + confirm.GetAttribute("for")).InputAsync(FleetFacts.Colors);
        await dialogs.Find("form").SubmitAsync();

        Assert.EndsWith(""","ring":null,"customers":null,"database":"two"}""",
            Assert.Single(Api.Requests, request => request.Path == "/fleet/down").Body, StringComparison.Ordinal);
    }

    [Fact]
    public void With_one_database_nothing_speaks_of_databases()
    {
        _facts.Databases.Clear();
        var dialogs = Render<MudDialogProvider>();
        var page = Render<MigrationsPage>();
        page.FindAll("button").Single(one => one.TextContent.Trim() == "Migrate…").Click();

        Assert.DoesNotContain("atabase", page.Markup + dialogs.Markup, StringComparison.Ordinal);
    }

    private static object Database(string? name, string? error = null) => new { name, error };

    private static Task ChooseAsync(IRenderedComponent<MudDialogProvider> dialogs, string database)
    {
        var select = dialogs.FindComponents<MudSelect<string>>().Single(one => one.Instance.Label == "Database");
        return dialogs.InvokeAsync(() => select.Instance.ValueChanged.InvokeAsync(database));
    }
}
