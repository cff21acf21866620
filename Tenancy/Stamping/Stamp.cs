using System.Data.Common;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Tenancy.Leasing;

namespace Tenancy.Stamping;

/// <summary>
/// Writes the tenant's schema into every command that EF creates, and refuses a context without a tenant before it opens a connection.
/// </summary>
internal sealed class Stamp : DbCommandInterceptor, IDbConnectionInterceptor
{
    private readonly CutCache _cuts = new();

    /// <summary>Sees LINQ, SaveChanges, ExecuteUpdate, raw SQL and migrations alike, before the command is logged.</summary>
    public override DbCommand CommandInitialized(CommandEndEventData eventData, DbCommand result)
    {
        result.CommandText = _cuts.Cut(result.CommandText).Stamp(TenantOf(eventData.Context).Schema);
        return result;
    }

    /// <summary>Before the commands: a transaction would reach the server first, and what bypasses EF's commands opens it too.</summary>
    public InterceptionResult ConnectionOpening(DbConnection connection, ConnectionEventData eventData, InterceptionResult result)
    {
        TenantOf(eventData.Context);
        return result;
    }

    /// <inheritdoc cref="ConnectionOpening"/>
    public ValueTask<InterceptionResult> ConnectionOpeningAsync(
        DbConnection connection, ConnectionEventData eventData, InterceptionResult result, CancellationToken cancellationToken = default) =>
        ValueTask.FromResult(ConnectionOpening(connection, eventData, result));

    private static Tenant TenantOf(DbContext? context) => context is null ? throw new NoTenantException() : TenantBinding.Of(context).Value;
}
