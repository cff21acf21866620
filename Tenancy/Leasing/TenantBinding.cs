using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;

namespace Tenancy.Leasing;

/// <summary>
/// The tenant of one lease of one context. It lives among EF's own scoped services, whose state EF resets when a pooled context goes
/// back: so forgetting needs nobody to remember it.
/// </summary>
internal sealed class TenantBinding : IResettableService
{
    private Tenant? _tenant;

    public Tenant Value => _tenant ?? throw new NoTenantException();

    public static TenantBinding Of(DbContext context) => context.GetService<TenantBinding>();

    /// <summary>A context that has served or tracks anything can't change its tenant: it is bound once per lease.</summary>
    public void Bind(Tenant tenant) => _tenant = _tenant is null || _tenant == tenant
        ? tenant
        : throw new InvalidOperationException(
            $"This context serves '{_tenant.Slug}' until it is disposed of and can't turn to '{tenant.Slug}': lease another one.");

    public void ResetState() => _tenant = null;

    public Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        ResetState();
        return Task.CompletedTask;
    }
}
