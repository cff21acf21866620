using System.Globalization;
using Benchmarks.Requests;
using Data.Invoicing;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tenancy.Registries;

namespace Benchmarks.Scale;

/// <summary>Databases with as many customers as are asked for, made by the library, four at once.</summary>
internal sealed class ScaleCustomers(Fleet fleet)
{
    private const int AtOnce = 4;

    /// <summary>
    /// Each in a transaction of its own: the rows of both registries, the schema with all migrations, the ledger, and
    /// contacts to be read.
    /// </summary>
    public async Task ProvisionAsync(string database, int count, CancellationToken ct)
    {
        await fleet.CreateDatabaseAsync(database, copyOf: null, ct);
        await fleet.MigrateSharedAsync(database, ct);
        await using var services = new ServiceCollection().AddTenancy<InvoicingContext>(options =>
            options.ConnectionString = fleet.ConnectionString(database)).BuildServiceProvider();
        var source = services.GetRequiredService<NpgsqlDataSource>();
        var provisioner = services.GetRequiredService<SchemaProvisioner>();
        await TenancyTables.EnsureAsync(source, registry: true, ct);
        await provisioner.PrepareAsync(ct);
        await Parallel.ForEachAsync(Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = AtOnce, CancellationToken = ct }, async (number, ct) =>
            {
                var tenant = Fleet.Tenant(number);
                await using var connection = await source.OpenConnectionAsync(ct);
                await using var transaction = await connection.BeginTransactionAsync(ct);
                await provisioner.ProvisionAsync(transaction, tenant.Schema.Value, reserved: schema =>
                    schema == tenant.Schema
                        ? RegisterAsync(transaction, tenant, ct)
                        : throw new InvalidOperationException($"{tenant.Schema} exists already."), ct: ct);
                await ExecuteAsync(connection, Fleet.Contacts(tenant.Schema.Quoted, tenant.Schema.Value), ct);
                await transaction.CommitAsync(ct);
            });
    }

    /// <summary>As autovacuum would have left it by now.</summary>
    public async Task SettleAsync(string database, CancellationToken ct)
    {
        await using var admin = Unpooled(database);
        await using var connection = await admin.OpenConnectionAsync(ct);
        await ExecuteAsync(connection,
            "VACUUM (ANALYZE) pg_catalog.pg_class, pg_catalog.pg_type, pg_catalog.pg_attribute, " +
            "pg_catalog.pg_namespace, pg_catalog.pg_index, pg_catalog.pg_constraint, pg_catalog.pg_depend, " +
            "pg_catalog.pg_attrdef, public.customers, tenancy.tenants, tenancy.schemas, tenancy.versions", ct);
        await fleet.CheckpointAsync(ct);
    }

    /// <summary>The size of database and catalogs.</summary>
    public async Task DescribeAsync(string database, int count, TextWriter output, CancellationToken ct)
    {
        await using var admin = Unpooled(database);
        await using var ask = admin.CreateCommand(
            """
            SELECT (SELECT count(*) FROM pg_class), pg_database_size(current_database()),
                (SELECT sum(pg_total_relation_size(oid)) FROM pg_class WHERE relnamespace = 'pg_catalog'::regnamespace AND relkind = 'r')::bigint,
                (SELECT count(*) FROM pg_class AS c JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE relkind = 'r' AND nspname = $1)
            """);
        ask.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Fleet.Tenant(count - 1).Schema.Value });
        await using var row = await ask.ExecuteReaderAsync(ct);
        await row.ReadAsync(ct);
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture,
            $"        {count} customers of {row.GetInt64(3)} tables: {row.GetInt64(0)} relations, catalogs " +
            $"{row.GetInt64(2) / 1e6:0} MB, database {row.GetInt64(1) / 1e6:0} MB."));
    }

    private static async Task RegisterAsync(NpgsqlTransaction transaction, Tenant tenant, CancellationToken ct)
    {
        await using var insert = new NpgsqlCommand(
            """
            WITH sample AS (
                INSERT INTO public.customers (id, slug, name, schema, status, ring, created_at) VALUES ($1, $2, $3, $3, 'active', 1, now())
            )
            INSERT INTO tenancy.tenants (id, slug, schema, name, status, created_at) VALUES ($1, $2, $3, $2, 'active', now())
            """, transaction.Connection, transaction)
        {
            Parameters =
            {
                new NpgsqlParameter<Guid> { TypedValue = tenant.Id },
                new NpgsqlParameter<string> { TypedValue = tenant.Slug },
                new NpgsqlParameter<string> { TypedValue = tenant.Schema.Value },
            },
        };
        await insert.ExecuteNonQueryAsync(ct);
    }

    private NpgsqlDataSource Unpooled(string database) => NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(fleet.ConnectionString(database)) { Pooling = false }.ConnectionString);

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }
}
