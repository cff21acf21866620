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
        if (options.TenantRoles is null)
        {
            return 0;
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        var missing = new List<SchemaName>();
        await using (var find = new NpgsqlCommand(
            $"""
            SELECT schema FROM tenancy.schemas AS s
            WHERE {LedgerModel.Migrated} AND EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = schema)
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {TenantRoleSql.NameOf("schema::text")})
            ORDER BY schema
            """, connection))
        {
            await using var rows = await find.ExecuteReaderAsync(ct);
            while (await rows.ReadAsync(ct))
            {
                missing.Add(SchemaName.Parse(rows.GetString(0)));
            }
        }

        foreach (var schema in missing)
        {
            await using var create = new NpgsqlCommand(
                SqlFor(options, migrations, schema), connection) { CommandTimeout = 0 };
            await create.ExecuteNonQueryAsync(ct);
        }

        return missing.Count;
    }

    /// <summary>Drops a schema's role, before or after the schema; does nothing where there is none.</summary>
    /// <param name="transaction">The owner's, in which the schema is dropped.</param>
    /// <param name="schema">Whose.</param>
    /// <param name="ct">Ends the wait; roll the transaction back.</param>
    public static async Task DropAsync(
        NpgsqlTransaction transaction, SchemaName schema, CancellationToken ct = default)
    {
        ArgumentNullException.ThrowIfNull(transaction);
        await using var drop = new NpgsqlCommand(TenantRoleSql.Drop(schema), transaction.Connection, transaction);
        await drop.ExecuteNonQueryAsync(ct);
    }

    /// <summary>What makes a new schema's role; nothing where the option is off.</summary>
    internal static string SqlFor(TenancyOptions options, CompiledMigrations migrations, SchemaName schema) =>
        options.TenantRoles is { } roles
            ? TenantRoleSql.Create(
                schema, roles, new NpgsqlConnectionStringBuilder(options.TenantConnectionString).Username!,
                migrations.HistoryTable)
            : "";
}
