using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Tenancy;
using Tenancy.AspNetCore;
using Xunit;

namespace Tests.Integration.Adoption;

/// <summary>What operators do with a tenant between its creation and its end.</summary>
public sealed class LifecycleTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_renamed_tenant_keeps_its_rows_and_its_schema_and_its_old_slug_is_nobodys()
    {
        await using var site = await StartAsync();
        using var operators = site.Client();
        await using (var scope = await site.Tenants.ServeAsync("acme", Ct))
        {
            var db = scope.Services.GetRequiredService<OrderingContext>();
            db.Orders.Add(new() { Buyer = "Ada" });
            await db.SaveChangesAsync(Ct);
        }

        using var renamed = await operators.PatchAsJsonAsync(
            "/tenants/acme", new { slug = "umbrella", name = "Umbrella GmbH" }, Ct);

        var answer = (await renamed.Content.ReadFromJsonAsync<JsonObject>(Ct))!;
        Assert.Equal(("umbrella", "Umbrella GmbH", "tenant_acme", "served"),
            ((string?)answer["slug"], (string?)answer["name"], (string?)answer["schema"],
                (string?)answer["availability"]));
        Assert.Equal((404, "No tenant has the slug 'acme'."), await site.GetAsync("/who", ("X-Shop", "acme")));
        Assert.Equal((200, "umbrella"), await site.GetAsync("/who", ("X-Shop", "umbrella")));
        await using var after = await site.Tenants.ServeAsync("umbrella", Ct);
        Assert.Equal("Ada", (await after.Services.GetRequiredService<OrderingContext>().Orders.SingleAsync(Ct)).Buyer);
        // The slug is free, the schema's name isn't.
        Assert.Equal("tenant_acme_2", (await site.Tenants.CreateAsync("acme", Ct)).Schema.Value);
        Assert.Equal((200, "acme"), await site.GetAsync("/who", ("X-Shop", "acme")));
    }

    [Fact]
    public async Task A_rename_that_cant_be_changes_nothing()
    {
        await using var site = await StartAsync();
        using var operators = site.Client();

        foreach (var (path, names, status) in new (string, object, HttpStatusCode)[]
        {
            ("/tenants/acme", new { slug = "globex" }, HttpStatusCode.Conflict),
            ("/tenants/acme", new { slug = "Not A Slug" }, HttpStatusCode.BadRequest),
            ("/tenants/acme", new { slug = "" }, HttpStatusCode.BadRequest),
            ("/tenants/acme", new { name = "" }, HttpStatusCode.BadRequest),
            ("/tenants/acme", new { name = "two\nlines" }, HttpStatusCode.BadRequest),
            ("/tenants/acme", new { name = "a\u202eb" }, HttpStatusCode.BadRequest),
            ("/tenants/acme", new { name = new string('x', 201) }, HttpStatusCode.BadRequest),
            ("/tenants/nobody", new { name = "Somebody" }, HttpStatusCode.NotFound),
            ("/tenants/NOBODY", new { name = "Somebody" }, HttpStatusCode.NotFound),
        })
        {
            using var refused = await operators.PatchAsJsonAsync(path, names, Ct);
            Assert.Equal(status, refused.StatusCode);
        }

        Assert.Equal([("acme", "acme"), ("globex", "globex")],
            (await site.Tenants.ListAsync(ct: Ct)).Select(one => (one.Entry.Tenant.Slug, one.Entry.Name)));
    }

    [Theory]
    [InlineData("sort=-created&limit=1", 200)]
    [InlineData("condition=behind", 200)]
    [InlineData("status=archived&search=%25", 200)]
    [InlineData("limit=0", 400)]
    [InlineData("limit=1001", 400)]
    [InlineData("after=x", 400)]
    [InlineData("sort=--slug", 400)]
    [InlineData("sort=0", 400)]
    [InlineData("status=Active", 400)]
    [InlineData("condition=failed,behind", 400)]
    [InlineData("ring=x", 400)]
    [InlineData("search=%00", 400)]
    public async Task The_endpoints_list_refuses_what_it_has_not(string query, int status)
    {
        await using var site = await StartAsync();
        using var operators = site.Client();

        using var answer = await operators.GetAsync($"/tenants?{query}", Ct);

        Assert.Equal(status, (int)answer.StatusCode);
    }

    [Fact]
    public async Task Each_verb_may_be_repeated()
    {
        await using var site = await StartAsync();

        for (var time = 0; time < 2; time++)
        {
            Assert.True(await site.Tenants.SetStatusAsync("globex", TenantStatus.Archived, Ct));
            Assert.Equal("Globex AG", (await RenamedAsync(site, "globex", null, "Globex AG")).Entry.Name);
            Assert.Equal("acme", (await RenamedAsync(site, "acme", "acme", null)).Entry.Tenant.Slug);
        }

        var id = Guid.NewGuid();
        var made = await site.Tenants.CreateAsync(id, "initech", null, Ct);
        Assert.Equal((id, made), (made.Id, await site.Tenants.CreateAsync(id, "initech", "Initech", Ct)));
        await Assert.ThrowsAsync<TenantSlugTakenException>(
            () => site.Tenants.CreateAsync(Guid.NewGuid(), "initech", null, Ct));
        Assert.Equal(403, (await site.GetAsync("/who", ("X-Shop", "globex"))).Status);
        Assert.True(await site.Tenants.SetStatusAsync("globex", TenantStatus.Active, Ct));
        Assert.Equal((200, "globex"), await site.GetAsync("/who", ("X-Shop", "globex")));
        Assert.Null(await site.Tenants.RenameAsync("nobody", "somebody", ct: Ct));
        await Assert.ThrowsAsync<FormatException>(() => site.Tenants.RenameAsync("acme", "no slug", ct: Ct));
        await Assert.ThrowsAsync<FormatException>(() => site.Tenants.RenameAsync("acme", name: "two\nlines", ct: Ct));
        await Assert.ThrowsAsync<FormatException>(() => site.Tenants.CreateAsync("new", "two\nlines", Ct));
    }

    [Fact]
    public async Task A_dropped_tenant_is_named_twice_and_can_be_resumed()
    {
        await using var site = await StartAsync();
        using var operators = site.Client();

        foreach (var (query, status) in new (string, HttpStatusCode)[]
        {
            ("acme", HttpStatusCode.BadRequest), ("acme?confirm=globex", HttpStatusCode.BadRequest),
            ("acme?confirm=acme&graceDays=-1", HttpStatusCode.BadRequest),
            ("acme?confirm=acme&graceDays=NaN", HttpStatusCode.BadRequest),
            ("acme?confirm=acme&graceDays=soon", HttpStatusCode.BadRequest),
            ("nobody?confirm=nobody", HttpStatusCode.NotFound), ("acme?confirm=acme", HttpStatusCode.Accepted),
        })
        {
            using var answer = await operators.DeleteAsync($"/tenants/{query}", Ct);
            Assert.Equal((query, status), (query, answer.StatusCode));
        }

        Assert.Equal(403, (await site.GetAsync("/who", ("X-Shop", "acme"))).Status);
        using var resumed = await operators.PostAsync("/tenants/acme/resume", null, Ct);
        Assert.Equal(HttpStatusCode.NoContent, resumed.StatusCode);
        Assert.Equal((200, "acme"), await site.GetAsync("/who", ("X-Shop", "acme")));
    }

    private static async Task<TenantSummary> RenamedAsync(ShopSite site, string slug, string? newSlug, string? name)
    {
        var tenant = await site.Tenants.RenameAsync(slug, newSlug, name, Ct);
        return (await site.Tenants.FindSummaryAsync(tenant!.Slug, Ct))!;
    }

    private Task<ShopSite> StartAsync() => ShopSite.StartAsync(app,
        tenancy => tenancy.AddContext<OrderingContext>(ordering => ordering.ReplaceSchema(OrderingContext.Schema))
            .Resolve(request => request.Header("X-Shop")),
        site =>
        {
            site.MapTenants("/tenants");
            site.MapGet("/who", (CurrentTenant tenant) => tenant.Value.Slug).RequireTenant();
        });
}
