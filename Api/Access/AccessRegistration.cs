using System.Security.Claims;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.JwtBearer;
using Microsoft.AspNetCore.Authorization;

namespace Api.Access;

/// <summary>
/// Who is asking: API keys always; tokens of an OpenID Connect issuer where <c>Authentication:Jwt:Authority</c> names
/// one. Everything needs a credential unless it says that it doesn't.
/// </summary>
internal static class AccessRegistration
{
    private const string Either = "KeyOrToken";

    public static void AddAccess(this WebApplicationBuilder builder)
    {
        var services = builder.Services.AddSingleton<KnownKeys>().AddSingleton<Impersonations>();
        var authentication = services.AddAuthentication(Either)
            .AddScheme<AuthenticationSchemeOptions, ApiKeyHandler>(ApiKeyHandler.SchemeName, null);
        var jwt = builder.Configuration.GetSection(JwtSettings.Section).Get<JwtSettings>();
        var takesTokens = !string.IsNullOrWhiteSpace(jwt?.Authority);
        if (takesTokens)
        {
            authentication.AddJwtBearer(token => jwt!.Configure(token));
        }

        authentication.AddPolicyScheme(Either, null, either =>
        {
            either.ForwardDefaultSelector = context =>
                takesTokens && IsToken(ApiKeyHandler.TextOf(context.Request))
                    ? JwtBearerDefaults.AuthenticationScheme
                    : ApiKeyHandler.SchemeName;
            (either.ForwardChallenge, either.ForwardForbid) = (ApiKeyHandler.SchemeName, ApiKeyHandler.SchemeName);
        });
        services.AddAuthorizationBuilder()
            .AddPolicy(Caller.Operators, policy => policy.RequireClaim(Caller.Role, Caller.Operator))
            .AddPolicy(Caller.Users, policy => policy.RequireAssertion(context => IsUser(context.User)))
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
    }

    /// <summary>Refuses a start that nobody could use.</summary>
    /// <exception cref="InvalidOperationException">The operator's key is too short.</exception>
    public static void CheckAccess(this WebApplication app) => app.Services.GetRequiredService<KnownKeys>();

    /// <summary>Three parts with dots between, which no key has.</summary>
    private static bool IsToken(string? text) => text?.Count(letter => letter == '.') == 2;

    private static bool IsUser(ClaimsPrincipal user) =>
        user.HasClaim(Caller.Role, Caller.Operator) || user.HasClaim(claim => claim.Type == Caller.Customer);
}

/// <summary>Settings of an OpenID Connect issuer: the section <c>Authentication:Jwt</c>.</summary>
internal sealed class JwtSettings
{
    public const string Section = "Authentication:Jwt";

    /// <summary>The issuer's address; its discovery document is below it. Empty: no tokens.</summary>
    public string Authority { get; init; } = "";

    /// <summary>For whom a token has to be issued.</summary>
    public string Audience { get; init; } = "";

    /// <summary>The token's claim with the slug of its user's customer. Default: <c>customer</c>.</summary>
    public string CustomerClaim { get; init; } = "customer";

    /// <summary>The token's claim that says that its user is an operator. Default: <c>role</c>.</summary>
    public string OperatorClaim { get; init; } = "role";

    /// <summary>Its value then. Default: <c>operator</c>.</summary>
    public string OperatorValue { get; init; } = "operator";

    /// <summary>Whether the issuer has to be asked over https. Default: true.</summary>
    public bool RequireHttps { get; init; } = true;

    /// <exception cref="InvalidOperationException">The audience is missing: tokens for others would be
    /// taken.</exception>
    public void Configure(JwtBearerOptions token)
    {
        if (string.IsNullOrWhiteSpace(Audience))
        {
            throw new InvalidOperationException(
                $"{Section}:Audience is missing. Without it, a token that was issued for another application would " +
                "be taken.");
        }

        (token.Authority, token.Audience, token.RequireHttpsMetadata) = (Authority, Audience, RequireHttps);
        token.MapInboundClaims = false;
        // Only what a signature proves: a token without one, or with a secret that both sides know, isn't an issuer's.
        token.TokenValidationParameters.ValidAlgorithms = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512",
            "ES256", "ES384", "ES512"];
        token.TokenValidationParameters.ClockSkew = TimeSpan.FromSeconds(30);
        token.Events = new()
        {
            OnTokenValidated = context =>
            {
                context.Principal = Translate(context.Principal!);
                return Task.CompletedTask;
            },
        };
    }

    /// <summary>Nothing of a token counts but its name and these two claims.</summary>
    private ClaimsPrincipal Translate(ClaimsPrincipal token)
    {
        var identity = new ClaimsIdentity(
            JwtBearerDefaults.AuthenticationScheme, ClaimTypes.Name, Caller.Role);
        identity.AddClaim(new(ClaimTypes.Name, token.FindFirst("sub")?.Value ?? "token"));
        foreach (var customer in token.FindAll(CustomerClaim))
        {
            identity.AddClaim(new(Caller.Customer, customer.Value));
        }

        // A customer's user is never an operator, whatever else the token says.
        if (token.HasClaim(OperatorClaim, OperatorValue) && !identity.HasClaim(claim => claim.Type == Caller.Customer))
        {
            identity.AddClaim(new(Caller.Role, Caller.Operator));
        }

        return new(identity);
    }
}
