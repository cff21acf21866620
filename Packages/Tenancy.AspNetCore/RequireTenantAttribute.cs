namespace Tenancy.AspNetCore;

/// <summary>
/// The endpoint serves one tenant; without one that is served, it isn't reached. For controllers, pages and hubs;
/// endpoints are marked by <see cref="TenancyEndpointExtensions.RequireTenant"/>.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class RequireTenantAttribute : Attribute;

/// <summary>
/// The endpoint serves nobody, whatever its request names: operators' endpoints. Endpoints are marked by
/// <see cref="TenancyEndpointExtensions.IgnoreTenant"/>. The other mark, where there are both, counts if it is nearer.
/// </summary>
[AttributeUsage(AttributeTargets.Class | AttributeTargets.Method)]
public sealed class IgnoreTenantAttribute : Attribute;
