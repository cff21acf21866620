using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Npgsql;
using Xunit;

namespace Tests.Integration.Customers;

/// <summary>What operators do to a customer through the API.</summary>
public sealed class CustomerLifecycleTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_customer_is_renamed_and_keeps_what_it_has()
    {
        var acme = await app.NewCustomerAsync();
        await acme.CreateInvoiceAsync(1m);
        using var http = app.Client();
        var slug = App.NewSlug();

        using var renamed = await http.PatchAsJsonAsync($"/customers/{acme.Tenant.Slug}", new { slug, name = " New " },
            Ct);

        Assert.Equal(HttpStatusCode.NoContent, renamed.StatusCode);
        var customer = (await http.GetFromJsonAsync<JsonObject>($"/customers/{slug}", Ct))!;
        Assert.Equal(("New", acme.Tenant.Schema.Value), ((string)customer["name"]!, (string)customer["schema"]!));
        Assert.Equal(HttpStatusCode.NotFound, (await http.GetAsync($"/customers/{acme.Tenant.Slug}", Ct)).StatusCode);
        var page = await http.GetFromJsonAsync<JsonObject>($"/customers/{slug}/invoices", Ct);
        Assert.Equal(1, (int)page!["total"]!);
    }

    [Fact]
    public async Task A_customer_is_put_into_a_ring_by_a_request_of_its_own()
    {
        var acme = await app.NewCustomerAsync();
        using var http = app.Client();
        var slug = App.NewSlug();

        using var moved = await http.PatchAsJsonAsync($"/customers/{acme.Tenant.Slug}", new { ring = 0 }, Ct);
        Assert.Equal(HttpStatusCode.NoContent, moved.StatusCode);
        Assert.Equal(0, await RingAsync(acme.Tenant.Slug));

        using var both = await http.PatchAsJsonAsync($"/customers/{acme.Tenant.Slug}", new { slug, ring = 7 }, Ct);
        Assert.Equal(HttpStatusCode.BadRequest, both.StatusCode);
        using var none = await http.PatchAsJsonAsync($"/customers/{acme.Tenant.Slug}", new { slug = "" }, Ct);
        Assert.Equal(HttpStatusCode.BadRequest, none.StatusCode);
        Assert.Equal(0, await RingAsync(acme.Tenant.Slug));

        async Task<int> RingAsync(string of) =>
            (int)(await http.GetFromJsonAsync<JsonObject>($"/customers/{of}", Ct))!["ring"]!;
    }

    [Fact]
    public async Task A_ring_that_cannot_be_changed_now_stays_and_is_no_outage()
    {
        var acme = await app.NewCustomerAsync();
        using var http = app.Client();
        await using var database = NpgsqlDataSource.Create($"{app.ConnectionString};Pooling=false");
        await using var connection = await database.OpenConnectionAsync(Ct);
        await using var export = await connection.BeginTransactionAsync(Ct);
        await using var held = new NpgsqlCommand(
            $"SELECT FROM tenancy.schemas WHERE schema = '{acme.Tenant.Schema}' FOR SHARE", connection);
        await held.ExecuteNonQueryAsync(Ct);

        using var refused = await http.PatchAsJsonAsync($"/customers/{acme.Tenant.Slug}", new { ring = 7 }, Ct);

        Assert.Equal(HttpStatusCode.Conflict, refused.StatusCode);
        var customer = (await http.GetFromJsonAsync<JsonObject>($"/customers/{acme.Tenant.Slug}", Ct))!;
        Assert.Equal(1, (int)customer["ring"]!);
    }

    [Fact]
    public async Task A_suspended_customers_users_get_403_and_a_resumed_ones_are_served()
    {
        var acme = await app.NewCustomerAsync();
        using var http = app.Client();
        foreach (var (verb, code) in new[]
        {
            ("suspend", HttpStatusCode.Forbidden), ("suspend", HttpStatusCode.Forbidden), ("resume", HttpStatusCode.OK),
            ("archive", HttpStatusCode.Forbidden), ("resume", HttpStatusCode.OK),
        })
        {
            using var done = await http.PostAsync($"/customers/{acme.Tenant.Slug}/{verb}", null, Ct);
            Assert.Equal((verb, HttpStatusCode.NoContent), (verb, done.StatusCode));
            Assert.Equal((verb, code), (verb, (await acme.Http.GetAsync("/invoices", Ct)).StatusCode));
        }
    }

    [Fact]
    public async Task A_deleted_customer_can_be_taken_back()
    {
        var acme = await app.NewCustomerAsync();
        using var http = app.Client();
        var address = $"/customers/{acme.Tenant.Slug}";
        foreach (var (query, code) in new[]
        {
            ("", HttpStatusCode.BadRequest), ("?confirm=other", HttpStatusCode.BadRequest),
            ($"?confirm={acme.Tenant.Slug}&graceDays=-1", HttpStatusCode.BadRequest),
            ($"?confirm={acme.Tenant.Slug}&graceDays=1.5", HttpStatusCode.BadRequest),
            ($"?confirm={acme.Tenant.Slug}&graceDays=30", HttpStatusCode.Accepted),
        })
        {
            using var answer = await http.DeleteAsync(address + query, Ct);
            Assert.Equal((query, code), (query, answer.StatusCode));
        }

        Assert.Equal(HttpStatusCode.Forbidden, (await acme.Http.GetAsync("/invoices", Ct)).StatusCode);
        using var resumed = await http.PostAsync($"{address}/resume", null, Ct);
        Assert.Equal(HttpStatusCode.OK, (await acme.Http.GetAsync("/invoices", Ct)).StatusCode);
    }

    [Fact]
    public async Task What_cant_be_is_refused()
    {
        var (acme, globex) = (await app.NewCustomerAsync(), await app.NewCustomerAsync());
        using var http = app.Client();
        foreach (var (slug, body, code) in new (string, object, HttpStatusCode)[]
        {
            (acme.Tenant.Slug, new { }, HttpStatusCode.BadRequest),
            (acme.Tenant.Slug, new { slug = "Not A Slug" }, HttpStatusCode.BadRequest),
            (acme.Tenant.Slug, new { name = "" }, HttpStatusCode.BadRequest),
            (acme.Tenant.Slug, new { name = " \u00a0" }, HttpStatusCode.BadRequest),
            (acme.Tenant.Slug, new { name = "a\nb" }, HttpStatusCode.BadRequest),
            (acme.Tenant.Slug, new { slug = globex.Tenant.Slug }, HttpStatusCode.Conflict),
            (acme.Tenant.Slug, new { ring = -1 }, HttpStatusCode.BadRequest),
            ("nobody-has-this", new { name = "x" }, HttpStatusCode.NotFound),
            ("nobody-has-this", new { ring = 0 }, HttpStatusCode.NotFound),
            ("Not%20A%20Slug", new { name = "x" }, HttpStatusCode.NotFound),
        })
        {
            using var answer = await http.PatchAsJsonAsync($"/customers/{slug}", body, Ct);
            Assert.Equal((slug, code), (slug, answer.StatusCode));
        }

        using var unknown = await http.PostAsync("/customers/nobody-has-this/suspend", null, Ct);
        Assert.Equal(HttpStatusCode.NotFound, unknown.StatusCode);
    }
}
