using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Xunit;

namespace Tests.EndToEnd;

/// <summary>The whole system, started by its AppHost as `dotnet run` does, with data that is thrown away afterwards.</summary>
public sealed class RunningApp : IAsyncDisposable
{
    // A cold machine restores nothing here, but starts four processes on what may be two busy cores.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(3);

    private readonly DistributedApplication _app;

    private RunningApp(DistributedApplication app) => _app = app;

    private static CancellationToken Limit => CancellationTokenSource.CreateLinkedTokenSource(
        TestContext.Current.CancellationToken, new CancellationTokenSource(Patience).Token).Token;

    /// <param name="data">Where the data is: see <see cref="ThrowawayData"/>.</param>
    public static async Task<RunningApp> StartAsync(ThrowawayData data)
    {
        var builder = await DistributedApplicationTestingBuilder.CreateAsync<Projects.AppHost>(data.Arguments, Limit);
        var running = new RunningApp(await builder.BuildAsync(Limit));
        try
        {
            await running._app.StartAsync(Limit);
            return running;
        }
        catch
        {
            await running.DisposeAsync();
            throw;
        }
    }

    public HttpClient Client(string resource) => _app.CreateHttpClient(resource);

    public async Task<string> ConnectionStringAsync() => (await _app.GetConnectionStringAsync("tenants", Limit))!;

    public Task HealthyAsync(string resource) => _app.ResourceNotifications.WaitForResourceHealthyAsync(resource, Limit);

    public async Task<int?> ExitCodeAsync(string resource) => (await _app.ResourceNotifications.WaitForResourceAsync(
        resource, seen => KnownResourceStates.TerminalStates.Contains(seen.Snapshot.State?.Text), Limit)).Snapshot.ExitCode;

    public async Task<string> CreateCustomerAsync(string slug)
    {
        using var api = Client("api");
        using var created = await api.PostAsJsonAsync("/customers", new { slug, name = $"Customer {slug}" }, Limit);
        Assert.Equal(System.Net.HttpStatusCode.Created, created.StatusCode);
        return slug;
    }

    public async Task CreateInvoiceAsync(string slug, decimal total)
    {
        using var api = Client("api");
        api.DefaultRequestHeaders.Add("X-Customer", slug);
        using var created = await api.PostAsJsonAsync("/invoices", Integration.TestCustomer.Invoice(total), Limit);
        Assert.Equal(System.Net.HttpStatusCode.Created, created.StatusCode);
    }

    public async Task<decimal[]> InvoicesAsync(string slug)
    {
        using var api = Client("api");
        api.DefaultRequestHeaders.Add("X-Customer", slug);
        var page = await api.GetFromJsonAsync<JsonNode>("/invoices", Limit);
        return [.. page!["items"]!.AsArray().Select(invoice => (decimal)invoice!["total"]!)];
    }

    public ValueTask DisposeAsync() => _app.DisposeAsync();
}
