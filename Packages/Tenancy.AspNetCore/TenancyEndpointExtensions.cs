using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Tenancy.AspNetCore;

/// <summary>Marks endpoints.</summary>
public static class TenancyEndpointExtensions
{
    /// <summary>
    /// Every endpoint of the builder serves one tenant; without one that is served, it isn't reached: 400 where none is
    /// named, 403 where the user is another's or the tenant is suspended, 404 where there is none, 503 with
    /// <c>Retry-After</c> where it isn't served now.
    /// </summary>
    public static TBuilder RequireTenant<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new RequireTenantAttribute()).ProducesProblem(StatusCodes.Status400BadRequest)
            .ProducesProblem(StatusCodes.Status403Forbidden).ProducesProblem(StatusCodes.Status404NotFound)
            .ProducesProblem(StatusCodes.Status503ServiceUnavailable);

    /// <summary>The endpoints serve nobody, whatever a request names: for operators.</summary>
    public static TBuilder IgnoreTenant<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder =>
        builder.WithMetadata(new IgnoreTenantAttribute());
}
