using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Tenancy.AspNetCore.Resolution;

namespace Tenancy.AspNetCore;

/// <summary>Puts the tenant into the application's pipeline.</summary>
public static class TenancyApplicationExtensions
{
    // What ASP.NET Core itself remembers.
    private const string HasAuthentication = "__AuthenticationMiddlewareSet";

    private const string HasTenants = "__TenancyMiddlewareSet";

    /// <summary>
    /// Finds each request's tenant: routing, then what the address and the headers name, then authentication, which may
    /// ask that tenant's database, then what the user's claims say, then authorization. Authentication and
    /// authorization are included where the application has them: leave <c>UseAuthentication</c> and
    /// <c>UseAuthorization</c> out. Call it behind the exception handler and before what serves tenants.
    /// </summary>
    /// <exception cref="InvalidOperationException">Nothing says where a request names its tenant; or authentication
    /// comes first.</exception>
    public static IApplicationBuilder UseTenants(this IApplicationBuilder app)
    {
        ArgumentNullException.ThrowIfNull(app);
        var services = app.ApplicationServices;
        var tenants = services.GetService<RequestTenant>() ?? throw new InvalidOperationException(
            "Nothing says where a request names its tenant: call Resolve(r => r.Header(\"X-Tenant\")), or Claim, " +
            "Host or Route, in AddTenancy.");
        if (!app.Properties.TryAdd(HasTenants, true))
        {
            throw new InvalidOperationException("UseTenants was called already: a request has one tenant.");
        }

        if (app.Properties.ContainsKey(HasAuthentication))
        {
            throw new InvalidOperationException(
                "UseAuthentication comes before UseTenants: a user store in a tenant's schema would be asked before " +
                "the tenant is known. Remove UseAuthentication and UseAuthorization, UseTenants has both; or call " +
                "them after it.");
        }

        var resolution = services.GetRequiredService<TenantResolution>();
        if (resolution.SignsInFirst)
        {
            UseSignInFirst(app, tenants);
            return app;
        }

        var authenticates = services.GetService<IAuthenticationSchemeProvider>() is not null;
        app.UseRouting();
        app.Use((context, next) => tenants.BeforeUserAsync(context, authenticates, next));
        if (authenticates)
        {
            app.UseAuthentication();
            app.Use(tenants.AfterUserAsync);
        }

        if (services.GetService<IAuthorizationPolicyProvider>() is not null)
        {
            app.UseAuthorization();
            if (authenticates)
            {
                // A policy may name schemes of its own: only now is their user known.
                app.Use(tenants.AfterUserAsync);
            }
        }

        return app;
    }

    private static void UseSignInFirst(IApplicationBuilder app, RequestTenant tenants)
    {
        if (app.ApplicationServices.GetService<IAuthenticationSchemeProvider>() is null
            || app.ApplicationServices.GetService<IAuthorizationPolicyProvider>() is null)
        {
            throw new InvalidOperationException(
                "SignInFirst() needs users: call AddAuthentication(...) and AddAuthorization(...).");
        }

        app.UseRouting();
        app.UseAuthentication();
        app.UseAuthorization();
        app.Use(tenants.AfterAuthorizationAsync);
    }
}
