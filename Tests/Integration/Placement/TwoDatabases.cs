using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Data;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tests.Integration.Citus;
using Tests.Integration.Fleet;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Placement;

/// <summary>
/// The sample over two databases of one server, each with a login that serves customers: migrated by its job, served by
/// its API.
/// </summary>
internal sealed class TwoDatabases : IAsyncDisposable
{
    private readonly Dictionary<string, string?> _settings;
    private WebApplicationFactory<Api.Paging>? _api;

    private readonly ServerProxy _wayToSecond;

    private TwoDatabases(string first, string firstServing, string second, string secondServing)
    {
        _wayToSecond = new(new NpgsqlConnectionStringBuilder(second).Port);
        First = NpgsqlDataSource.Create($"{first};Pooling=false");
        Second = NpgsqlDataSource.Create($"{second};Pooling=false");
        _settings = new()
        {
            [$"ConnectionStrings:{DataRegistration.ConnectionName}"] = first,
            [$"ConnectionStrings:{DataRegistration.ApiConnectionName}"] = firstServing,
            [$"ConnectionStrings:{DataRegistration.ConnectionName}_two"] = ByWay(second),
            [$"ConnectionStrings:{DataRegistration.ApiConnectionName}_two"] = ByWay(secondServing),
            [DataRegistration.DatabasesSetting] = "two",
            [DataRegistration.CitusNodePasswordsSetting] = $"{CitusCluster.IsConfigured}",
        };
    }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>Its owner's, as the test sees the first database.</summary>
    public NpgsqlDataSource First { get; }

    /// <summary>The same of the second one.</summary>
    public NpgsqlDataSource Second { get; }

    public WebApplicationFactory<Api.Paging> Api => _api ??= new ApiFactory().WithWebHostBuilder(host =>
    {
        host.UseEnvironment("Development").ConfigureLogging(logging => logging.ClearProviders());
        foreach (var (name, value) in _settings)
        {
            host.UseSetting(name, value);
        }
    });

    /// <summary>Of an operator.</summary>
    public HttpClient Http => field ??= Client();

    /// <summary>Makes both, and migrates both by one run of the job.</summary>
    /// <param name="app">Has the server.</param>
    /// <param name="settings">Further settings of the API and of the job.</param>
    public static async Task<TwoDatabases> StartAsync(App app, params (string Name, string Value)[] settings)
    {
        var (first, second) = (await app.Server.ConnectionStringAsync(Ct), await app.Server.ConnectionStringAsync(Ct));
        var both = new TwoDatabases(
            $"{first};Maximum Pool Size=8;Timeout=15", app.Server.AsNewLogin(first),
            $"{second};Maximum Pool Size=8;Timeout=15", app.Server.AsNewLogin(second));
        foreach (var (name, value) in settings)
        {
            both._settings[name] = value;
        }

        var (code, output) = await both.JobAsync();
        Assert.True(code == 0, output);
        return both;
    }

    /// <summary>Runs the job, in Production: without the demo customers.</summary>
    public Task<(int ExitCode, string Output)> JobAsync(params string[] arguments) =>
        Job.RunAsync(arguments, "Production", _settings);

    /// <summary>The same as a process, without waiting for its end.</summary>
    public Process StartJob(params string[] arguments) =>
        Process.Start(Job.Command(arguments, "Production", _settings))!;

    /// <summary>Ends the application's way to the second database, as when its server is gone.</summary>
    public ValueTask KillSecondAsync() => _wayToSecond.DisposeAsync();

    /// <param name="slug">The new customer's.</param>
    /// <param name="database">Null for the first one.</param>
    /// <returns>The answer's body.</returns>
    public async Task<JsonObject> CreateAsync(string slug, string? database = null)
    {
        using var answer = await Http.PostAsJsonAsync(
            "/customers", new { slug, name = $"Customer {slug}", database }, Ct);
        var body = await answer.Content.ReadAsStringAsync(Ct);
        Assert.True(answer.StatusCode == HttpStatusCode.Created, body);
        return JsonNode.Parse(body)!.AsObject();
    }

    public async Task WriteAsync(string slug, decimal total)
    {
        using var answer = await Http.PostAsJsonAsync($"/customers/{slug}/invoices", TestCustomer.Invoice(total), Ct);
        Assert.True(answer.StatusCode == HttpStatusCode.Created, await answer.Content.ReadAsStringAsync(Ct));
    }

    public async Task<decimal[]> InvoicesAsync(string slug)
    {
        var page = await Http.GetFromJsonAsync<JsonObject>($"/customers/{slug}/invoices", Ct);
        return [.. page!["items"]!.AsArray().Select(invoice => (decimal)invoice!["total"]!)];
    }

    public async Task<HttpStatusCode> StatusAsync(string slug)
    {
        using var answer = await Http.GetAsync($"/customers/{slug}/invoices", Ct);
        return answer.StatusCode;
    }

    public static async Task<object?> ScalarAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }

    public static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    /// <summary>The schemas of customers that a database has.</summary>
    public static async Task<string[]> SchemasAsync(NpgsqlDataSource database) => (string[])(await ScalarAsync(database,
        "SELECT coalesce(array_agg(nspname::text ORDER BY nspname), '{}') FROM pg_namespace " +
        "WHERE nspname LIKE 'customer\\_%'"))!;

    public async ValueTask DisposeAsync()
    {
        if (_api is not null)
        {
            await _api.DisposeAsync();
        }

        await First.DisposeAsync();
        await Second.DisposeAsync();
        await _wayToSecond.DisposeAsync();
    }

    private string ByWay(string connectionString) => new NpgsqlConnectionStringBuilder(connectionString)
    {
        Host = "127.0.0.1", Port = _wayToSecond.Port,
    }.ConnectionString;

    private HttpClient Client() => Api.CreateClient();
}
