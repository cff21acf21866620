using Microsoft.EntityFrameworkCore;
using Tenancy.Leasing;

namespace Tenancy;

/// <summary>Leases contexts, each for one tenant: for jobs, consoles and queues, where no request's scope chooses.</summary>
/// <typeparam name="TContext">A context whose model has <see cref="TenantPlaceholder.Schema"/> as its default schema.</typeparam>
public sealed class TenantContextFactory<TContext>(IDbContextFactory<TContext> pool) where TContext : DbContext
{
    /// <summary>
    /// A pooled context that serves <paramref name="tenant"/> until it is disposed of. Dispose of it as soon as the unit of work is
    /// done; it then forgets its tenant and all that it tracks.
    /// </summary>
    public TContext Create(Tenant tenant)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        var context = pool.CreateDbContext();
        TenantBinding.Of(context).Bind(tenant);
        return context;
    }
}
