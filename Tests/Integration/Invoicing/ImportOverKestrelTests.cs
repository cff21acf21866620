using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Tests.Integration.Invoicing;

/// <summary>Limits and broken connections are the real server's: the one that other tests use has neither.</summary>
public sealed class ImportOverKestrelTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_file_that_is_too_large_is_refused_by_its_size(bool chunked)
    {
        var acme = await app.NewCustomerAsync();
        await using var api = Kestrel();
        using var client = Client(api, acme);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/invoices/import")
        {
            Content = new StringContent(CsvFiles.Of([.. Enumerable.Repeat(CsvFiles.Row(description: new('x', 400)), 25_000)]), Encoding.UTF8, "text/csv"),
            Headers = { TransferEncodingChunked = chunked, ExpectContinue = true },
        };

        using var response = await client.SendAsync(request, Ct);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("A file has at most 10 MB: import it in parts. Nothing was written.", (string)(await response.Content.ReadFromJsonAsync<JsonNode>(Ct))!["detail"]!);
        Assert.Empty(await acme.InvoicesAsync());
    }

    [Fact]
    public async Task An_upload_that_breaks_off_leaves_nothing()
    {
        var acme = await app.NewCustomerAsync();
        await using (var api = Kestrel())
        {
            using var client = Client(api, acme);
            using var gaveUp = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            using var content = new HalfAFile(CsvFiles.Of(CsvFiles.Row("1"), CsvFiles.Row("2")) + "\n");
            var import = client.PostAsync("/invoices/import", content, gaveUp.Token);
            await content.Sent;

            await gaveUp.CancelAsync();

            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => import);
            // The server, on its way out, waits for the request to end.
        }

        Assert.Empty(await acme.InvoicesAsync());
        await acme.ImportedAsync(CsvFiles.Of(CsvFiles.Row()));
    }

    private WebApplicationFactory<Api.Paging> Kestrel()
    {
        var api = new WebApplicationFactory<Api.Paging>().WithWebHostBuilder(host => host
            .UseEnvironment("Development").UseSetting("ConnectionStrings:tenants", app.ConnectionString).ConfigureLogging(logging => logging.ClearProviders()));
        api.UseKestrel(0);
        api.StartServer();
        return api;
    }

    private static HttpClient Client(WebApplicationFactory<Api.Paging> api, TestCustomer customer)
    {
        // With redirects allowed, the client would read the whole body before it sends any of it.
        var client = api.CreateClient(new() { AllowAutoRedirect = false, HandleCookies = false });
        client.DefaultRequestHeaders.Add("X-Customer", customer.Tenant.Slug);
        return client;
    }

    /// <summary>Sends half a file and then nothing, until it is given up.</summary>
    private sealed class HalfAFile : HttpContent
    {
        private readonly TaskCompletionSource _sent = new();
        private readonly byte[] _half;

        public HalfAFile(string half)
        {
            _half = Encoding.UTF8.GetBytes(half);
            Headers.ContentType = new("text/csv");
        }

        public Task Sent => _sent.Task;

        protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) => SerializeToStreamAsync(stream, context, CancellationToken.None);

        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context, CancellationToken cancellationToken)
        {
            await stream.WriteAsync(_half, cancellationToken);
            await stream.FlushAsync(cancellationToken);
            _sent.SetResult();
            await Task.Delay(Timeout.Infinite, cancellationToken);
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
