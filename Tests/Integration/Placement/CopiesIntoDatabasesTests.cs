using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Tenancy;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.Databases;
using Xunit;

namespace Tests.Integration.Placement;

/// <summary>Imports and clones that are asked for as operations, and spare schemas, in the second database.</summary>
public sealed class CopiesIntoDatabasesTests(App app) : IAsyncLifetime
{
    private TwoDatabases _two = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _two = await TwoDatabases.StartAsync(app, ("Tenancy:WarmPool", "1"), ("Tenancy:WarmPool_two", "2"));
        await _two.CreateAsync("acme");
        await _two.WriteAsync("acme", 7m);
    }

    public ValueTask DisposeAsync() => _two.DisposeAsync();

    [Fact]
    public async Task An_import_and_a_clone_make_their_customer_in_the_database_that_the_request_names()
    {
        var export = await EndedAsync(await _two.Http.PostAsync("/customers/acme/export", null, Ct));
        var file = await _two.Http.GetByteArrayAsync((string)export["file"]!, Ct);

        await EndedAsync(await ImportAsync("globex", file, "?database=two"));
        await EndedAsync(await ImportAsync("umbrella", file, "?database=first"));
        await CloneAsync("acme", "hooli", "two");
        await CloneAsync("globex", "initech", null);
        await CloneAsync("globex", "stark", "first");

        Assert.Equal(["customer_globex", "customer_hooli", "customer_initech"],
            await TwoDatabases.SchemasAsync(_two.Second));
        Assert.Equal(["customer_acme", "customer_stark", "customer_umbrella"],
            await TwoDatabases.SchemasAsync(_two.First));
        foreach (var slug in new[] { "globex", "umbrella", "hooli", "initech", "stark" })
        {
            Assert.Equal([7m], await _two.InvoicesAsync(slug));
        }

        using var refused = await ImportAsync("wayne", file, "?database=three");
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("There is no database 'three'. Leave it out for the first one, or use first, two.",
            await refused.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        using var unknown = await _two.Http.PostAsJsonAsync(
            "/customers/acme/clone", new { slug = "wayne", database = "three" }, Ct);
        Assert.Equal(HttpStatusCode.BadRequest, unknown.StatusCode);
    }

    [Fact]
    public async Task An_operation_that_died_between_the_databases_finds_its_customer_and_keeps_it()
    {
        var transfer = _two.Api.Services.GetRequiredService<TenantTransfer>();
        var id = Guid.CreateVersion7();
        await transfer.CloneInAsync("two", "acme", "globex", null, id, Ct);
        // As after the registry's commit: the schema is still marked, and nobody is served from it.
        await TwoDatabases.ExecuteAsync(_two.Second,
            "UPDATE tenancy.schemas SET state = 'dropping', drop_after = now() WHERE schema = 'customer_globex'");

        await transfer.CloneInAsync("two", "acme", "globex", null, id, Ct);

        Assert.Equal("ready", await TwoDatabases.ScalarAsync(
            _two.Second, "SELECT state FROM tenancy.schemas WHERE schema = 'customer_globex' AND drop_after IS NULL"));
        Assert.Equal([7m], await _two.InvoicesAsync("globex"));
    }

    [Fact]
    public async Task Each_database_has_spare_schemas_and_a_new_customer_takes_one_of_its_own()
    {
        await Eventually.HoldsAsync(
            async () => (await SparesAsync(_two.First), await SparesAsync(_two.Second)) is (1, 2));
        var spares = await OidsAsync();

        await _two.CreateAsync("globex", "two");

        var oid = await TwoDatabases.ScalarAsync(_two.Second, "SELECT 'customer_globex'::regnamespace::oid");
        Assert.Contains((uint)oid!, spares);
        await _two.WriteAsync("globex", 3m);
        Assert.Equal([3m], await _two.InvoicesAsync("globex"));
        // Made again, by the process that gave it away.
        await Eventually.HoldsAsync(async () => await SparesAsync(_two.Second) == 2);
        var counted = await _two.Api.Services.GetRequiredService<TenantDatabases>().Named("two")
            .GetRequiredService<FleetMonitor>().LookAsync(Ct);
        Assert.Contains(new("tenancy.database", "two"), counted!.SpareSchemas.Tags.ToArray());
    }

    private static async Task<long> SparesAsync(Npgsql.NpgsqlDataSource database) =>
        (long)(await TwoDatabases.ScalarAsync(database, "SELECT count(*) FROM tenancy.schemas WHERE state = 'spare'"))!;

    private async Task<uint[]> OidsAsync() => (uint[])(await TwoDatabases.ScalarAsync(
        _two.Second, "SELECT array_agg(oid) FROM pg_namespace WHERE nspname LIKE 'spare\\_%'"))!;

    private async Task<HttpResponseMessage> ImportAsync(string slug, byte[] file, string query)
    {
        using var body = new ByteArrayContent(file) { Headers = { ContentType = new("application/zip") } };
        return await _two.Http.PostAsync($"/customers/{slug}/import{query}", body, Ct);
    }

    private async Task CloneAsync(string slug, string newSlug, string? database) => await EndedAsync(
        await _two.Http.PostAsJsonAsync($"/customers/{slug}/clone", new { slug = newSlug, database }, Ct));

    private async Task<JsonObject> EndedAsync(HttpResponseMessage asked)
    {
        using var _ = asked;
        Assert.True(asked.StatusCode == HttpStatusCode.Accepted, await asked.Content.ReadAsStringAsync(Ct));
        JsonObject? operation = null;
        await Eventually.HoldsAsync(async () =>
            (string?)(operation = await _two.Http.GetFromJsonAsync<JsonObject>(asked.Headers.Location, Ct))!["state"]
                is not ("queued" or "running"));
        Assert.True((string?)operation!["state"] == "done", operation.ToJsonString());
        return operation;
    }
}
