// One of the pipelines is the wrong one: it is refused.
#pragma warning disable TEN007

using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Connections;
using Microsoft.AspNetCore.SignalR;
using Microsoft.AspNetCore.SignalR.Client;
using Microsoft.AspNetCore.TestHost;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Tenancy;
using Tenancy.AspNetCore;
using Xunit;

namespace Tests.Integration.Adoption;

/// <summary>A request names its tenant, by its address, a header or its user.</summary>
public sealed class ResolutionTests(App app)
{
    private const string Acme = "acme.shops.example";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    // Nobody, one, by one of the three places.
    [InlineData("/who", 400, "name it in the header X-Shop, or in the host's name, {slug}.shops.example, or in the " +
        "address, as its shop.")]
    [InlineData("/who", 200, "acme", "X-Shop", "acme")]
    [InlineData("/who", 200, "acme", "Host", "ACME.Shops.Example:8080")]
    [InlineData("/of/globex/who", 200, "globex")]
    // Twice the same, and two.
    [InlineData("/of/globex/who", 200, "globex", "X-Shop", "globex", "Host", "globex.shops.example")]
    [InlineData("/of/globex/who", 400, "The request names 'acme' and 'globex': a request is for one shop.", "Host", Acme)]
    [InlineData("/who", 400, "The request names 'globex' and 'acme': a request is for one shop.", "X-Shop", "globex",
        "Host", Acme)]
    // What can't be a slug.
    [InlineData("/who", 400, "The header X-Shop has to hold one shop's slug: ", "X-Shop", "acme,globex")]
    [InlineData("/who", 400, "The header X-Shop has to hold one shop's slug: ", "X-Shop", "Acme")]
    [InlineData("/who", 400, "The host's name has to hold one shop's slug: ", "Host", "a.b.shops.example")]
    [InlineData("/of/a%22b/who", 400, "The address, as its shop, has to hold one shop's slug: ")]
    [InlineData("/who", 400, "name it in the header", "Host", "shops.example")]
    [InlineData("/who", 400, "name it in the header", "Host", ".shops.example")]
    [InlineData("/who", 404, "No shop has the slug 'nobody'.", "X-Shop", "nobody")]
    // Who needs none.
    [InlineData("/open", 200, "nobody", "X-Shop", "acme")]
    public async Task Where_a_tenant_is_named(string path, int status, string text, params string[] headers)
    {
        await using var site = await ShopSite.StartAsync(app,
            tenancy => Ordering(tenancy).Resolve(r => r
                .Header("X-Shop").Host("{slug}.shops.example").Route("shop").Called("shop")), Routes);

        var answer = await site.GetAsync(path, Pairs(headers));

        Assert.Equal(status, answer.Status);
        Assert.Contains(text, answer.Text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/who", 400, "by signing in")]
    [InlineData("/who", 200, "acme", "X-User", "ada", "X-Claim", "acme")]
    [InlineData("/who", 200, "acme", "X-User", "ada", "X-Claim", "acme", "X-Shop", "acme")]
    [InlineData("/who", 403, "isn't a user of the tenant 'globex'", "X-User", "ada", "X-Claim", "acme", "X-Shop", "globex")]
    [InlineData("/who", 403, "isn't a user of the tenant 'globex'", "X-User", "ada", "X-Shop", "globex")]
    [InlineData("/who", 400, "No tenant", "X-User", "ada")]
    [InlineData("/who", 404, "No tenant has the slug", "X-User", "ada", "X-Claim", "nobody")]
    [InlineData("/who", 404, "No tenant has the slug", "X-User", "ada", "X-Claim", "Not a slug")]
    [InlineData("/users/who", 401, "")]
    [InlineData("/users/who", 401, "", "X-Shop", "acme")]
    [InlineData("/users/who", 200, "globex", "X-User", "bob", "X-Claim", "globex")]
    // A user of both.
    [InlineData("/who", 200, "globex", "X-User", "eve", "X-Claim", "acme", "X-Claim", "globex", "X-Shop", "globex")]
    [InlineData("/who", 400, "by signing in", "X-User", "eve", "X-Claim", "acme", "X-Claim", "globex")]
    // Who is nobody's user may look at what is everybody's.
    [InlineData("/who", 200, "acme", "X-Shop", "acme")]
    [InlineData("/open", 200, "acme", "X-Shop", "acme")]
    [InlineData("/open", 200, "nobody")]
    [InlineData("/operators", 200, "nobody", "X-Shop", "acme", "X-User", "ada", "X-Claim", "globex")]
    public async Task A_user_is_one_tenants(string path, int status, string text, params string[] headers)
    {
        await using var site = await ShopSite.StartAsync(app,
            tenancy => Ordering(tenancy).Resolve(r => r.Claim("shop").Header("X-Shop")).BindUsers("shop"), Routes,
            WithUsers);

        var answer = await site.GetAsync(path, Pairs(headers));

        Assert.Equal(status, answer.Status);
        Assert.Contains(status == 400 && text == "No tenant" ? "by signing in" : text, answer.Text,
            StringComparison.Ordinal);
    }

    /// <summary>There is no default scheme, so nobody is signed in before a policy asks for one of its own.</summary>
    [Theory]
    [InlineData(200, "acme", "X-User", "ada", "X-Claim", "acme")]
    [InlineData(200, "acme", "X-User", "ada", "X-Claim", "acme", "X-Shop", "acme")]
    [InlineData(403, "isn't a user of the tenant 'globex'", "X-User", "ada", "X-Claim", "acme", "X-Shop", "globex")]
    [InlineData(403, "isn't a user of the tenant 'globex'", "X-User", "ada", "X-Shop", "globex")]
    [InlineData(400, "No tenant was named.", "X-User", "ada")]
    [InlineData(401, "", "X-Shop", "acme")]
    public async Task A_policys_own_scheme_binds_users_too(int status, string text, params string[] headers)
    {
        await using var site = await ShopSite.StartAsync(app,
            tenancy => Ordering(tenancy).Resolve(r => r.Claim("shop").Header("X-Shop")).BindUsers("shop"),
            it => it.MapGet("/who", (CurrentTenant tenant) => tenant.Value.Slug).RequireTenant().RequireAuthorization(
                new AuthorizeAttribute { AuthenticationSchemes = HeaderSignIn.Name }),
            builder => builder.Services.AddAuthorization().AddAuthentication()
                .AddScheme<AuthenticationSchemeOptions, HeaderSignIn>(HeaderSignIn.Name, null)
                .AddScheme<AuthenticationSchemeOptions, HeaderSignIn>("another", null));

        var answer = await site.GetAsync("/who", Pairs(headers));

        Assert.Equal(status, answer.Status);
        Assert.Contains(status == 400 ? "by signing in" : text, answer.Text, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_would_win_over_an_earlier_call_is_refused()
    {
        var builder = WebApplication.CreateBuilder();
        builder.Configuration["ConnectionStrings:shop"] = "Host=nowhere.invalid";
        builder.AddTenancy("shop", tenancy =>
        {
            Ordering(tenancy.UseBuiltInRegistry()).Resolve(r => r.Header("X-Shop")).BindUsers("shop");
            Assert.Throws<InvalidOperationException>(() => tenancy.Resolve(r => r.Claim("shop")));
            Assert.Throws<InvalidOperationException>(() => tenancy.BindUsers("other"));
        });
        await using var site = builder.Build();
        site.UseTenants();

        Assert.Throws<InvalidOperationException>(() => site.UseTenants());
    }

    [Fact]
    public async Task Rows_are_the_named_tenants_and_no_cache_keeps_them()
    {
        await using var site = await SiteAsync();
        using var acme = site.Client(("X-Shop", "acme"));
        using var globex = site.Client(("X-Shop", "globex"));

        using var written = await acme.PostAsync("/orders?buyer=Ada", null, Ct);
        using var read = await acme.GetAsync("/orders", Ct);

        Assert.Equal(HttpStatusCode.OK, written.StatusCode);
        Assert.Equal("""["Ada"]""", await read.Content.ReadAsStringAsync(Ct));
        Assert.Equal("[]", await globex.GetStringAsync("/orders", Ct));
        Assert.True(read.Headers.CacheControl?.NoStore);
        Assert.Contains("X-Shop", read.Headers.Vary);
    }

    [Fact]
    public async Task A_suspended_tenant_is_answered_with_403_until_it_is_resumed()
    {
        await using var site = await SiteAsync();
        using var operators = site.Client();
        using var client = site.Client(("X-Shop", "acme"));

        using var suspended = await operators.PostAsync("/tenants/acme/suspend", null, Ct);
        using var refused = await client.GetAsync("/who", Ct);
        using var resumed = await operators.PostAsync("/tenants/acme/resume", null, Ct);

        Assert.Equal(HttpStatusCode.NoContent, suspended.StatusCode);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.Null(refused.Headers.RetryAfter);
        Assert.Equal("urn:tenant:suspended", (string?)(await refused.Content.ReadFromJsonAsync<JsonObject>(Ct))!["type"]);
        Assert.Equal("acme", await client.GetStringAsync("/who", Ct));
    }

    [Fact]
    public async Task Operators_create_and_list_tenants()
    {
        await using var site = await SiteAsync();
        using var client = site.Client();

        using var created = await client.PostAsJsonAsync("/tenants", new { slug = "initech", name = "Initech KK" }, Ct);
        using var again = await client.PostAsJsonAsync("/tenants", new { slug = "initech" }, Ct);
        using var wrong = await client.PostAsJsonAsync("/tenants", new { slug = "Init tech" }, Ct);
        using var nothing = await client.PostAsJsonAsync("/tenants", new { }, Ct);
        var one = await client.GetFromJsonAsync<JsonObject>(created.Headers.Location, Ct);
        var first = await client.GetFromJsonAsync<JsonObject>("/tenants?limit=2", Ct);
        var second = await client.GetFromJsonAsync<JsonObject>($"/tenants?limit=2&after={first!["next"]}", Ct);

        Assert.Equal((HttpStatusCode.Created, HttpStatusCode.Conflict, HttpStatusCode.BadRequest, HttpStatusCode.BadRequest),
            (created.StatusCode, again.StatusCode, wrong.StatusCode, nothing.StatusCode));
        Assert.Equal("""["initech","Initech KK","active","served","tenant_initech"]""", new JsonArray([.. new[]
        {
            "slug", "name", "status", "availability", "schema",
        }.Select(name => one![name]!.DeepClone())]).ToJsonString());
        Assert.Equal(["acme", "globex"], Slugs(first!));
        Assert.Equal(["initech"], Slugs(second!));
        Assert.Null(second!["next"]);
        Assert.Equal(400, (await site.GetAsync("/tenants?limit=0")).Status);
        Assert.Equal(400, (await site.GetAsync("/tenants?after=%00")).Status);
        Assert.Equal(404, (await site.GetAsync("/tenants/nobody")).Status);
        Assert.Equal(404, (await site.GetAsync("/tenants/%01'")).Status);
        foreach (var name in new[] { "", "a\nb", "\0", new string('x', 201) })
        {
            using var bad = await client.PostAsJsonAsync("/tenants", new { slug = "umbrella", name }, Ct);
            Assert.Equal(HttpStatusCode.BadRequest, bad.StatusCode);
        }

        foreach (var body in new[] { "", "null", "{", "[]", """{"slug":1}""" })
        {
            using var bad = await client.PostAsync(
                "/tenants", new StringContent(body, System.Text.Encoding.UTF8, "application/json"), Ct);
            Assert.Equal(HttpStatusCode.BadRequest, bad.StatusCode);
        }

        using var nobody = await client.PostAsync("/tenants/%01/suspend", null, Ct);
        Assert.Equal(HttpStatusCode.NotFound, nobody.StatusCode);

        static IEnumerable<string> Slugs(JsonObject page) =>
            page["items"]!.AsArray().Select(item => (string)item!["slug"]!);
    }

    [Fact]
    public async Task Operators_endpoints_that_nobody_protects_answer_in_Development_alone()
    {
        await using var open = await ShopSite.StartAsync(app,
            tenancy => Ordering(tenancy).Resolve(r => r.Header("X-Shop")), Routes, environment: "Production");
        await using var closed = await ShopSite.StartAsync(app,
            tenancy => Ordering(tenancy).Resolve(r => r.Header("X-Shop")),
            site => site.MapTenants("/tenants").RequireAuthorization(), WithUsers, "Production");

        Assert.Equal(403, (await open.GetAsync("/tenants")).Status);
        Assert.Equal(401, (await closed.GetAsync("/tenants")).Status);
        Assert.Equal(200, (await closed.GetAsync("/tenants", ("X-User", "ada"))).Status);
    }

    [Fact]
    public async Task The_order_that_asks_users_before_the_tenant_is_known_is_refused()
    {
        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            var builder = WebApplication.CreateBuilder();
            builder.Configuration["ConnectionStrings:shop"] = "Host=nowhere.invalid";
            WithUsers(builder);
            builder.AddTenancy("shop", tenancy => Ordering(tenancy.UseBuiltInRegistry()).Resolve(r => r.Claim("shop")));
            await using var site = builder.Build();
            site.UseAuthentication();
            site.UseTenants();
        });

        Assert.Contains("UseAuthentication comes before UseTenants", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(HttpTransportType.LongPolling)]
    [InlineData(HttpTransportType.WebSockets)]
    public async Task A_hubs_calls_are_for_the_tenant_of_their_connection(HttpTransportType transport)
    {
        await using var site = await ShopSite.StartAsync(app,
            tenancy => Ordering(tenancy).Resolve(r => r.Header("X-Shop")),
            it => it.MapHub<OrdersHub>("/hub").RequireTenant(), builder => builder.Services.AddSignalR());
        await using var acme = await ConnectAsync(site, "acme", transport);
        await using var globex = await ConnectAsync(site, "globex", transport);

        await acme.InvokeAsync("Add", "Ada", Ct);

        Assert.Equal(["Ada"], await acme.InvokeAsync<string[]>("Buyers", Ct));
        Assert.Empty(await globex.InvokeAsync<string[]>("Buyers", Ct));
        await site.Tenants.SetStatusAsync("acme", TenantStatus.Suspended, Ct);
        var refusal = await Assert.ThrowsAnyAsync<Exception>(() => acme.InvokeAsync<string[]>("Buyers", Ct));
        // A socket stays open; a poll is a request.
        Assert.Contains(transport == HttpTransportType.WebSockets ? "'acme' isn't served now." : "403", refusal.Message,
            StringComparison.Ordinal);
        Assert.Empty(await globex.InvokeAsync<string[]>("Buyers", Ct));
        await Assert.ThrowsAsync<HttpRequestException>(() => ConnectAsync(site, null, HttpTransportType.LongPolling));
    }

    [Fact]
    public async Task Health_checks_ask_the_server_and_need_no_tenant()
    {
        await using var site = await ShopSite.StartAsync(app,
            tenancy => Ordering(tenancy).Resolve(r => r.Header("X-Shop")), it => it.MapHealthChecks("/health"),
            builder => builder.Services.AddHealthChecks().AddDbContextCheck<OrderingContext>());

        var report = await site.Application.Services.GetRequiredService<HealthCheckService>().CheckHealthAsync(Ct);

        Assert.Equal(["OrderingContext", "tenancy", "tenancy doctor"], report.Entries.Keys.Order());
        Assert.All(report.Entries.Values, entry => Assert.Equal(HealthStatus.Healthy, entry.Status));
        Assert.Equal((200, "Healthy"), await site.GetAsync("/health"));
    }

    private static async Task<HubConnection> ConnectAsync(ShopSite site, string? shop, HttpTransportType transport)
    {
        var server = site.Application.GetTestServer();
        var connection = new HubConnectionBuilder().WithUrl("http://localhost/hub", options =>
        {
            options.Transports = transport;
            options.HttpMessageHandlerFactory = _ => server.CreateHandler();
            options.WebSocketFactory = async (context, ct) =>
            {
                var sockets = server.CreateWebSocketClient();
                sockets.ConfigureRequest = request => request.Headers["X-Shop"] = shop;
                return await sockets.ConnectAsync(context.Uri, ct);
            };
            if (shop is not null)
            {
                options.Headers["X-Shop"] = shop;
            }
        }).Build();
        await connection.StartAsync(Ct);
        return connection;
    }

    private Task<ShopSite> SiteAsync() => ShopSite.StartAsync(
        app, tenancy => Ordering(tenancy).Resolve(r => r.Header("X-Shop")), Routes);

    private static TenancyBuilder Ordering(TenancyBuilder tenancy) =>
        tenancy.AddContext<OrderingContext>(ordering => ordering.ReplaceSchema(OrderingContext.Schema));

    private static void WithUsers(WebApplicationBuilder builder) => builder.Services.AddAuthorization()
        .AddAuthentication(HeaderSignIn.Name)
        .AddScheme<AuthenticationSchemeOptions, HeaderSignIn>(HeaderSignIn.Name, null);

    private static void Routes(WebApplication site)
    {
        site.MapGet("/who", Who).RequireTenant();
        site.MapGet("/of/{shop}/who", Who).RequireTenant();
        site.MapGet("/open", Who);
        site.MapGet("/operators", Who).IgnoreTenant();
        var users = site.MapGet("/users/who", Who).RequireTenant();
        if (site.Services.GetService<IAuthorizationService>() is not null)
        {
            users.RequireAuthorization();
        }

        var orders = site.MapGroup("/orders").RequireTenant();
        orders.MapGet("/", (OrderingContext db, CancellationToken ct) =>
            db.Orders.Select(order => order.Buyer).ToListAsync(ct));
        orders.MapPost("/", async (OrderingContext db, string buyer, CancellationToken ct) =>
        {
            db.Orders.Add(new() { Buyer = buyer });
            await db.SaveChangesAsync(ct);
        });
        site.MapTenants("/tenants");

        static string Who(CurrentTenant tenant) => tenant.IsChosen ? tenant.Value.Slug : "nobody";
    }

    private static (string Name, string Value)[] Pairs(string[] headers) =>
        [.. headers.Chunk(2).Select(pair => (pair[0], pair[1]))];

    internal sealed class OrdersHub(OrderingContext db) : Hub
    {
        public async Task Add(string buyer)
        {
            db.Orders.Add(new() { Buyer = buyer });
            await db.SaveChangesAsync();
        }

        public Task<string[]> Buyers() => db.Orders.Select(order => order.Buyer).ToArrayAsync();
    }
}
