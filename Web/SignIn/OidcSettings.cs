using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.IdentityModel.Protocols.OpenIdConnect;

namespace Web.SignIn;

/// <summary>
/// Settings of an OpenID Connect issuer whose users sign in: the section <c>Authentication:Oidc</c>. The API has to
/// take its access tokens (<c>Authentication:Jwt</c> there).
/// </summary>
internal sealed partial class OidcSettings
{
    public const string Section = "Authentication:Oidc";

    public const string BeginPath = "/sign-in/oidc";

    /// <summary>The issuer's address; its discovery document is below it. Empty: keys alone.</summary>
    public string Authority { get; init; } = "";

    public string ClientId { get; init; } = "";

    public string? ClientSecret { get; init; }

    /// <summary>What is asked for, with blanks between. It has to bring an access token for the API.</summary>
    public string Scope { get; init; } = "openid profile";

    /// <summary>What the button says. Default: <c>your organisation</c>.</summary>
    public string Name { get; init; } = "your organisation";

    /// <summary>Whether the issuer has to be asked over https. Default: true.</summary>
    public bool RequireHttps { get; init; } = true;

    public bool IsOn => !string.IsNullOrWhiteSpace(Authority);

    /// <exception cref="InvalidOperationException">The client's id is missing.</exception>
    public void Configure(OpenIdConnectOptions options)
    {
        if (string.IsNullOrWhiteSpace(ClientId))
        {
            throw new InvalidOperationException(
                $"{Section}:ClientId is missing: register the console with {Authority} and set it.");
        }

        (options.Authority, options.ClientId, options.ClientSecret) = (Authority, ClientId, ClientSecret);
        options.RequireHttpsMetadata = RequireHttps;
        (options.ResponseType, options.UsePkce) = (OpenIdConnectResponseType.Code, true);
        options.ResponseMode = OpenIdConnectResponseMode.Query;
        // The way back is a plain link, with which a browser sends such cookies, also over http.
        foreach (var cookie in new[] { options.CorrelationCookie, options.NonceCookie })
        {
            (cookie.SameSite, cookie.SecurePolicy) = (SameSiteMode.Lax, CookieSecurePolicy.SameAsRequest);
        }

        options.MapInboundClaims = false;
        // The session lasts as long as the API takes the access token; see below.
        options.UseTokenLifetime = false;
        options.Scope.Clear();
        foreach (var scope in Scope.Split(' ', StringSplitOptions.RemoveEmptyEntries))
        {
            options.Scope.Add(scope);
        }

        options.Events = new()
        {
            OnTokenValidated = context =>
            {
                var token = context.TokenEndpointResponse?.AccessToken;
                if (string.IsNullOrEmpty(token))
                {
                    context.Fail("The issuer sent no access token for the API.");
                    return Task.CompletedTask;
                }

                var seconds = int.TryParse(context.TokenEndpointResponse!.ExpiresIn, out var given) ? given : 3600;
                context.Properties!.ExpiresUtc = DateTimeOffset.UtcNow.AddSeconds(seconds);
                context.Properties.AllowRefresh = false;
                var user = context.Principal!;
                context.Principal = ConsoleAccess.Session(
                    user.FindFirstValue("name") ?? user.FindFirstValue("email") ?? user.FindFirstValue("sub") ?? "?",
                    token);
                return Task.CompletedTask;
            },
            OnRemoteFailure = context =>
            {
                LogFailure(
                    context.HttpContext.RequestServices.GetRequiredService<ILogger<OidcSettings>>(), context.Failure);
                context.Response.Redirect($"{ConsoleAccess.SignInPath}?failed=issuer");
                context.HandleResponse();
                return Task.CompletedTask;
            },
        };
    }

    [LoggerMessage(LogLevel.Warning, "The issuer's answer signed nobody in.")]
    private static partial void LogFailure(ILogger log, Exception? error);
}
