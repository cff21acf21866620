using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Data.Access;
using Data.Customers;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Tests.Integration.Access;

/// <summary>Keys are made, shown once, used and revoked.</summary>
public sealed class ApiKeysTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_keys_text_is_shown_once_and_only_its_hash_is_stored()
    {
        var acme = await app.NewCustomerAsync();
        using var http = app.Client();

        var made = await MakeAsync(http, acme.Tenant.Slug);

        var text = ApiKeyText.Parse((string)made["key"]!)!;
        Assert.Equal((string)made["id"]!, text.Id);
        Assert.False(text.IsOperators);
        var listed = await http.GetStringAsync($"/api-keys?customer={acme.Tenant.Slug}", Ct);
        Assert.Contains(text.Id, listed, StringComparison.Ordinal);
        Assert.DoesNotContain(text.Secret, listed, StringComparison.Ordinal);
        await using var scope = app.Services.CreateAsyncScope();
        var row = await scope.ServiceProvider.GetRequiredService<CustomersContext>().ApiKeys
            .SingleAsync(key => key.Id == text.Id, Ct);
        Assert.Equal(ApiKeyText.HashOf(text.Secret), row.Hash);
        Assert.Equal(acme.Tenant.Id, row.CustomerId);
    }

    [Fact]
    public async Task A_revoked_key_is_refused_at_once_and_stays_listed()
    {
        var acme = await app.NewCustomerAsync();
        using var http = app.Client();
        var made = await MakeAsync(http, acme.Tenant.Slug);
        using var user = app.Client();
        user.DefaultRequestHeaders.Authorization = new("Bearer", (string)made["key"]!);
        Assert.Equal(HttpStatusCode.OK, (await user.GetAsync("/invoices", Ct)).StatusCode);

        Assert.Equal(HttpStatusCode.NoContent, (await http.DeleteAsync($"/api-keys/{made["id"]}", Ct)).StatusCode);

        Assert.Equal(HttpStatusCode.Unauthorized, (await user.GetAsync("/invoices", Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.NoContent, (await http.DeleteAsync($"/api-keys/{made["id"]}", Ct)).StatusCode);
        Assert.Equal(HttpStatusCode.NotFound, (await http.DeleteAsync("/api-keys/nothing", Ct)).StatusCode);
        var listed = (await http.GetFromJsonAsync<JsonObject>($"/api-keys?customer={acme.Tenant.Slug}", Ct))!;
        Assert.NotNull(Assert.Single(listed["items"]!.AsArray())!["revokedAt"]);
    }

    [Fact]
    public async Task A_key_with_another_secret_or_another_kind_is_refused()
    {
        var acme = await app.NewCustomerAsync();
        using var http = app.Client();
        var text = ApiKeyText.Parse((string)(await MakeAsync(http, acme.Tenant.Slug))["key"]!)!;
        using var user = app.Client();
        foreach (var wrong in new[]
        {
            text with { Secret = ApiKeyText.New(isOperators: false).Secret }, text with { IsOperators = true },
            text with { Id = ApiKeyText.New(isOperators: false).Id },
        })
        {
            user.DefaultRequestHeaders.Authorization = new("Bearer", wrong.ToString());
            Assert.Equal(HttpStatusCode.Unauthorized, (await user.GetAsync("/invoices", Ct)).StatusCode);
        }

        user.DefaultRequestHeaders.Authorization = null;
        user.DefaultRequestHeaders.Add("X-Api-Key", text.ToString());
        Assert.Equal(HttpStatusCode.OK, (await user.GetAsync("/invoices", Ct)).StatusCode);
        // Two credentials: nobody says which one counts.
        user.DefaultRequestHeaders.Authorization = new("Bearer", text.ToString());
        Assert.Equal(HttpStatusCode.Unauthorized, (await user.GetAsync("/invoices", Ct)).StatusCode);
    }

    [Fact]
    public async Task An_operators_key_does_what_the_first_operators_does()
    {
        using var first = app.Client();
        var made = await MakeAsync(first, customer: null);
        using var http = app.Client();
        http.DefaultRequestHeaders.Authorization = new("Bearer", (string)made["key"]!);

        Assert.StartsWith("tko_", (string)made["key"]!, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await http.GetAsync("/customers", Ct)).StatusCode);
    }

    [Fact]
    public async Task Its_use_is_written_down_once_a_minute()
    {
        var acme = await app.NewCustomerAsync();
        using var http = app.Client();
        var made = await MakeAsync(http, acme.Tenant.Slug);
        using var user = app.Client();
        user.DefaultRequestHeaders.Authorization = new("Bearer", (string)made["key"]!);
        Assert.Null(await LastUsedAsync());

        await user.GetAsync("/invoices", Ct);
        var first = await LastUsedAsync();
        await user.GetAsync("/invoices", Ct);

        Assert.NotNull(first);
        Assert.Equal(first, await LastUsedAsync());

        async Task<DateTimeOffset?> LastUsedAsync() => (DateTimeOffset?)Assert.Single(
            (await http.GetFromJsonAsync<JsonObject>($"/api-keys?customer={acme.Tenant.Slug}", Ct))!["items"]!
                .AsArray())!["lastUsedAt"];
    }

    [Fact]
    public async Task A_renamed_customers_key_is_never_good_for_whoever_gets_its_old_slug()
    {
        var acme = await app.NewCustomerAsync();
        using var http = app.Client();
        var made = await MakeAsync(http, acme.Tenant.Slug);
        using var user = app.Client();
        user.DefaultRequestHeaders.Authorization = new("Bearer", (string)made["key"]!);
        Assert.Equal(HttpStatusCode.OK, (await user.GetAsync("/invoices", Ct)).StatusCode);

        // The key is remembered with the slug of before.
        await app.Services.GetRequiredService<Tenancy.Tenants>().RenameAsync(acme.Tenant.Slug, App.NewSlug(), ct: Ct);
        using var created = await http.PostAsJsonAsync(
            "/customers", new { slug = acme.Tenant.Slug, name = "Another" }, Ct);
        Assert.Equal(HttpStatusCode.Created, created.StatusCode);

        Assert.Equal(HttpStatusCode.Forbidden, (await user.GetAsync("/invoices", Ct)).StatusCode);
    }

    [Theory]
    [InlineData("{}")]
    [InlineData("""{"name":""}""")]
    [InlineData("""{"name":"x","customer":"Not A Slug"}""")]
    public async Task A_key_that_cant_be_is_refused(string body)
    {
        using var http = app.Client();
        using var answer = await http.PostAsync(
            "/api-keys", new StringContent(body, System.Text.Encoding.UTF8, "application/json"), Ct);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task A_key_for_nobody_is_refused()
    {
        using var http = app.Client();
        using var answer = await http.PostAsJsonAsync("/api-keys", new { name = "x", customer = "nobody-has-this" },
            Ct);
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    private static async Task<JsonObject> MakeAsync(HttpClient http, string? customer)
    {
        using var made = await http.PostAsJsonAsync("/api-keys", new { name = "of a test", customer }, Ct);
        Assert.Equal(HttpStatusCode.Created, made.StatusCode);
        return (await made.Content.ReadFromJsonAsync<JsonObject>(Ct))!;
    }
}
