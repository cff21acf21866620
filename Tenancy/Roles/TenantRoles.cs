using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Tenancy;

/// <summary>
/// Tenants' roles (<see cref="TenancyOptions.TenantRoles"/>): a new schema gets its role as it is made. This gives the
/// others theirs, and takes a role away with its schema.
/// </summary>
public sealed class TenantRoles(
    [FromKeyedServices(TenancyOptions.OwnerKey)] NpgsqlDataSource database, CompiledMigrations migrations,
    TenancyOptions options)
{
    /// <summary>
    /// Makes the missing roles of all schemas in the ledger, each in a transaction of its own. For the migration job,
    /// after its run; does nothing where the option is off. Interrupted, the next call makes the rest.
    /// </summary>
    /// <param name="ct">Ends the work.</param>
    /// <returns>How many were made.</returns>
    /// <exception cref="PostgresException">42501: the owner may not create roles.</exception>
    public async Task<int> EnsureAsync(CancellationToken ct = default)
    {
        if (options.RoleSql is not { } roles)
        {
            return 0;
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        var there = (await NamesAsync("SELECT rolname::text FROM pg_catalog.pg_roles"))
            .ToHashSet(StringComparer.Ordinal);
        var missing = (await NamesAsync(
            $"""
            SELECT schema FROM tenancy.schemas
            WHERE {LedgerModel.Migrated} AND EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = schema)
            ORDER BY schema
            """)).Select(SchemaName.Parse).Where(schema => !there.Contains(roles.Name(schema))).ToList();
        foreach (var schema in missing)
        {
            await using var create = new NpgsqlCommand(
                SqlFor(options, migrations, schema), connection) { CommandTimeout = 0 };
            await create.ExecuteNonQueryAsync(ct);
        }

        return missing.Count;

        async Task<List<string>> NamesAsync(string sql)
        {
            await using var ask = new NpgsqlCommand(sql, connection);
            await using var rows = await ask.ExecuteReaderAsync(ct);
            var names = new List<string>();
            while (await rows.ReadAsync(ct))
            {
                names.Add(rows.GetString(0));
            }

            return names;
        }
    }

    /// <summary>
    /// Drops a schema's role, before or after the schema; does nothing where there is none, or the option is off.
    /// </summary>
    /// <param name="transaction">The owner's, in which the schema is dropped.</param>
    /// <param name="schema">Whose.</param>
    /// <param name="ct">Ends the wait; roll the transaction back.</param>
    public async Task DropAsync(
        NpgsqlTransaction transaction, SchemaName schema, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        if (options.RoleSql is { } roles)
        {
            await using var drop = new NpgsqlCommand(roles.Drop(schema), transaction.Connection, transaction);
            await drop.ExecuteNonQueryAsync(ct);
        }
    }

    /// <summary>What makes a new schema's role; nothing where the option is off.</summary>
    internal static string SqlFor(TenancyOptions options, CompiledMigrations migrations, SchemaName schema) =>
        options.RoleSql?.Create(
            schema, new NpgsqlConnectionStringBuilder(options.TenantConnectionString).Username!,
            migrations.HistoryTable) ?? "";
}
