using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Microsoft.AspNetCore.SignalR;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Tenancy.AspNetCore.Resolution;

namespace Tenancy.AspNetCore;

/// <summary>Adds to <see cref="TenancyBuilder"/> what concerns HTTP.</summary>
public static class TenancyBuilderExtensions
{
    /// <summary>Says where a request names its tenant. <c>app.UseTenants()</c> looks there.</summary>
    /// <param name="tenancy">The builder.</param>
    /// <param name="where">E.g. <c>r => r.Claim("shop").Host("{slug}.shops.example")</c>.</param>
    public static TenancyBuilder Resolve(this TenancyBuilder tenancy, Action<TenantResolution> where)
    {
        ArgumentNullException.ThrowIfNull(tenancy);
        tenancy.Services.AddTenantResolution(where);
        return tenancy;
    }

    /// <summary>
    /// Keeps users to their tenant: who is signed in and has another tenant's slug in that claim, or none, gets 403
    /// where a tenant is served. Without it, a cookie or token of one tenant's user is good for every tenant that he
    /// names. A cookie gets the claim when its user signs in at a tenant, with ASP.NET Core Identity too; whoever
    /// issues tokens puts it there.
    /// </summary>
    /// <param name="tenancy">The builder.</param>
    /// <param name="claim">The claim's type.</param>
    public static TenancyBuilder BindUsers(this TenancyBuilder tenancy, string claim)
    {
        ArgumentNullException.ThrowIfNull(tenancy);
        ArgumentException.ThrowIfNullOrEmpty(claim);
        RefuseSecond<BoundUsers>(tenancy.Services, nameof(BindUsers));
        tenancy.Services.AddSingleton(new BoundUsers(claim))
            .AddSingleton<IPostConfigureOptions<CookieAuthenticationOptions>, BoundCookies>();
        return tenancy;
    }

    /// <summary>
    /// Limits each tenant's requests, so that a noisy tenant doesn't take what the others need. Without it there is no
    /// limit.
    /// </summary>
    /// <param name="tenancy">The builder.</param>
    /// <param name="limits">Changes the defaults; null to leave them.</param>
    /// <exception cref="ArgumentException">A limit can't be one.</exception>
    public static TenancyBuilder Limit(this TenancyBuilder tenancy, Action<TenantLimits>? limits = null)
    {
        ArgumentNullException.ThrowIfNull(tenancy);
        tenancy.Services.AddTenantLimits(limits);
        return tenancy;
    }

    /// <summary>As <see cref="Limit"/>, for an application that registers the library without its builder.</summary>
    /// <param name="services">The application's.</param>
    /// <param name="limits">Changes the defaults; null to leave them.</param>
    /// <exception cref="ArgumentException">A limit can't be one.</exception>
    public static IServiceCollection AddTenantLimits(
        this IServiceCollection services, Action<TenantLimits>? limits = null)
    {
        RefuseSecond<TenantLimiter>(services, nameof(Limit));
        var chosen = new TenantLimits();
        limits?.Invoke(chosen);
        chosen.Check();
        return services.AddSingleton(_ => new TenantLimiter(chosen));
    }

    /// <summary>As <see cref="Resolve"/>, for an application that registers the library without its builder.</summary>
    /// <param name="services">The application's.</param>
    /// <param name="where">Where a request names its tenant.</param>
    public static IServiceCollection AddTenantResolution(
        this IServiceCollection services, Action<TenantResolution> where)
    {
        ArgumentNullException.ThrowIfNull(where);
        RefuseSecond<TenantResolution>(services, nameof(Resolve));
        var resolution = new TenantResolution();
        where(resolution);
        services.Configure<HubOptions>(hubs => hubs.AddFilter<TenantHubFilter>());
        services.TryAddEnumerable(ServiceDescriptor.Scoped<CircuitHandler, TenantCircuit>());
        services.AddProblemDetails().AddSingleton<TenantHubFilter>().AddSingleton(resolution);
        return services.AddSingleton(provider =>
            new RequestTenant(resolution, provider.GetService<BoundUsers>(),
                provider.GetRequiredService<TenantDirectory>(), provider.GetRequiredService<TenancyMetrics>(),
                provider.GetRequiredService<ILogger<RequestTenant>>(), provider.GetService<TenantLimiter>()));
    }

    /// <summary>Refuses a second call: the last one would win silently.</summary>
    private static void RefuseSecond<T>(IServiceCollection services, string call)
    {
        if (services.Any(service => service.ServiceType == typeof(T)))
        {
            throw new InvalidOperationException($"{call} was called already: say all of it in one call.");
        }
    }
}
