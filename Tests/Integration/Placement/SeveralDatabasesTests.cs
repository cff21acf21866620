using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Tenancy;
using Tenancy.AspNetCore;
using Tests.Integration.Adoption;
using Xunit;

namespace Tests.Integration.Placement;

/// <summary>An application with the built-in registry and two databases.</summary>
public sealed class SeveralDatabasesTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task All_ways_to_a_tenant_lead_to_its_database()
    {
        var (site, second) = await StartAsync();
        await using var ending = site;
        var initech = await site.Tenants.CreateInAsync("two", "initech", ct: Ct);
        Assert.Equal("two", initech.Database);

        await OrderAsync(site, "acme", "Ada");
        await OrderAsync(site, "initech", "Ingo");

        // The directory, a factory, a hand-written command, the ledgers' order, a report.
        Assert.Equal("Ingo", await BuyerAsync(site, "initech"));
        await using (var made = site.Application.Services.GetRequiredService<TenantContextFactory<OrderingContext>>()
            .Create(initech))
        {
            Assert.Equal("Ingo", (await made.Orders.SingleAsync(Ct)).Buyer);
        }

        var pools = site.Application.Services.GetRequiredService<TenancyPools>();
        await using (var connection = await pools.Of(initech).OpenConnectionAsync(Ct))
        await using (var count = connection.CreateTenantCommand(
            initech, "SELECT count(*) FROM \"__Tenant__\".orders"))
        {
            Assert.Equal(1L, await count.ExecuteScalarAsync(Ct));
        }

        var visited = new List<string>();
        var visits = await site.Tenants.ForEachAsync((scope, _) =>
        {
            visited.Add(scope.Tenant.Slug);
            return Task.CompletedTask;
        }, new() { Parallel = 1 }, Ct);
        Assert.Equal(3, visits.Done);
        Assert.Equal(["acme", "globex", "initech"], visited);
        Assert.Equal([("acme", "Ada"), ("initech", "Ingo")], await ReportAsync(site));
        Assert.Equal(1L, await ScalarAsync(second, $"SELECT count(*) FROM {initech.Schema}.orders"));
        Assert.Null(await ScalarAsync(second, "SELECT to_regclass('tenancy.tenants')::text"));
    }

    [Fact]
    public async Task The_endpoints_make_tenants_in_a_database_and_show_it()
    {
        var (site, _) = await StartAsync();
        await using var ending = site;
        using var operators = site.Client();

        using var made = await operators.PostAsJsonAsync("/tenants", new { slug = "initech", database = "two" }, Ct);
        using var refused = await operators.PostAsJsonAsync("/tenants", new { slug = "other", database = "three" }, Ct);

        Assert.Equal((HttpStatusCode.Created, "two"),
            (made.StatusCode, (string?)(await made.Content.ReadFromJsonAsync<JsonObject>(Ct))!["database"]));
        Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        Assert.Contains("There is no database 'three'. There are: 'two'.",
            await refused.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_connection_that_was_asked_for_before_the_tenant_was_chosen_isnt_opened_for_another_database()
    {
        var (site, _) = await StartAsync();
        await using var ending = site;
        var initech = await site.Tenants.CreateInAsync("two", "initech", ct: Ct);
        await using var scope = site.Application.Services.CreateAsyncScope();
        var db = scope.ServiceProvider.GetRequiredService<OrderingContext>();
        _ = db.Database.GetDbConnection();

        scope.ServiceProvider.GetRequiredService<CurrentTenant>().Choose(initech);

        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            async () => _ = await db.Orders.ToListAsync(Ct));
        Assert.Contains("choose the tenant first", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_pooled_context_serves_tenants_of_both_databases_in_turn()
    {
        var (site, _) = await StartAsync();
        await using var ending = site;
        await site.Tenants.CreateInAsync("two", "initech", ct: Ct);
        for (var turn = 0; turn < 5; turn++)
        {
            await OrderAsync(site, "acme", $"Ada {turn}");
            await OrderAsync(site, "initech", $"Ingo {turn}");
        }

        foreach (var (slug, buyer) in new[] { ("acme", "Ada"), ("initech", "Ingo") })
        {
            await using var scope = await site.Tenants.ServeAsync(slug, Ct);
            var buyers = await scope.Services.GetRequiredService<OrderingContext>().Orders
                .Select(order => order.Buyer).ToListAsync(Ct);
            Assert.Equal(Enumerable.Range(0, 5).Select(turn => $"{buyer} {turn}"), buyers.Order());
        }
    }

    [Theory]
    [InlineData("Two", "", "a name that can't be one")]
    [InlineData("two", "", "needs a ConnectionString")]
    [InlineData("two", "Host=there;Database=shop", "are the same database")]
    public void A_database_that_cant_be_one_stops_the_start(string name, string connectionString, string why)
    {
        var options = new ServiceCollection().AddOptions();
        options.AddTenancyOptions(tenancy =>
        {
            tenancy.ConnectionString = "Host=there;Database=shop";
            tenancy.Databases[name] = new() { ConnectionString = connectionString };
        });
        using var services = options.BuildServiceProvider();

        var refused = Assert.Throws<OptionsValidationException>(
            () => services.GetRequiredService<IOptions<TenancyOptions>>().Value);

        Assert.Contains(why, refused.Message, StringComparison.Ordinal);
    }

    private async Task<(ShopSite Site, string Second)> StartAsync()
    {
        var second = await app.Server.ConnectionStringAsync(Ct);
        return (await ShopSite.StartAsync(app, tenancy => tenancy
            .AddContext<OrderingContext>(context => context.ReplaceSchema(OrderingContext.Schema))
            .Resolve(request => request.Header("X-Shop"))
            .AddDatabase("two", database => database.ConnectionString = second),
            site => site.MapTenants("/tenants")), second);
    }

    private static async Task OrderAsync(ShopSite site, string slug, string buyer)
    {
        await using var scope = await site.Tenants.ServeAsync(slug, Ct);
        var db = scope.Services.GetRequiredService<OrderingContext>();
        db.Orders.Add(new() { Buyer = buyer });
        await db.SaveChangesAsync(Ct);
    }

    private static async Task<string> BuyerAsync(ShopSite site, string slug)
    {
        await using var scope = await site.Tenants.ServeAsync(slug, Ct);
        return (await scope.Services.GetRequiredService<OrderingContext>().Orders.SingleAsync(Ct)).Buyer;
    }

    private static async Task<List<(string, string)>> ReportAsync(ShopSite site)
    {
        await using var scope = site.Application.Services.CreateAsyncScope();
        var tenants = await site.Tenants.ListAsync(ct: Ct);
        var rows = new List<(string, string)>();
        await foreach (var (tenant, buyers, error) in scope.ServiceProvider
            .GetRequiredService<AcrossTenants<OrderingContext>>().ReadAsync(
                tenants.Select(one => one.Entry.Tenant), db => db.Orders.Select(order => new Buyer(order.Buyer)), ct: Ct))
        {
            Assert.Null(error);
            rows.AddRange(buyers.Select(buyer => (tenant.Slug, buyer.Name)));
        }

        return rows;
    }

    private sealed record Buyer(string Name);

    private static async Task<object?> ScalarAsync(string connectionString, string sql)
    {
        await using var database = NpgsqlDataSource.Create($"{connectionString};Pooling=false");
        await using var command = database.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct) is { } value and not DBNull ? value : null;
    }
}
