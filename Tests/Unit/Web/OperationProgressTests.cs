using System.Net;
using Bunit;
using Microsoft.Extensions.DependencyInjection;
using Web.Operations;
using Xunit;

namespace Tests.Unit.Web;

public sealed class OperationProgressTests : PageContext
{
    private static readonly Guid Id = Guid.Parse("0192d3a1-0000-7000-8000-000000000042");

    private readonly ManualTime _time = new();

    public OperationProgressTests() => Services.AddSingleton<TimeProvider>(_time);

    [Fact]
    public void A_running_operation_is_followed_until_its_end_and_then_left_alone()
    {
        var ended = 0;
        Answers("running", done: 512 * 1024, total: 2048 * 1024);
        var shown = Render<OperationProgress>(p => p.Add(x => x.Id, Id).Add(x => x.Ended, _ => ended++));
        Assert.Contains("512 KB of 2 MB", shown.Markup, StringComparison.Ordinal);
        Assert.Equal("25", shown.Find("[role=progressbar]").GetAttribute("aria-valuenow"));
        Assert.Empty(shown.FindAll("a[download]"));

        Answers("done", file: true, result: new { rows = new { invoices = 3, contacts = 4 } });
        _time.Advance(seconds: 1);

        shown.WaitForAssertion(() => Assert.Contains("7 rows in the file.", shown.Markup, StringComparison.Ordinal));
        Assert.Equal($"/operations/{Id}/file", shown.Find("a[download]").GetAttribute("href"));
        Assert.Equal(1, ended);
        var asked = Api.Requests.Count;
        _time.Advance(seconds: 5);
        Assert.Equal(asked, Api.Requests.Count);
    }

    [Fact]
    public void A_failed_operation_says_why()
    {
        Answers("failed", error: "The file has no manifest: it is no complete export.");

        var shown = Render<OperationProgress>(p => p.Add(x => x.Id, Id));

        Assert.Equal("The file has no manifest: it is no complete export.", shown.Find("[role=alert]").TextContent);
        Assert.Empty(shown.FindAll("button"));
    }

    [Fact]
    public void Cancelling_asks_the_api_and_says_who_asked()
    {
        Answers("running");
        var shown = Render<OperationProgress>(p => p.Add(x => x.Id, Id));
        Answers("running", cancelledBy: "ada");

        shown.Find("button").Click();

        Assert.Contains(Api.Requests, asked =>
            asked.Method == HttpMethod.Post && asked.Path == $"/operations/{Id}/cancel");
        Assert.Contains("ada has cancelled it.", shown.Markup, StringComparison.Ordinal);
        Assert.True(shown.Find("button").HasAttribute("disabled"));
    }

    [Fact]
    public void An_api_that_restarts_is_asked_again_and_an_unknown_operation_is_not()
    {
        Api.Answer = _ => throw new HttpRequestException(HttpRequestError.ConnectionError);
        var shown = Render<OperationProgress>(p => p.Add(x => x.Id, Id));
        Assert.Contains("The API can't be reached.", shown.Markup, StringComparison.Ordinal);

        Answers("running");
        _time.Advance(seconds: 1);
        shown.WaitForAssertion(() => Assert.Contains("Running", shown.Markup, StringComparison.Ordinal));

        Api.Answer = _ => FakeApi.Problem(HttpStatusCode.NotFound, new { title = "Unknown operation." });
        _time.Advance(seconds: 1);
        shown.WaitForAssertion(() => Assert.Contains("Unknown operation.", shown.Markup, StringComparison.Ordinal));
        var asked = Api.Requests.Count;
        _time.Advance(seconds: 5);
        Assert.Equal(asked, Api.Requests.Count);
    }

    [Fact]
    public void What_is_known_to_have_ended_is_not_asked_for()
    {
        var shown = Render<OperationProgress>(p => p.Add(x => x.Id, Id).Add(x => x.Known, Known("cancelled")));

        Assert.Contains("Cancelled", shown.Markup, StringComparison.Ordinal);
        Assert.Empty(Api.Requests);
    }

    private static Operation Known(string state) => new(
        Id, "export", "acme", "operator", state, 0, null, null, null, null, null, DateTimeOffset.UnixEpoch, null, null);

    private void Answers(string state, long done = 0, long? total = null, bool file = false, object? result = null,
        string? error = null, string? cancelledBy = null) =>
        Api.Answer = _ => FakeApi.Json(HttpStatusCode.OK, new
        {
            id = Id,
            kind = "export",
            customer = "acme",
            askedBy = "operator",
            state,
            done,
            total,
            result,
            error,
            cancelledBy,
            file = file ? $"/operations/{Id}/file" : null,
            createdAt = "2026-11-23T12:00:00Z",
        });
}
