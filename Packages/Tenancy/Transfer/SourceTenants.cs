using System.Data;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Ledgers;
using Tenancy.Registries;

namespace Tenancy.Transfer;

/// <summary>A tenant whose rows are read: one snapshot, and no migration of its schema meanwhile.</summary>
/// <param name="Entry">As the registry has it.</param>
/// <param name="Connection">In a transaction with isolation level REPEATABLE READ.</param>
/// <param name="Transaction">That transaction.</param>
/// <param name="Migrations">The ids in its history.</param>
internal sealed record SourceTenant(
    TenantEntry Entry, NpgsqlConnection Connection, NpgsqlTransaction Transaction, IReadOnlySet<string> Migrations)
    : IAsyncDisposable
{
    public SchemaName Schema => Entry.Tenant.Schema;

    public async ValueTask DisposeAsync()
    {
        await Transaction.DisposeAsync();
        await Connection.DisposeAsync();
    }
}

/// <summary>Opens tenants for reading.</summary>
internal sealed class SourceTenants(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, CompiledMigrations migrations,
    TenancyOptions options, IServiceScopeFactory scopes)
{
    private const int Attempts = 5;

    /// <summary>Takes the snapshot, and the ledger's row against migrations.</summary>
    /// <exception cref="TenantUnavailableException">There is no such tenant.</exception>
    /// <exception cref="TenantTransferException">Its schema isn't complete, or it is being migrated.</exception>
    public async Task<SourceTenant> OpenAsync(string slug, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        if (!TenantSlug.IsValid(slug)
            || await scope.ServiceProvider.Registry().FindAsync(slug, ct) is not { } entry)
        {
            throw new TenantUnavailableException(slug, null);
        }

        return await RetryAsync(() => OpenAsync(entry, ct));
    }

    /// <summary>
    /// Does it again where a row changed between the snapshot and the lock: only a new snapshot sees the change.
    /// </summary>
    public static async Task<T> RetryAsync<T>(Func<Task<T>> work)
    {
        for (var attempt = 1; ; attempt++)
        {
            try
            {
                return await work();
            }
            catch (PostgresException e)
                when (e.SqlState == PostgresErrorCodes.SerializationFailure && attempt < Attempts)
            {
            }
        }
    }

    private async Task<SourceTenant> OpenAsync(TenantEntry entry, CancellationToken ct)
    {
        var connection = await database.OpenConnectionAsync(ct);
        NpgsqlTransaction? transaction = null;
        try
        {
            transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, ct);
            await RunLimits.SetLocalAsync(connection, options.LockTimeout, ct);
            await LockAsync(connection, entry, ct);
            return new(entry, connection, transaction, await HistoryAsync(connection, entry.Tenant.Schema, ct));
        }
        catch
        {
            if (transaction is not null)
            {
                await transaction.DisposeAsync();
            }

            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// A migration claims the row FOR UPDATE, so it passes this schema over until the transaction ends.
    /// </summary>
    private static async Task LockAsync(NpgsqlConnection connection, TenantEntry entry, CancellationToken ct)
    {
        await using var lockRow = new NpgsqlCommand(
            """
            SELECT state IN ('ready', 'failed', 'suspended', 'archived', 'dropping'), unfinished
            FROM tenancy.schemas WHERE schema = $1 FOR SHARE
            """, connection) { Parameters = { LedgerTable.Text(entry.Tenant.Schema.Value) } };
        try
        {
            await using var row = await lockRow.ExecuteReaderAsync(ct);
            if (!await row.ReadAsync(ct) || !row.GetBoolean(0))
            {
                throw new TenantTransferException($"The schema of '{entry.Tenant.Slug}' isn't complete.");
            }

            if (!await row.IsDBNullAsync(1, ct))
            {
                throw new TenantTransferException(
                    $"The migration {row.GetString(1)} of '{entry.Tenant.Slug}' was begun outside a transaction and " +
                    "isn't finished. Run the migration job, then try again.");
            }
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            throw new TenantTransferException($"'{entry.Tenant.Slug}' is being migrated. Try again later.", e);
        }
    }

    /// <summary>The ids in a schema's history.</summary>
    public async Task<IReadOnlySet<string>> HistoryAsync(
        NpgsqlConnection connection, SchemaName schema, CancellationToken ct)
    {
        // The first of EF's two columns is the id, whatever a naming convention calls it.
        await using var ask = new NpgsqlCommand(
            $"SELECT h.* FROM {schema.Qualify(migrations.HistoryTable)} AS h", connection);
        var ids = new HashSet<string>(StringComparer.Ordinal);
        await using var rows = await ask.ExecuteReaderAsync(ct);
        while (await rows.ReadAsync(ct))
        {
            ids.Add(rows.GetString(0));
        }

        return ids;
    }
}
