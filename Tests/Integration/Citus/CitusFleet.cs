using Npgsql;
using Tenancy;
using Tests.Integration.Fleet;
using Xunit;

namespace Tests.Integration.Citus;

/// <summary>A database of one test's own on the cluster, and what Citus says of it.</summary>
internal sealed class CitusFleet(TestFleet fleet, string connectionString) : IAsyncDisposable
{
    private const string Table = "CREATE TABLE \"__Tenant__\".";

    /// <summary>Two tables with a key between them, and one more by a later migration.</summary>
    public static readonly CompiledMigrations Old = DriftFleet.Migrations(
        ("m1_tables", $"{Table}contacts (id int PRIMARY KEY, number int GENERATED ALWAYS AS IDENTITY); " +
            $"{Table}invoices (id int PRIMARY KEY, contact int REFERENCES \"__Tenant__\".contacts (id));"));

    public static readonly CompiledMigrations New = DriftFleet.Migrations(
        ("m1_tables", $"{Table}contacts (id int PRIMARY KEY, number int GENERATED ALWAYS AS IDENTITY); " +
            $"{Table}invoices (id int PRIMARY KEY, contact int REFERENCES \"__Tenant__\".contacts (id));"),
        ("m2_lines", $"{Table}lines (id bigserial PRIMARY KEY, invoice int REFERENCES \"__Tenant__\".invoices (id));"));

    public TestFleet Fleet => fleet;

    /// <summary>The superuser's.</summary>
    public string ConnectionString => connectionString;

    public NpgsqlDataSource Database => fleet.Database;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public static async Task<CitusFleet> StartAsync(App app)
    {
        CitusCluster.SkipWithout();
        var database = await app.Server.ConnectionStringAsync(Ct);
        return new(await TestFleet.StartAsync(database), database);
    }

    public FleetVerifier Verifier(CompiledMigrations build) => DriftFleet.Verifier(fleet, build);

    /// <summary>The tables of a schema that Citus has on a node.</summary>
    public async Task<string> DistributedAsync(SchemaName schema) => (string)(await fleet.ScalarAsync(
        $"""
        SELECT coalesce(string_agg(c.relname, ',' ORDER BY c.relname COLLATE "C"), '')
        FROM pg_dist_partition AS p JOIN pg_class AS c ON c.oid = p.logicalrelid
        JOIN pg_dist_schema AS s ON s.schemaid = c.relnamespace AND s.colocationid = p.colocationid
        WHERE c.relnamespace = '{schema.Quoted}'::regnamespace AND c.relname NOT LIKE '\_\_%'
        """))!;

    /// <summary>The node that has a table, and the table's name there.</summary>
    public async Task<(string Host, int Port, string Shard)> ShardAsync(SchemaName schema, string table)
    {
        await using var ask = Database.CreateCommand(
            $"""
            SELECT nodename, nodeport, '{table}_' || shardid FROM pg_dist_shard JOIN pg_dist_placement USING (shardid)
            JOIN pg_dist_node USING (groupid) WHERE logicalrelid = '{schema.Qualify(table)}'::regclass
            """);
        await using var row = await ask.ExecuteReaderAsync(Ct);
        await row.ReadAsync(Ct);
        return (row.GetString(0), row.GetInt32(1), row.GetString(2));
    }

    public async Task ExecuteAsync(string sql)
    {
        await using var command = Database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    public ValueTask DisposeAsync() => fleet.DisposeAsync();
}
