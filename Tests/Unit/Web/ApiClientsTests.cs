using System.Net;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Http.Resilience;
using Web.Api;
using Web.Customers;
using Web.Invoices;
using Xunit;

namespace Tests.Unit.Web;

/// <summary>
/// The clients as the application registers them: with service discovery and the resilience pipeline.
/// </summary>
public sealed class ApiClientsTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_request_for_a_customer_names_that_customer()
    {
        using var api = new FakeApi { Answer = _ => FakeApi.Page() };
        using var host = Host(api);
        var invoices = host.Services.GetRequiredService<InvoicesClient>();

        await invoices.ListAsync("acme", new(), 25, Ct);
        await invoices.ListAsync("globex", new() { Page = 2 }, 25, Ct);
        await invoices.FindAsync("acme", Guid.Empty, Ct);
        await invoices.CreateAsync("globex", new NewInvoice(), new(), Ct);

        Assert.Equal(["acme", "globex", "acme", "globex"], api.Requests.Select(request => request.Customer));
    }

    [Fact]
    public async Task Requests_of_operators_name_no_customer()
    {
        using var api = new FakeApi { Answer = _ => FakeApi.Page() };
        using var host = Host(api);

        await host.Services.GetRequiredService<CustomersClient>().ListAsync(2, 25, "a&b c", Ct);
        await host.Services.GetRequiredService<InvoicesClient>().CurrenciesAsync(Ct);

        Assert.All(api.Requests, request => Assert.Null(request.Customer));
        Assert.Equal("/customers?page=2&pageSize=25&search=a%26b%20c", api.Requests[0].Path);
    }

    [Theory]
    [InlineData("..")]
    [InlineData("Not a slug")]
    [InlineData("\u00fcber")]
    [InlineData("acme\r\nX-Customer: globex")]
    public async Task What_cannot_be_a_slug_is_unknown_and_goes_nowhere(string typed)
    {
        using var api = new FakeApi { Answer = _ => FakeApi.Page() };
        using var host = Host(api);

        var customer = await host.Services.GetRequiredService<CustomersClient>().FindAsync(typed, Ct);
        var invoices = await host.Services.GetRequiredService<InvoicesClient>().ListAsync(typed, new(), 25, Ct);

        Assert.Equal(HttpStatusCode.NotFound, customer.Problem?.Status);
        Assert.Equal(HttpStatusCode.NotFound, invoices.Problem?.Status);
        Assert.Empty(api.Requests);
    }

    [Theory]
    [InlineData(HttpStatusCode.InternalServerError)]
    [InlineData(HttpStatusCode.ServiceUnavailable)]
    [InlineData(HttpStatusCode.RequestTimeout)]
    public async Task What_writes_is_never_sent_twice(HttpStatusCode status)
    {
        using var api = new FakeApi { Answer = _ => new(status) };
        using var host = Host(api);

        var customer = await host.Services.GetRequiredService<CustomersClient>()
            .CreateAsync(new() { Name = "Acme", Slug = "acme" }, Ct);
        var invoice = await host.Services.GetRequiredService<InvoicesClient>().CreateAsync("acme", new(), new(), Ct);

        Assert.False(customer.Succeeded);
        var import = await host.Services.GetRequiredService<InvoicesClient>()
            .ImportAsync("acme", new MemoryStream([1]), new(), Ct);

        Assert.False(invoice.Succeeded);
        Assert.False(import.Succeeded);
        Assert.Equal(["/customers", "/invoices", "/invoices/import"], api.Requests.Select(request => request.Path));
    }

    [Fact]
    public async Task What_writes_is_not_sent_twice_when_the_connection_breaks()
    {
        using var api = new FakeApi { Answer = _ => throw new HttpRequestException(HttpRequestError.ResponseEnded) };
        using var host = Host(api);

        var result = await host.Services.GetRequiredService<CustomersClient>()
            .CreateAsync(new() { Name = "Acme", Slug = "acme" }, Ct);

        Assert.Equal("The connection to the API broke.", result.Problem?.Title);
        Assert.Single(api.Requests);
    }

    [Fact]
    public async Task What_reads_is_tried_again()
    {
        var answers = new Queue<HttpResponseMessage>([new(HttpStatusCode.InternalServerError), FakeApi.Page()]);
        using var api = new FakeApi { Answer = _ => answers.Dequeue() };
        using var host = Host(api);

        var result = await host.Services.GetRequiredService<CustomersClient>().ListAsync(1, 25, null, Ct);

        Assert.True(result.Succeeded);
        Assert.Equal(2, api.Requests.Count);
    }

    [Fact]
    public async Task An_answer_that_says_when_to_come_back_is_shown_at_once()
    {
        using var api = new FakeApi
        {
            Answer = _ => new(
                HttpStatusCode.ServiceUnavailable) { Headers = { RetryAfter = new(TimeSpan.FromSeconds(10)) } },
        };
        using var host = Host(api);

        var result = await host.Services.GetRequiredService<InvoicesClient>().ListAsync("acme", new(), 25, Ct);

        Assert.Equal(TimeSpan.FromSeconds(10), result.Problem?.RetryAfter);
        Assert.Single(api.Requests);
    }

    [Fact]
    public async Task One_customer_that_is_being_upgraded_does_not_cut_off_the_others()
    {
        using var api = new FakeApi
        {
            Answer = request => request.Headers.GetValues("X-Customer").Single() == "upgrading"
                ? new(HttpStatusCode.ServiceUnavailable) { Headers = { RetryAfter = new(TimeSpan.FromSeconds(10)) } }
                : FakeApi.Page(),
        };
        using var host = Host(api);
        var invoices = host.Services.GetRequiredService<InvoicesClient>();

        for (var i = 0; i < 150; i++)
        {
            await invoices.ListAsync("upgrading", new(), 25, Ct);
        }

        Assert.True((await invoices.ListAsync("acme", new(), 25, Ct)).Succeeded);
    }

    [Fact]
    public async Task Giving_up_is_not_a_problem_but_a_cancellation()
    {
        using var api = new FakeApi { Answer = _ => FakeApi.Page() };
        using var host = Host(api);
        using var gaveUp = new CancellationTokenSource();
        await gaveUp.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() =>
            host.Services.GetRequiredService<CustomersClient>().ListAsync(1, 25, null, gaveUp.Token));
    }

    [Fact]
    public async Task An_upload_takes_as_long_as_it_takes_and_other_requests_do_not()
    {
        using var api = new FakeApi { Answer = _ => FakeApi.Json(HttpStatusCode.OK, new { id = Guid.NewGuid() }) };
        using var host = Host(api, services => services.ConfigureAll<HttpStandardResilienceOptions>(options =>
            (options.AttemptTimeout.Timeout, options.TotalRequestTimeout.Timeout) =
                (TimeSpan.FromMilliseconds(100), TimeSpan.FromMilliseconds(200))));

        var upload = await host.Services.GetRequiredService<CustomersClient>()
            .ImportAsync(new() { Name = "Acme", Slug = "acme" }, new SlowStream(), 1, Ct);
        var other = await host.Services.GetRequiredService<InvoicesClient>().ImportAsync("acme", new SlowStream(), new(), Ct);

        Assert.True(upload.Succeeded, upload.Problem?.Title);
        Assert.Equal("The API took too long to answer.", other.Problem?.Title);
    }

    private static IHost Host(FakeApi api, Action<IServiceCollection>? configure = null)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder();
        builder.Configuration["services:api:http:0"] = "http://localhost:1";
        builder.AddServiceDefaults();
        builder.Services.AddApiClients();
        builder.Services.ConfigureHttpClientDefaults(http => http.ConfigurePrimaryHttpMessageHandler(() => api));
        configure?.Invoke(builder.Services);
        return builder.Build();
    }

    /// <summary>One byte, after half a second.</summary>
    private sealed class SlowStream : MemoryStream
    {
        public SlowStream() : base([1])
        {
        }

        public override async Task CopyToAsync(
            Stream destination, int bufferSize, CancellationToken cancellationToken)
        {
            await Task.Delay(TimeSpan.FromMilliseconds(500), cancellationToken);
            await base.CopyToAsync(destination, bufferSize, cancellationToken);
        }
    }
}
