using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Api.Tenants;
using Data.Customers;
using Data.Invoicing;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy;
using Tests.Integration;
using Tests.Integration.Citus;
using Tests.Integration.Customers;
using Tests.Integration.Server;
using Xunit;

[assembly: AssemblyFixture(typeof(App))]

namespace Tests.Integration;

/// <summary>
/// The API over one migrated database, shared by all tests: each makes customers of its own and looks at nobody else's.
/// </summary>
public sealed class App : IAsyncLifetime
{
    private static int _customers;

    private readonly Dictionary<Type, IAsyncDisposable> _kept = [];
    private WebApplicationFactory<Api.Paging>? _api;

    /// <summary>For tests that need a database of their own.</summary>
    public TestServer Server { get; } = new();

    public IServiceProvider Services => _api!.Services;

    /// <summary>The owner's.</summary>
    public string ConnectionString { get; private set; } = "";

    /// <summary>That of the login which serves customers: it may not create, alter or drop anything.</summary>
    public string ServingConnectionString { get; private set; } = "";

    public TenantContextFactory<InvoicingContext> Invoicing =>
        Services.GetRequiredService<TenantContextFactory<InvoicingContext>>();

    public async ValueTask InitializeAsync()
    {
        // A small pool, so that tests which run at once pass the same connections from hand to hand.
        // They may wait for one longer than a request would.
        ConnectionString = await Server.ConnectionStringAsync(
            TestContext.Current.CancellationToken) + ";Maximum Pool Size=8;Timeout=15";
        await CustomersDatabase.MigrateAsync(ConnectionString);

        ServingConnectionString = await Server.AddTenantsLoginAsync(
            ConnectionString, TestContext.Current.CancellationToken);

        _api = new ApiFactory().WithWebHostBuilder(host => host
            .UseEnvironment("Development")
            .UseSetting("ConnectionStrings:tenants", ConnectionString)
            .UseSetting("ConnectionStrings:tenantsApi", ServingConnectionString)
            .UseSetting("Tenancy:CitusNodePasswords", $"{CitusCluster.IsConfigured}")
            // What tests provoke, they assert: the log would only bury it.
            .ConfigureLogging(logging => logging.ClearProviders()));
        _ = _api.Server;
    }

    /// <summary>Something that classes share, made by the first that asks and disposed of at the end.</summary>
    public T Keep<T>(Func<T> make) where T : IAsyncDisposable
    {
        lock (_kept)
        {
            return (T)(_kept.TryGetValue(typeof(T), out var kept) ? kept : _kept[typeof(T)] = make());
        }
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var kept in _kept.Values)
        {
            await kept.DisposeAsync();
        }

        if (_api is not null)
        {
            await _api.DisposeAsync();
        }

        await Server.DisposeAsync();
    }

    /// <summary>A customer's context with the owner's rights, as a migration has it.</summary>
    public InvoicingContext AsOwner(Tenant tenant)
    {
        var options = new DbContextOptionsBuilder<InvoicingContext>();
        options.UseNpgsql(Services.GetRequiredService<NpgsqlDataSource>())
            .UseTenancy(Services.GetRequiredService<TenancyOptions>());
        return new InvoicingContext(options.Options).For(tenant);
    }

    public HttpClient Client() => _api!.CreateClient();

    /// <summary>
    /// What an application is configured with: the owner's connection string and, if there is one, the serving login's.
    /// </summary>
    public static IConfiguration Configuration(string owner, string? serving = null) => new ConfigurationBuilder()
        .AddInMemoryCollection([new("ConnectionStrings:tenants", owner), new("ConnectionStrings:tenantsApi", serving)])
        .Build();

    /// <summary>A slug nobody has.</summary>
    public static string NewSlug() => $"c{Interlocked.Increment(ref _customers)}-{Guid.NewGuid().ToString("n")[..8]}";

    public async Task<TestCustomer> NewCustomerAsync()
    {
        await using var scope = Services.CreateAsyncScope();
        var customer = await scope.ServiceProvider.GetRequiredService<CustomerRegistry>()
            .CreateAsync(NewSlug(), "A test's customer", ct: TestContext.Current.CancellationToken);
        var client = Client();
        client.DefaultRequestHeaders.Add(CustomerHeader.Header, customer.Slug);
        return new(customer.AsTenant(), client);
    }
}

/// <summary>A customer of one test, seen through the API as its users would.</summary>
public sealed record TestCustomer(Tenant Tenant, HttpClient Http)
{
    public static object Invoice(decimal total, string contact = "Ada Moreau") => new
    {
        contact = new { name = contact },
        currency = "EUR",
        issuedOn = "2026-11-23",
        dueOn = "2026-12-23",
        lines = new[] { new { description = "Work", quantity = 1m, unitPrice = total } },
    };

    public async Task<JsonNode> CreateInvoiceAsync(decimal total, string contact = "Ada Moreau")
    {
        using var response = await Http.PostAsJsonAsync(
            "/invoices", Invoice(total, contact), TestContext.Current.CancellationToken);
        Assert.Equal(System.Net.HttpStatusCode.Created, response.StatusCode);
        return (await response.Content.ReadFromJsonAsync<JsonNode>(TestContext.Current.CancellationToken))!;
    }

    public async Task<JsonArray> InvoicesAsync() =>
        (await Http.GetFromJsonAsync<JsonNode>(
            "/invoices?pageSize=200", TestContext.Current.CancellationToken))!["items"]!.AsArray();
}
