using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Citus;
using Tenancy.Databases;
using Tenancy.Ledgers;
using Tenancy.Registries;

namespace Tenancy;

/// <summary>
/// Moves a tenant's tables to another node of a Citus cluster, while the tenant is served: Citus copies the rows,
/// follows what is written meanwhile, and holds writes up only at the end. The tenant's ledger row is locked until
/// then, so no migration of it begins.
/// </summary>
public sealed class TenantMove
{
    private readonly NpgsqlDataSource _database;
    private readonly TenancyOptions _options;
    private readonly IServiceScopeFactory _scopes;
    private readonly TimeProvider _time;

    internal TenantMove(
        NpgsqlDataSource database, TenancyOptions options, IServiceScopeFactory scopes, TimeProvider time) =>
        (_database, _options, _scopes, _time) = (database, options, scopes, time);

    /// <summary>Moves it. Interrupted or refused, it leaves the tenant where it was.</summary>
    /// <param name="slug">Whose.</param>
    /// <param name="to">A node that the coordinator knows.</param>
    /// <param name="limits">Time limits; null for the defaults.</param>
    /// <param name="progress">Told about once a second; null for nobody.</param>
    /// <param name="ct">Ends it; nothing of it stays.</param>
    /// <returns>Null when there is no such tenant.</returns>
    /// <exception cref="TenantMoveException">The database isn't on a Citus cluster, has no such node, or the tenant's
    /// tables can't be moved; or Citus failed.</exception>
    /// <exception cref="TenantInUseException">A migration or another command holds the tenant, or a time limit is
    /// over.</exception>
    /// <exception cref="NpgsqlException">The coordinator can't be reached.</exception>
    public async Task<MovedTenant?> MoveAsync(
        string slug, TenantNode to, TenantMoveLimits? limits = null, IProgress<TenantMoveProgress>? progress = null,
        CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(to);
        limits ??= new();
        await using var scope = _scopes.CreateAsyncScope();
        if (!TenantSlug.IsValid(slug) || await scope.ServiceProvider.Registry().FindAsync(slug, ct) is not { } entry)
        {
            return null;
        }

        if (entry.Tenant.Database != _options.Database)
        {
            return await scope.ServiceProvider.GetRequiredService<TenantDatabases>().Of(entry.Tenant)
                .GetRequiredService<TenantMove>().MoveAsync(slug, to, limits, progress, ct);
        }

        var started = _time.GetTimestamp();
        await using var connection = await _database.OpenConnectionAsync(ct);
        await ClusterNodes.RefuseWithoutClusterAsync(connection, ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await LimitAsync(connection, limits, ct);
        await HoldAsync(connection, entry.Tenant, ct);
        var target = await ClusterNodes.FindAsync(connection, to, ct);
        var place = await SchemaPlace.ReadAsync(connection, entry.Tenant, ct);
        if (place.Node.Is(target))
        {
            return new(entry.Tenant, place.Node, target, 0, _time.GetElapsedTime(started));
        }

        place.RefuseWhatCantMove(slug);
        await using (MoveWatch.Start(_database, connection.ProcessID, progress, _time))
        {
            await PlaceAsync(connection, entry.Tenant, place, target, limits, ct);
        }

        await transaction.CommitAsync(ct);
        return new(entry.Tenant, place.Node, target, place.Bytes, _time.GetElapsedTime(started));
    }

    private async Task LimitAsync(NpgsqlConnection connection, TenantMoveLimits limits, CancellationToken ct)
    {
        await using var batch = connection.CreateBatch();
        RunLimits.AddTo(
            batch, connection.PostgreSqlVersion, limits.LockTimeout ?? _options.LockTimeout, limits.StatementTimeout);
        await batch.ExecuteNonQueryAsync(ct);
    }

    /// <summary>A run passes over a schema whose row is locked, and comes back to it.</summary>
    private static async Task HoldAsync(NpgsqlConnection connection, Tenant tenant, CancellationToken ct)
    {
        await using var hold = new NpgsqlCommand(
            "SELECT state FROM tenancy.schemas WHERE schema = $1 FOR UPDATE", connection)
        {
            Parameters = { LedgerTable.Text(tenant.Schema.Value) }, CommandTimeout = 0,
        };
        try
        {
            if (await hold.ExecuteScalarAsync(ct) is null or "dropping" or "dropped")
            {
                throw new TenantMoveException(
                    $"The ledger has no schema of '{tenant.Slug}' that stays: it is unknown there, or is being " +
                    "dropped.");
            }
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            throw new TenantInUseException(
                $"A migration, or another command, works on '{tenant.Slug}'. Nothing was moved: try again when it is " +
                "done.",
                e);
        }
    }

    private static async Task PlaceAsync(
        NpgsqlConnection connection, Tenant tenant, SchemaPlace place, TenantNode to, TenantMoveLimits limits,
        CancellationToken ct)
    {
        await using var move = new NpgsqlCommand(
            "SELECT citus_schema_move($1::text::regnamespace, $2, $3, $4::citus.shard_transfer_mode)", connection)
        {
            CommandTimeout = 0,
            Parameters =
            {
                LedgerTable.Text(tenant.Schema.Value), LedgerTable.Text(to.Host),
                new NpgsqlParameter<int> { TypedValue = to.Port }, LedgerTable.Text(place.TransferMode),
            },
        };
        try
        {
            await move.ExecuteNonQueryAsync(ct);
        }
        catch (PostgresException e) when (!ct.IsCancellationRequested
            && e.SqlState is PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.LockNotAvailable)
        {
            throw new TenantInUseException(
                $"'{tenant.Slug}' wasn't moved in time ({e.MessageText}; statement timeout " +
                $"{limits.StatementTimeout?.ToString() ?? "none"}). An open transaction that has written something on " +
                "its node, whosever it is, holds a move up: end it, or give the move more time.", e);
        }
        catch (PostgresException e) when (!ct.IsCancellationRequested)
        {
            throw new TenantMoveException(
                $"Citus didn't move '{tenant.Slug}': {e.MessageText}." +
                $"{(e.Detail is null ? "" : $" {e.Detail}")}{(e.Hint is null ? "" : $" {e.Hint}")}", e);
        }
    }
}
