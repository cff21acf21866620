using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Identity;
using Microsoft.AspNetCore.Identity.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Metadata;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.AspNetCore;
using Xunit;

namespace Tests.Integration.Adoption;

/// <summary>ASP.NET Core Identity with cookies, whose users are in each tenant's schema.</summary>
public sealed class IdentityTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_user_signs_in_at_one_tenant_and_is_nobody_at_another()
    {
        await using var site = await SiteAsync(bind: true);
        using var acme = site.Client(("Host", "acme.shops.example"));

        var registered = await PostAsync(acme, "/register?name=ada");
        var cookie = await PostAsync(acme, "/login?name=ada");
        Assert.Equal((HttpStatusCode.OK, HttpStatusCode.OK), (registered.Status, cookie.Status));
        var mine = await site.GetAsync("/me", ("Host", "acme.shops.example"), ("Cookie", cookie.Cookie!));
        var theirs = await site.GetAsync("/me", ("Host", "globex.shops.example"), ("Cookie", cookie.Cookie!));
        var theirsOpen = await site.GetAsync("/open", ("Host", "globex.shops.example"), ("Cookie", cookie.Cookie!));
        var nowhere = await site.GetAsync("/open", ("Host", "localhost"));

        Assert.Equal((200, "ada acme"), mine);
        // Its security stamp is looked for in globex's schema, which has no such user.
        Assert.Equal(401, theirs.Status);
        Assert.Equal((200, "nobody"), theirsOpen);
        Assert.Equal((200, "nobody"), nowhere);
        using var globex = site.Client(("Host", "globex.shops.example"));
        Assert.Equal(HttpStatusCode.Unauthorized, (await PostAsync(globex, "/login?name=ada")).Status);
    }

    [Fact]
    public async Task A_cookie_whose_stamp_is_not_looked_at_is_still_its_tenants()
    {
        await using var site = await SiteAsync(bind: true, stamps: TimeSpan.FromHours(1));
        using var acme = site.Client(("Host", "acme.shops.example"));
        await PostAsync(acme, "/register?name=ada");
        var cookie = await PostAsync(acme, "/login?name=ada");

        Assert.Equal((200, "ada acme"),
            await site.GetAsync("/me", ("Host", "acme.shops.example"), ("Cookie", cookie.Cookie!)));
        var theirs = await site.GetAsync("/me", ("Host", "globex.shops.example"), ("Cookie", cookie.Cookie!));
        Assert.Equal((403, "Who is signed in isn't a user of the tenant 'globex'."), theirs);
    }

    [Fact]
    public async Task Without_BindUsers_such_a_cookie_would_be_good_everywhere()
    {
        await using var site = await SiteAsync(bind: false, stamps: TimeSpan.FromHours(1));
        using var acme = site.Client(("Host", "acme.shops.example"));
        await PostAsync(acme, "/register?name=ada");
        var cookie = await PostAsync(acme, "/login?name=ada");

        var theirs = await site.GetAsync("/me", ("Host", "globex.shops.example"), ("Cookie", cookie.Cookie!));

        // What the page about Identity warns of.
        Assert.Equal(200, theirs.Status);
    }

    private static async Task<(HttpStatusCode Status, string? Cookie)> PostAsync(HttpClient client, string path)
    {
        using var answer = await client.PostAsync(path, null, Ct);
        return (answer.StatusCode, answer.Headers.TryGetValues("Set-Cookie", out var cookies)
            ? cookies.First().Split(';')[0] : null);
    }

    private Task<ShopSite> SiteAsync(bool bind, TimeSpan stamps = default) => ShopSite.StartAsync(app,
        tenancy =>
        {
            tenancy.AddContext<AccountsContext>().Resolve(r => r.Host("{slug}.shops.example"));
            _ = bind ? tenancy.BindUsers("shop") : tenancy;
        },
        site =>
        {
            site.MapPost("/register", async (UserManager<IdentityUser> users, string name) =>
                (await users.CreateAsync(new(name), "Passw0rd!")).Succeeded ? Results.Ok() : Results.BadRequest())
                .RequireTenant();
            site.MapPost("/login", async (SignInManager<IdentityUser> signIn, string name) =>
                (await signIn.PasswordSignInAsync(name, "Passw0rd!", false, false)).Succeeded
                    ? Results.Ok()
                    : Results.Unauthorized()).RequireTenant();
            site.MapGet("/me", (ClaimsPrincipal user) => $"{user.Identity!.Name} {user.FindFirstValue("shop")}")
                .RequireTenant().RequireAuthorization();
            site.MapGet("/open", (ClaimsPrincipal user) => user.Identity?.Name ?? "nobody");
        },
        builder =>
        {
            builder.Services.AddAuthorization().AddIdentity<IdentityUser, IdentityRole>()
                .AddEntityFrameworkStores<AccountsContext>();
            builder.Services.Configure<SecurityStampValidatorOptions>(options => options.ValidationInterval = stamps);
            builder.Services.ConfigureApplicationCookie(cookie => cookie.Events.OnRedirectToLogin = context =>
            {
                context.Response.StatusCode = 401;
                return Task.CompletedTask;
            });
        });
}

internal sealed class AccountsContext(DbContextOptions<AccountsContext> options) : IdentityDbContext(options);

/// <summary>What <c>dotnet ef migrations add</c> would write for the model as it is.</summary>
[DbContext(typeof(AccountsContext))]
[Migration("20250101000000_Accounts")]
internal sealed class AccountsMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        var options = new DbContextOptionsBuilder<AccountsContext>();
        using var context = new AccountsContext(options.UseNpgsql("Host=nowhere.invalid").Options);
        var model = context.GetService<IDesignTimeModel>().Model.GetRelationalModel();
        migrationBuilder.Operations.AddRange(context.GetService<IMigrationsModelDiffer>().GetDifferences(null, model));
    }
}
