using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tenancy;
using Tenancy.AspNetCore;
using Tests.Integration.Outage;
using Xunit;

namespace Tests.Integration.Adoption;

/// <summary>The user is known before the tenant is asked for.</summary>
public sealed class SignInFirstTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Nobody_is_looked_up_for_a_stranger_or_for_another_tenants_user()
    {
        var asked = new List<string>();
        var log = new LogLines();
        await using var site = await StartAsync(asked, log);
        foreach (var slug in new[] { "acme", "globex", "nobody-has-this", "Not A Slug" })
        {
            Assert.Equal(401, (await site.GetAsync("/who", ("X-Shop", slug))).Status);
            var other = await site.GetAsync("/who", ("X-Shop", slug), ("X-User", "ada"), ("X-Claim", "umbrella"));
            Assert.Equal((403, "Who is signed in isn't a user of that tenant."), other);
        }

        Assert.Empty(asked);
        Assert.Contains(log.All, one => one.Line.Contains("'ada' asked for another tenant", StringComparison.Ordinal));
        // What a stranger wrote isn't in the log.
        Assert.DoesNotContain(log.All, one => one.Category.StartsWith("Tenancy", StringComparison.Ordinal)
            && one.Line.Contains("nobody-has-this", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_user_is_served_by_the_claim_alone_and_an_operator_by_what_the_request_names()
    {
        await using var site = await StartAsync([], new());

        Assert.Equal((200, "acme"), await site.GetAsync("/who", ("X-User", "ada"), ("X-Claim", "acme")));
        Assert.Equal((200, "acme"),
            await site.GetAsync("/who", ("X-Shop", "acme"), ("X-User", "ada"), ("X-Claim", "acme")));
        Assert.Equal((200, "globex"), await site.GetAsync("/who", ("X-Shop", "globex"), ("X-User", "root")));
        Assert.Equal(404, (await site.GetAsync("/who", ("X-Shop", "nobody"), ("X-User", "root"))).Status);
        Assert.Equal(400, (await site.GetAsync("/who", ("X-Shop", "Not A Slug"), ("X-User", "root"))).Status);
        Assert.Equal(400, (await site.GetAsync("/who", ("X-User", "root"))).Status);
        // A tenant that is no more, and a claim that can't be one: the same 403, and no 404.
        foreach (var claim in new[] { "nobody", "Not A Slug" })
        {
            Assert.Equal((403, "Who is signed in isn't a user of that tenant."),
                await site.GetAsync("/who", ("X-User", "ada"), ("X-Claim", claim)));
        }

        // Of several tenants: the request says which.
        Assert.Equal(400,
            (await site.GetAsync("/who", ("X-User", "ada"), ("X-Claim", "acme"), ("X-Claim", "globex"))).Status);
        Assert.Equal((200, "globex"), await site.GetAsync(
            "/who", ("X-Shop", "globex"), ("X-User", "ada"), ("X-Claim", "acme"), ("X-Claim", "globex")));
    }

    [Fact]
    public async Task Whose_id_isnt_the_tenants_is_refused_whatever_the_slug_says()
    {
        await using var site = await StartAsync([], new());
        var acme = (await site.Tenants.FindSummaryAsync("acme", Ct))!.Entry.Tenant;

        Assert.Equal(200, (await site.GetAsync(
            "/who", ("X-User", "ada"), ("X-Claim", "acme"), ("X-Id", acme.Id.ToString()))).Status);
        foreach (var id in new[] { Guid.NewGuid().ToString(), "acme" })
        {
            Assert.Equal(403,
                (await site.GetAsync("/who", ("X-User", "ada"), ("X-Claim", "acme"), ("X-Id", id))).Status);
        }
    }

    [Fact]
    public async Task Without_users_the_start_says_what_is_missing()
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(() => ShopSite.StartAsync(app,
            tenancy => Ordering(tenancy).Resolve(request => request.Claim("shop").SignInFirst()), _ => { }));
        Assert.Contains("AddAuthentication", refused.Message, StringComparison.Ordinal);
    }

    private Task<ShopSite> StartAsync(List<string> asked, LogLines log) => ShopSite.StartAsync(app,
        tenancy =>
            Ordering(tenancy).Resolve(request => request.Claim("shop", id: "shop_id").Header("X-Shop").SignInFirst()),
        site => site.MapGet("/who", (CurrentTenant tenant) => tenant.Value.Slug).RequireTenant().RequireAuthorization(),
        builder =>
        {
            builder.Logging.AddProvider(log);
            builder.Services.AddAuthorization().AddTransient<IClaimsTransformation, IdOfHeader>()
                .AddHttpContextAccessor().AddAuthentication(HeaderSignIn.Name)
                .AddScheme<AuthenticationSchemeOptions, HeaderSignIn>(HeaderSignIn.Name, null);
            builder.Services.PostConfigure<TenancyOptions>(options =>
            {
                var find = options.FindTenant!;
                options.FindTenant = (services, slug, ct) =>
                {
                    asked.Add(slug);
                    return find(services, slug, ct);
                };
            });
        });

    private static TenancyBuilder Ordering(TenancyBuilder tenancy) =>
        tenancy.AddContext<OrderingContext>(ordering => ordering.ReplaceSchema(OrderingContext.Schema));

    /// <summary>A header that says the id which a token would have.</summary>
    private sealed class IdOfHeader(Microsoft.AspNetCore.Http.IHttpContextAccessor context) : IClaimsTransformation
    {
        public Task<System.Security.Claims.ClaimsPrincipal> TransformAsync(
            System.Security.Claims.ClaimsPrincipal principal)
        {
            var identity = (System.Security.Claims.ClaimsIdentity)principal.Identity!;
            if (context.HttpContext!.Request.Headers["X-Id"] is [{ } id] && !identity.HasClaim("shop_id", id))
            {
                identity.AddClaim(new("shop_id", id));
            }

            return Task.FromResult(principal);
        }
    }
}
