using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Databases;
using Tenancy.Doctor;
using Tenancy.Ledgers;
using Tenancy.Registries;
using Tenancy.Removal;

namespace Tenancy;

/// <summary>The result of <see cref="TenantRemoval.ReconcileAsync"/>.</summary>
/// <param name="Removed">The schemas that are gone.</param>
/// <param name="Failed">The schemas that aren't yet, and why. The next run tries again.</param>
public sealed record RemovalReport(IReadOnlyList<SchemaName> Removed, IReadOnlyList<FailedSchema> Failed);

/// <summary>
/// Drops tenants, in two steps. The first marks a tenant: it is archived at once, and may be resumed until its time is
/// over. The second removes it for good: the registry's row, then the tables, a few in each transaction.
/// </summary>
public sealed class TenantRemoval
{
    /// <summary>How long a dropped tenant can be taken back unless another time is given: 7 days.</summary>
    public static readonly TimeSpan Grace = TimeSpan.FromDays(7);

    private static readonly TimeSpan LongestGrace = TimeSpan.FromDays(3660);

    private readonly NpgsqlDataSource _database;
    private readonly Tenants _tenants;
    private readonly IServiceScopeFactory _scopes;
    private readonly SchemaRemoval _removal;

    internal TenantRemoval(
        NpgsqlDataSource database, Tenants tenants, IServiceScopeFactory scopes, SchemaRemoval removal) =>
        (_database, _tenants, _scopes, _removal) = (database, tenants, scopes, removal);

    /// <summary>Vacuums the catalogs after a removal; null to leave that to autovacuum.</summary>
    internal CatalogVacuum? Vacuum { get; init; }

    /// <summary>Ends what a move to another database has left; null for nothing.</summary>
    internal MovingSchemas? Moving { get; init; }

    /// <summary>
    /// Archives a tenant and marks it for removal. <see cref="Tenants.SetStatusAsync"/> with
    /// <see cref="TenantStatus.Active"/> takes that back until the time is over. Asked for twice, the earlier time
    /// counts.
    /// </summary>
    /// <param name="slug">Whose.</param>
    /// <param name="repeated">The slug once more, typed by the person who wants it.</param>
    /// <param name="grace">How long it is kept; null for <see cref="Grace"/>, zero for not at all.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <returns>When it may be removed; null when there is no such tenant.</returns>
    /// <exception cref="ArgumentException">The slugs aren't the same, or the time is out of range.</exception>
    /// <exception cref="TenantInUseException">It is archived, and its transactions didn't end in time. It isn't marked:
    /// try again.</exception>
    public async Task<DateTimeOffset?> DropAsync(
        string slug, string repeated, TimeSpan? grace = null, CancellationToken ct = default)
    {
        if (slug != repeated)
        {
            throw new ArgumentException($"'{repeated}' isn't '{slug}': repeat the slug.", nameof(repeated));
        }

        var kept = grace ?? Grace;
        if (kept < TimeSpan.Zero || kept > LongestGrace)
        {
            throw new ArgumentException(
                $"The time has to be from 0 to {LongestGrace.Days} days.", nameof(grace));
        }

        await using var scope = _scopes.CreateAsyncScope();
        if (!TenantSlug.IsValid(slug)
            || await scope.ServiceProvider.Registry().FindAsync(slug, ct) is not { } entry)
        {
            return null;
        }

        if (entry.Tenant.Database != scope.ServiceProvider.GetRequiredService<TenancyOptions>().Database)
        {
            return await scope.ServiceProvider.GetRequiredService<TenantDatabases>().Of(entry.Tenant)
                .GetRequiredService<TenantRemoval>().DropAsync(slug, repeated, grace, ct);
        }

        if (!await _tenants.SetStatusAsync(slug, TenantStatus.Archived, ct))
        {
            return null;
        }

        await using var mark = _database.CreateCommand(
            """
            UPDATE tenancy.schemas
            SET state = 'dropping', drop_after = least(coalesce(drop_after, 'infinity'), clock_timestamp() + $2)
            WHERE schema = $1 AND state IN ('ready', 'failed', 'suspended', 'archived', 'dropping') RETURNING drop_after
            """);
        mark.Parameters.Add(LedgerTable.Text(entry.Tenant.Schema.Value));
        mark.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = kept });
        if (await mark.ExecuteScalarAsync(ct) is DateTime after)
        {
            return after;
        }

        return Moving is not null && await Moving.IsMovingAsync(entry.Tenant.Schema, ct)
            ? throw new TenantInUseException(
                $"'{slug}' is archived, and is being moved to another database. It isn't marked: try again when the " +
                "move has ended.")
            : null;
    }

    /// <summary>
    /// Removes the tenants whose time is over, and finishes what an interrupted removal left. The migration job does it
    /// after each run. Safe to run in several processes at once, and to interrupt. It also ends the moves to another
    /// database (<see cref="TenantDatabaseMove"/>) that were interrupted more than a minute ago.
    /// </summary>
    /// <remarks>In all databases, the first one first.</remarks>
    /// <param name="ct">Ends it after the transaction in hand.</param>
    /// <exception cref="NpgsqlException">A ledger can't be read. The other databases' removals are done.</exception>
    public async Task<RemovalReport> ReconcileAsync(CancellationToken ct = default)
    {
        await using var scope = _scopes.CreateAsyncScope();
        var services = scope.ServiceProvider;
        if (services.GetRequiredService<TenancyOptions>() is { Database: null, Databases.Count: > 0 })
        {
            var reports = await services.GetRequiredService<TenantDatabases>().EachAsync(
                () => ReconcileHereAsync(ct),
                database => database.GetRequiredService<TenantRemoval>().ReconcileHereAsync(ct));
            return new(
                [.. reports.SelectMany(report => report.Removed)], [.. reports.SelectMany(report => report.Failed)]);
        }

        return await ReconcileHereAsync(ct);
    }

    /// <summary>The same in this database alone.</summary>
    internal async Task<RemovalReport> ReconcileHereAsync(CancellationToken ct)
    {
        var (removed, failed) = (new List<SchemaName>(), new List<FailedSchema>());
        if (Moving is not null)
        {
            failed.AddRange(await Moving.ReconcileAsync(ct));
        }

        await using var ask = _database.CreateCommand(
            $"""
            SELECT schema FROM tenancy.schemas
            WHERE {LedgerModel.Removable} AND drop_after <= clock_timestamp() ORDER BY drop_after, schema
            """);
        foreach (var schema in await ask.SchemasAsync(ct))
        {
            try
            {
                if (await _removal.RunAsync(schema, ct))
                {
                    removed.Add(schema);
                }
            }
            catch (Exception e) when (e is TenantInUseException or PostgresException)
            {
                failed.Add(new(schema, e.Message));
            }
        }

        if (removed.Count > 0 && Vacuum is { } vacuum)
        {
            await vacuum.RunAsync(ct);
        }

        return new(removed, failed);
    }
}
