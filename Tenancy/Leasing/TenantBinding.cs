using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Tenancy.Stamping;

namespace Tenancy.Leasing;

/// <summary>
/// The tenant of one lease of one context. It lives among EF's own scoped services, whose state EF resets when a pooled
/// context goes back: so forgetting needs nobody to remember it.
/// </summary>
/// <param name="metrics">The host's; null for a context made by hand.</param>
internal sealed class TenantBinding(TenancyMetrics? metrics) : IResettableService, IDisposable
{
    private Tenant? _tenant;
    private bool _disposed;

    public Tenant Value => _tenant ?? throw new NoTenantException();

    public TenancyMetrics? Metrics => metrics;

    /// <summary>Set instead of a tenant while <see cref="AcrossTenants{TContext}"/> reads for several.</summary>
    public TenantChunk? Chunk { get; private set; }

    public static TenantBinding Of(DbContext context) => context.GetService<TenantBinding>();

    /// <summary>
    /// A context that has served or tracks anything can't change its tenant: it is bound once per lease.
    /// </summary>
    public void Bind(Tenant tenant)
    {
        if (Chunk is not null || (_tenant is not null && _tenant != tenant))
        {
            throw new InvalidOperationException(
                $"This context serves '{_tenant?.Slug ?? "several tenants"}' until it is disposed of and can't turn " +
                $"to '{tenant.Slug}': lease another one.");
        }

        if (_tenant is null)
        {
            metrics?.Lease();
        }

        _tenant = tenant;
    }

    public void Bind(TenantChunk chunk) => Chunk = _tenant is null && Chunk is null
        ? chunk
        : throw new InvalidOperationException("This context serves already: lease another one.");

    public void RefuseNobody()
    {
        if (_tenant is null && Chunk is null)
        {
            metrics?.RefuseNobody();
            throw new NoTenantException();
        }
    }

    /// <summary>The command as the server gets it.</summary>
    /// <exception cref="NoTenantException">The context serves nobody.</exception>
    public string TextOf(StatementCut cut) => Chunk is { } chunk ? chunk.TextOf(cut) : cut.Stamp(Value.Schema);

    /// <summary>Of a context that goes back to the pool.</summary>
    public void ResetState()
    {
        if (_tenant is not null)
        {
            metrics?.Return();
        }

        _tenant = null;
        Chunk = null;
    }

    public Task ResetStateAsync(CancellationToken cancellationToken = default)
    {
        ResetState();
        return Task.CompletedTask;
    }

    /// <summary>Of a context that isn't pooled, or that the pool has no room for.</summary>
    public void Dispose()
    {
        if (_tenant is not null && !_disposed)
        {
            metrics?.Return();
        }

        _disposed = true;
    }
}
