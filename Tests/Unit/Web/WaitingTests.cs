using System.Net;
using Bunit;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Time.Testing;
using Web.Api;
using Web.Shell;
using Xunit;

namespace Tests.Unit.Web;

/// <summary>What one sees while the API is slow or away.</summary>
public sealed class WaitingTests : PageContext
{
    private readonly FakeTimeProvider _time = new();
    private readonly Queue<TaskCompletionSource<Result<string>>> _asked = new();

    public WaitingTests() => Services.AddSingleton<TimeProvider>(_time);

    [Fact]
    public async Task After_three_seconds_a_page_says_that_it_still_waits_until_there_is_an_answer()
    {
        var page = Opened();
        Assert.Equal("", page.Find("[role=status]").TextContent);

        _time.Advance(TimeSpan.FromSeconds(3));
        page.WaitForAssertion(() => Assert.Equal("Still waiting for the API…", page.Find("[role=status]").TextContent));
        await page.InvokeAsync(() => _asked.Dequeue().SetResult("here"));

        Assert.Equal("here", page.Find(".loaded").TextContent.Trim());
    }

    [Fact]
    public async Task An_api_that_is_away_is_asked_again_until_it_is_back()
    {
        var page = Opened();
        await page.InvokeAsync(() => _asked.Dequeue().SetResult(Problem.From(
            new HttpRequestException(HttpRequestError.ConnectionError), writes: false)!));
        Assert.Contains("The API can't be reached.", page.Find("[role=alert]").TextContent, StringComparison.Ordinal);

        for (var second = 5; second > 0; second--)
        {
            page.WaitForAssertion(() => Assert.Contains(
                $"Trying again by itself in {second} s", page.Markup, StringComparison.Ordinal));
            _time.Advance(TimeSpan.FromSeconds(1));
        }

        page.WaitForAssertion(() => Assert.Single(_asked));
        await page.InvokeAsync(() => _asked.Dequeue().SetResult("back"));
        Assert.Equal("back", page.Find(".loaded").TextContent.Trim());
    }

    [Fact]
    public async Task A_problem_that_stays_is_announced_once()
    {
        var page = Opened();
        await page.InvokeAsync(() => _asked.Dequeue().SetResult(Away("1")));
        var announced = page.Find("[role=alert]").InnerHtml;
        Assert.Contains("Trace 1", page.Find(".problem-trace").TextContent, StringComparison.Ordinal);

        _time.Advance(TimeSpan.FromSeconds(1));
        await page.InvokeAsync(() => page.FindAll("button").Single().Click());
        await page.InvokeAsync(() => _asked.Dequeue().SetResult(Away("2")));

        // What a screen reader says again when it changes.
        Assert.Equal(announced, page.Find("[role=alert]").InnerHtml);
        Assert.Contains("Trace 2", page.Find(".problem-trace").TextContent, StringComparison.Ordinal);

        static Problem Away(string trace) => Problem.From(
            new HttpRequestException(HttpRequestError.ConnectionError), writes: false)! with { Trace = trace };
    }

    [Fact]
    public void A_problem_names_its_trace()
    {
        var page = Render<ProblemView>(p => p.Add(view => view.Problem, new Problem("It failed.") { Trace = "0af765" }));

        Assert.Equal("Trace 0af765", page.Find(".problem-trace").TextContent);
    }

    [Fact]
    public void Whose_session_has_ended_is_led_to_the_form_and_back_here()
    {
        Services.GetRequiredService<NavigationManager>().NavigateTo("/customers?search=a");

        var page = Render<ProblemView>(p => p
            .Add(view => view.Problem, new Problem("Ended.") { Status = HttpStatusCode.Unauthorized })
            .Add(view => view.Retry, () => Assert.Fail("It isn't asked again.")));

        Assert.Equal("/sign-in?ReturnUrl=%2Fcustomers%3Fsearch%3Da", page.Find("a").GetAttribute("href"));
        Assert.Empty(page.FindAll("button"));
    }

    [Fact]
    public async Task The_trace_of_a_problem_is_the_apis_and_else_the_calls()
    {
        using var told = FakeApi.Problem(HttpStatusCode.InternalServerError,
            new { title = "Failed.", traceId = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01" });

        var problem = await Problem.ReadAsync(told, Xunit.TestContext.Current.CancellationToken);

        Assert.Equal("0af7651916cd43dd8448eb211c80319c", problem.Trace);
    }

    private IRenderedComponent<Loaded<string>> Opened() => Render<Loaded<string>>(p => p
        .Add(loaded => loaded.Of, 1)
        .Add(loaded => loaded.Load, async _ =>
        {
            var answer = new TaskCompletionSource<Result<string>>();
            _asked.Enqueue(answer);
            return await answer.Task;
        })
        .Add(loaded => loaded.ChildContent, value => builder => builder.AddContent(0, value)));
}
