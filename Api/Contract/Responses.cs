namespace Api.Contract;

/// <summary>What all answers have in common.</summary>
internal static class Responses
{
    /// <summary>The header with the version of the API that answers, and that a request may ask for.</summary>
    public const string VersionHeader = "Api-Version";

    public const string Version = "1";

    private const string OriginsSetting = "Cors:Origins";

    public static void AddResponses(this WebApplicationBuilder builder)
    {
        builder.Services.AddResponseCompression(compression => compression.EnableForHttps = true);
        var origins = builder.Configuration.GetSection(OriginsSetting).Get<string[]>() ?? [];
        // No credentials of the browser's own: a key or a token is sent by the page itself.
        builder.Services.AddCors(cors => cors.AddDefaultPolicy(policy => policy.WithOrigins(origins)
            .AllowAnyHeader().AllowAnyMethod()
            .WithExposedHeaders("ETag", "Location", "Retry-After", VersionHeader, StoredResponse.ReplayedHeader)
            .SetPreflightMaxAge(TimeSpan.FromMinutes(10))));
    }

    public static void UseResponses(this WebApplication app)
    {
        app.UseResponseCompression();
        app.Use((context, next) =>
        {
            context.Response.OnStarting(static state =>
            {
                var headers = ((HttpResponse)state).Headers;
                headers.XContentTypeOptions = "nosniff";
                headers[VersionHeader] = Version;
                return Task.CompletedTask;
            }, context.Response);
            return context.Request.Headers[VersionHeader] is { Count: > 0 } asked && asked != Version
                ? TypedResults.Problem($"This is version {Version} of the API.", statusCode: 400,
                    title: "Another version.").ExecuteAsync(context)
                : next(context);
        });
        app.UseCors();
    }

    /// <summary>Every GET answers HEAD, too: the same headers, and the server leaves the body out.</summary>
    public static TBuilder WithHead<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder
    {
        builder.Finally(endpoint =>
        {
            for (var at = 0; at < endpoint.Metadata.Count; at++)
            {
                if (endpoint.Metadata[at] is IHttpMethodMetadata { HttpMethods: ["GET"] })
                {
                    endpoint.Metadata[at] = new HttpMethodMetadata(["GET", "HEAD"]);
                }
            }
        });
        return builder;
    }
}
