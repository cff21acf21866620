namespace Web.SignIn;

/// <summary>What a browser has to know to protect who is signed in.</summary>
internal static class SecurityHeaders
{
    /// <summary>
    /// Scripts come from files of the console's own: none in a page, none from a text. Components set styles inline, by
    /// which nothing is run.
    /// </summary>
    private const string Policy =
        "default-src 'self'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; " +
        "object-src 'none'; base-uri 'self'; form-action 'self'; frame-ancestors 'none'";

    public static void UseSecurityHeaders(this WebApplication app) => app.Use(static (http, next) =>
    {
        http.Response.OnStarting(static state =>
        {
            var headers = ((HttpResponse)state).Headers;
            headers.ContentSecurityPolicy = Policy;
            headers.XContentTypeOptions = "nosniff";
            headers["Referrer-Policy"] = "same-origin";
            headers["Cross-Origin-Opener-Policy"] = "same-origin";
            if (((HttpResponse)state).ContentType?.StartsWith("text/html", StringComparison.Ordinal) is true)
            {
                // "Back" after the sign-out shows nothing.
                headers.CacheControl = "no-store";
            }

            return Task.CompletedTask;
        }, http.Response);
        return next(http);
    });
}
