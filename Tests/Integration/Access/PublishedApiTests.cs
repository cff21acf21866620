using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Data;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Tenancy;
using Tests.Integration.Contract;
using Tests.Integration.Customers;
using Xunit;

namespace Tests.Integration.Access;

/// <summary>
/// The published API has no owner's login. What it can't do it refuses in words: no operation of its document fails.
/// </summary>
public sealed class PublishedApiTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task No_operation_fails_without_the_owners_login()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await CustomersDatabase.MigrateAsync(database);
        var export = await MakeAsync(database);
        var (serving, registry) = (
            await app.Server.AddTenantsLoginAsync(database, Ct), await RegistryAsync(database));
        await using var api = new ApiFactory().WithWebHostBuilder(host => host.UseEnvironment("Production")
            .UseSetting("ConnectionStrings:tenantsApi", serving)
            .UseSetting("ConnectionStrings:tenantsRegistry", registry)
            .ConfigureLogging(logging => logging.ClearProviders()));
        using var http = api.CreateClient();
        var document = await DocumentTests.DocumentAsync(app);

        foreach (var (name, operation) in DocumentTests.Operations(document))
        {
            using var request = Request(name, operation, document, export);
            using var answer = await http.SendAsync(request, Ct);
            Assert.True((int)answer.StatusCode < 500,
                $"{name}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync(Ct)}");
            if (name.StartsWith("POST /fleet", StringComparison.Ordinal) && !name.Contains("{task}")
                || name.StartsWith("POST /operations", StringComparison.Ordinal) || name is "POST /customers")
            {
                Assert.Equal((name, HttpStatusCode.Forbidden), (name, answer.StatusCode));
            }
        }

        var listed = await http.GetFromJsonAsync<JsonObject>("/operations", Ct);
        Assert.Equal(export.ToString(), (string?)Assert.Single(listed!["items"]!.AsArray())!["id"]);
    }

    /// <summary>A customer, and an operation that waits, both the owner's work.</summary>
    private static async Task<Guid> MakeAsync(string database)
    {
        await using var owner = new ServiceCollection().AddLogging().AddData(App.Configuration(database))
            .BuildServiceProvider();
        await CustomersDatabase.CreateAsync(owner, "umbrella", ct: Ct);
        return (await owner.GetRequiredService<TenantOperations>()
            .AskAsync(OperationKinds.Export, "umbrella", "a test", ct: Ct)).Id;
    }

    private async Task<string> RegistryAsync(string database)
    {
        var registry = app.Server.AsNewLogin(database);
        await using var owner = NpgsqlDataSource.Create($"{database};Pooling=false");
        await new TenantLogin(owner, new() { ConnectionString = database, TenantConnectionString = registry },
            NullLogger<TenantLogin>.Instance).EnsureAsync(DataRegistration.RegistryRole, registry, Ct);
        return registry;
    }

    private static HttpRequestMessage Request(string name, JsonObject operation, JsonObject document, Guid id)
    {
        var path = name.Split(' ')[1].Replace("{slug}", "umbrella", StringComparison.Ordinal)
            .Replace("{customer}", "umbrella", StringComparison.Ordinal)
            .Replace("{id}", $"{id}", StringComparison.Ordinal).Replace("{task}", "none", StringComparison.Ordinal);
        var request = new HttpRequestMessage(
            new(name.Split(' ')[0]), path + (name.StartsWith("DELETE /customers/{slug}", StringComparison.Ordinal)
                ? "?confirm=umbrella"
                : ""));
        request.Headers.Add("X-Customer", "umbrella");
        var content = operation["requestBody"]?["content"]?.AsObject();
        if (content?["application/json"]?["schema"]?["$ref"] is { } reference)
        {
            request.Content = JsonContent.Create(
                document["components"]!["schemas"]![((string)reference!).Split('/')[^1]]!["examples"]![0]);
        }
        else if (content is not null)
        {
            request.Content = new ByteArrayContent([1]);
            request.Content.Headers.ContentType = new(content.First().Key);
        }

        return request;
    }
}
