using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Api.Operations;
using Tenancy;
using Xunit;

namespace Tests.Integration.Lifecycle;

/// <summary>Operations of the sample's API: an address at once, progress, and the result.</summary>
public sealed class OperationsEndpointsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_customer_goes_into_a_file_and_comes_out_of_it()
    {
        var acme = await app.NewCustomerAsync();
        await acme.CreateInvoiceAsync(120m);
        var (slug, copy, sandbox) = (acme.Tenant.Slug, App.NewSlug(), App.NewSlug());
        using var http = app.Client();

        var export = await EndedAsync(http, await http.PostAsync($"/customers/{slug}/export", null, Ct));
        Assert.Equal(("done", "export", slug),
            ((string?)export["state"], (string?)export["kind"], (string?)export["customer"]));
        using var file = await http.GetAsync((string?)export["file"], Ct);
        Assert.Equal("application/zip", file.Content.Headers.ContentType!.MediaType);
        Assert.StartsWith($"{slug}-", file.Content.Headers.ContentDisposition!.FileName, StringComparison.Ordinal);
        Assert.True(file.Headers.CacheControl!.NoStore);
        var bytes = await file.Content.ReadAsByteArrayAsync(Ct);
        using (var archive = new ZipArchive(new MemoryStream(bytes)))
        {
            Assert.NotNull(archive.GetEntry("manifest.json"));
        }

        using var body = Zip(bytes);
        var import = await EndedAsync(http, await http.PostAsync($"/customers/{copy}/import?name=A%20copy", body, Ct));
        Assert.Equal(("done", null), ((string?)import["state"], (string?)import["error"]));
        var clone = await EndedAsync(
            http, await http.PostAsJsonAsync($"/customers/{slug}/clone", new { slug = sandbox }, Ct));
        Assert.Equal("done", (string?)clone["state"]);
        foreach (var made in new[] { copy, sandbox })
        {
            var page = await http.GetFromJsonAsync<JsonObject>($"/customers/{made}/invoices", Ct);
            Assert.Equal(120m, (decimal)Assert.Single(page!["items"]!.AsArray())!["total"]!);
        }

        var listed = await http.GetFromJsonAsync<JsonObject>($"/operations?customer={slug}&pageSize=1", Ct);
        Assert.Equal((string?)clone["id"], (string?)Assert.Single(listed!["items"]!.AsArray())!["id"]);
        var next = await http.GetFromJsonAsync<JsonObject>(
            $"/operations?customer={slug}&pageSize=1&before={(string?)listed["next"]}", Ct);
        Assert.Equal((string?)export["id"], (string?)Assert.Single(next!["items"]!.AsArray())!["id"]);
        Assert.Null(next["next"]);
        Assert.Empty((await http.GetFromJsonAsync<JsonObject>(
            $"/operations?customer={slug}&state=failed", Ct))!["items"]!.AsArray());
        using var late = await http.PostAsync($"/operations/{(string?)clone["id"]}/cancel", null, Ct);
        Assert.Equal(HttpStatusCode.Conflict, late.StatusCode);
        using var none = await http.GetAsync($"/operations/{(string?)clone["id"]}/file", Ct);
        Assert.Equal(HttpStatusCode.NotFound, none.StatusCode);
    }

    [Fact]
    public void A_file_is_offered_for_a_day()
    {
        var ended = new DateTimeOffset(2026, 11, 30, 12, 0, 0, TimeSpan.Zero);
        var export = new Operation(Guid.NewGuid(), OperationKinds.Export, "acme", "ada", OperationState.Done, 1, 1,
            null, null, null, 1, ended, ended, ended);

        Assert.EndsWith("/file", OperationView.Of(export, ended.AddHours(23)).File, StringComparison.Ordinal);
        Assert.Null(OperationView.Of(export, ended.AddHours(25)).File);
        Assert.Null(OperationView.Of(export with { State = OperationState.Running, EndedAt = null }, ended).File);
    }

    [Fact]
    public async Task What_cant_be_begun_is_refused_at_once()
    {
        var acme = await app.NewCustomerAsync();
        var (slug, free) = (acme.Tenant.Slug, App.NewSlug());
        using var http = app.Client();

        foreach (var (path, content, status) in new (string, HttpContent?, HttpStatusCode)[]
        {
            ("/customers/nobody/export", null, HttpStatusCode.NotFound),
            ("/customers/NOBODY/export", null, HttpStatusCode.NotFound),
            ("/customers/nobody/clone", JsonContent.Create(new { slug = free }), HttpStatusCode.NotFound),
            ($"/customers/{slug}/clone", JsonContent.Create(new { slug }), HttpStatusCode.Conflict),
            ($"/customers/{slug}/clone", JsonContent.Create(new { slug = "No Slug" }), HttpStatusCode.BadRequest),
            ($"/customers/{slug}/clone", JsonContent.Create(new { slug = free, name = " " }),
                HttpStatusCode.BadRequest),
            ($"/customers/{slug}/import", Zip([1]), HttpStatusCode.Conflict),
            ("/customers/No-Slug/import", Zip([1]), HttpStatusCode.BadRequest),
            ($"/customers/{free}/import?name=%20", Zip([1]), HttpStatusCode.BadRequest),
            ($"/customers/{free}/import?name=a%0Ab", Zip([1]), HttpStatusCode.BadRequest),
            ($"/customers/{free}/import", JsonContent.Create(new { }), HttpStatusCode.UnsupportedMediaType),
            ($"/operations/{Guid.NewGuid()}/cancel", null, HttpStatusCode.NotFound),
            ("/operations/x/cancel", null, HttpStatusCode.NotFound),
            ("/fleet/migrate", JsonContent.Create(new { ring = -1 }), HttpStatusCode.BadRequest),
            ("/fleet/migrate", JsonContent.Create(new { rings = 1 }), HttpStatusCode.BadRequest),
            ("/fleet/migrate", Only(), HttpStatusCode.BadRequest),
            ("/fleet/verify", Only((string?)null), HttpStatusCode.BadRequest),
            ("/fleet/retry", Only("No Slug"), HttpStatusCode.BadRequest),
            ("/fleet/down", JsonContent.Create(new { }), HttpStatusCode.BadRequest),
            ("/fleet/down", JsonContent.Create(new { to = "0", migrations = Array.Empty<string>() }),
                HttpStatusCode.BadRequest),
            ("/fleet/down", JsonContent.Create(new { to = "20261123005123_Initial" }), HttpStatusCode.BadRequest),
            ("/fleet/down", JsonContent.Create(new { to = "20261123005123_Initial", migrations = new[] { "x" } }),
                HttpStatusCode.Conflict),
            ("/fleet/down", JsonContent.Create(new { to = "UniqueContacts", migrations = new[] { "x" } }),
                HttpStatusCode.BadRequest),
            ("/fleet/halt", JsonContent.Create(new { reason = " " }), HttpStatusCode.BadRequest),
        })
        {
            using var answer = await http.PostAsync(path, content, Ct);
            Assert.Equal((path, status), (path, answer.StatusCode));
            Assert.Equal("application/problem+json", answer.Content.Headers.ContentType!.MediaType);
        }

        foreach (var path in new[] { $"/operations/{Guid.NewGuid()}", $"/operations/{Guid.NewGuid()}/file" })
        {
            using var unknown = await http.GetAsync(path, Ct);
            Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
        }

        foreach (var query in new[]
        {
            "state=Done", "kind=Ex", "before=x", "pageSize=0", "customer=" + new string('x', 99),
        })
        {
            using var refused = await http.GetAsync($"/operations?{query}", Ct);
            Assert.Equal((query, HttpStatusCode.BadRequest), (query, refused.StatusCode));
        }

        using var garbage = Zip("no archive"u8.ToArray());
        var failed = await EndedAsync(http, await http.PostAsync($"/customers/{free}/import", garbage, Ct));
        Assert.Equal("failed", (string?)failed["state"]);
        Assert.NotNull((string?)failed["error"]);
        using var gone = await http.GetAsync($"/customers/{free}", Ct);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task The_fleet_is_shown_and_its_runs_are_operations()
    {
        var acme = await app.NewCustomerAsync();
        using var http = app.Client();

        var fleet = (await http.GetFromJsonAsync<JsonObject>("/fleet", Ct))!;
        Assert.Contains(fleet["groups"]!.AsArray(), group => (string?)group!["last"] == (string?)fleet["target"]);
        var customers = new { customers = new[] { acme.Tenant.Slug } };
        var migrated = await EndedAsync(http, await http.PostAsJsonAsync("/fleet/migrate", customers, Ct));
        Assert.Equal(("done", 0), ((string?)migrated["state"], (int)migrated["result"]!["migrated"]!));
        var verified = await EndedAsync(http, await http.PostAsJsonAsync("/fleet/verify", customers, Ct));
        Assert.Equal((true, 1),
            ((bool)verified["result"]!["isClean"]!, (int)verified["result"]!["checked"]!));
        using var halted = await http.PostAsJsonAsync("/fleet/halt", new { reason = "a test" }, Ct);
        Assert.Equal(HttpStatusCode.OK, halted.StatusCode);
    }

    [Fact]
    public async Task A_migration_is_taken_back_from_one_customer_and_applied_again()
    {
        var (acme, globex) = (await app.NewCustomerAsync(), await app.NewCustomerAsync());
        using var http = app.Client();
        var migrations = (await http.GetFromJsonAsync<JsonArray>("/fleet/migrations", Ct))!
            .Select(one => (string)one!["id"]!).ToList();
        Assert.Equal(migrations.Order(StringComparer.Ordinal), migrations);
        Assert.Contains("20261123005123_Initial", migrations);
        var customers = new[] { acme.Tenant.Slug };

        var taken = await EndedAsync(
            http, await http.PostAsJsonAsync("/fleet/down", new { to = migrations[^2], migrations = migrations[^1..], customers }, Ct));
        Assert.Equal(("done", 1), ((string?)taken["state"], (int)taken["result"]!["migrated"]!));
        Assert.Equal(migrations[^2], await LastAsync(acme));
        Assert.Equal(migrations[^1], await LastAsync(globex));
        var again = await EndedAsync(http, await http.PostAsJsonAsync("/fleet/migrate", new { customers }, Ct));
        Assert.Equal(("done", 1), ((string?)again["state"], (int)again["result"]!["migrated"]!));
        Assert.Equal(migrations[^1], await LastAsync(acme));

        async Task<string?> LastAsync(TestCustomer customer) => (string?)(await http.GetFromJsonAsync<JsonObject>(
            $"/customers/{customer.Tenant.Slug}", Ct))!["lastMigration"];
    }

    private static JsonContent Only(params string?[] customers) => JsonContent.Create(new { customers });

    private static ByteArrayContent Zip(byte[] bytes)
    {
        var content = new ByteArrayContent(bytes);
        content.Headers.ContentType = new MediaTypeHeaderValue("application/zip");
        return content;
    }

    private static async Task<JsonObject> EndedAsync(HttpClient http, HttpResponseMessage asked)
    {
        using (asked)
        {
            Assert.Equal(HttpStatusCode.Accepted, asked.StatusCode);
            JsonObject? seen = null;
            await Eventually.HoldsAsync(async () =>
                (seen = await http.GetFromJsonAsync<JsonObject>(asked.Headers.Location, Ct))!["endedAt"] is not null);
            return seen!;
        }
    }
}
