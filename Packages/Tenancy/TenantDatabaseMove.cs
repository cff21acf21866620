using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Databases;
using Tenancy.Registries;
using Tenancy.Transfer;

namespace Tenancy;

/// <summary>The result of <see cref="TenantDatabaseMove.MoveAsync"/>.</summary>
/// <param name="Tenant">The tenant in its new place: its schema has another name.</param>
/// <param name="From">The tenant in its old place; null where it was in that database already.</param>
/// <param name="Rows">How many rows were copied, by table.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="MigrationError">
/// What kept the tenant from this build's version; null where it has it. The tenant has moved and isn't served: mend
/// the cause, then run the migration job.
/// </param>
public sealed record DatabaseMove(Tenant Tenant, Tenant? From, IReadOnlyDictionary<string, long> Rows, TimeSpan Elapsed,
    string? MigrationError = null);

/// <summary>
/// Moves a tenant to another of the application's databases. Its id, slug, name, status and ring stay. Its schema gets
/// another name, and the old one is left to <see cref="TenantRemoval.ReconcileAsync"/>.
/// </summary>
public sealed class TenantDatabaseMove
{
    private readonly IServiceProvider _services;
    private readonly TenantDatabases _databases;
    private readonly TimeProvider _time;

    internal TenantDatabaseMove(IServiceProvider services, TenantDatabases databases, TimeProvider time) =>
        (_services, _databases, _time) = (services, databases, time);

    /// <summary>
    /// Moves it. Nobody is served from the old place from the first step on, and its transactions have ended before its
    /// rows are read. They go through a temporary file, are written in one transaction, and are compared. Then one
    /// commit of the registry turns to the new place. May be repeated after an interruption; or
    /// <see cref="TenantRemoval.ReconcileAsync"/> ends what was interrupted more than a minute ago.
    /// </summary>
    /// <remarks>
    /// Requests of the tenant are answered with 503 meanwhile. A process that doesn't hear of changes serves the old
    /// place for <see cref="TenancyOptions.DirectoryCacheTime"/> after the first step: the server refuses its
    /// statements, because the old schema has another name by then. So does a scope that lives long.
    /// </remarks>
    /// <param name="slug">Whose.</param>
    /// <param name="database">One of <see cref="TenancyOptions.Databases"/>; null for the first one.</param>
    /// <param name="ct">Ends it. The tenant is then where it was, unless the registry has turned.</param>
    /// <returns>Null when there is no such tenant.</returns>
    /// <exception cref="ArgumentException">There is no such database.</exception>
    /// <exception cref="NotSupportedException">The application's registry can't change a tenant's place, see
    /// <see cref="ITenantRegistry.TryPlaceAsync"/>.</exception>
    /// <exception cref="TenantTransferException">Its schema isn't complete, or the copy isn't what was
    /// copied.</exception>
    /// <exception cref="TenantInUseException">Its transactions didn't end in time, or another command works on
    /// it.</exception>
    /// <exception cref="NpgsqlException">One of the databases failed.</exception>
    public async Task<DatabaseMove?> MoveAsync(string slug, string? database, CancellationToken ct = default)
    {
        var (started, target) = (_time.GetTimestamp(), Of(database));
        await using var scope = _services.CreateAsyncScope();
        var registry = scope.ServiceProvider.Registry();
        if (!TenantSlug.IsValid(slug) || await registry.FindAsync(slug, ct) is not { } entry)
        {
            return null;
        }

        if (entry.Tenant.Database == database)
        {
            // An interrupted move may have come so far.
            await target.GetRequiredService<MovingSchemas>().EndAsync(entry.Tenant.Schema, interrupted: false, ct);
            return new(entry.Tenant, null, new Dictionary<string, long>(), _time.GetElapsedTime(started));
        }

        await target.GetRequiredService<SchemaProvisioner>().PrepareAsync(ct);
        var moved = await CarryAsync(registry, entry, target, ct);
        await _services.GetRequiredService<TenantDirectory>().ForgetAsync(slug, ct);
        var error = await target.GetRequiredService<TenantLandings>().FinishAsync(moved.Tenant, moved.Migrations, ct);
        return new(moved.Tenant, entry.Tenant, moved.Rows, _time.GetElapsedTime(started), error);
    }

    private async Task<MovedCopy> CarryAsync(
        ITenantRegistry registry, TenantEntry entry, IServiceProvider target, CancellationToken ct)
    {
        var source = Of(entry.Tenant.Database);
        Tenant? place = null;
        try
        {
            await source.GetRequiredService<MovingSchemas>().BeginAsync(entry.Tenant, ct);
            var moved = await new MoveCopy(Owner(source), source.GetRequiredService<SourceTenants>(), Owner(target),
                target.GetRequiredService<TenantLandings>(), target.GetRequiredService<CompiledMigrations>(), _time)
                .RunAsync(entry, ct);
            place = moved.Tenant;
            await TurnAsync(registry, entry.Tenant, place, ct);
            return moved;
        }
        finally
        {
            // However it ended: the registry says which place is the tenant's.
            if (place is not null)
            {
                await EndAsync(target, place.Schema);
            }

            await EndAsync(source, entry.Tenant.Schema);
        }
    }

    /// <summary>
    /// One commit of the first database. Whoever ends an interrupted move waits for it, or it finds the move ended.
    /// </summary>
    private async Task TurnAsync(ITenantRegistry registry, Tenant from, Tenant to, CancellationToken ct)
    {
        await using var connection = await Owner(_services).OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        foreach (var schema in new[] { from.Schema, to.Schema }.OrderBy(schema => schema.Value, StringComparer.Ordinal))
        {
            await MovingSchemas.HoldAsync(
                transaction, schema, _services.GetRequiredService<TenancyOptions>().LockTimeout, ct);
        }

        foreach (var tenant in new[] { from, to })
        {
            if (!await Of(tenant.Database).GetRequiredService<MovingSchemas>().IsMovingAsync(tenant.Schema, ct))
            {
                throw MoveCopy.Ended(from);
            }
        }

        if (!await registry.TryPlaceAsync(from, to, transaction, ct))
        {
            throw new TenantInUseException(
                $"The registry's row of '{from.Slug}' was changed or removed meanwhile. The tenant wasn't moved.");
        }

        await transaction.CommitAsync(ct);
    }

    /// <summary>A failure here leaves what the next reconcile ends, and the exception under way says more.</summary>
    private static async Task EndAsync(IServiceProvider holder, SchemaName schema)
    {
        try
        {
            await holder.GetRequiredService<MovingSchemas>()
                .EndAsync(schema, interrupted: false, CancellationToken.None);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException)
        {
        }
    }

    private IServiceProvider Of(string? database) => database is null ? _services : _databases.Named(database);

    private static NpgsqlDataSource Owner(IServiceProvider services) =>
        services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey);
}
