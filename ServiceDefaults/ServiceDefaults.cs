using System.Collections.Frozen;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Diagnostics.HealthChecks;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Diagnostics.HealthChecks;
using Microsoft.Extensions.Http.Resilience;
using Microsoft.Extensions.Logging;
using Npgsql;
using OpenTelemetry;
using OpenTelemetry.Logs;
using OpenTelemetry.Metrics;
using OpenTelemetry.Trace;

namespace Microsoft.Extensions.Hosting;

/// <summary>What every process of the system has in common: telemetry, health, resilience, service discovery.</summary>
public static class ServiceDefaults
{
    /// <summary>
    /// The library's activity source and meter, by name: the web frontend listens too and doesn't reference it.
    /// </summary>
    private const string Tenancy = "Tenancy";

    /// <summary>What static files end with.</summary>
    private static readonly FrozenSet<string> Files = FrozenSet.ToFrozenSet(
        [".css", ".csv", ".ico", ".jpg", ".js", ".map", ".png", ".svg", ".txt", ".webmanifest", ".webp", ".woff",
            ".woff2"], StringComparer.OrdinalIgnoreCase);

    private const string Health = "/health";
    private const string Alive = "/alive";

    /// <summary>
    /// Adds OpenTelemetry (exported over OTLP when <c>OTEL_EXPORTER_OTLP_ENDPOINT</c> is set), a liveness check,
    /// service discovery, and for every <see cref="HttpClient"/> the standard resilience pipeline, which retries what
    /// only reads.
    /// </summary>
    public static TBuilder AddServiceDefaults<TBuilder>(this TBuilder builder) where TBuilder : IHostApplicationBuilder
    {
        builder.AddTelemetry();
        builder.Services.AddHealthChecks().AddCheck("self", () => HealthCheckResult.Healthy(), ["live"]);
        builder.Services.AddServiceDiscovery();
        builder.Services.ConfigureHttpClientDefaults(http =>
        {
            // What writes is never sent twice: the first answer may have been lost on its way back.
            http.AddStandardResilienceHandler(options => options.Retry.DisableForUnsafeHttpMethods());
            http.AddServiceDiscovery();
        });
        return builder;
    }

    /// <summary>
    /// Maps <c>/health</c> (ready to take traffic: every check) and <c>/alive</c> (needs no restart: checks tagged
    /// <c>live</c>). The first answers JSON: 200 for Healthy and Degraded, 503 for Unhealthy. Neither is traced: an
    /// orchestrator asks them every few seconds. Nor does either need a credential.
    /// </summary>
    public static WebApplication MapDefaultEndpoints(this WebApplication app)
    {
        app.MapHealthChecks(Health, new HealthCheckOptions { ResponseWriter = HealthReportJson.WriteAsync })
            .DisableHttpMetrics().AllowAnonymous();
        app.MapHealthChecks(Alive, new HealthCheckOptions { Predicate = check => check.Tags.Contains("live") })
            .DisableHttpMetrics().AllowAnonymous();
        return app;
    }

    /// <summary>
    /// What belongs to the plumbing isn't: probes, files, and the connection of a page with its circuit.
    /// </summary>
    private static bool IsTraced(HttpContext context)
    {
        var path = context.Request.Path;
        return !path.StartsWithSegments(Health) && !path.StartsWithSegments(Alive)
            && !path.StartsWithSegments("/_blazor") && !path.StartsWithSegments("/_framework")
            && !Files.Contains(Path.GetExtension(path.Value) ?? "");
    }

    private static void AddTelemetry(this IHostApplicationBuilder builder)
    {
        builder.Logging.AddOpenTelemetry(logging =>
        {
            logging.IncludeFormattedMessage = true;
            logging.IncludeScopes = true;
            logging.AddProcessor(new TenantOnLogs());
        });

        var telemetry = builder.Services.AddOpenTelemetry()
            .WithMetrics(metrics => metrics
                .AddAspNetCoreInstrumentation()
                .AddHttpClientInstrumentation()
                .AddRuntimeInstrumentation()
                .AddNpgsqlInstrumentation()
                .AddMeter(Tenancy))
            .WithTracing(tracing => tracing
                .AddSource(builder.Environment.ApplicationName, Tenancy)
                .AddProcessor(new TenantOnSpans())
                .AddAspNetCoreInstrumentation(options =>
                {
                    options.Filter = IsTraced;
                    // A trace for every key pressed in the console, every circuit and every route would bury those of
                    // what they lead to.
                    options.EnableAspNetCoreSignalRSupport = false;
                    options.EnableRazorComponentsSupport = false;
                })
                .AddHttpClientInstrumentation()
                .AddNpgsql());

        // Aspire asks for always_on, which records a span though its parent isn't recorded: each probe and each
        // heartbeat would be a trace. This sampler records every other span too. Any other sampler that is asked for
        // stays.
        if (builder.Configuration["OTEL_TRACES_SAMPLER"] is null or "" or "always_on")
        {
            telemetry.WithTracing(tracing => tracing.SetSampler(new ParentBasedSampler(new AlwaysOnSampler())));
        }

        if (!string.IsNullOrWhiteSpace(builder.Configuration["OTEL_EXPORTER_OTLP_ENDPOINT"]))
        {
            telemetry.UseOtlpExporter();
        }
    }
}
