using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NpgsqlTypes;
using Tenancy.Ledgers;
using Tenancy.Roles;

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
    public Task<int> EnsureAsync(CancellationToken ct = default) => EnsureAsync(DateTime.UnixEpoch, ct);

    /// <summary>As <see cref="EnsureAsync(CancellationToken)"/>, of the schemas that were made lately.</summary>
    /// <param name="since">By the server's clock; UTC.</param>
    /// <param name="ct">Ends the work.</param>
    internal async Task<int> EnsureAsync(DateTime since, CancellationToken ct)
    {
        if (options.RoleSql is not { } roles)
        {
            return 0;
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        var missing = await MissingAsync(connection, roles, since, ct);
        foreach (var schema in missing)
        {
            await using var create = new NpgsqlCommand(
                Create(options, migrations, schema), connection) { CommandTimeout = 0 };
            await create.ExecuteNonQueryAsync(ct);
        }

        return missing.Count;
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

    /// <summary>The SQL that makes a new schema's role; empty where the option is off.</summary>
    internal static string Create(TenancyOptions options, CompiledMigrations migrations, SchemaName schema) =>
        options.RoleSql?.Create(schema, Login(options), migrations.HistoryTable) ?? "";

    /// <summary>The SQL that gives a renamed schema its role; empty where the option is off.</summary>
    internal static string Rename(
        TenancyOptions options, CompiledMigrations migrations, SchemaName from, SchemaName to) =>
        options.RoleSql?.Rename(from, to, Login(options), migrations.HistoryTable) ?? "";

    private static string Login(TenancyOptions options) =>
        new NpgsqlConnectionStringBuilder(options.TenantConnectionString).Username!;

    private static async Task<List<SchemaName>> MissingAsync(
        NpgsqlConnection connection, TenantRoleSql roles, DateTime since, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(
            $"""
            SELECT schema FROM tenancy.schemas
            WHERE {LedgerModel.Migrated} AND created_at >= $2
                AND EXISTS (SELECT FROM pg_catalog.pg_namespace WHERE nspname = schema)
                AND NOT EXISTS (SELECT FROM pg_catalog.pg_roles WHERE rolname = {TenantRoleSql.NameOf("$1", "schema")})
            ORDER BY schema
            """, connection)
        {
            Parameters =
            {
                LedgerTable.Text(roles.Database),
                new NpgsqlParameter<DateTime> { TypedValue = since, NpgsqlDbType = NpgsqlDbType.TimestampTz },
            },
        };
        return await ask.SchemasAsync(ct);
    }
}
