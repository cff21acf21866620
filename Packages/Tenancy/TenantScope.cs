using Microsoft.Extensions.DependencyInjection;

namespace Tenancy;

/// <summary>
/// A scope of services that serves one tenant, for work outside of requests; from <see cref="Tenants"/>. Whatever asks
/// its <see cref="Services"/> for a tenant context gets one of this tenant. Dispose of it when the work is done.
/// </summary>
public sealed class TenantScope : IAsyncDisposable
{
    private readonly AsyncServiceScope _scope;

    internal TenantScope(AsyncServiceScope scope, Tenant tenant)
    {
        _scope = scope;
        Tenant = tenant;
        scope.ServiceProvider.GetRequiredService<CurrentTenant>().Choose(tenant);
    }

    /// <summary>The tenant that the scope serves.</summary>
    public Tenant Tenant { get; }

    /// <summary>The scope's services.</summary>
    public IServiceProvider Services => _scope.ServiceProvider;

    /// <inheritdoc/>
    public ValueTask DisposeAsync() => _scope.DisposeAsync();
}
