using System.Net;
using System.Text;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Mvc.Testing;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Tests.Integration.Access;

/// <summary>Tokens of a real OpenID Connect issuer, outside Development.</summary>
public sealed class TokensTests(App app) : IAsyncLifetime
{
    private const string Audience = "invoicing";

    private Issuer _issuer = null!;
    private WebApplicationFactory<Api.Paging> _api = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _issuer = await Issuer.StartAsync();
        _api = new ApiFactory().WithWebHostBuilder(host => host
            .UseEnvironment("Production")
            .UseSetting("ConnectionStrings:tenants", app.ConnectionString)
            .UseSetting("ConnectionStrings:tenantsApi", app.ServingConnectionString)
            .UseSetting("Authentication:Jwt:Authority", _issuer.Address)
            .UseSetting("Authentication:Jwt:Audience", Audience)
            .UseSetting("Authentication:Jwt:CustomerClaim", "org")
            .UseSetting("Authentication:Jwt:OperatorClaim", "groups")
            .UseSetting("Authentication:Jwt:OperatorValue", "invoicing-operators")
            .UseSetting("Authentication:Jwt:RequireHttps", "false")
            .ConfigureLogging(logging => logging.ClearProviders()));
    }

    public async ValueTask DisposeAsync()
    {
        await _api.DisposeAsync();
        await _issuer.DisposeAsync();
    }

    [Fact]
    public async Task A_tokens_claim_decides_the_customer()
    {
        var (acme, globex) = (await app.NewCustomerAsync(), await app.NewCustomerAsync());
        var token = await _issuer.TokenAsync(Audience, null, ("org", acme.Tenant.Slug));

        Assert.Equal(HttpStatusCode.OK, await AskAsync(token, "/invoices"));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(token, $"/customers/{acme.Tenant.Slug}/invoices"));
        Assert.Equal(HttpStatusCode.Forbidden, await AskAsync(token, $"/customers/{globex.Tenant.Slug}/invoices"));
        Assert.Equal(HttpStatusCode.Forbidden, await AskAsync(token, "/customers"));
    }

    [Fact]
    public async Task A_user_of_two_customers_names_one_of_them()
    {
        var (acme, globex) = (await app.NewCustomerAsync(), await app.NewCustomerAsync());
        var other = await app.NewCustomerAsync();
        var token = await _issuer.TokenAsync(
            Audience, null, ("org", acme.Tenant.Slug), ("org", globex.Tenant.Slug));

        Assert.Equal(HttpStatusCode.OK, await AskAsync(token, $"/customers/{acme.Tenant.Slug}/invoices"));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(token, $"/customers/{globex.Tenant.Slug}/invoices"));
        Assert.Equal(HttpStatusCode.Forbidden, await AskAsync(token, $"/customers/{other.Tenant.Slug}/invoices"));
        Assert.Equal(HttpStatusCode.BadRequest, await AskAsync(token, "/invoices"));
    }

    [Fact]
    public async Task Operators_are_whom_the_issuer_calls_so()
    {
        var acme = await app.NewCustomerAsync();
        var token = await _issuer.TokenAsync(Audience, null, ("groups", "invoicing-operators"));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(token, "/customers"));
        Assert.Equal(HttpStatusCode.OK, await AskAsync(token, $"/customers/{acme.Tenant.Slug}/invoices"));

        // The API's own names mean nothing in a token, and a customer's user is never an operator.
        foreach (var claims in new (string, string)[][]
        {
            [("role", "operator")], [("groups", "others")], [],
            [("groups", "invoicing-operators"), ("org", acme.Tenant.Slug)], [("customer", acme.Tenant.Slug)],
        })
        {
            Assert.Equal(HttpStatusCode.Forbidden,
                await AskAsync(await _issuer.TokenAsync(Audience, null, claims), "/customers"));
        }

        // Who is neither learns nothing of slugs.
        var nobody = await _issuer.TokenAsync(Audience, null);
        Assert.Equal(HttpStatusCode.Forbidden, await AskAsync(nobody, $"/customers/{acme.Tenant.Slug}/invoices"));
        Assert.Equal(HttpStatusCode.Forbidden, await AskAsync(nobody, "/customers/nobody-has-this/invoices"));
    }

    [Fact]
    public async Task A_token_that_proves_nothing_is_refused()
    {
        var acme = await app.NewCustomerAsync();
        var right = await _issuer.TokenAsync(Audience, null, ("org", acme.Tenant.Slug));
        var parts = right.Split('.');
        await using var stranger = await Issuer.StartAsync();
        foreach (var wrong in new[]
        {
            await _issuer.TokenAsync("another", null, ("org", acme.Tenant.Slug)),
            await _issuer.TokenAsync(Audience, TimeSpan.FromSeconds(-60), ("org", acme.Tenant.Slug)),
            await stranger.TokenAsync(Audience, null, ("org", acme.Tenant.Slug)),
            $"{parts[0]}.{parts[1]}.{new string(parts[2].Reverse().ToArray())}", $"{parts[0]}.{parts[1]}.",
            $"{Encoded("""{"alg":"none","typ":"JWT"}""")}.{parts[1]}.",
            $"{Encoded("""{"alg":"HS256","typ":"JWT"}""")}.{parts[1]}.{parts[2]}",
        })
        {
            Assert.Equal(HttpStatusCode.Unauthorized, await AskAsync(wrong, "/invoices"));
        }

        Assert.Equal(HttpStatusCode.OK, await AskAsync(right, "/invoices"));
        // Keys work beside tokens.
        Assert.Equal(HttpStatusCode.OK, await AskAsync(ApiFactory.OperatorKey, "/customers"));
    }

    private async Task<HttpStatusCode> AskAsync(string token, string path)
    {
        using var http = _api.CreateClient();
        http.DefaultRequestHeaders.Authorization = new("Bearer", token);
        using var answer = await http.GetAsync(path, Ct);
        return answer.StatusCode;
    }

    private static string Encoded(string json) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(json)).TrimEnd('=').Replace('+', '-').Replace('/', '_');
}
