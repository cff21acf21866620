using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Rendering;
using Microsoft.AspNetCore.Components.Web;
using Microsoft.AspNetCore.Hosting;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Tenancy;
using Tenancy.AspNetCore;
using Xunit;

namespace Tests.Integration.Adoption;

/// <summary>A Blazor page whose tenant is in the host's name, in a browser.</summary>
public sealed class CircuitTests(App app, Browser browser)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_circuit_serves_the_tenant_of_its_page()
    {
        await using var site = await StartAsync();
        var acme = await OpenAsync(site, "acme");
        var globex = await OpenAsync(site, "globex");

        await acme.ClickAsync("button");

        await Assertions.Expect(acme.Locator("p")).ToHaveTextAsync("acme has 1");
        await globex.ClickAsync("button");
        await globex.ClickAsync("button");
        await Assertions.Expect(globex.Locator("p")).ToHaveTextAsync("globex has 2");
        Assert.Equal(1, await CountAsync(site, "acme"));
        Assert.Equal(2, await CountAsync(site, "globex"));
    }

    [Fact]
    public async Task A_circuit_ends_where_its_tenant_isnt_served_any_more()
    {
        await using var site = await StartAsync();
        var acme = await OpenAsync(site, "acme");

        await site.Tenants.SetStatusAsync("acme", TenantStatus.Suspended, Ct);
        await acme.ClickAsync("button");

        await Assertions.Expect(acme.GetByText("Rejoin").First).ToBeVisibleAsync(new() { Timeout = 60_000 });
        Assert.Equal(403, (await acme.ReloadAsync())!.Status);
        Assert.Equal(0, await CountAsync(site, "acme"));
    }

    private static async Task<int> CountAsync(ShopSite site, string slug)
    {
        await site.Tenants.SetStatusAsync(slug, TenantStatus.Active, Ct);
        await using var scope = await site.Tenants.ServeAsync(slug, Ct);
        return await scope.Services.GetRequiredService<OrderingContext>().Orders.CountAsync(Ct);
    }

    private Task<ShopSite> StartAsync() => ShopSite.StartAsync(app,
        tenancy => tenancy
            .AddContext<OrderingContext>(ordering => ordering.ReplaceSchema(OrderingContext.Schema))
            .Resolve(request => request.Host("{slug}.localhost")),
        site =>
        {
            site.UseStaticFiles();
            site.UseAntiforgery();
            site.MapRazorComponents<Page>().AddInteractiveServerRenderMode().RequireTenant();
        },
        builder =>
        {
            builder.WebHost.UseKestrel().UseUrls("http://127.0.0.1:0");
            // Blazor's script, which the console's build brings.
            builder.WebHost.UseSetting(WebHostDefaults.StaticWebAssetsKey,
                Path.Combine(AppContext.BaseDirectory, "Web.staticwebassets.runtime.json"));
            builder.WebHost.UseStaticWebAssets();
            builder.Services.AddRazorComponents().AddInteractiveServerComponents();
        });

    private async Task<IPage> OpenAsync(ShopSite site, string slug)
    {
        var page = await browser.NewPageAsync();
        await page.GotoAsync($"http://{slug}.localhost:{new Uri(site.Application.Urls.Single()).Port}/");
        // The circuit is there.
        await page.WaitForSelectorAsync("button:not([disabled])");
        return page;
    }

    [Route("/")]
    public sealed class Page : ComponentBase
    {
        protected override void BuildRenderTree(RenderTreeBuilder builder)
        {
            builder.AddMarkupContent(0, "<!DOCTYPE html><html><head><title>Shop</title></head><body>");
            builder.OpenComponent<Orders>(1);
            builder.AddComponentRenderMode(RenderMode.InteractiveServer);
            builder.CloseComponent();
            builder.AddMarkupContent(2,
                "<script src=\"_framework/blazor.web.js\"></script></body></html>");
        }
    }

    public sealed class Orders(CurrentTenant tenant, OrderingContext db) : ComponentBase
    {
        private int _count;

        protected override void BuildRenderTree(RenderTreeBuilder builder)
        {
            builder.OpenElement(0, "p");
            builder.AddContent(1, $"{tenant.Value.Slug} has {_count}");
            builder.CloseElement();
            builder.OpenElement(2, "button");
            builder.AddAttribute(3, "disabled", !RendererInfo.IsInteractive);
            builder.AddAttribute(4, "onclick", EventCallback.Factory.Create(this, PlaceAsync));
            builder.AddContent(5, "Place an order");
            builder.CloseElement();
        }

        private async Task PlaceAsync()
        {
            db.Orders.Add(new() { Buyer = "Ada" });
            await db.SaveChangesAsync();
            _count = await db.Orders.CountAsync();
        }
    }
}
