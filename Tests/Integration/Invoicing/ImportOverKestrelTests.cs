using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
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
            Content = new StringContent(
                CsvFiles.Of([.. Enumerable.Repeat(CsvFiles.Row(description: new('x', 400)), 25_000)]), Encoding.UTF8,
                "text/csv"),
            Headers = { TransferEncodingChunked = chunked, ExpectContinue = true },
        };

        using var response = await client.SendAsync(request, Ct);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("A file has at most 10 MB: import it in parts. Nothing was written.",
            (string)(await response.Content.ReadFromJsonAsync<JsonNode>(Ct))!["detail"]!);
        Assert.Empty(await acme.InvoicesAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_key_lifts_no_limit(bool chunked)
    {
        var acme = await app.NewCustomerAsync();
        await using var api = Kestrel();
        using var client = Client(api, acme);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/invoices/import")
        {
            Content = new StringContent(
                CsvFiles.Of([.. Enumerable.Repeat(CsvFiles.Row(description: new('x', 400)), 25_000)]), Encoding.UTF8,
                "text/csv"),
            Headers = { TransferEncodingChunked = chunked, ExpectContinue = true },
        };
        request.Headers.Add("Idempotency-Key", "one");

        using var response = await client.SendAsync(request, Ct);

        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, response.StatusCode);
        Assert.Equal("urn:problem:too-large",
            (string)(await response.Content.ReadFromJsonAsync<JsonNode>(Ct))!["type"]!);
        await using var db = app.Invoicing.Create(acme.Tenant);
        Assert.Empty(db.IdempotencyKeys);
    }

    [Fact]
    public async Task A_key_that_is_empty_is_refused()
    {
        var acme = await app.NewCustomerAsync();
        await using var api = Kestrel();
        using var client = Client(api, acme);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/contacts");
        request.Content = JsonContent.Create(new { name = "Ada" });
        request.Headers.TryAddWithoutValidation("Idempotency-Key", "");

        using var response = await client.SendAsync(request, Ct);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    [Fact]
    public async Task An_upload_that_breaks_off_leaves_nothing()
    {
        var acme = await app.NewCustomerAsync();
        await using (var api = Kestrel())
        {
            using var connection = new TcpClient();
            var address = api.ClientOptions.BaseAddress;
            await connection.ConnectAsync(address.Host, address.Port, Ct);
            await using var stream = connection.GetStream();
            await stream.WriteAsync(Encoding.ASCII.GetBytes(
                $"POST /invoices/import HTTP/1.1\r\nHost: {address.Authority}\r\n" +
                $"Authorization: Bearer {ApiFactory.OperatorKey}\r\nX-Customer: {acme.Tenant.Slug}\r\nContent-Type: text/csv\r\nContent-Length: 5000\r\nExpect: 100-continue\r\n\r\n"), Ct);
            // The server says so when the handler asks for the body.
            using var answer = new StreamReader(stream, leaveOpen: true);
            Assert.Equal("HTTP/1.1 100 Continue", await answer.ReadLineAsync(Ct));

            await stream.WriteAsync(
                Encoding.UTF8.GetBytes(CsvFiles.Of(CsvFiles.Row("1"), CsvFiles.Row("2")) + "\n"), Ct);
            // Here the connection ends; the server, on its way out, waits for the request to.
        }

        Assert.Empty(await acme.InvoicesAsync());
        await acme.ImportedAsync(CsvFiles.Of(CsvFiles.Row()));
    }

    private WebApplicationFactory<Api.Paging> Kestrel()
    {
        var api = new ApiFactory().WithWebHostBuilder(host => host
            .UseEnvironment("Development").UseSetting("ConnectionStrings:tenants", app.ConnectionString)
                .ConfigureLogging(logging => logging.ClearProviders()));
        api.UseKestrel(0);
        api.StartServer();
        return api;
    }

    private static HttpClient Client(WebApplicationFactory<Api.Paging> api, TestCustomer customer)
    {
        // A server that is slow to say "continue" refuses the body that comes unasked, and ends the connection.
        var client = new HttpClient(new SocketsHttpHandler { Expect100ContinueTimeout = TimeSpan.FromMinutes(1) })
        {
            BaseAddress = api.ClientOptions.BaseAddress,
        };
        client.DefaultRequestHeaders.Authorization = new("Bearer", ApiFactory.OperatorKey);
        client.DefaultRequestHeaders.Add("X-Customer", customer.Tenant.Slug);
        return client;
    }
}
