using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Tests.Integration.Customers;

/// <summary>The operators' list of customers over HTTP.</summary>
public sealed class ListingCustomersTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("page=0")]
    [InlineData("pageSize=0")]
    [InlineData("pageSize=201")]
    [InlineData("page=abc")]
    [InlineData("after=x")]
    [InlineData("after=")]
    [InlineData("after=WyJzbHVnIiwiYSIsImEiXQ&page=2")]
    [InlineData("after=WyJzbHVnIiwiYSIsImEiXQ&sort=name")]
    [InlineData("sort=password")]
    [InlineData("sort=slug,name")]
    [InlineData("sort=2")]
    [InlineData("status=deleted")]
    [InlineData("condition=Failed")]
    [InlineData("ring=-1")]
    public async Task A_page_that_cannot_be_is_refused(string query)
    {
        using var client = app.Client();
        using var response = await client.GetAsync($"/customers?{query}", Ct);

        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
        Assert.NotEmpty((await response.Content.ReadFromJsonAsync<JsonNode>(Ct))!["errors"]!.AsObject());
    }

    [Fact]
    public async Task A_list_goes_on_behind_its_last_customer_and_shows_what_operators_look_for()
    {
        using var client = app.Client();
        var prefix = $"p{Guid.NewGuid():n}"[..8];
        foreach (var name in (string[])["b", "a", "c"])
        {
            using var created = await client.PostAsJsonAsync(
                "/customers", new { slug = $"{prefix}-{name}", name = $"{prefix} {name}" }, Ct);
            Assert.Equal(HttpStatusCode.Created, created.StatusCode);
            var view = (await created.Content.ReadFromJsonAsync<JsonNode>(Ct))!;
            Assert.Equal("served", (string?)view["availability"]);
            Assert.NotNull((string?)view["lastMigration"]);
        }

        var list = $"/customers?search={prefix}&sort=-name&pageSize=2";
        var first = (await client.GetFromJsonAsync<JsonNode>(list, Ct))!;
        var last = (await client.GetFromJsonAsync<JsonNode>($"{list}&after={(string?)first["next"]}", Ct))!;

        Assert.Equal([$"{prefix}-c", $"{prefix}-b"], first["items"]!.AsArray().Select(item => (string?)item!["slug"]));
        Assert.Equal([$"{prefix}-a"], last["items"]!.AsArray().Select(item => (string?)item!["slug"]));
        Assert.Equal((3, 3), ((int)first["total"]!, (int)last["total"]!));
        Assert.Null(last["next"]);
        Assert.Equal(0, (int)(await client.GetFromJsonAsync<JsonNode>($"{list}&condition=failed", Ct))!["total"]!);
    }

    [Fact]
    public async Task Filters_say_how_many_customers_they_find()
    {
        using var client = app.Client();
        var acme = (await app.NewCustomerAsync()).Tenant.Slug;
        await app.NewCustomerAsync();
        using var suspended = await client.PostAsync($"/customers/{acme}/suspend", null, Ct);
        using var moved = await client.PatchAsJsonAsync($"/customers/{acme}", new { ring = 4 }, Ct);

        var one = (await client.GetFromJsonAsync<JsonNode>($"/customer-counts?search={acme}", Ct))!;
        var all = (await client.GetFromJsonAsync<JsonNode>("/customer-counts?search=", Ct))!;

        Assert.Equal((1, 0, 1, 0), ((int)one["total"]!, (int)one["active"]!, (int)one["suspended"]!,
            (int)one["failed"]!));
        Assert.Equal([(4, 1)], one["rings"]!.AsArray().Select(ring => ((int)ring!["ring"]!, (int)ring["customers"]!)));
        Assert.InRange((int)all["total"]!, 2, int.MaxValue);
    }

    [Fact]
    public async Task Customers_are_found_by_a_part_of_slug_or_name_and_wildcards_are_letters()
    {
        using var client = app.Client();
        var acme = (await app.NewCustomerAsync()).Tenant;

        async Task<int> CountAsync(string search) =>
            (int)(await client.GetFromJsonAsync<JsonNode>(
                $"/customers?search={Uri.EscapeDataString(search)}", Ct))!["total"]!;

        Assert.Equal(1, await CountAsync(acme.Slug[1..].ToUpperInvariant()));
        Assert.Equal(0, await CountAsync(acme.Slug[..3] + "%"));
        Assert.Equal(0, await CountAsync(acme.Slug.Replace('-', '_')));
    }
}
