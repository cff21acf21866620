using System.Text.Encodings.Web;
using Microsoft.AspNetCore.Authentication;
using Microsoft.Extensions.Options;

namespace Api.Access;

/// <summary>
/// Reads an API key from <c>Authorization: Bearer KEY</c> or <c>X-Api-Key: KEY</c>, and answers for all credentials:
/// 401 without one, 403 with one that may not do this.
/// </summary>
internal sealed class ApiKeyHandler(IOptionsMonitor<AuthenticationSchemeOptions> options, ILoggerFactory log,
    UrlEncoder encoder, KnownKeys keys, Impersonations impersonations, IProblemDetailsService problems)
    : AuthenticationHandler<AuthenticationSchemeOptions>(options, log, encoder)
{
    public const string SchemeName = "ApiKey";

    public const string Header = "X-Api-Key";

    private const string Bearer = "Bearer ";

    /// <summary>The text of the request's credential; null for none, or several.</summary>
    public static string? TextOf(HttpRequest request)
    {
        var (authorization, key) = (request.Headers.Authorization, request.Headers[Header]);
        return (authorization.Count, key.Count) switch
        {
            (1, 0) when authorization[0]!.StartsWith(Bearer, StringComparison.OrdinalIgnoreCase) =>
                authorization[0]![Bearer.Length..].Trim(),
            (0, 1) => key[0],
            _ => null,
        };
    }

    protected override async Task<AuthenticateResult> HandleAuthenticateAsync()
    {
        if (TextOf(Request) is not { Length: > 0 } text)
        {
            return AuthenticateResult.NoResult();
        }

        var found = text.StartsWith(Impersonations.Prefix, StringComparison.Ordinal)
            ? await impersonations.UseAsync(text, SchemeName, Context)
            : await keys.FindAsync(text, SchemeName, Context.RequestAborted);
        return found is { } caller
            ? AuthenticateResult.Success(new(caller, SchemeName))
            : AuthenticateResult.Fail("The key is unknown or revoked.");
    }

    protected override async Task HandleChallengeAsync(AuthenticationProperties properties)
    {
        Response.Headers.WWWAuthenticate = "Bearer";
        await AnswerAsync(401, "Not signed in.", TextOf(Request) is null
            ? "Send a key or a token: Authorization: Bearer KEY."
            : "The key or token is unknown, expired or revoked.");
    }

    protected override Task HandleForbiddenAsync(AuthenticationProperties properties) =>
        AnswerAsync(403, "Not allowed.", "This credential may not do that.");

    private async Task AnswerAsync(int status, string title, string detail)
    {
        Response.StatusCode = status;
        await problems.TryWriteAsync(new()
        {
            HttpContext = Context, ProblemDetails = { Status = status, Title = title, Detail = detail },
        });
    }
}
