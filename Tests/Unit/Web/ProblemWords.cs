using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Polly.CircuitBreaker;
using Polly.Timeout;
using Web.Api;
using Xunit;

namespace Tests.Unit.Web;

/// <summary>Whatever the API answers, or doesn't, becomes words that a person can act on.</summary>
public sealed class ProblemWords
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_words_of_problem_details_are_kept()
    {
        using var response = FakeApi.Problem(HttpStatusCode.Conflict,
            new { title = "The slug is taken.", detail = "There is an 'acme' already.", status = 409 });

        var problem = await Problem.ReadAsync(response, Ct);

        Assert.Equal("The slug is taken.", problem.Title);
        Assert.Equal("There is an 'acme' already.", problem.Detail);
        Assert.Equal(HttpStatusCode.Conflict, problem.Status);
    }

    [Fact]
    public async Task What_is_wrong_with_a_field_is_kept_under_the_fields_path()
    {
        using var response = FakeApi.Problem(HttpStatusCode.BadRequest, new
        {
            title = "One or more validation errors occurred.",
            errors = new Dictionary<string, string[]> { ["lines[0].quantity"] = ["More than zero."] },
        });

        var problem = await Problem.ReadAsync(response, Ct);

        Assert.Equal(["More than zero."], problem.Errors["lines[0].quantity"]);
        Assert.Equal("The API didn't accept this.", problem.Title);
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError, "The API failed.")]
    [InlineData(HttpStatusCode.NotFound, "This doesn't exist.")]
    [InlineData(HttpStatusCode.ServiceUnavailable, "Not available at the moment.")]
    [InlineData((HttpStatusCode)418, "The API refused this (418).")]
    public async Task A_bare_status_gets_words_too(HttpStatusCode status, string title)
    {
        using var response = new HttpResponseMessage(status) { Content = new StringContent("<html>some proxy</html>") };

        Assert.Equal(title, (await Problem.ReadAsync(response, Ct)).Title);
    }

    [Fact]
    public async Task Problem_details_that_are_none_fall_back_to_the_status()
    {
        using var response = new HttpResponseMessage(
            HttpStatusCode.BadGateway) { Content = new StringContent(
                "{ cut", new MediaTypeHeaderValue("application/problem+json")) };

        Assert.Equal("The API failed.", (await Problem.ReadAsync(response, Ct)).Title);
    }

    [Fact]
    public async Task The_time_to_come_back_is_read_in_seconds_and_as_a_date()
    {
        var now = new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);
        using var inSeconds = new HttpResponseMessage(
            HttpStatusCode.ServiceUnavailable) { Headers = { RetryAfter = new(TimeSpan.FromSeconds(8)) } };
        using var asDate = new HttpResponseMessage(
            HttpStatusCode.ServiceUnavailable) { Headers = { RetryAfter = new(now.AddSeconds(5)), Date = now } };

        Assert.Equal(TimeSpan.FromSeconds(8), (await Problem.ReadAsync(inSeconds, Ct)).RetryAfter);
        Assert.Equal(TimeSpan.FromSeconds(5), (await Problem.ReadAsync(asDate, Ct)).RetryAfter);
    }

    [Fact]
    public void An_unreachable_api_saved_nothing()
    {
        var problem = Problem.From(new HttpRequestException(HttpRequestError.ConnectionError), writes: true);

        Assert.Equal("The API can't be reached.", problem?.Title);
        Assert.StartsWith("Nothing was saved.", problem?.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void After_a_write_that_timed_out_nobody_claims_to_know()
    {
        Assert.Contains("It isn't known whether it was saved",
            Problem.From(new TimeoutRejectedException(), writes: true)?.Detail, StringComparison.Ordinal);
        Assert.Contains("It isn't known whether it was saved",
            Problem.From(new HttpRequestException(HttpRequestError.ResponseEnded), writes: true)?.Detail,
            StringComparison.Ordinal);
        Assert.DoesNotContain(
            "saved", Problem.From(new TimeoutRejectedException(), writes: false)?.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void Other_failures_of_a_call_have_words_and_defects_have_none()
    {
        Assert.Equal("The API doesn't answer.", Problem.From(new BrokenCircuitException(), writes: false)?.Title);
        Assert.Equal("The API answered in a way this page doesn't understand.",
            Problem.From(new JsonException(), writes: false)?.Title);
        Assert.Null(Problem.From(new InvalidOperationException(), writes: false));
    }
}
