using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Tenancy.Stamping;

namespace Tenancy.Leasing;

/// <summary>
/// The tenant of one lease of one context. It lives among EF's own scoped services, whose state EF resets when a pooled
/// context goes back: so forgetting needs nobody to remember it.
/// </summary>
/// <param name="options">The context's own.</param>
internal sealed class TenantBinding(TenancyExtension? options) : IResettableService, IDisposable
{
    private Tenant? _tenant;
    private string? _switch;
    private bool _disposed;

    public Tenant Value => _tenant ?? throw new NoTenantException();

    public TenancyMetrics? Metrics => options?.Metrics;

    public bool IsGuarded => options is not { Unguarded: true };

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
            Metrics?.Lease();
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
            Metrics?.RefuseNobody();
            throw new NoTenantException();
        }
    }

    /// <summary>The command as the server gets it.</summary>
    /// <exception cref="NoTenantException">The context serves nobody.</exception>
    public string TextOf(StatementCut cut) => Chunk is { } chunk ? chunk.TextOf(cut) : cut.Stamp(Value.Schema);

    /// <summary>
    /// What switches to the role of whom the context serves; empty where its commands run as the login.
    /// </summary>
    /// <exception cref="NoTenantException">The context serves nobody.</exception>
    public string Switch => _switch ??= options?.Roles switch
    {
        null => "",
        var roles when Chunk is not null => roles.SwitchToAll(),
        var roles => roles.Switch(Value.Schema),
    };

    /// <summary>Of a context that goes back to the pool.</summary>
    public void ResetState()
    {
        if (_tenant is not null)
        {
            Metrics?.Return();
        }

        _tenant = null;
        _switch = null;
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
            Metrics?.Return();
        }

        _disposed = true;
    }
}
