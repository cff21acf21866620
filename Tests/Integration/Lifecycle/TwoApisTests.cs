using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Npgsql;
using Tests.Integration.Customers;
using Xunit;

namespace Tests.Integration.Lifecycle;

/// <summary>Two replicas of the API, as processes: what one does the other knows, and goes on with.</summary>
public sealed class TwoApisTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_import_whose_replica_is_killed_is_finished_by_the_other_one()
    {
        Assert.SkipUnless(TestDepth.IsFull, "It starts two APIs: at full depth only.");
        var (database, serving) = await DatabaseAsync();
        await using var first = await ApiProcess.StartAsync(database, serving);
        await CreateAsync(first, "acme");
        using var written = await first.Http.PostAsJsonAsync(
            "/customers/acme/invoices", TestCustomer.Invoice(120m), Ct);
        Assert.Equal(HttpStatusCode.Created, written.StatusCode);
        var export = await EndedAsync(first, await AcceptedAsync(
            await first.Http.PostAsync("/customers/acme/export", null, Ct)));
        var file = await first.Http.GetByteArrayAsync((string?)export["file"], Ct);

        // The import waits for this lock, in the middle of its transaction.
        await using var admin = NpgsqlDataSource.Create($"{database};Pooling=false");
        await using var connection = await admin.OpenConnectionAsync(Ct);
        var transaction = await connection.BeginTransactionAsync(Ct);
        await using (var hold = new NpgsqlCommand(
            "LOCK TABLE public.customers IN SHARE MODE", connection, transaction))
        {
            await hold.ExecuteNonQueryAsync(Ct);
        }

        using var body = new ByteArrayContent(file);
        body.Headers.ContentType = new MediaTypeHeaderValue("application/zip");
        var asked = await AcceptedAsync(
            await first.Http.PostAsync("/customers/copy/import?name=A%20copy", body, Ct));
        await Eventually.HoldsAsync(async () => await ScalarAsync(admin,
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'public.customers'::regclass") is 1L);
        await first.KillAsync();
        await transaction.DisposeAsync();

        await using var second = await ApiProcess.StartAsync(database, serving);
        var ended = await EndedAsync(second, asked);

        Assert.Equal(("done", null), ((string?)ended["state"], (string?)ended["error"]));
        Assert.Equal(2, await ScalarAsync(admin, $"SELECT attempts FROM tenancy.operations WHERE id = '{ended["id"]}'"));
        var page = await second.Http.GetFromJsonAsync<JsonObject>("/customers/copy/invoices", Ct);
        Assert.Equal(120m, (decimal)Assert.Single(page!["items"]!.AsArray())!["total"]!);
    }

    [Fact]
    public async Task A_customer_that_one_replica_suspends_renames_or_deletes_is_no_longer_served_by_the_other()
    {
        Assert.SkipUnless(TestDepth.IsFull, "It starts two APIs: at full depth only.");
        var (database, serving) = await DatabaseAsync();
        await using var first = await ApiProcess.StartAsync(database, serving);
        await using var second = await ApiProcess.StartAsync(database, serving);
        await CreateAsync(first, "acme");

        // Entries stay for minutes: what comes sooner comes by the notice.
        await AnswersAsync(second, "acme", HttpStatusCode.OK);
        Assert.Equal(HttpStatusCode.NoContent, await PostAsync(first, "/customers/acme/suspend"));
        await AnswersAsync(second, "acme", HttpStatusCode.Forbidden);
        Assert.Equal(HttpStatusCode.NoContent, await PostAsync(second, "/customers/acme/resume"));
        await AnswersAsync(first, "acme", HttpStatusCode.OK);
        using var renamed = await first.Http.PatchAsJsonAsync("/customers/acme", new { slug = "acme-2" }, Ct);
        Assert.Equal(HttpStatusCode.NoContent, renamed.StatusCode);
        await AnswersAsync(second, "acme", HttpStatusCode.NotFound);
        await AnswersAsync(second, "acme-2", HttpStatusCode.OK);

        // The slug's next customer never gets the last one's entry.
        await CreateAsync(first, "acme");
        await AnswersAsync(second, "acme", HttpStatusCode.OK);
        using var deleted = await first.Http.DeleteAsync("/customers/acme-2?confirm=acme-2&graceDays=0", Ct);
        Assert.Equal(HttpStatusCode.Accepted, deleted.StatusCode);
        Assert.Equal("done", (string?)(await EndedAsync(second, deleted.Headers.Location!))["state"]);
        await AnswersAsync(second, "acme-2", HttpStatusCode.NotFound);
    }

    [Fact]
    public async Task Behind_a_proxy_that_ends_TLS_the_API_speaks_HTTP_2_if_it_is_set_to()
    {
        var (database, serving) = await DatabaseAsync();
        await using var api = await ApiProcess.StartAsync(
            database, serving, ("Kestrel__Endpoints__H2c__Url", "http://127.0.0.1:0"),
            ("Kestrel__Endpoints__H2c__Protocols", "Http2"));
        using var request = new HttpRequestMessage(HttpMethod.Get, "/currencies")
        {
            Version = HttpVersion.Version20, VersionPolicy = HttpVersionPolicy.RequestVersionExact,
        };

        using var answer = await api.Http.SendAsync(request, Ct);

        Assert.Equal((HttpStatusCode.OK, HttpVersion.Version20), (answer.StatusCode, answer.Version));
    }

    private static async Task AnswersAsync(ApiProcess api, string slug, HttpStatusCode expected) =>
        await Eventually.HoldsAsync(async () =>
        {
            using var answer = await api.Http.GetAsync($"/customers/{slug}/invoices", Ct);
            return answer.StatusCode == expected;
        });

    private async Task<(string Owner, string Serving)> DatabaseAsync()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await CustomersDatabase.MigrateAsync(database);
        return (database, await app.Server.AddTenantsLoginAsync(database, Ct));
    }

    private static async Task CreateAsync(ApiProcess api, string slug)
    {
        using var created = await api.Http.PostAsJsonAsync("/customers", new { slug, name = slug }, Ct);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);
    }

    private static async Task<HttpStatusCode> PostAsync(ApiProcess api, string path)
    {
        using var answer = await api.Http.PostAsync(path, null, Ct);
        return answer.StatusCode;
    }

    private static async Task<Uri> AcceptedAsync(HttpResponseMessage answer)
    {
        using (answer)
        {
            Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
            return answer.Headers.Location!;
        }
    }

    private static async Task<JsonObject> EndedAsync(ApiProcess api, Uri operation)
    {
        JsonObject? seen = null;
        await Eventually.HoldsAsync(async () =>
            (seen = await api.Http.GetFromJsonAsync<JsonObject>(operation, Ct))!["endedAt"] is not null);
        return seen!;
    }

    private static async Task<object?> ScalarAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }
}
