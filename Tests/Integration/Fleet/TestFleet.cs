using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Tenancy;
using Tenancy.Migrations;
using Tests.Integration.Customers;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>
/// A database of one test's own, with a ledger and as many schemas as the test wants, and builds with few or many
/// migrations.
/// </summary>
internal sealed class TestFleet : IAsyncDisposable
{
    private const string History = "\"__Tenant__\".\"__EFMigrationsHistory\"";

    private TestFleet(string connectionString) =>
        Database = TenantDataSource.Create(new() { ConnectionString = connectionString });

    public NpgsqlDataSource Database { get; }

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<TestFleet> StartAsync(TestServer server) =>
        await StartAsync(await server.ConnectionStringAsync(Ct));

    /// <summary>The same in a database that the caller names, e.g. by way of a pooler.</summary>
    public static async Task<TestFleet> StartAsync(string connectionString)
    {
        await CustomersDatabase.MigrateAsync(connectionString);
        return new(connectionString);
    }

    /// <summary>
    /// A build that has these migrations; each makes a table named like it, and drops it on the way down.
    /// </summary>
    public static CompiledMigrations Build(params string[] ids) =>
        Build(
            [.. ids.Select(id =>
                Step(id, $"CREATE TABLE \"__Tenant__\".{id} (x int)", $"DROP TABLE \"__Tenant__\".{id}"))]);

    /// <summary>A build that has these migrations.</summary>
    public static CompiledMigrations Build(params CompiledMigration[] migrations) => new(
        migrations, $"CREATE TABLE {History} (\"MigrationId\" text PRIMARY KEY, \"ProductVersion\" text NOT NULL);\n",
        "__EFMigrationsHistory");

    /// <summary>A migration in a transaction.</summary>
    public static CompiledMigration Step(string id, string up, string? down = null) =>
        new(id, $"{up};\n{Insert(id)}", down is null ? null : $"{down};\n{Delete(id)}");

    /// <summary>A migration that can't run in a transaction.</summary>
    public static CompiledMigration Outside(string id, string up, string down) =>
        new(id, MigrationSql.Outside($"{up};\n", Insert(id)),
            new(() => MigrationSql.Outside($"{down};\n", Delete(id))));

    public FleetReader Reader(CompiledMigrations build) => new(Database, build, new(Database, build));

    public FleetMigrator Migrator(CompiledMigrations build) =>
        new(Database, build, new(Database, build), TimeProvider.System, NullLogger<FleetMigrator>.Instance);

    /// <summary>Schemas that the build made.</summary>
    public async Task<List<SchemaName>> ProvisionAsync(CompiledMigrations build, int count)
    {
        var provisioner = new SchemaProvisioner(build, new(Database, build), new());
        var schemas = new List<SchemaName>();
        for (var i = 0; i < count; i++)
        {
            await using var connection = await Database.OpenConnectionAsync(Ct);
            await using var transaction = await connection.BeginTransactionAsync(Ct);
            var schema = await provisioner.ReserveAsync(transaction, $"c_{i:000}", ct: Ct);
            await provisioner.CreateAsync(transaction, schema, Ct);
            await transaction.CommitAsync(Ct);
            schemas.Add(schema);
        }

        return schemas;
    }

    public async Task<object?> ScalarAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }

    /// <summary>What the schema really has, by its catalog.</summary>
    public async Task<string> TablesAsync(SchemaName schema) => (string)(await ScalarAsync(
        "SELECT coalesce(string_agg(tablename, ',' ORDER BY tablename COLLATE \"C\"), '') FROM pg_tables WHERE " +
        $"schemaname = '{schema}' AND tablename NOT LIKE '\\_\\_%'"))!;

    /// <summary>Version, state, attempts and error, as the ledger has them.</summary>
    public async Task<(string Version, string State, int Attempts, string? Error)> LedgerAsync(SchemaName schema)
    {
        await using var command = Database.CreateCommand(
            $"SELECT version, state, attempts, last_error FROM tenancy.schemas WHERE schema = '{schema}'");
        await using var row = await command.ExecuteReaderAsync(Ct);
        Assert.True(await row.ReadAsync(Ct));
        return (row.GetString(0), row.GetString(1), row.GetInt32(2),
            await row.IsDBNullAsync(3, Ct) ? null : row.GetString(3));
    }

    /// <summary>
    /// A view's definition as PostgreSQL prints it inside the view's schema, on one line. Each major version prints it
    /// in its own way: 16 and later leave out qualifiers that nobody needs.
    /// </summary>
    public async Task<string> ViewAsync(SchemaName schema, string view) => string.Join(' ', ((string)(await ScalarAsync(
        $"""
        SELECT CASE WHEN set_config('search_path', '{schema.Quoted}', true) IS NOT NULL THEN pg_get_viewdef('{schema.Qualify(view)}'::regclass) END
        """))!).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries));

    public async Task MoveAsync(SchemaName schema, int ring) =>
        await ScalarAsync($"UPDATE tenancy.schemas SET ring = {ring} WHERE schema = '{schema}'");

    /// <summary>As a lifecycle verb does it: under the ledger row's lock, the row stays.</summary>
    public async Task DropAsync(SchemaName schema)
    {
        await using var connection = await Database.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        await using var drop = new NpgsqlCommand(
            $"UPDATE tenancy.schemas SET state = 'dropping' WHERE schema = '{schema}'; DROP SCHEMA " +
            $"{schema.Quoted} CASCADE", connection);
        await drop.ExecuteNonQueryAsync(Ct);
        await transaction.CommitAsync(Ct);
    }

    private static string Insert(string id) => $"INSERT INTO {History} VALUES ('{id}', '10');\n";

    private static string Delete(string id) => $"DELETE FROM {History} WHERE \"MigrationId\" = '{id}';\n";

    public ValueTask DisposeAsync() => Database.DisposeAsync();
}
