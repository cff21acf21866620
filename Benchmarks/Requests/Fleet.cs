using Tenancy.Postgres;
using Data.Customers;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NpgsqlTypes;
using Tenancy;
using Tenancy.Registries;
using Tenancy.Roles;

namespace Benchmarks.Requests;

/// <summary>
/// A PostgreSQL server of the benchmark's own, and databases with as many tenants as are asked for, each as the sample
/// makes it.
/// </summary>
internal sealed class Fleet : IAsyncDisposable
{
    /// <summary>
    /// The same ids in every schema, and the schema in the name: a row of the wrong tenant is found, and gives itself
    /// away.
    /// </summary>
    public const int ContactsPerTenant = 20;

    private const int SchemasPerRoundTrip = 20;

    private readonly PostgresServer _server;
    private readonly CompiledMigrations _migrations;

    private Fleet(PostgresServer server)
    {
        _server = server;
        using var services = new ServiceCollection()
            .AddTenancy<InvoicingContext>(options => options.ConnectionString = server.ConnectionString())
            .BuildServiceProvider();
        _migrations = services.GetRequiredService<CompiledMigrations>();
        // Now, as long as there are services: it would wait for the first schema otherwise.
        _migrations.Compile();
    }

    /// <param name="ct">Ends the wait.</param>
    /// <param name="inMemory">
    /// Where files are made and deleted by the ten thousand: what a file system takes for a new one depends on what was
    /// deleted just before. ext4 without a journal, for one, looks at everything that was deleted within minutes, and a
    /// customer's index took three times as long.
    /// </param>
    public static async Task<Fleet> StartAsync(CancellationToken ct, bool inMemory = false)
    {
        var fleet = new Fleet(await PostgresServer.StartThrowawayAsync(ct, inMemory));
        try
        {
            await using var admin = NpgsqlDataSource.Create(fleet._server.ConnectionString());
            // What starts by itself at some moment would belong to nobody's slice. Nothing is analysed either, so that
            // a table of twenty rows and one of thousands are read by the same plan.
            await ExecuteAsync(admin, "ALTER SYSTEM SET autovacuum = off", ct);
            // The tenants' migrations grant to it; the shared ones, which make it, aren't needed here.
            await ExecuteAsync(admin, "CREATE ROLE tenancy_api NOLOGIN", ct);
            await ExecuteAsync(admin, "ALTER SYSTEM SET checkpoint_timeout = '1d'", ct);
            await ExecuteAsync(admin, "ALTER SYSTEM SET max_wal_size = '16GB'", ct);
            await ExecuteAsync(admin, "SELECT pg_reload_conf()", ct);
            return fleet;
        }
        catch
        {
            await fleet.DisposeAsync();
            throw;
        }
    }

    public static Guid ContactId(int number) => new($"00000000-0000-0000-0000-{number:x12}");

    public static Tenant Tenant(int number) =>
        new(ContactId(number), $"t-{number}", SchemaName.Parse($"customer_{number:00000}"));

    /// <summary>A customer has one contact of a name and an address, so each has an address of its own.</summary>
    /// <param name="of">What the address begins with.</param>
    public static Contact NewContact(string of = "ada")
    {
        var id = Guid.CreateVersion7();
        return new() { Id = id, Name = "Ada Moreau", Email = $"{of}@{id:n}",
            CreatedAt = TimeProvider.System.GetUtcNow() };
    }

    /// <summary>The sample's, which every schema here has.</summary>
    public CompiledMigrations Migrations => _migrations;

    public string ConnectionString(string database) => _server.ConnectionString(database);

    /// <summary>The server as it describes itself.</summary>
    public async Task<string> DescriptionAsync(CancellationToken ct)
    {
        await using var admin = NpgsqlDataSource.Create(_server.ConnectionString());
        await using var command = admin.CreateCommand(
            "SELECT 'PostgreSQL ' || split_part(current_setting('server_version'), ' ', 1) || ' with fsync ' || " +
            "current_setting('fsync')");
        return (string)(await command.ExecuteScalarAsync(ct))!;
    }

    /// <summary>A new database, empty or a copy of another to which nobody is connected.</summary>
    public async Task CreateDatabaseAsync(string name, string? copyOf, CancellationToken ct)
    {
        await using var admin = NpgsqlDataSource.Create(_server.ConnectionString());
        await ExecuteAsync(admin, $"CREATE DATABASE {name} TEMPLATE {copyOf ?? "template0"}", ct);
    }

    public async Task DropDatabaseAsync(string name, CancellationToken ct)
    {
        await using var admin = NpgsqlDataSource.Create(_server.ConnectionString());
        // FORCE: pools keep connections to it.
        await ExecuteAsync(admin, $"DROP DATABASE {name} WITH (FORCE)", ct);
    }

    public async Task CheckpointAsync(CancellationToken ct)
    {
        await using var admin = NpgsqlDataSource.Create(_server.ConnectionString());
        await ExecuteAsync(admin, "CHECKPOINT", ct);
    }

    /// <summary>What all customers share: registry, ledger, versions.</summary>
    public async Task MigrateSharedAsync(string database, CancellationToken ct)
    {
        // Not pooled: a database with a connection can't be copied.
        var connectionString = new NpgsqlConnectionStringBuilder(
            _server.ConnectionString(database)) { Pooling = false }.ConnectionString;
        await using var shared = new CustomersContext(
            new DbContextOptionsBuilder<CustomersContext>()
                .UseNpgsql(connectionString, CustomersContext.History).Options);
        await shared.Database.MigrateAsync(ct);
    }

    /// <summary>
    /// Rows of registry and ledger for so many tenants, which have all of the sample's migrations as far as the rows
    /// tell.
    /// </summary>
    public async Task EnrolAsync(string database, int count, CancellationToken ct)
    {
        await using var admin = NpgsqlDataSource.Create(_server.ConnectionString(database));
        await using (var enrol = admin.CreateCommand(
            """
            WITH enrolled AS (
                INSERT INTO public.customers (id, slug, name, schema, status, ring, created_at)
                SELECT gen_random_uuid(), 't-' || at, schema, schema, 'active', 1, now() FROM unnest($4) WITH ORDINALITY AS listed (schema, at)
                RETURNING schema
            ), versioned AS (
                INSERT INTO tenancy.versions (version, migrations, breaking) VALUES ($1, $2, $3) RETURNING version
            )
            INSERT INTO tenancy.schemas (schema, state, version, migrated_at) SELECT schema, 'ready', version, now() FROM enrolled, versioned
            """))
        {
            enrol.Parameters.Add(new NpgsqlParameter<string> { TypedValue = _migrations.Target });
            enrol.Parameters.Add(Texts(_migrations.Ids));
            enrol.Parameters.Add(Texts(_migrations.Breaking));
            enrol.Parameters.Add(Texts(Enumerable.Range(0, count).Select(number => Tenant(number).Schema.Value)));
            await enrol.ExecuteNonQueryAsync(ct);
        }

        // Autovacuum, which is off, would have done so by now.
        await ExecuteAsync(admin, "VACUUM (ANALYZE) public.customers, tenancy.schemas, tenancy.versions", ct);

        static NpgsqlParameter<string[]> Texts(IEnumerable<string> values) =>
            new() { TypedValue = [.. values], NpgsqlDbType = NpgsqlDbType.Array | NpgsqlDbType.Text };
    }

    /// <summary>Rows of the built-in registry and of the ledger for so many tenants.</summary>
    public async Task RegisterAsync(string database, int count, CancellationToken ct)
    {
        await using var admin = NpgsqlDataSource.Create(_server.ConnectionString(database));
        await TenancyTables.EnsureAsync(admin, registry: true, ct);
        await using var register = admin.CreateCommand(
            """
            WITH registered AS (
                INSERT INTO tenancy.tenants (id, slug, schema, name, status, created_at)
                SELECT id, slug, schema, slug, 'active', now() FROM unnest($1, $2, $3) AS t (id, slug, schema) RETURNING schema
            ), versioned AS (
                INSERT INTO tenancy.versions (version, migrations, breaking) VALUES ($4, '{}', '{}') RETURNING version
            )
            INSERT INTO tenancy.schemas (schema, state, version, migrated_at) SELECT schema, 'ready', version, now() FROM registered, versioned
            """);
        var tenants = Enumerable.Range(0, count).Select(Tenant).ToList();
        register.Parameters.Add(new() { Value = tenants.Select(tenant => tenant.Id).ToArray() });
        register.Parameters.Add(new() { Value = tenants.Select(tenant => tenant.Slug).ToArray() });
        register.Parameters.Add(new() { Value = tenants.Select(tenant => tenant.Schema.Value).ToArray() });
        // The site's context has no migrations.
        register.Parameters.Add(new() { Value = CompiledMigrations.Fingerprint([]) });
        await register.ExecuteNonQueryAsync(ct);
        await ExecuteAsync(admin, "VACUUM (ANALYZE) tenancy.tenants, tenancy.schemas, tenancy.versions", ct);
    }

    /// <summary>The schemas of the tenants from <paramref name="first"/> on, with contacts in them.</summary>
    public async Task ProvisionAsync(string database, int first, int count, CancellationToken ct)
    {
        await using var admin = TenantDataSource.Create(
            new() { ConnectionString = _server.ConnectionString(database) });
        await Parallel.ForEachAsync(
            Enumerable.Range(first, count).Chunk(SchemasPerRoundTrip),
            new ParallelOptions { MaxDegreeOfParallelism = 2, CancellationToken = ct },
            async (numbers,
                ct) => await ExecuteAsync(
                    admin, string.Concat(numbers.Select(number => Create(Tenant(number).Schema))), ct));
        // The tables are new to the statistics of the catalog: it is planned by them.
        await ExecuteAsync(admin,
            "VACUUM (ANALYZE) pg_catalog.pg_class, pg_catalog.pg_type, pg_catalog.pg_attribute, " +
            "pg_catalog.pg_namespace, pg_catalog.pg_index", ct);
        await ExecuteAsync(admin, "CHECKPOINT", ct);
    }

    /// <summary>A role for each tenant, and a login that has no rights but theirs.</summary>
    /// <returns>The login's connection string.</returns>
    public async Task<string> GiveRolesAsync(
        string database, IReadOnlyList<Tenant> tenants, TenantRoleOptions roles, CancellationToken ct)
    {
        var serves = new NpgsqlConnectionStringBuilder(
            ConnectionString(database)) { Username = "serves", Password = "serves" };
        await using var admin = NpgsqlDataSource.Create(ConnectionString(database));
        await ExecuteAsync(admin,
            $"CREATE ROLE {roles.Shared} NOLOGIN; CREATE ROLE {serves.Username} LOGIN NOINHERIT PASSWORD " +
            $"'{serves.Password}' IN ROLE {roles.All}", ct);
        var sql = new TenantRoleSql(roles with { Database = database });
        foreach (var some in tenants.Chunk(SchemasPerRoundTrip))
        {
            await ExecuteAsync(admin,
                string.Concat(some.Select(tenant => sql.Create(
                    tenant.Schema, serves.Username!, _migrations.HistoryTable))), ct);
        }

        return serves.ConnectionString;
    }

    /// <summary>Moves one tenant's tables into <c>public</c>, where an application of one tenant has them.</summary>
    public async Task MoveToPublicAsync(string database, int tenant, CancellationToken ct)
    {
        await using var admin = NpgsqlDataSource.Create(_server.ConnectionString(database));
        await ExecuteAsync(
            admin, $"DROP SCHEMA public CASCADE; ALTER SCHEMA {Tenant(tenant).Schema.Quoted} RENAME TO public", ct);
    }

    /// <summary>
    /// As after <see cref="ProvisionAsync"/>: one tenant gets in a round what a thousand get together, and would end
    /// with a far larger table.
    /// </summary>
    public static async Task StartOverAsync(
        NpgsqlDataSource admin, string schema, string contactsOf, CancellationToken ct) =>
            await ExecuteAsync(admin,
                $"TRUNCATE {schema}.invoice_lines, {schema}.invoices, " +
                $"{schema}.contacts;\n{Contacts(schema, contactsOf)}", ct);

    public ValueTask DisposeAsync() => _server.DisposeAsync();

    private string Create(SchemaName schema) =>
        $"{_migrations.CreateScript(schema)}\n{Contacts(schema.Quoted, schema.Value)}";

    /// <summary>The contacts that each customer has, as SQL.</summary>
    public static string Contacts(string schema, string name) =>
        $"""
        INSERT INTO {schema}.contacts (id, name, email, created_at)
        SELECT ('00000000-0000-0000-0000-' || lpad(to_hex(number), 12, '0'))::uuid, '{name}', 'ada@' || number, now()
        FROM generate_series(0, {ContactsPerTenant - 1}) AS number;

        """;

    private static async Task ExecuteAsync(NpgsqlDataSource admin, string sql, CancellationToken ct)
    {
        await using var command = admin.CreateCommand(sql);
        command.CommandTimeout = 0;
        await command.ExecuteNonQueryAsync(ct);
    }
}
