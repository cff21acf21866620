using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy.Ledgers;
using Tenancy.Provisioning;
using Tenancy.Registries;
using Tenancy.Removal;

namespace Tenancy.Databases;

/// <summary>
/// The schemas of one database that a move to another database begins or ends with. Their ledger rows have the state
/// <c>moving</c>, so nobody is served from them. The registry says which of a move's two schemas is the tenant's, so a
/// move that was interrupted anywhere is ended by asking it: <see cref="EndAsync"/>.
/// </summary>
internal sealed class MovingSchemas(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, TenancyOptions options,
    CompiledMigrations migrations, IServiceScopeFactory scopes, TimeProvider time)
{
    /// <summary>How long nothing may hold a row that is being moved before the move counts as interrupted.</summary>
    public const string Interrupted = "interval '1 minute'";

    private const string FencePrefix = "moving_";

    /// <summary>SQL: whether an expression is the name of a schema that is being moved away.</summary>
    public static string IsFence(string name) => $"{name} ~ '^{FencePrefix}[0-9a-f]{{32}}$'";

    /// <summary>
    /// The name of a schema while it is moved away, and afterwards. Whoever still serves the tenant from its old place
    /// names the old schema, and the server refuses.
    /// </summary>
    public static SchemaName Fence(SchemaName schema) => SchemaName.Parse(
        FencePrefix + Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(schema.Value)).AsSpan(0, 16)));

    /// <summary>
    /// Stops serving a tenant: first new requests, by its state; then all, by another name of its schema. It has no
    /// open transaction when this returns. May be repeated.
    /// </summary>
    /// <exception cref="TenantTransferException">It can't be moved as it is.</exception>
    /// <exception cref="TenantInUseException">Another command works on it, or its transactions didn't end.</exception>
    public async Task BeginAsync(Tenant tenant, CancellationToken ct)
    {
        await MarkAsync(tenant, ct);
        await WaitAsync(tenant, tenant.Schema, ct);
        await using (var connection = await database.OpenConnectionAsync(ct))
        await using (var transaction = await connection.BeginTransactionAsync(ct))
        {
            await RunLimits.SetLocalAsync(connection, options.LockTimeout, ct);
            if (await ClaimAsync(transaction, tenant.Schema, "true", ct)
                && !await ExistsAsync(transaction, Fence(tenant.Schema), ct))
            {
                await RenameAsync(transaction, tenant.Schema, Fence(tenant.Schema), ct);
            }

            await transaction.CommitAsync(ct);
        }

        // One that found the old name just before has a lock by now, or an error.
        await WaitAsync(tenant, Fence(tenant.Schema), ct);
    }

    /// <summary>
    /// Ends a move as the registry says. The schema is the tenant's: it is served, under its own name. It isn't: it is
    /// left to the removal.
    /// </summary>
    /// <param name="schema">Of this database.</param>
    /// <param name="interrupted">Whether only a move that counts as interrupted is ended.</param>
    /// <param name="ct">Ends the wait.</param>
    public async Task EndAsync(SchemaName schema, bool interrupted, CancellationToken ct)
    {
        await using var scope = scopes.CreateAsyncScope();
        var registry = scope.ServiceProvider.Registry();
        await using var first = await First(registry).OpenConnectionAsync(ct);
        await using var holding = await first.BeginTransactionAsync(ct);
        // From here on the registry's row doesn't change its place.
        await HoldAsync(holding, schema, options.LockTimeout, ct);
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await RunLimits.SetLocalAsync(connection, options.LockTimeout, ct);
        if (!await ClaimAsync(
            transaction, schema, interrupted ? "drop_after <= clock_timestamp()" : "true", ct))
        {
            return;
        }

        var fence = Fence(schema);
        var isFenced = await ExistsAsync(transaction, fence, ct);
        if (await IsTenantsAsync(registry, schema, ct))
        {
            if (isFenced)
            {
                await RenameAsync(transaction, fence, schema, ct);
            }

            await ExecuteAsync(transaction,
                "UPDATE tenancy.schemas SET state = CASE WHEN attempts > 0 THEN 'failed' ELSE 'ready' END, " +
                $"drop_after = NULL WHERE schema = '{schema}'", ct);
        }
        else if (isFenced)
        {
            // The old name is never used again; its removal goes on under the other one.
            await ExecuteAsync(transaction,
                $"""
                INSERT INTO tenancy.schemas (schema, state, version, ring, drop_after)
                    SELECT '{fence}', 'dropping', version, ring, clock_timestamp()
                    FROM tenancy.schemas WHERE schema = '{schema}';
                UPDATE tenancy.schemas SET state = 'dropped', drop_after = NULL, unfinished = NULL
                    WHERE schema = '{schema}';
                DELETE FROM tenancy.tasks WHERE schema = '{schema}';
                """, ct);
        }
        else
        {
            await ExecuteAsync(transaction,
                "UPDATE tenancy.schemas SET state = 'dropping', drop_after = clock_timestamp() " +
                $"WHERE schema = '{schema}'", ct);
        }

        await transaction.CommitAsync(ct);
    }

    /// <summary>Ends the moves that were interrupted.</summary>
    /// <returns>What couldn't be ended, and why.</returns>
    public async Task<IReadOnlyList<FailedSchema>> ReconcileAsync(CancellationToken ct)
    {
        await using var ask = database.CreateCommand(
            "SELECT schema FROM tenancy.schemas WHERE state = 'moving' AND drop_after <= clock_timestamp() " +
            "ORDER BY schema");
        var failed = new List<FailedSchema>();
        foreach (var schema in await ask.SchemasAsync(ct))
        {
            try
            {
                await EndAsync(schema, interrupted: true, ct);
            }
            catch (PostgresException e)
            {
                failed.Add(new(schema, e.MessageText));
            }
        }

        return failed;
    }

    /// <summary>Whether a schema is still being moved: nobody has ended it.</summary>
    public async Task<bool> IsMovingAsync(SchemaName schema, CancellationToken ct)
    {
        await using var ask = database.CreateCommand("SELECT state = 'moving' FROM tenancy.schemas WHERE schema = $1");
        ask.Parameters.Add(LedgerTable.Text(schema.Value));
        return await ask.ExecuteScalarAsync(ct) is true;
    }

    /// <summary>
    /// Waits for whoever ends, or turns, a move of that schema, and keeps others from it until the transaction ends.
    /// </summary>
    /// <param name="transaction">Of the first database.</param>
    /// <param name="schema">Which.</param>
    /// <param name="atMost">How long it waits.</param>
    /// <param name="ct">Ends the wait.</param>
    public static async Task HoldAsync(
        NpgsqlTransaction transaction, SchemaName schema, TimeSpan atMost, CancellationToken ct)
    {
        await RunLimits.SetLocalAsync(transaction.Connection!, atMost, ct);
        await using var hold = new NpgsqlCommand(
            "SELECT pg_advisory_xact_lock(hashtextextended('tenancy: move ' || $1, 0))", transaction.Connection,
            transaction) { Parameters = { LedgerTable.Text(schema.Value) } };
        await hold.ExecuteNonQueryAsync(ct);
    }

    /// <summary>The first database, which has the registry.</summary>
    private NpgsqlDataSource First(ITenantRegistry registry) =>
        registry is PlacedRegistry placed ? placed.First : database;

    private async Task MarkAsync(Tenant tenant, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await RunLimits.SetLocalAsync(connection, options.LockTimeout, ct);
        await using var mark = new NpgsqlCommand(
            $"""
            UPDATE tenancy.schemas SET state = 'moving', drop_after = clock_timestamp() + {Interrupted}
            WHERE schema = $1 AND state IN ('ready', 'failed', 'moving') AND unfinished IS NULL
            """, connection, transaction) { Parameters = { LedgerTable.Text(tenant.Schema.Value) } };
        try
        {
            if (await mark.ExecuteNonQueryAsync(ct) == 0)
            {
                throw new TenantTransferException(
                    $"The schema of '{tenant.Slug}' isn't complete, is being removed, or has a migration outside a " +
                    "transaction that isn't finished. Nothing was changed.");
            }
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.LockNotAvailable)
        {
            throw new TenantInUseException(
                $"'{tenant.Slug}' is being migrated, exported or moved. Nothing was changed: try again later.", e);
        }

        await transaction.CommitAsync(ct);
    }

    private async Task WaitAsync(Tenant tenant, SchemaName schema, CancellationToken ct)
    {
        if (await OpenTransactions.WaitAsync(database, schema, options.LockTimeout, time, ct) is { Count: > 0 } open)
        {
            throw new TenantInUseException(
                $"{open.Count} transactions of '{tenant.Slug}' are still open after " +
                $"{options.LockTimeout.TotalSeconds} s. Nothing was changed: wait for them and try again, or end " +
                $"them by pg_terminate_backend: {string.Join(", ", open)}.");
        }
    }

    private async Task<bool> IsTenantsAsync(ITenantRegistry registry, SchemaName schema, CancellationToken ct) =>
        (await registry.FindSlugsAsync([schema], ct)).TryGetValue(schema, out var slug)
        && await registry.FindAsync(slug, ct) is { Tenant: var tenant }
        && (tenant.Schema, tenant.Database) == (schema, options.Database);

    private static async Task<bool> ClaimAsync(
        NpgsqlTransaction transaction, SchemaName schema, string condition, CancellationToken ct)
    {
        await using var claim = new NpgsqlCommand(
            "SELECT true FROM tenancy.schemas WHERE schema = $1 AND state = 'moving' AND " +
            $"{condition} FOR UPDATE SKIP LOCKED", transaction.Connection, transaction)
        {
            Parameters = { LedgerTable.Text(schema.Value) },
        };
        return await claim.ExecuteScalarAsync(ct) is true;
    }

    private static async Task<bool> ExistsAsync(
        NpgsqlTransaction transaction, SchemaName schema, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(
            "SELECT count(*) FROM pg_catalog.pg_namespace WHERE nspname = $1", transaction.Connection, transaction)
        {
            Parameters = { LedgerTable.Text(schema.Value) },
        };
        return await ask.ExecuteScalarAsync(ct) is 1L;
    }

    /// <summary>Routines keep the name that they had: nothing calls them meanwhile.</summary>
    private Task RenameAsync(NpgsqlTransaction transaction, SchemaName from, SchemaName to, CancellationToken ct) =>
        ExecuteAsync(transaction, SpareSchemas.Rename(from, to, inRoutines: false)
            + TenantRoles.Rename(options, migrations, from, to), ct);

    private static async Task ExecuteAsync(NpgsqlTransaction transaction, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction);
        await command.ExecuteNonQueryAsync(ct);
    }
}
