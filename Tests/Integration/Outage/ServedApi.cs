using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Data;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Tenancy;
using Tests.Integration.Citus;
using Tests.Integration.Customers;
using Tests.Integration.Metrics;
using Xunit;

namespace Tests.Integration.Outage;

/// <summary>The API over a database that one test may do anything to.</summary>
internal sealed class ServedApi : IAsyncDisposable
{
    private readonly WebApplicationFactory<Api.Paging> _api;

    private ServedApi(string owner, string serving)
    {
        (Owner, Serving) = (owner, serving);
        _api = new ApiFactory().WithWebHostBuilder(host => host
            .UseEnvironment("Development")
            .UseSetting("ConnectionStrings:tenants", owner)
            .UseSetting("ConnectionStrings:tenantsApi", serving)
            .ConfigureLogging(logging => logging.ClearProviders().AddProvider(Log)));
        Http = _api.CreateClient();
        Measured = new(_api.Services);
    }

    public string Owner { get; }

    public string Serving { get; }

    public HttpClient Http { get; }

    public Measured Measured { get; }

    public LogLines Log { get; } = new();

    public IServiceProvider Services => _api.Services;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Migrates the shared schema, makes the serving login and starts the API.</summary>
    /// <param name="database">Where the database is.</param>
    /// <param name="login">The serving login's connection string.</param>
    /// <param name="by">Changes how the API connects, e.g. the port.</param>
    public static async Task<ServedApi> StartAsync(
        string database, string login, Action<NpgsqlConnectionStringBuilder>? by = null)
    {
        await CustomersDatabase.MigrateAsync(database);

        await using (var source = NpgsqlDataSource.Create(database))
        {
            var options = new TenancyOptions
            {
                ConnectionString = database, TenantConnectionString = login,
                CitusNodePasswords = CitusCluster.IsConfigured,
            };
            await new TenantLogin(source, options, NullLogger<TenantLogin>.Instance)
                .EnsureAsync(DataRegistration.ApiRole, Ct);
        }

        return new(Changed(database), Changed(login));

        string Changed(string connectionString)
        {
            var settings = new NpgsqlConnectionStringBuilder(connectionString);
            // For a machine that has more to do than this test.
            settings.Timeout = 4;
            by?.Invoke(settings);
            return settings.ConnectionString;
        }
    }

    public async Task<TestCustomer> NewCustomerAsync(string slug)
    {
        using var created = await Http.PostAsJsonAsync("/customers", new { slug, name = slug }, Ct);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
        var client = _api.CreateClient();
        client.DefaultRequestHeaders.Add("X-Customer", slug);
        return new(new(Guid.Empty, slug, SchemaName.Parse($"customer_{slug}")), client);
    }

    /// <summary>What <c>/health</c> says, with its status code.</summary>
    public async Task<(HttpStatusCode Code, JsonNode Json)> HealthAsync(CancellationToken ct)
    {
        using var health = await Http.GetAsync("/health", ct);
        return (health.StatusCode, (await health.Content.ReadFromJsonAsync<JsonNode>(ct))!);
    }

    /// <summary>What it says as soon as its status code is this one.</summary>
    public async Task<(HttpStatusCode Code, JsonNode Json)> HealthAsync(HttpStatusCode expected)
    {
        (HttpStatusCode Code, JsonNode Json) health = default;
        await Eventually.HoldsAsync(async () => (health = await HealthAsync(Ct)).Code == expected);
        return health;
    }

    /// <summary>An answer of 503 in plain words, and its detail.</summary>
    public static async Task<string> UnavailableAsync(Task<HttpResponseMessage> request)
    {
        using var response = await request;
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter?.Delta);
        Assert.Equal("application/problem+json", response.Content.Headers.ContentType?.MediaType);
        return (string)(await response.Content.ReadFromJsonAsync<JsonNode>(Ct))!["detail"]!;
    }

    public async ValueTask DisposeAsync()
    {
        Measured.Dispose();
        Http.Dispose();
        await _api.DisposeAsync();
    }
}
