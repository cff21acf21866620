using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Leasing;

namespace Tenancy;

/// <summary>
/// Makes contexts, each for one tenant: for jobs, consoles and queues, where no request's scope chooses.
/// </summary>
/// <typeparam name="TContext">A tenant context.</typeparam>
public sealed class TenantContextFactory<TContext> where TContext : DbContext
{
    private readonly Func<Tenant?, TContext> _create;

    /// <summary>For contexts whose options are the same in every scope.</summary>
    /// <param name="contexts">Makes them, for nobody yet.</param>
    public TenantContextFactory(IDbContextFactory<TContext> contexts) => _create = tenant =>
    {
        var context = contexts.CreateDbContext();
        if (tenant is not null)
        {
            TenantBinding.Of(context).Bind(tenant);
        }

        return context;
    };

    /// <summary>For contexts whose options are made for each scope: each gets one of its own.</summary>
    internal TenantContextFactory(IServiceScopeFactory scopes) => _create = tenant =>
    {
        var scope = scopes.CreateAsyncScope();
        try
        {
            if (tenant is not null)
            {
                // The scope's other services serve it, too.
                scope.ServiceProvider.GetRequiredService<CurrentTenant>().Choose(tenant);
            }

            var context = ActivatorUtilities.CreateInstance<TContext>(
                scope.ServiceProvider, scope.ServiceProvider.GetRequiredService<DbContextOptions<TContext>>());
            var binding = TenantBinding.Of(context);
            binding.Follow(scope.ServiceProvider.GetRequiredService<CurrentTenant>());
            binding.Own(scope);
            return context;
        }
        catch
        {
            scope.Dispose();
            throw;
        }
    };

    /// <summary>
    /// A context that serves <paramref name="tenant"/> until it is disposed of. It is no pooled one, so that whoever
    /// uses it afterwards, or disposes of it twice, meets an <see cref="ObjectDisposedException"/> and never another
    /// tenant; its connections are pooled.
    /// </summary>
    public TContext Create(Tenant tenant)
    {
        ArgumentNullException.ThrowIfNull(tenant);
        return _create(tenant);
    }

    /// <summary>
    /// A context for what has to commit with the caller's transaction, over its connection. It runs as that
    /// connection's login, also where tenants have roles.
    /// </summary>
    internal TContext CreateIn(NpgsqlTransaction transaction, Tenant tenant)
    {
        var context = _create(tenant);
        TenantBinding.Of(context).RunAsLogin();
        context.Database.SetDbConnection(transaction.Connection, contextOwnsConnection: false);
        context.Database.UseTransaction(transaction);
        return context;
    }

    /// <summary>A context without a tenant, for its model alone.</summary>
    internal TContext CreateForNobody() => _create(null);
}
