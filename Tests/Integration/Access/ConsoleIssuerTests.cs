using System.Net;
using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Microsoft.IdentityModel.JsonWebTokens;
using Xunit;

namespace Tests.Integration.Access;

/// <summary>The console's sign-in by a real OpenID Connect issuer.</summary>
public sealed class ConsoleIssuerTests(Unit.Web.WebHost web) : IClassFixture<Unit.Web.WebHost>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_operator_of_the_issuer_signs_in_and_the_API_gets_the_issuers_token()
    {
        await using var issuer = await Issuer.StartAsync();
        await using var console = web.Configured(host => host
            .UseSetting("Authentication:Oidc:Authority", issuer.Address)
            .UseSetting("Authentication:Oidc:ClientId", "console")
            .UseSetting("Authentication:Oidc:Name", "Umbrella")
            .UseSetting("Authentication:Oidc:RequireHttps", "false"));
        using var client = console.CreateClient(
            new() { AllowAutoRedirect = false });
        using var outside = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false });
        Assert.Contains("Sign in with Umbrella", await client.GetStringAsync("/sign-in?ReturnUrl=%2Fcustomers", Ct),
            StringComparison.Ordinal);

        using var begun = await client.GetAsync("/sign-in/oidc?ReturnUrl=%2Fcustomers", Ct);
        Assert.StartsWith($"{issuer.Address}/connect/authorize", begun.Headers.Location?.OriginalString,
            StringComparison.Ordinal);
        Assert.Contains("code_challenge_method=S256", begun.Headers.Location!.Query, StringComparison.Ordinal);
        using var signed = await outside.GetAsync(begun.Headers.Location, Ct);
        Assert.True(signed.Headers.Location is not null, await signed.Content.ReadAsStringAsync(Ct));
        using var back = await client.GetAsync(signed.Headers.Location!.PathAndQuery, Ct);

        Assert.Equal((HttpStatusCode.Redirect, "/customers"), (back.StatusCode, back.Headers.Location?.OriginalString));
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/customers", Ct)).StatusCode);
        var session = SessionOf(console.Services, back);
        Assert.Equal("Ada Lovelace", session.Identity?.Name);
        var token = new JsonWebToken(session.FindFirst("credential")!.Value);
        Assert.Equal((issuer.Address + "/", "invoicing"), (token.Issuer, token.Audiences.Single()));
        Assert.Equal("operator", token.GetClaim("role").Value);
        // The code works once, and only in the browser that asked for it.
        using var again = await client.GetAsync(signed.Headers.Location.PathAndQuery, Ct);
        Assert.Equal("/sign-in?failed=issuer", again.Headers.Location?.OriginalString);
        Assert.Contains("The issuer didn&#x27;t sign you in.",
            await client.GetStringAsync("/sign-in?failed=issuer", Ct), StringComparison.Ordinal);
    }

    /// <summary>What the cookie says, which only the console can read.</summary>
    private static ClaimsPrincipal SessionOf(IServiceProvider console, HttpResponseMessage answer)
    {
        var cookie = answer.Headers.GetValues("Set-Cookie")
            .Single(cookie => cookie.StartsWith("console=", StringComparison.Ordinal));
        return console.GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>().Get("Cookies")
            .TicketDataFormat.Unprotect(Uri.UnescapeDataString(cookie.Split(';')[0]["console=".Length..]))!.Principal;
    }
}
