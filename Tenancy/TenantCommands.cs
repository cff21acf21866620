using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Tenancy.Leasing;
using Tenancy.Stamping;

namespace Tenancy;

/// <summary>
/// Hand-written commands for one tenant, guarded and stamped like EF's. Their SQL names the schema by the placeholder:
/// <c>"__Tenant__".invoices</c>.
/// </summary>
public static class TenantCommands
{
    /// <summary>
    /// A command over the context's connection, in its current transaction. Open the connection first
    /// (<c>context.Database.OpenConnectionAsync()</c>); the command ends with the lease.
    /// </summary>
    /// <exception cref="NoTenantException">The context serves nobody.</exception>
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
        var command = Stamped((NpgsqlConnection)context.Database.GetDbConnection(), binding.Value, sql,
            context.GetService<SharedObjects>().Of(context.Model), binding.Metrics);
        command.Transaction = (NpgsqlTransaction?)context.Database.CurrentTransaction?.GetDbTransaction();
        return command;
    }

    /// <summary>
    /// A command over any connection, where there is no context. It may name the tenant's schema and <c>pg_catalog</c>,
    /// no shared table.
    /// </summary>
    /// <exception cref="CommandRefusedException">As above.</exception>
    public static NpgsqlCommand CreateTenantCommand(this NpgsqlConnection connection, Tenant tenant, string sql)
    {
        ArgumentNullException.ThrowIfNull(connection);
        ArgumentNullException.ThrowIfNull(tenant);
        ArgumentNullException.ThrowIfNull(sql);
        return Stamped(connection, tenant, sql, AllowList.Nothing);
    }

    private static NpgsqlCommand Stamped(
        NpgsqlConnection connection, Tenant tenant, string sql, AllowList shared, TenancyMetrics? metrics = null)
    {
        var cut = CutCache.Shared.Cut(sql);
        cut.Guard(shared, metrics);
        return new(cut.Stamp(tenant.Schema), connection);
    }
}
