using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Fleet;
using Tenancy.Sql;

namespace Tenancy;

/// <summary>What a <see cref="TenantTask"/> has for one tenant. It ends with the task's work for that tenant.</summary>
public sealed class TenantTaskContext
{
    private readonly AllowList _shared;
    private readonly Dictionary<Type, DbContext> _contexts = [];

    internal TenantTaskContext(TenantScope scope, NpgsqlTransaction transaction, AllowList shared)
    {
        (Tenant, Services, Transaction) = (scope.Tenant, scope.Services, transaction);
        _shared = shared;
    }

    /// <summary>Whose turn it is.</summary>
    public Tenant Tenant { get; }

    /// <summary>
    /// A scope's services that serve the tenant. A context or a connection from here has a transaction of its own: what
    /// it writes stays if the task fails afterwards.
    /// </summary>
    public IServiceProvider Services { get; }

    /// <summary>
    /// The owner's transaction, in which the record "done" is written. Don't end it: the library commits it, or rolls
    /// it back when the task throws.
    /// </summary>
    public NpgsqlTransaction Transaction { get; }

    /// <summary>
    /// The tenant's context in <see cref="Transaction"/>; the same one each time. The library saves its changes after
    /// the task's work.
    /// </summary>
    /// <typeparam name="TContext">A context that was added.</typeparam>
    /// <exception cref="InvalidOperationException">The application added no such context.</exception>
    public TContext GetContext<TContext>() where TContext : DbContext
    {
        if (!_contexts.TryGetValue(typeof(TContext), out var context))
        {
            var made = Services.GetRequiredService<TenantContextFactory<TContext>>().CreateIn(Transaction, Tenant);
            // A backfill takes its time; the plan's StatementTimeout limits it.
            made.Database.SetCommandTimeout(0);
            _contexts.Add(typeof(TContext), context = made);
        }

        return (TContext)context;
    }

    /// <summary>
    /// A hand-written command in <see cref="Transaction"/>, with no time limit but the plan's. Its SQL names the
    /// tenant's schema by the placeholder, <c>"__Tenant__".invoices</c>; it may read the shared tables that the
    /// contexts map or <see cref="TenancyOptions.SharedTables"/> names.
    /// </summary>
    /// <param name="sql">One or several statements.</param>
    /// <exception cref="CommandRefusedException">The SQL names another schema, changes a shared table, leaves something
    /// in the session, or ends the transaction.</exception>
    public NpgsqlCommand CreateCommand(string sql)
    {
        ArgumentNullException.ThrowIfNull(sql);
        var template = SqlTemplateCache.Shared.Of(sql);
        template.Guard(_shared);
        var text = template.Rewrite(Tenant.Schema);
        return new(template.HasAtomicBody ? DoBlock.WhereCutWrongly(text) : text, Transaction.Connection, Transaction)
        {
            CommandTimeout = 0,
        };
    }

    /// <summary>Saves what the task left to be saved.</summary>
    internal async Task SaveAsync(CancellationToken ct)
    {
        foreach (var context in _contexts.Values)
        {
            await context.SaveChangesAsync(ct);
        }
    }

    internal async ValueTask DisposeContextsAsync()
    {
        foreach (var context in _contexts.Values)
        {
            await context.DisposeAsync();
        }
    }
}
