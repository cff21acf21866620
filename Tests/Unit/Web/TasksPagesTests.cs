using System.Net;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using MudBlazor;
using Web.Fleet;
using Xunit;

namespace Tests.Unit.Web;

/// <summary>Work that is done once for each customer.</summary>
public sealed class TasksPagesTests : PageContext
{
    private static readonly Guid Begun = Guid.Parse("0192d3a1-0000-7000-8000-000000000077");

    private readonly IRenderedComponent<MudDialogProvider> _dialogs;
    private bool _isRegistered = true;
    private object[] _runs = [];

    public TasksPagesTests()
    {
        Api.Answer = Answer;
        _dialogs = Render<MudDialogProvider>();
    }

    private NavigationManager Navigation => Services.GetRequiredService<NavigationManager>();

    [Fact]
    public void Each_task_says_how_many_have_done_it_and_what_it_failed_with()
    {
        _runs = [Run("task", "trim-names"), Run("migrate", "20261123005123_Initial")];

        var page = Render<TasksPage>();

        Assert.Equal(["trim-names", "7", "1", "2", "23505: duplicate key"],
            page.FindAll("table[aria-label=Tasks] tbody td").Select(cell => cell.TextContent.Trim()));
        Assert.Equal("/tasks/trim-names", page.Find("a.row-link").GetAttribute("href"));
        // The runs are those of tasks alone.
        Assert.Contains("Task trim-names", Assert.Single(
            page.FindAll("table[aria-label='Last runs'] tbody tr")).TextContent, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_task_is_run_after_a_question_for_all_that_have_not_done_it()
    {
        var page = Open("");
        Assert.Equal(["All 10", "Failed 1", "Left 2", "Done 7"], page.FindAll(".chip").Select(
            chip => string.Join(' ', chip.TextContent.Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries))));

        var asking = page.FindAll("button").Single(button => button.TextContent.Trim() == "Run…").ClickAsync();
        Assert.Contains("3 customers", _dialogs.Markup, StringComparison.Ordinal);
        await DialogButton(_dialogs, "Run").ClickAsync();
        await asking;

        Assert.Equal(("/fleet/tasks/trim-names", """{"customers":null}"""), Posted());
        Assert.EndsWith($"/operations/{Begun}", Navigation.Uri, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_customer_on_whom_it_failed_is_tried_again_alone()
    {
        var page = Open("?state=failed&page=2");
        Assert.Contains("/fleet/tasks/trim-names/customers?page=2&pageSize=50&state=failed",
            Api.Requests.Select(request => request.Path));
        Assert.Contains("23505: duplicate key", page.Find("tbody tr").TextContent, StringComparison.Ordinal);

        await page.Find("button[aria-label='Retry Acme']").ClickAsync();

        Assert.Equal(("/fleet/tasks/trim-names", """{"customers":["acme"]}"""), Posted());
    }

    [Fact]
    public void A_task_that_this_build_has_not_is_shown_and_cannot_be_run()
    {
        _isRegistered = false;

        var page = Open("");

        Assert.Contains("This build doesn't have it", page.Find(".page-sub").TextContent, StringComparison.Ordinal);
        Assert.DoesNotContain(page.FindAll("button"), button => button.TextContent.Trim() is "Run…" or "Retry");
    }

    private IRenderedComponent<TaskPage> Open(string query)
    {
        Navigation.NavigateTo($"/tasks/trim-names{query}");
        return Render<TaskPage>(p => p.Add(x => x.Name, "trim-names"));
    }

    private (string Path, string? Body) Posted()
    {
        var sent = Assert.Single(Api.Requests, request => request.Method == HttpMethod.Post);
        return (sent.Path, sent.Body);
    }

    private HttpResponseMessage Answer(HttpRequestMessage request) => request.RequestUri!.AbsolutePath switch
    {
        "/fleet/tasks" => FakeApi.Json(HttpStatusCode.OK, new object[]
        {
            new
            {
                name = "trim-names", isRegistered = _isRegistered, done = 7, failed = 1, left = 2,
                failedSchema = "customer_acme", lastError = "23505: duplicate key", failedAt = "2026-11-30T10:00:00Z",
            },
        }),
        "/fleet" => FakeApi.Json(HttpStatusCode.OK, new
        {
            target = "", groups = Array.Empty<object>(), failures = Array.Empty<object>(), runs = _runs,
        }),
        _ when request.Method == HttpMethod.Post => FakeApi.Json(HttpStatusCode.Accepted, new
        {
            id = Begun, kind = "task", askedBy = "ada", state = "queued", done = 0, createdAt = "2026-11-30T10:00:00Z",
        }),
        _ => FakeApi.Page(new
        {
            slug = "acme", name = "Acme", schema = "customer_acme", state = "failed", attempts = 2,
            lastError = "23505: duplicate key", failedAt = "2026-11-30T10:00:00Z",
        }),
    };

    private static object Run(string kind, string target) => new
    {
        id = Guid.NewGuid(), kind, askedBy = "ada", target, total = 3, migrated = 3, failed = 0,
        startedAt = "2026-11-30T10:00:00Z", heartbeatAt = "2026-11-30T10:00:01Z", endedAt = "2026-11-30T10:00:02Z",
        outcome = "done",
    };
}
