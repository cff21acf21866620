using System.Net;
using System.Net.Http.Json;
using Shop.Api;
using Tenancy.Testing;
using Xunit;

[assembly: AssemblyFixture(typeof(Shop.Tests.ShopApplication))]

namespace Shop.Tests;

/// <summary>Runs once for all tests; each makes a tenant of its own.</summary>
public sealed class ShopApplication() : TenantApplicationFactory<OrdersContext>("shopdb");

public sealed class OrdersTests(ShopApplication shop)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_tenant_sees_its_own_orders_and_no_others()
    {
        var acme = await shop.NewTenantAsync(ct: Ct);
        var globex = await shop.NewTenantAsync(ct: Ct);

        using var placed = await acme.Client.PostAsJsonAsync("/orders", new { buyer = "Ada" }, Ct);

        Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
        Assert.Single((await acme.Client.GetFromJsonAsync<Order[]>("/orders", Ct))!);
        Assert.Empty((await globex.Client.GetFromJsonAsync<Order[]>("/orders", Ct))!);
    }
}
