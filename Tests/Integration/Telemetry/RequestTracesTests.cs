using System.Net;
using System.Net.Http.Json;
using Npgsql;
using Xunit;

namespace Tests.Integration.Telemetry;

/// <summary>
/// A start of the API and a request are one trace each. Whoever looks for one customer finds its requests, refused ones
/// too.
/// </summary>
public sealed class RequestTracesTests(TracedSystem system) : IClassFixture<TracedSystem>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private HttpClient Api => system.Api.Http;

    [Fact]
    public async Task A_start_of_the_api_is_one_trace_and_filling_the_warm_pool_another()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        await using (var api = await TracedProgram.ServeAsync(
            "Api", receiver, ("ConnectionStrings__tenants", system.Database), ("Tenancy__WarmPool", "2")))
        {
            await SparesAsync(2);
            for (var probe = 0; probe < 3; probe++)
            {
                // On a busy machine the database's answer may come too late for one of them.
                await Eventually.HoldsAsync(async () =>
                    (await api.Http.GetAsync("/health", Ct)).StatusCode == HttpStatusCode.OK);
                Assert.Equal(HttpStatusCode.OK, (await api.Http.GetAsync("/alive", Ct)).StatusCode);
            }

            await api.StopAsync();
        }

        Assert.Equal(["api: fill warm pool", "api: start api"], receiver.Spans.Roots());
        Assert.Equal("2", receiver.Spans.Named("fill warm pool").Single().Attributes["tenancy.schemas"]);
        Assert.Contains(receiver.Logs,
            log => log.Body.StartsWith("Now listening", StringComparison.Ordinal)
                && log.Trace == receiver.Spans.Named("start api").Single().Trace);
    }

    [Fact]
    public async Task A_request_is_one_trace_whose_spans_have_the_customer_and_are_named_alike_for_all()
    {
        var (acme, _) = await system.TraceAsync(() => GetAsync("/invoices", "acme", HttpStatusCode.OK));
        var (globex, _) = await system.TraceAsync(() => GetAsync("/invoices", "globex", HttpStatusCode.OK));

        Assert.Equal(["api: GET /invoices/"], acme.Roots());
        Assert.All(acme, span => Assert.Equal("acme", span.Tenant));
        Assert.Contains(acme,
            span => span.Name == "SELECT invoices"
                && span.Attributes["db.namespace"].EndsWith("|customer_acme", StringComparison.Ordinal));
        Assert.Equal(Steps(acme), Steps(globex));
    }

    [Fact]
    public async Task Many_who_ask_for_a_customer_at_once_leave_a_trace_each_and_no_query_apart()
    {
        await system.TraceAsync(() => CreateAsync("together", HttpStatusCode.Created));

        var (spans, _) = await system.TraceAsync(() =>
            Task.WhenAll(Enumerable.Range(0, 8).Select(_ => GetAsync("/invoices", "together", HttpStatusCode.OK))));

        Assert.Equal(Enumerable.Repeat("api: GET /invoices/", 8), spans.Roots());
        Assert.All(spans, span => Assert.Equal("together", span.Tenant));
    }

    [Theory]
    [InlineData("nobody", HttpStatusCode.NotFound)]
    [InlineData("initech", HttpStatusCode.Forbidden)]
    public async Task A_customer_that_is_refused_is_on_the_refusals_spans(string slug, HttpStatusCode status)
    {
        await ExecuteAsync("UPDATE public.customers SET status = 'suspended' WHERE slug = 'initech'");

        var (spans, logs) = await system.TraceAsync(() => GetAsync("/invoices", slug, status));

        Assert.Equal(["api: GET /invoices/"], spans.Roots());
        Assert.All(spans, span => Assert.Equal(slug, span.Tenant));
        Assert.Empty(logs);
    }

    [Fact]
    public async Task A_request_that_names_nobody_or_cannot_be_read_is_one_trace_without_an_error_in_the_log()
    {
        var (spans, logs) = await system.TraceAsync(async () =>
        {
            await GetAsync("/invoices", "No Body", HttpStatusCode.BadRequest);
            using var unreadable = await Api.PostAsync(
                "/customers", new StringContent("{", System.Text.Encoding.UTF8, "application/json"), Ct);
            Assert.Equal(HttpStatusCode.BadRequest, unreadable.StatusCode);
        });

        Assert.Equal(["api: GET /invoices/", "api: POST /customers/"], spans.Roots());
        Assert.All(spans, span => Assert.False(span.IsError));
        Assert.Empty(logs);
    }

    [Fact]
    public async Task A_slug_that_is_taken_is_no_error_in_the_trace_or_the_log_even_when_several_want_it_at_once()
    {
        var answers = Array.Empty<HttpStatusCode>();
        var (spans, logs) = await system.TraceAsync(async () =>
        {
            answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(_ => CreateAsync("wanted", null)));
            await CreateAsync("wanted", HttpStatusCode.Conflict);
        });

        Assert.Single(answers, HttpStatusCode.Created);
        Assert.Equal(5, answers.Count(answer => answer == HttpStatusCode.Conflict));
        Assert.Equal(Enumerable.Repeat("api: POST /customers/", 7), spans.Roots());
        Assert.All(spans, span => Assert.Equal((false, "wanted"), (span.IsError, span.Tenant)));
        Assert.Empty(logs);
    }

    [Fact]
    public async Task What_fails_for_a_customer_has_the_customer_on_its_error_wherever_it_is_logged()
    {
        await system.TraceAsync(() => CreateAsync("broken", HttpStatusCode.Created));
        await ExecuteAsync("DROP TABLE customer_broken.invoices CASCADE");

        var (spans, logs) = await system.TraceAsync(() =>
            GetAsync("/invoices", "broken", HttpStatusCode.InternalServerError));

        Assert.Equal(["api: GET /invoices/"], spans.Roots());
        Assert.Contains(logs, log => log.Category.EndsWith("ExceptionHandlerMiddleware", StringComparison.Ordinal));
        Assert.All(logs, log => Assert.Equal("broken", log.Tenant));
    }

    // Whether a connection has to be opened depends on what else uses the pool at that moment, not on the customer.
    private static string[] Steps(IReadOnlyCollection<ReceivedSpan> spans) =>
        [.. spans.Where(span => !span.Name.StartsWith("CONNECT ", StringComparison.Ordinal)).Select(spans.Path)
            .Order(StringComparer.Ordinal)];

    private async Task GetAsync(string path, string customer, HttpStatusCode expected)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path) { Headers = { { "X-Customer", customer } } };
        using var answer = await Api.SendAsync(request, Ct);
        Assert.Equal(expected, answer.StatusCode);
    }

    private async Task<HttpStatusCode> CreateAsync(string slug, HttpStatusCode? expected)
    {
        using var answer = await Api.PostAsJsonAsync("/customers", new { slug, name = "A test's customer" }, Ct);
        Assert.Equal(expected ?? answer.StatusCode, answer.StatusCode);
        return answer.StatusCode;
    }

    private Task SparesAsync(int wanted) => Eventually.HoldsAsync(async () =>
        await ExecuteAsync("SELECT count(*)::int FROM tenancy.schemas WHERE state = 'spare'") is int spares
            && spares >= wanted);

    private async Task<object?> ExecuteAsync(string sql)
    {
        await using var source = NpgsqlDataSource.Create(system.Database);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }
}
