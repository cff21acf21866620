using System.Security.Claims;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Diagnostics;
using Web.Api;

namespace Web.SignIn;

/// <summary>
/// Who may use the console: operators, by their API key, or by an OpenID Connect issuer where
/// <c>Authentication:Oidc:Authority</c> names one. Nothing is reachable without a session but the page to sign in, what
/// it looks like, and health.
/// </summary>
internal static partial class ConsoleAccess
{
    public const string SignInPath = "/sign-in";

    /// <summary>The address after signing in, as cookie authentication names it.</summary>
    public const string ReturnParameter = "ReturnUrl";

    private const string SignOutPath = "/sign-out";

    /// <summary>How long a session lives that nobody uses.</summary>
    private static readonly TimeSpan Idle = TimeSpan.FromHours(8);

    public static void AddConsoleAccess(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton<EndedSessions>().AddCascadingAuthenticationState()
            .AddScoped(scope => new OperatorKey(
                scope.GetRequiredService<EndedSessions>(), scope.GetRequiredService<AuthenticationStateProvider>()));
        services.AddHttpClient<SignInClient>(ApiClients.Call);
        var authentication = services.AddAuthentication(CookieAuthenticationDefaults.AuthenticationScheme)
            .AddCookie(Configure);
        if (builder.Configuration.GetSection(OidcSettings.Section).Get<OidcSettings>() is { IsOn: true } oidc)
        {
            services.AddSingleton(oidc);
            authentication.AddOpenIdConnect(oidc.Configure);
        }

        services.AddAuthorizationBuilder()
            .SetFallbackPolicy(new AuthorizationPolicyBuilder().RequireAuthenticatedUser().Build());
    }

    public static void MapConsoleAccess(this WebApplication app)
    {
        app.MapPost(SignOutPath, SignOutAsync).AllowAnonymous();
        if (app.Services.GetService<OidcSettings>() is not null)
        {
            app.MapGet(OidcSettings.BeginPath, (HttpContext http) => Results.Challenge(
                    new() { RedirectUri = Local(http.Request.Query[ReturnParameter]) },
                    [OpenIdConnectDefaults.AuthenticationScheme]))
                .AllowAnonymous();
        }
    }

    /// <summary>The address that was asked for, if it is one of the console's; else the first page.</summary>
    public static string Local(string? address) =>
        address is ['/', ..] && address is not ['/', '/' or '\\', ..] && !address.Any(char.IsControl)
            && !address.StartsWith(SignInPath, StringComparison.OrdinalIgnoreCase)
                ? address
                : "/";

    private static void Configure(CookieAuthenticationOptions cookie)
    {
        cookie.Cookie.Name = "console";
        cookie.Cookie.HttpOnly = true;
        cookie.Cookie.SameSite = SameSiteMode.Lax;
        cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        (cookie.ExpireTimeSpan, cookie.SlidingExpiration) = (Idle, true);
        (cookie.LoginPath, cookie.ReturnUrlParameter) = (SignInPath, ReturnParameter);
        cookie.Events = new()
        {
            OnValidatePrincipal = async context =>
            {
                // A copy of the cookie doesn't outlive the sign-out.
                if (context.HttpContext.RequestServices.GetRequiredService<EndedSessions>().Has(context.Principal))
                {
                    context.RejectPrincipal();
                    await context.HttpContext.SignOutAsync();
                }
            },
            OnRedirectToLogin = context =>
            {
                // A script follows a redirect and takes the page for its answer.
                if (HttpMethods.IsGet(context.Request.Method) && !context.Request.Path.StartsWithSegments("/_blazor"))
                {
                    context.Response.Redirect(context.RedirectUri);
                }
                else
                {
                    if (context.HttpContext.Features.Get<IStatusCodePagesFeature>() is { } pages)
                    {
                        pages.Enabled = false;
                    }

                    context.Response.StatusCode = StatusCodes.Status401Unauthorized;
                }

                return Task.CompletedTask;
            },
        };
    }

    private static async Task<IResult> SignOutAsync(
        HttpContext http, Microsoft.AspNetCore.Antiforgery.IAntiforgery antiforgery, EndedSessions ended)
    {
        if (!await antiforgery.IsRequestValidAsync(http))
        {
            return Results.Redirect("/");
        }

        ended.Add(http.User);
        await http.SignOutAsync();
        return Results.Redirect(SignInPath);
    }

    /// <summary>The part of a key that isn't secret; the first operator's key may be any text.</summary>
    public static string NameOf(string key) =>
        PublicPart().Match(key) is { Success: true } part ? part.Value : "operator";

    /// <summary>The session of somebody who has that credential.</summary>
    /// <param name="name">Whose it is, for people.</param>
    /// <param name="credential">What the API takes.</param>
    public static ClaimsPrincipal Session(string name, string credential) => new(new ClaimsIdentity(
        [
            new(ClaimTypes.Name, name), new(OperatorKey.Claim, credential),
            new(EndedSessions.Claim, Guid.NewGuid().ToString("N")),
        ],
        CookieAuthenticationDefaults.AuthenticationScheme));

    [GeneratedRegex("^tko_[a-z0-9]{16}(?=_)")]
    private static partial Regex PublicPart();
}
