using System.Net.Http.Json;
using System.Security.Claims;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using OpenIddict.Abstractions;
using OpenIddict.Server;
using Xunit;
using static OpenIddict.Abstractions.OpenIddictConstants;

namespace Tests.Integration.Access;

/// <summary>A real OpenID Connect issuer in this process, which signs whatever a test wants to be signed.</summary>
internal sealed class Issuer : IAsyncDisposable
{
    private readonly WebApplication _application;

    private Issuer(WebApplication application) => _application = application;

    public string Address => _application.Urls.Single();

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<Issuer> StartAsync()
    {
        var builder = WebApplication.CreateBuilder();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.Logging.ClearProviders();
        builder.Services.AddOpenIddict().AddServer(server =>
        {
            server.SetTokenEndpointUris("connect/token").AllowClientCredentialsFlow();
            server.SetAuthorizationEndpointUris("connect/authorize").AllowAuthorizationCodeFlow()
                .RegisterScopes(Scopes.Profile);
            server.EnableDegradedMode();
            server.AddEphemeralSigningKey().AddEphemeralEncryptionKey().DisableAccessTokenEncryption();
            server.UseAspNetCore().DisableTransportSecurityRequirement();
            server.AddEventHandler<OpenIddictServerEvents.ValidateTokenRequestContext>(
                handler => handler.UseInlineHandler(static _ => ValueTask.CompletedTask));
            server.AddEventHandler<OpenIddictServerEvents.HandleTokenRequestContext>(
                handler => handler.UseInlineHandler(static context =>
                {
                    // A code has the principal of the authorization.
                    context.SignIn(context.Principal ?? Signed(context.Request));
                    return ValueTask.CompletedTask;
                }));
            server.AddEventHandler<OpenIddictServerEvents.ValidateAuthorizationRequestContext>(
                handler => handler.UseInlineHandler(static _ => ValueTask.CompletedTask));
            server.AddEventHandler<OpenIddictServerEvents.HandleAuthorizationRequestContext>(
                handler => handler.UseInlineHandler(static context =>
                {
                    // Ada is signed in there already.
                    context.SignIn(Ada(context.Request));
                    return ValueTask.CompletedTask;
                }));
        });
        var application = builder.Build();
        application.UseAuthentication();
        await application.StartAsync(Ct);
        return new(application);
    }

    /// <summary>A token with these claims.</summary>
    public async Task<string> TokenAsync(string audience, TimeSpan? lifetime,
        params (string Type, string Value)[] claims)
    {
        using var http = new HttpClient { BaseAddress = new(Address) };
        using var request = new FormUrlEncodedContent([
            new("grant_type", "client_credentials"), new("client_id", "tests"), new("client_secret", "tests"),
                new("for", audience),
            new("lifetime", $"{(lifetime ?? TimeSpan.FromMinutes(5)).TotalSeconds}"),
            .. claims.Select(claim => KeyValuePair.Create($"claim_{claim.Type}", claim.Value))]);
        using var answer = await http.PostAsync("connect/token", request, Ct);
        var token = (await answer.Content.ReadFromJsonAsync<JsonObject>(Ct))!;
        return (string?)token["access_token"] ?? throw new InvalidOperationException(token.ToJsonString());
    }

    public ValueTask DisposeAsync() => _application.DisposeAsync();

    private static ClaimsPrincipal Ada(OpenIddictRequest request)
    {
        var identity = new ClaimsIdentity("issuer", Claims.Name, Claims.Role);
        identity.SetClaim(Claims.Subject, "ada").SetClaim(Claims.Name, "Ada Lovelace")
            .SetClaim(Claims.Role, "operator");
        identity.SetDestinations(static claim => claim.Type == Claims.Role
            ? [Destinations.AccessToken]
            : [Destinations.AccessToken, Destinations.IdentityToken]);
        var principal = new ClaimsPrincipal(identity);
        principal.SetScopes(request.GetScopes());
        principal.SetAudiences("invoicing");
        return principal;
    }

    private static ClaimsPrincipal Signed(OpenIddictRequest request)
    {
        var identity = new ClaimsIdentity("issuer", Claims.Name, Claims.Role);
        identity.SetClaim(Claims.Subject, "ada");
        foreach (var (name, value) in request.GetParameters())
        {
            if (name.StartsWith("claim_", StringComparison.Ordinal))
            {
                // Those of a claim with several values, or the only one.
                var values = value.GetUnnamedParameters().Select(one => (string?)one).DefaultIfEmpty((string?)value);
                foreach (var one in values)
                {
                    identity.AddClaim(name["claim_".Length..], one!);
                }
            }
        }

        identity.SetDestinations(static _ => [Destinations.AccessToken]);
        var principal = new ClaimsPrincipal(identity);
        principal.SetAudiences((string)request["for"]!);
        principal.SetAccessTokenLifetime(TimeSpan.FromSeconds((long)request["lifetime"]!));
        return principal;
    }
}
