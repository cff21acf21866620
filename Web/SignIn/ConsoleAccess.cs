using System.Security.Claims;
using System.Text.RegularExpressions;
using System.Threading.RateLimiting;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Authentication.OpenIdConnect;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.RateLimiting;
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

    /// <summary>From one address in a minute.</summary>
    private const int MostAttempts = 30;

    public static void AddConsoleAccess(this WebApplicationBuilder builder)
    {
        var services = builder.Services;
        services.AddSingleton<Sessions>().AddCascadingAuthenticationState()
            .AddScoped(scope => new OperatorKey(
                scope.GetRequiredService<Sessions>(), scope.GetRequiredService<AuthenticationStateProvider>()));
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
        services.AddRateLimiter(limits => Limit(limits));
    }

    public static void MapConsoleAccess(this WebApplication app)
    {
        app.MapPost(SignOutPath, SignOutAsync).AllowAnonymous();
        // A circuit's pages send no cookie, so a window that is in use calls this now and then, and stays signed in.
        app.MapGet("/session", () => Results.NoContent());
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

    /// <summary>The first operator's key may be any text: nobody tries many.</summary>
    private static void Limit(RateLimiterOptions limits)
    {
        limits.AddPolicy(SignInPath, http => HttpMethods.IsPost(http.Request.Method)
            ? RateLimitPartition.GetFixedWindowLimiter(
                http.Connection.RemoteIpAddress?.ToString() ?? "",
                _ => new() { PermitLimit = MostAttempts, Window = TimeSpan.FromMinutes(1) })
            : RateLimitPartition.GetNoLimiter("read"));
        limits.OnRejected = async (context, ct) =>
        {
            context.HttpContext.Response.StatusCode = StatusCodes.Status429TooManyRequests;
            context.HttpContext.Response.Headers.RetryAfter = "60";
            await context.HttpContext.Response.WriteAsync(
                "Too many attempts to sign in. Go back and try again in a minute.", ct);
        };
    }

    private static void Configure(CookieAuthenticationOptions cookie)
    {
        cookie.Cookie.Name = "console";
        cookie.Cookie.HttpOnly = true;
        cookie.Cookie.SameSite = SameSiteMode.Lax;
        cookie.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        (cookie.ExpireTimeSpan, cookie.SlidingExpiration) = (Sessions.Idle, true);
        (cookie.LoginPath, cookie.ReturnUrlParameter) = (SignInPath, ReturnParameter);
        cookie.Events = new()
        {
            OnValidatePrincipal = async context =>
            {
                // A copy of the cookie doesn't outlive the sign-out.
                if (!context.HttpContext.RequestServices.GetRequiredService<Sessions>().Use(context.Principal))
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
        HttpContext http, Microsoft.AspNetCore.Antiforgery.IAntiforgery antiforgery, Sessions sessions)
    {
        // The token is a session's. A window that shows an earlier one signs the present one out, too: the browser says
        // that the form is the console's own.
        if (!string.Equals(http.Request.Headers["Sec-Fetch-Site"], "same-origin", StringComparison.Ordinal)
            && !await antiforgery.IsRequestValidAsync(http))
        {
            return Results.Redirect("/");
        }

        sessions.End(http.User);
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
            new(Sessions.Claim, Guid.NewGuid().ToString("N")),
        ],
        CookieAuthenticationDefaults.AuthenticationScheme));

    [GeneratedRegex("^tko_[a-z0-9]{16}(?=_)")]
    private static partial Regex PublicPart();
}
