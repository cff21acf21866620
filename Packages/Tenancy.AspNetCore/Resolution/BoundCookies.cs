using System.Security.Claims;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Tenancy.AspNetCore.Resolution;

/// <summary>
/// Gives each cookie the claim of <see cref="BoundUsers"/>: who signs in at a tenant is that tenant's user. The slug is
/// kept beside the principal, too, because ASP.NET Core Identity makes the principal anew whenever it looks at the
/// security stamp.
/// </summary>
internal sealed class BoundCookies(BoundUsers users) : IPostConfigureOptions<CookieAuthenticationOptions>
{
    private const string Kept = ".tenancy.tenant";

    public void PostConfigure(string? name, CookieAuthenticationOptions options)
    {
        if (options.EventsType is not null)
        {
            // The application's own events decide.
            return;
        }

        var (signIn, validate) = (options.Events.OnSigningIn, options.Events.OnValidatePrincipal);
        options.Events.OnSigningIn = async context =>
        {
            await signIn(context);
            if (context.HttpContext.RequestServices.GetRequiredService<CurrentTenant>() is { IsChosen: true } tenant)
            {
                context.Properties.Items[Kept] = tenant.Value.Slug;
                Claim(context.Principal, tenant.Value.Slug);
            }
        };
        options.Events.OnValidatePrincipal = async context =>
        {
            await validate(context);
            if (context.Properties.Items.TryGetValue(Kept, out var slug))
            {
                Claim(context.Principal, slug!);
            }
        };
    }

    private void Claim(ClaimsPrincipal? user, string slug)
    {
        if (user?.Identity is ClaimsIdentity { IsAuthenticated: true } identity
            && !user.HasClaim(claim => claim.Type == users.Claim))
        {
            identity.AddClaim(new(users.Claim, slug));
        }
    }
}
