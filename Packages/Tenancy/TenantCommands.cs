using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Tenancy.Leasing;
using Tenancy.Sql;

namespace Tenancy;

/// <summary>
/// Hand-written commands for one tenant, guarded and rewritten like EF's. Their SQL names the schema by the
/// placeholder:
/// <c>"__Tenant__".invoices</c>.
/// </summary>
public static class TenantCommands
{
    /// <summary>
    /// A command over the context's connection, in its current transaction. Open the connection first
    /// (<c>context.Database.OpenConnectionAsync()</c>); the command ends with the lease. Where tenants have roles,
    /// call <see cref="SwitchToTenantRoleAsync"/> in its transaction before.
    /// </summary>
    /// <exception cref="NoTenantException">The context serves nobody.</exception>
    /// <exception cref="InvalidOperationException">Tenants have roles, and there is no transaction.</exception>
    /// <exception cref="CommandRefusedException">The SQL names another schema, changes a shared table, or leaves
    /// something in the session.</exception>
    public static NpgsqlCommand CreateTenantCommand(this DbContext context, string sql)
    {
        ArgumentNullException.ThrowIfNull(context);
        ArgumentNullException.ThrowIfNull(sql);
        var services = ((IInfrastructure<IServiceProvider>)context).Instance;
        var binding = (TenantBinding?)services.GetService(typeof(TenantBinding))
            ?? throw new InvalidOperationException(
                $"{context.GetType().Name} isn't a tenant's context: its options lack UseTenancy().");
        var command = Rewritten((NpgsqlConnection)context.Database.GetDbConnection(), binding.Value, sql,
            context.GetService<SharedObjects>().Of(context.Model, binding.RunsAsOwner), binding.Metrics);
        if (binding.Switch.Length > 0 && context.Database.CurrentTransaction is null)
        {
            throw new InvalidOperationException(
                "A hand-written command runs as the tenant's role in a transaction that has switched to it: begin " +
                "one, and call SwitchToTenantRoleAsync.");
        }

        command.Transaction = (NpgsqlTransaction?)context.Database.CurrentTransaction?.GetDbTransaction();
        return command;
    }

    /// <summary>
    /// Lets what follows in the context's transaction run as the tenant's role, where
    /// <see cref="TenancyOptions.TenantRoles"/> is on; does nothing where it is off. For what goes past EF: COPY,
    /// commands of one's own. A <c>ROLLBACK TO SAVEPOINT</c> to before it takes it back.
    /// </summary>
    /// <exception cref="InvalidOperationException">The context has no transaction, so the switch would be over at
    /// once.</exception>
    /// <exception cref="NoTenantException">The context serves nobody.</exception>
    public static async Task SwitchToTenantRoleAsync(this DbContext context, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(context);
        if (TenantBinding.Of(context).Switch is not { Length: > 0 } role)
        {
            return;
        }

        var transaction = context.Database.CurrentTransaction?.GetDbTransaction() as NpgsqlTransaction
            ?? throw new InvalidOperationException(
                "A tenant's role lasts until the transaction ends: begin one first (context.Database." +
                "BeginTransactionAsync).");
        await using var command = new NpgsqlCommand(role, transaction.Connection, transaction);
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <summary>
    /// A command over any connection, where there is no context. It may name the tenant's schema and <c>pg_catalog</c>,
    /// no shared table. It runs as the connection's login.
    /// </summary>
    /// <exception cref="CommandRefusedException">As above.</exception>
    public static NpgsqlCommand CreateTenantCommand(this NpgsqlConnection connection, Tenant tenant, string sql)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(tenant);
        ArgumentNullException.ThrowIfNull(sql);
        return Rewritten(connection, tenant, sql, AllowList.Nothing);
    }

    private static NpgsqlCommand Rewritten(
        NpgsqlConnection connection, Tenant tenant, string sql, AllowList shared, TenancyMetrics? metrics = null)
    {
        var template = SqlTemplateCache.Shared.Of(sql);
        template.Guard(shared, metrics);
        return new(template.Rewrite(tenant.Schema), connection);
    }
}
