using Npgsql;
using Tenancy;
using Tenancy.Migrations;
using Tests.Integration.Citus;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>
/// A fleet whose migrations make one of everything, shared by tests that each have a schema of their own.
/// </summary>
public sealed class DriftFleet(App app) : IAsyncLifetime
{
    private const string TablesSql =
        """
        CREATE TYPE "__Tenant__".mood AS ENUM ('fine', 'cross');
        CREATE TABLE "__Tenant__".contacts (id int CONSTRAINT pk_contacts PRIMARY KEY, name varchar(200) NOT NULL, mood "__Tenant__".mood DEFAULT 'fine'::"__Tenant__".mood);
        CREATE TABLE "__Tenant__".invoices (
            id int CONSTRAINT pk_invoices PRIMARY KEY, number int GENERATED ALWAYS AS IDENTITY, contact_id int NOT NULL, total numeric(19,4) NOT NULL, note text,
            state text NOT NULL DEFAULT 'open', code text COLLATE "C", gross numeric GENERATED ALWAYS AS (total * 2) STORED,
            CONSTRAINT ck_invoices_total CHECK (total >= 0),
            CONSTRAINT fk_invoices_contacts FOREIGN KEY (contact_id) REFERENCES "__Tenant__".contacts (id) ON DELETE RESTRICT);
        CREATE INDEX ix_invoices_total ON "__Tenant__".invoices (total, id DESC) WHERE note IS NULL;
        CREATE SEQUENCE "__Tenant__".numbers;
        CREATE FUNCTION "__Tenant__".stamp() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
        CREATE POLICY own ON "__Tenant__".contacts USING (id > 0);
        CREATE VIEW "__Tenant__".open_invoices AS SELECT i.id, c.name FROM "__Tenant__".invoices AS i JOIN "__Tenant__".contacts AS c ON c.id = i.contact_id WHERE state = 'open';

        """;

    /// <summary>Citus has no triggers.</summary>
    private const string TriggerSql =
        """
        CREATE TRIGGER stamping BEFORE UPDATE ON "__Tenant__".invoices FOR EACH ROW EXECUTE FUNCTION "__Tenant__".stamp();
        """;

    private const string Insert = "INSERT INTO \"__Tenant__\".\"__EFMigrationsHistory\" VALUES";

    private TestFleet? _fleet;

    internal TestFleet Fleet => _fleet!;

    internal static readonly CompiledMigrations Build = Migrations(
        ("m1_tables", TablesSql + (CitusCluster.IsConfigured ? "" : TriggerSql)),
        ("m2_grants",
            """
            GRANT USAGE ON SCHEMA "__Tenant__" TO tenancy_api;
            GRANT SELECT, INSERT, UPDATE ON "__Tenant__".contacts, "__Tenant__".invoices TO tenancy_api;
            ALTER DEFAULT PRIVILEGES IN SCHEMA "__Tenant__" GRANT SELECT ON TABLES TO tenancy_api;
            """));

    /// <summary>For tests with a fleet of their own: a version, and the one after it.</summary>
    internal static readonly CompiledMigrations Old = Migrations(("m1_a", "CREATE TABLE \"__Tenant__\".a (x int);"));
    internal static readonly CompiledMigrations New = Migrations(
        ("m1_a", "CREATE TABLE \"__Tenant__\".a (x int);"),
        ("m2_y", "ALTER TABLE \"__Tenant__\".a ADD y int;"),
        ("m3_z", "ALTER TABLE \"__Tenant__\".a ADD z int;"));

    public async ValueTask InitializeAsync() => _fleet = await TestFleet.StartAsync(app.Server);

    public async ValueTask DisposeAsync() => await Fleet.DisposeAsync();

    internal static FleetVerifier Verifier(TestFleet fleet, CompiledMigrations build, TenancyOptions? options = null) =>
        new(fleet.Database, build, new(fleet.Database, build), options ?? new(), TimeProvider.System);

    /// <summary>Migrations by their SQL.</summary>
    internal static CompiledMigrations Migrations(params (string Id, string Sql)[] migrations) => new(
        [.. migrations.Select(one => new CompiledMigration(one.Id, $"{one.Sql}\n{Insert} ('{one.Id}', '10');\n"))],
        "CREATE TABLE \"__Tenant__\".\"__EFMigrationsHistory\" (\"MigrationId\" text PRIMARY KEY, \"ProductVersion\" " +
        "text NOT NULL);\n",
        "__EFMigrationsHistory");

    /// <summary>All schemas of the database, so that a test can say that none was left behind.</summary>
    internal static Task<object?> SchemasAsync(TestFleet fleet) =>
        fleet.ScalarAsync(
            "SELECT string_agg(nspname, ',' ORDER BY nspname) FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%'");

    /// <summary>Changes a schema by hand. Skips the test where Citus refuses the change.</summary>
    internal async Task ChangeAsync(string ddl)
    {
        try
        {
            await Fleet.ScalarAsync(ddl);
        }
        catch (PostgresException refusal) when (CitusCluster.IsConfigured && (refusal.SqlState
            is PostgresErrorCodes.FeatureNotSupported or PostgresErrorCodes.InternalError
            || ddl.Contains("stamping", StringComparison.Ordinal)))
        {
            Assert.Skip($"Citus refuses the change: {refusal.MessageText}.");
        }
    }

    internal async Task<SchemaName> NewSchemaAsync()
    {
        return Assert.Single(await Fleet.ProvisionAsync(Build, 1));
    }
}
