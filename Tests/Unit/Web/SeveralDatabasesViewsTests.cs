using System.Globalization;
using System.Net;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using Web.Doctor;
using Web.Fleet;
using Web.Overview;
using Xunit;

namespace Tests.Unit.Web;

/// <summary>The pages of tasks and of the doctor where customers are in several databases.</summary>
public sealed class SeveralDatabasesViewsTests : PageContext
{
    private static readonly Guid Id = Guid.Parse("0192d3a1-0000-7000-8000-000000000042");

    private readonly FleetFacts _facts = FleetFacts.WithOneFailure();
    private string? _error;

    public SeveralDatabasesViewsTests()
    {
        CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("en-US");
        Services.AddSingleton<TimeProvider>(new ManualTime());
        _facts.Databases.AddRange([Database(null), Database("two")]);
        _facts.Runs.Add(FleetFacts.Run("task", outcome: "done", database: "two"));
        _facts.Findings.AddRange(
        [
            FleetFacts.Finding("relations", 3), FleetFacts.Finding("dump", 11),
            FleetFacts.FindingIn("two", "relations", 12, 10, "schemas", "stray"), FleetFacts.FindingIn("two", "dump", 4),
        ]);
        Api.Answer = _facts.Answer(request => request.RequestUri!.AbsolutePath switch
        {
            "/fleet/tasks" => FakeApi.Json(HttpStatusCode.OK, new[] { Status() }),
            _ when request.Method == HttpMethod.Post =>
                FakeApi.Json(HttpStatusCode.Accepted, FleetFacts.Operation(Id, "task", "queued")),
            _ => FakeApi.Page(
                new { slug = "acme", name = "Acme", schema = "customer_acme", state = "done", attempts = 0 },
                new { slug = "globex", name = "Globex", schema = "customer_globex", state = "left", attempts = 0,
                    database = "two" }),
        });
    }

    private NavigationManager Navigation => Services.GetRequiredService<NavigationManager>();

    [Fact]
    public void Each_database_shows_how_far_its_tasks_are_and_leads_to_its_customers()
    {
        var page = Render<TasksPage>();

        Assert.Equal(["Database first", "Database two"],
            page.FindAll("h2[id^=in-]").Select(heading => heading.TextContent));
        Assert.Equal(["trim", "7", "0", "0", "–"], Cells(page, "Tasks, first"));
        Assert.Equal(["trim", "1", "1", "2", "of the second"], Cells(page, "Tasks, two"));
        Assert.Equal("/tasks/trim?database=two",
            page.Find("table[aria-label='Tasks, two'] a.row-link").GetAttribute("href"));
        Assert.Contains("two", page.Find("[aria-label='Last runs'] tbody tr").TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public void A_database_that_does_not_answer_is_named_on_both_pages_and_cannot_be_chosen()
    {
        _error = "Connection refused";
        _facts.Databases[1] = Database("two", _error);
        _facts.Findings.RemoveRange(2, 2);

        var tasks = Render<TasksPage>();
        var doctor = Render<DoctorPage>();
        foreach (var page in new[] { tasks.Find("[role=status]"), Open("").Find("[role=status]") })
        {
            Assert.Contains("doesn't answer, so its customers are in none of these figures. Connection refused",
                page.TextContent, StringComparison.Ordinal);
        }

        Assert.Contains("doesn't answer, so nothing is known of it. Connection refused",
            doctor.Find("[role=status]").TextContent, StringComparison.Ordinal);
        Assert.Equal(["Database first"], tasks.FindAll("h2[id^=in-]").Select(heading => heading.TextContent));
        Assert.Equal(["All databases", "first"], Chips(doctor));
    }

    [Fact]
    public async Task A_task_is_shown_and_run_in_the_database_that_is_chosen()
    {
        var dialogs = Render<MudDialogProvider>();
        var page = Open("?database=two&state=left");

        Assert.Equal(["All databases", "first", "two"], Chips(page));
        Assert.Equal("two", page.Find("nav[aria-label=Database] [aria-current=true]").TextContent.Trim());
        Assert.Equal(["/tasks/trim?state=left", "/tasks/trim?state=left&database=first",
            "/tasks/trim?state=left&database=two"], page.FindAll("nav[aria-label=Database] a")
                .Select(chip => chip.GetAttribute("href")));
        Assert.Equal(["All 4", "Failed 1", "Left 2", "Done 1"], page.FindAll("nav[aria-label=State] .chip").Select(
            chip => string.Join(' ', chip.TextContent.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))));
        Assert.Equal("3 customers of the database two haven't done it.", page.Find(".page-sub").TextContent);
        Assert.Contains("/fleet/tasks/trim/customers?page=1&pageSize=50&state=left&database=two",
            Api.Requests.Select(request => request.Path));
        Assert.Equal(["first", "two"], page.FindAll("td[data-label=Database]").Select(cell => cell.TextContent.Trim()));

        var asking = page.FindAll("button").Single(button => button.TextContent.Trim() == "Run…").ClickAsync();
        Assert.Contains("3 customers of the database two", dialogs.Markup, StringComparison.Ordinal);
        await DialogButton(dialogs, "Run").ClickAsync();
        await asking;

        Assert.Equal("""{"customers":null,"database":"two"}""",
            Assert.Single(Api.Requests, request => request.Method == HttpMethod.Post).Body);
    }

    [Fact]
    public void Each_number_names_its_database_and_a_chosen_one_shows_its_own_alone()
    {
        var page = Render<DoctorPage>();

        Assert.Equal(["dump in first", "relations in two"], Over(page));
        Assert.Equal(["first", "two"], page.FindAll("td[data-label=Database]").Select(cell => cell.TextContent.Trim()));
        Assert.Equal(["dump", "two.relations"], page.FindAll(".findings > li").Select(item => item.Id));
        Assert.Equal("Title of relations in two: which", page.Find(".finding-names").GetAttribute("aria-label"));
        Assert.Equal(["/doctor", "/doctor?database=first", "/doctor?database=two"],
            page.FindAll("nav[aria-label=Database] a").Select(chip => chip.GetAttribute("href")));

        Navigation.NavigateTo("/doctor?database=two");
        Assert.Equal(["relations in two"], Over(Render<DoctorPage>()));
        // One that isn't there is none that is chosen.
        Navigation.NavigateTo("/doctor?database=three");
        Assert.Equal(["dump in first", "relations in two"], Over(Render<DoctorPage>()));
    }

    [Fact]
    public void The_overview_names_the_database_of_a_number_and_leads_to_it()
    {
        Assert.Equal(["/doctor#dump Title of dump in first", "/doctor#two.relations Title of relations in two"],
            Render<OverviewPage>().FindAll(".warnings a").Select(link =>
                $"{link.GetAttribute("href")} {link.TextContent}"));
    }

    [Fact]
    public void With_one_database_the_pages_speak_of_none()
    {
        _facts.Databases.Clear();
        _facts.Findings.RemoveRange(2, 2);

        foreach (var markup in new[] { Render<TasksPage>().Markup, Open("").Markup })
        {
            Assert.DoesNotContain("atabase", markup, StringComparison.Ordinal);
        }

        var doctor = Render<DoctorPage>();
        Assert.Equal(["dump"], Over(doctor));
        Assert.Empty(doctor.FindAll("nav[aria-label=Database], td[data-label=Database]"));
    }

    private object Status() => new
    {
        name = "trim",
        isRegistered = true,
        done = 8,
        failed = 1,
        left = 2,
        failedSchema = "customer_globex",
        lastError = "of the second",
        databases = _facts.Databases.Count == 0 ? [] : new object[]
        {
            new { name = (string?)null, done = 7, failed = 0, left = 0 },
            new
            {
                name = "two", error = _error, done = 1, failed = 1, left = 2, failedSchema = "customer_globex",
                lastError = "of the second",
            },
        },
    };

    private IRenderedComponent<TaskPage> Open(string query)
    {
        Navigation.NavigateTo($"/tasks/trim{query}");
        return Render<TaskPage>(parameters => parameters.Add(page => page.Name, "trim"));
    }

    private static object Database(string? name, string? error = null) => new { name, error };

    private static IEnumerable<string> Cells<T>(IRenderedComponent<T> page, string table) where T : IComponent =>
        page.FindAll($"table[aria-label='{table}'] tbody td").Select(cell => cell.TextContent.Trim());

    private static IEnumerable<string> Chips<T>(IRenderedComponent<T> page) where T : IComponent =>
        page.FindAll("nav[aria-label=Database] a").Select(chip => chip.TextContent.Trim());

    private static IEnumerable<string> Over(IRenderedComponent<DoctorPage> page) =>
        page.FindAll("[aria-labelledby=over] h3").Select(heading => string.Join(' ', heading.TextContent
            .Replace("Title of ", "", StringComparison.Ordinal)
            .Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)));
}
