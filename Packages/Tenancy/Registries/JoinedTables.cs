using Npgsql;
using Tenancy.Citus;
using Tenancy.Ledgers;

namespace Tenancy.Registries;

/// <summary>
/// Sees to the shared tables that tenants join (<see cref="TenancyOptions.ShareWithTenants"/>): the rights of those who
/// serve tenants, and on a Citus cluster a copy on each node. Does what is missing; safe in several processes at once.
/// </summary>
internal static class JoinedTables
{
    // Any number, the same in all processes: Citus refuses to make a reference table twice (42P16).
    private const long Lock = 0x4A6F696E6564;

    /// <summary>
    /// SQL: each table, each role that is there, and what is missing. A role has the rights of those it inherits from.
    /// </summary>
    private const string Missing =
        """
        SELECT pg_catalog.format('%I.%I', w.schema, w.name), c.oid IS NULL, pg_catalog.quote_ident(r.rolname),
            NOT pg_catalog.has_table_privilege(r.oid, c.oid, 'SELECT'),
            NOT pg_catalog.has_schema_privilege(r.oid, n.oid, 'USAGE'), pg_catalog.quote_ident(w.schema)
        FROM unnest($1, $2) AS w (schema, name)
        LEFT JOIN pg_catalog.pg_namespace AS n ON n.nspname = w.schema
        LEFT JOIN pg_catalog.pg_class AS c ON c.relnamespace = n.oid AND c.relname = w.name
        LEFT JOIN pg_catalog.pg_roles AS r ON r.rolname = ANY ($3) AND c.oid IS NOT NULL
        """;

    /// <summary>SQL, on a cluster: makes those reference tables that aren't any.</summary>
    private const string Refer =
        """
        SELECT create_reference_table(pg_catalog.format('%I.%I', w.schema, w.name))
        FROM unnest($1, $2) AS w (schema, name)
        WHERE NOT EXISTS (
            SELECT FROM pg_catalog.pg_dist_partition AS p
            WHERE p.logicalrelid = pg_catalog.format('%I.%I', w.schema, w.name)::regclass AND p.partmethod = 'n'
                AND p.repmodel = 't')
        """;

    /// <exception cref="InvalidOperationException">One isn't there.</exception>
    /// <exception cref="PostgresException">The owner may not grant rights on it, or Citus refuses it.</exception>
    public static async Task EnsureAsync(NpgsqlDataSource database, TenancyOptions options, CancellationToken ct)
    {
        if (options.Joined.Count == 0)
        {
            return;
        }

        await using var connection = await database.OpenConnectionAsync(ct);
        var names = options.Joined.Distinct().Select(table => table.Split('.')).ToList();
        NpgsqlParameter[] Tables() => [Names(0), Names(1)];
        NpgsqlParameter Names(int part) => LedgerTable.Texts([.. names.Select(name => name[part])]);
        var grants = await MissingAsync(connection, Tables(), Roles(options), ct);
        var onCluster = await CitusEngine.IsPresentAsync(connection, ct);
        if (grants.Count == 0 && !onCluster)
        {
            return;
        }

        await using var transaction = await connection.BeginTransactionAsync(ct);
        await RunLimits.SetLocalAsync(connection, TimeSpan.Zero, ct);
        await ExecuteAsync(connection, $"SELECT pg_advisory_xact_lock({Lock})", [], ct);
        if (onCluster)
        {
            // First: what is granted on a reference table is granted on all nodes.
            await ExecuteAsync(connection, Refer, Tables(), ct);
        }

        await ExecuteAsync(connection, string.Concat(grants), [], ct);
        await transaction.CommitAsync(ct);
    }

    /// <summary>
    /// Those who read the tables: the serving login, or, where each tenant has a role, the groups of
    /// <see cref="TenantRoleOptions"/>. One that isn't there yet gets its rights from the next run.
    /// </summary>
    private static string[] Roles(TenancyOptions options) => options.TenantRoles is { } roles
        ? roles.All is null ? [roles.Shared] : [roles.Shared, roles.All]
        : TenantDataSource.HasLoginOfItsOwn(options)
            ? [new NpgsqlConnectionStringBuilder(options.TenantConnectionString).Username!]
            : [];

    private static async Task<IReadOnlyList<string>> MissingAsync(
        NpgsqlConnection connection, NpgsqlParameter[] tables, string[] roles, CancellationToken ct)
    {
        await using var ask = new NpgsqlCommand(Missing, connection);
        ask.Parameters.AddRange(tables);
        ask.Parameters.Add(LedgerTable.Texts(roles));
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var grants = new List<string>();
        while (await rows.ReadAsync(ct))
        {
            var table = rows.GetString(0);
            if (rows.GetBoolean(1))
            {
                throw new InvalidOperationException(
                    $"ShareWithTenants names {table}, and the database has no such table: make it in a shared " +
                    "migration, or take the name out.");
            }

            if (await rows.IsDBNullAsync(2, ct))
            {
                continue;
            }

            var role = rows.GetString(2);
            grants.AddRange(rows.GetBoolean(4) ? [$"GRANT USAGE ON SCHEMA {rows.GetString(5)} TO {role};"] : []);
            grants.AddRange(rows.GetBoolean(3) ? [$"GRANT SELECT ON {table} TO {role};"] : []);
        }

        return grants;
    }

    private static async Task ExecuteAsync(
        NpgsqlConnection connection, string sql, NpgsqlParameter[] parameters, CancellationToken ct)
    {
        if (sql.Length == 0)
        {
            return;
        }

        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        command.Parameters.AddRange(parameters);
        await command.ExecuteNonQueryAsync(ct);
    }
}
