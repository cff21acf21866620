using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Tenancy.AspNetCore.Resolution;

internal static class Caching
{
    /// <summary>
    /// The same address may answer each tenant differently, by a header: a cache between would give one tenant's answer
    /// to another. Said when the answer starts, because an error's page clears the headers before.
    /// </summary>
    public static void Forbid(HttpResponse response, IReadOnlyList<ITenantSource> sources) =>
        response.OnStarting(static state =>
        {
            var (response, sources) = ((HttpResponse, IReadOnlyList<ITenantSource>))state;
            response.Headers.CacheControl = "no-store";
            foreach (var header in sources.Select(source => source.Varies).OfType<string>())
            {
                if (!response.Headers.Vary.Any(value =>
                    value?.Contains(header, StringComparison.OrdinalIgnoreCase) is true))
                {
                    response.Headers.Append("Vary", header);
                }
            }

            return Task.CompletedTask;
        }, (response, sources));

    /// <summary>Puts the tenant's slug on the request's span and on its log records.</summary>
    /// <returns>The log scope; null where the slug can't be one.</returns>
    public static IDisposable? Name(this HttpContext context, string? slug)
    {
        if (!TenantSlug.IsValid(slug))
        {
            return null;
        }

        TenancyTelemetry.TagTenant(slug!);
        return context.RequestServices.GetRequiredService<ILogger<RequestTenant>>().BeginTenantScope(slug!);
    }
}
