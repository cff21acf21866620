using System.Net;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Tests.Unit.Web;

/// <summary>Who may see the console, and what a browser is told to forbid.</summary>
public sealed partial class SignInTests(WebHost web) : IClassFixture<WebHost>
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public void Nothing_is_open_to_everybody_but_what_signing_in_needs()
    {
        var open = web.Factory.Services.GetServices<EndpointDataSource>().SelectMany(source => source.Endpoints)
            .OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<IAllowAnonymous>() is not null)
            .Select(endpoint => endpoint.RoutePattern.RawText!)
            // The files of the build: style sheets, scripts, pictures.
            .Where(route => !Asset().IsMatch(route))
            .Distinct().Order(StringComparer.Ordinal);

        Assert.Equal(["/alive", "/error", "/health", "/not-found", "/sign-in", "/sign-out"], open);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/customers")]
    [InlineData("/customers/acme/invoices?page=2")]
    [InlineData("/nothing/here")]
    [InlineData("/_blazor")]
    public async Task Without_a_session_a_page_leads_to_the_form_and_a_script_gets_401(string path)
    {
        using var client = web.SignedOut();

        using var page = await client.GetAsync(path, Ct);
        using var script = await client.PostAsync("/_blazor/negotiate?negotiateVersion=1", null, Ct);

        Assert.Equal(HttpStatusCode.Unauthorized, script.StatusCode);
        if (path == "/_blazor")
        {
            Assert.Equal(HttpStatusCode.Unauthorized, page.StatusCode);
            return;
        }

        Assert.Equal(
            (HttpStatusCode.Redirect, $"/sign-in?ReturnUrl={Uri.EscapeDataString(path)}"),
            (page.StatusCode, page.Headers.Location?.PathAndQuery));
    }

    [Theory]
    [InlineData("", "Enter an operator")]
    [InlineData("has blanks", "Enter an operator")]
    [InlineData("tko_wrong", "The API doesn&#x27;t know this key.")]
    [InlineData("tkc_abc_secret", "This key is a customer")]
    public async Task What_is_no_operators_key_is_refused_in_words_and_not_repeated(string key, string words)
    {
        using var client = web.SignedOut();

        using var answer = await WebHost.SignInAsync(client, key);

        var html = await answer.Content.ReadAsStringAsync(Ct);
        Assert.Contains(words, html, StringComparison.Ordinal);
        Assert.True(key is "" || !html.Contains(key, StringComparison.Ordinal));
        Assert.Equal(HttpStatusCode.Redirect, (await client.GetAsync("/customers", Ct)).StatusCode);
    }

    [Fact]
    public async Task The_cookie_is_for_the_browser_alone_and_a_key_is_not_readable_in_it()
    {
        using var client = web.SignedOut();

        using var answer = await WebHost.SignInAsync(client, WebHost.Key, "?ReturnUrl=%2Fcustomers%2Facme");

        Assert.Equal("/customers/acme", new Uri(client.BaseAddress!, answer.Headers.Location!).PathAndQuery);
        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"));
        Assert.StartsWith("console=", cookie, StringComparison.Ordinal);
        Assert.Contains("httponly", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("samesite=lax", cookie, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("secret", cookie, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/customers", Ct)).StatusCode);
    }

    [Fact]
    public async Task No_other_site_signs_anybody_in_or_out()
    {
        using var client = await web.SignedInAsync();
        using var form = new FormUrlEncodedContent([new("_handler", "sign-in"), new("Key", WebHost.Key)]);

        using var signIn = await client.PostAsync("/sign-in", form, Ct);
        using var signOut = await client.PostAsync("/sign-out", new FormUrlEncodedContent([]), Ct);

        Assert.Equal(HttpStatusCode.BadRequest, signIn.StatusCode);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/customers", Ct)).StatusCode);
    }

    [Fact]
    public async Task A_window_of_an_earlier_session_signs_the_present_one_out()
    {
        using var client = await web.SignedInAsync();
        using var form = new HttpRequestMessage(HttpMethod.Post, "/sign-out")
        {
            Headers = { { "Sec-Fetch-Site", "same-origin" } },
        };

        using var answer = await client.SendAsync(form, Ct);

        Assert.Equal("/sign-in", answer.Headers.Location?.OriginalString);
        Assert.Equal(HttpStatusCode.Redirect, (await client.GetAsync("/customers", Ct)).StatusCode);
    }

    [Fact]
    public async Task Nobody_tries_many_keys()
    {
        using var host = web.Configured(_ => { });
        using var client = host.CreateClient(new() { AllowAutoRedirect = false });
        HttpResponseMessage answer;
        var attempts = 0;
        do
        {
            answer = await WebHost.SignInAsync(client, "tko_wrong");
        }
        while (++attempts < 100 && answer.StatusCode == HttpStatusCode.OK);

        Assert.Equal((HttpStatusCode.TooManyRequests, 31), (answer.StatusCode, attempts));
        Assert.Contains("in a minute", await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, (await client.GetAsync("/sign-in", Ct)).StatusCode);
    }

    [Fact]
    public async Task A_page_runs_no_script_of_its_own_and_nobody_frames_or_keeps_it()
    {
        using var client = await web.SignedInAsync();

        foreach (var path in new[] { "/customers", "/sign-in", "/not-found", "/error" })
        {
            using var page = await client.GetAsync(path, Ct);

            var html = await page.Content.ReadAsStringAsync(Ct);
            var policies = page.Headers.GetValues("Content-Security-Policy").ToList();
            var policy = Assert.Single(policies);
            Assert.Contains("script-src 'self';", policy, StringComparison.Ordinal);
            Assert.Contains("frame-ancestors 'none'", policy, StringComparison.Ordinal);
            Assert.Contains("object-src 'none'", policy, StringComparison.Ordinal);
            Assert.Equal("nosniff", page.Headers.GetValues("X-Content-Type-Options").Single());
            Assert.True(page.Headers.CacheControl?.NoStore);
            Assert.DoesNotMatch("<script(?![^>]*\\ssrc=)", html);
            Assert.DoesNotMatch("\\son[a-z]+=\"", html);
            Assert.DoesNotContain("javascript:", html, StringComparison.OrdinalIgnoreCase);
        }
    }

    [Theory]
    [InlineData("tko_abcdefghij234567_sec_ret-", "tko_abcdefghij234567")]
    [InlineData("abcdefghij234567_secret_abcdefghij234567", "operator")]
    [InlineData("tko_short_secret", "operator")]
    public void Nobody_is_called_by_a_secret(string key, string name) =>
        Assert.Equal(name, global::Web.SignIn.ConsoleAccess.NameOf(key));

    [Fact]
    public void An_issuer_without_the_consoles_name_is_refused_at_the_start()
    {
        using var host = web.Configured(builder => builder.UseSetting(
            "Authentication:Oidc:Authority", "https://issuer.example"));

        var error = Assert.ThrowsAny<Exception>(() => host.Services
            .GetRequiredService<IOptionsMonitor<Microsoft.AspNetCore.Authentication.OpenIdConnect.OpenIdConnectOptions>>()
            .Get("OpenIdConnect"));

        Assert.Contains("Authentication:Oidc:ClientId is missing", error.Message, StringComparison.Ordinal);
    }

    [GeneratedRegex(@"\.(css|js|svg|csv|map|ico|png|gz|br)$")]
    private static partial Regex Asset();
}
