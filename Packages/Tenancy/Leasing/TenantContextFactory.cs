using Microsoft.EntityFrameworkCore;
using Tenancy.Leasing;

namespace Tenancy;

/// <summary>
/// Makes contexts, each for one tenant: for jobs, consoles and queues, where no request's scope chooses.
/// </summary>
/// <typeparam name="TContext">A context whose model has <see cref="TenantPlaceholder.Schema"/> as its default
/// schema.</typeparam>
public sealed class TenantContextFactory<TContext>(IDbContextFactory<TContext> contexts) where TContext : DbContext
{
    /// <summary>
    /// A context that serves <paramref name="tenant"/> until it is disposed of. It is no pooled one, so that whoever
    /// uses it afterwards, or disposes of it twice, meets an <see cref="ObjectDisposedException"/> and never another
    /// tenant; its connections are pooled.
    /// </summary>
    public TContext Create(Tenant tenant)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        var context = contexts.CreateDbContext();
        TenantBinding.Of(context).Bind(tenant);
        return context;
    }
}
