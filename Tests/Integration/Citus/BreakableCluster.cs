using System.Net.Http.Json;
using Api.Tenants;
using Data.Customers;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tenancy;
using Tests.Integration.Customers;
using Xunit;

namespace Tests.Integration.Citus;

/// <summary>The API over a database whose last node can be lost.</summary>
internal sealed class BreakableCluster : IAsyncDisposable
{
    private const int MostCustomers = 12;

    private readonly BreakableDatabase _database;
    private readonly WebApplicationFactory<Api.Paging> _api;
    private readonly List<(string Slug, bool Lost)> _customers = [];

    private BreakableCluster(BreakableDatabase database, string serving)
    {
        _database = database;
        _api = new ApiFactory().WithWebHostBuilder(host => host
            .UseEnvironment("Development")
            .UseSetting("ConnectionStrings:tenants", database.ConnectionString)
            .UseSetting("ConnectionStrings:tenantsApi", serving)
            .ConfigureLogging(logging => logging.ClearProviders()));
        Client = _api.CreateClient();
    }

    public HttpClient Client { get; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<BreakableCluster> StartAsync(App app)
    {
        var database = await BreakableDatabase.CreateAsync(app);
        await CustomersDatabase.MigrateAsync(database.ConnectionString);
        return new(database, await app.Server.AddTenantsLoginAsync(database.ConnectionString, Ct));
    }

    /// <summary>
    /// A customer on the node that can be lost, or on another one. Citus chooses, so more may be made.
    /// </summary>
    public async Task<Tenant> NewCustomerAsync(bool lost)
    {
        for (var made = 0; made < MostCustomers; made++)
        {
            await using var scope = _api.Services.CreateAsyncScope();
            var customer = await scope.ServiceProvider.GetRequiredService<CustomerRegistry>()
                .CreateAsync(App.NewSlug(), "A test's customer", ct: Ct);
            var there = await _database.IsOnItAsync(customer.AsTenant().Schema);
            _customers.Add((customer.Slug, there));
            if (there == lost)
            {
                return customer.AsTenant();
            }
        }

        throw new InvalidOperationException($"Citus put {MostCustomers} customers on one node.");
    }

    /// <summary>The slugs of those on the node, or of the others, in order.</summary>
    public IReadOnlyList<string> Customers(bool lost) => [.. _customers.Where(customer => customer.Lost == lost)
        .Select(customer => customer.Slug).Order(StringComparer.Ordinal)];

    public void Lose() => _database.Lose();

    public Task<HttpResponseMessage> GetAsync(Tenant tenant) => SendAsync(tenant, HttpMethod.Get, null);

    public Task<HttpResponseMessage> PostAsync(Tenant tenant) =>
        SendAsync(tenant, HttpMethod.Post, JsonContent.Create(TestCustomer.Invoice(10)));

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        await _database.DisposeAsync();
    }

    private async Task<HttpResponseMessage> SendAsync(Tenant tenant, HttpMethod method, HttpContent? body)
    {
        using var request = new HttpRequestMessage(method, "/invoices") { Content = body };
        request.Headers.Add(CustomerHeader.Header, tenant.Slug);
        return await Client.SendAsync(request, Ct);
    }
}
