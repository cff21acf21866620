using System.Runtime.CompilerServices;
using Npgsql;
using Tenancy.Ledgers;
using Tenancy.Registries;

namespace Tenancy.Databases;

/// <summary>
/// A new tenant in a database that isn't the first. Two databases don't commit together, so the steps are in an order
/// in which each interruption leaves a state that <see cref="TenantRemoval.ReconcileAsync"/> ends.
/// </summary>
internal static class PlacedTenants
{
    /// <summary>How long a creation may take between its commits before it counts as interrupted.</summary>
    private static readonly TimeSpan Interrupted = TimeSpan.FromHours(1);

    private static readonly ConditionalWeakTable<NpgsqlTransaction, Placed> New = [];

    /// <summary>Keeps a new tenant's row until the transaction that makes its schema commits.</summary>
    public static void Add(NpgsqlTransaction transaction, TenantEntry entry, TenantDatabase database) =>
        New.AddOrUpdate(transaction, new(
            entry with { Tenant = entry.Tenant with { Database = database.Name } }, database));

    /// <summary>
    /// Commits the transaction that makes a tenant. Where its row is in another database: first the schema, marked for
    /// removal, then the row, then the mark goes. Whoever is interrupted in between leaves a tenant that nobody serves,
    /// and that is removed after an hour.
    /// </summary>
    /// <param name="transaction">The schema's.</param>
    /// <param name="ct">Ends the wait; what is there by then is removed after an hour.</param>
    /// <exception cref="TenantSlugTakenException">Another tenant got the slug meanwhile.</exception>
    public static async Task CommitNewAsync(this NpgsqlTransaction transaction, CancellationToken ct)
    {
        if (!New.TryGetValue(transaction, out var placed))
        {
            await transaction.CommitAsync(ct);
            return;
        }

        var (entry, database) = placed;
        var schema = entry.Tenant.Schema;
        await using (var mark = new NpgsqlCommand(
            "UPDATE tenancy.schemas SET state = 'dropping', drop_after = clock_timestamp() + $2 WHERE schema = $1",
            transaction.Connection, transaction))
        {
            mark.Parameters.Add(LedgerTable.Text(schema.Value));
            mark.Parameters.Add(new NpgsqlParameter<TimeSpan> { TypedValue = Interrupted });
            await mark.ExecuteNonQueryAsync(ct);
        }

        await transaction.CommitAsync(ct);
        var added = await AddAsync(entry, database, ct);
        await using var settle = database.Owner.CreateCommand(added
            ? "UPDATE tenancy.schemas SET state = 'ready', drop_after = NULL WHERE schema = $1 AND state = 'dropping'"
            : "UPDATE tenancy.schemas SET drop_after = clock_timestamp() WHERE schema = $1 AND state = 'dropping'");
        settle.Parameters.Add(LedgerTable.Text(schema.Value));
        await settle.ExecuteNonQueryAsync(ct);
        if (!added)
        {
            throw new TenantSlugTakenException(entry.Tenant.Slug);
        }
    }

    /// <summary>
    /// Takes the mark away that an interrupted creation has left on a tenant whose row is there. Who has dropped the
    /// tenant meanwhile has another mark: the registry says that it is archived.
    /// </summary>
    /// <param name="database">The owner's, of the database that has the schema.</param>
    /// <param name="entry">As the registry has it.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task SettleAsync(NpgsqlDataSource database, TenantEntry entry, CancellationToken ct)
    {
        if (entry is not { Tenant.Database: not null, Status: TenantStatus.Active })
        {
            return;
        }

        await using var settle = database.CreateCommand(
            "UPDATE tenancy.schemas SET state = 'ready', drop_after = NULL WHERE schema = $1 AND state = 'dropping'");
        settle.Parameters.Add(LedgerTable.Text(entry.Tenant.Schema.Value));
        await settle.ExecuteNonQueryAsync(ct);
    }

    /// <summary>
    /// Commits the transaction that makes a tenant of tables that were somebody's before. Where its row is in another
    /// database: first the row, then the tables. Whoever is interrupted in between leaves a row without a schema, from
    /// which nobody is served, and the tables as they were: nothing marks them for removal.
    /// </summary>
    /// <param name="transaction">The schema's.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="TenantSlugTakenException">Another tenant got the slug meanwhile.</exception>
    public static async Task CommitAdoptedAsync(this NpgsqlTransaction transaction, CancellationToken ct)
    {
        if (New.TryGetValue(transaction, out var placed) && !await AddAsync(placed.Entry, placed.Database, ct))
        {
            throw new TenantSlugTakenException(placed.Entry.Tenant.Slug);
        }

        await transaction.CommitAsync(ct);
    }

    /// <summary>
    /// Takes the row away that an interrupted adoption has left: one of this database without a schema in its ledger.
    /// </summary>
    /// <param name="transaction">Of this database; another adoption waits for its end.</param>
    /// <param name="registry">A scope's.</param>
    /// <param name="slug">The tenant's.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task ForgetInterruptedAsync(
        NpgsqlTransaction transaction, ITenantRegistry registry, string slug, CancellationToken ct)
    {
        if (registry is not PlacedRegistry placed)
        {
            return;
        }

        await using (var lone = new NpgsqlCommand(
            "SELECT pg_advisory_xact_lock(hashtextextended('tenancy: adoption', 0))", transaction.Connection,
            transaction))
        {
            await lone.ExecuteNonQueryAsync(ct);
        }

        if (await placed.FindAsync(slug, ct) is not { Tenant.Schema: var schema })
        {
            return;
        }

        await using var ask = new NpgsqlCommand(
            "SELECT count(*) FROM tenancy.schemas WHERE schema = $1", transaction.Connection, transaction);
        ask.Parameters.Add(LedgerTable.Text(schema.Value));
        if (await ask.ExecuteScalarAsync(ct) is 0L)
        {
            await placed.TryRemoveAsync(schema, transaction, ct);
        }
    }

    /// <summary>The registry's query of its tenants, which has to say in which database each is.</summary>
    /// <exception cref="NotSupportedException">It has none.</exception>
    public static string TenantsSql(ITenantRegistry registry) => registry.TenantsSql ?? throw new NotSupportedException(
        $"{registry.GetType().Name} has no query of its tenants: implement ITenantRegistry.TenantsSql, with the " +
        "column database where there are several databases.");

    /// <summary>A query of the schemas and rings of the tenants that the registry has in this database.</summary>
    /// <param name="registry">A scope's.</param>
    /// <param name="options">Those of the database that is asked.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task<string> SchemasSqlAsync(
        this ITenantRegistry registry, TenancyOptions options, CancellationToken ct) =>
            registry is PlacedRegistry placed ? await placed.SchemasSqlAsync(ct)
            : options.Databases.Count == 0 ? registry.SchemasSql
            : $"SELECT t.schema, t.ring FROM ({TenantsSql(registry)}) AS t WHERE t.database IS NULL";

    private static async Task<bool> AddAsync(TenantEntry entry, TenantDatabase database, CancellationToken ct)
    {
        // The scope in which the row was asked for may have ended.
        await using var scope = database.NewScope();
        var registry = (PlacedRegistry)scope.ServiceProvider.Registry();
        await using var connection = await registry.First.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        var added = await registry.Whole.TryAddAsync(entry, transaction, ct);
        if (added)
        {
            await transaction.CommitAsync(ct);
        }

        return added;
    }

    private sealed record Placed(TenantEntry Entry, TenantDatabase Database);
}
