using Benchmarks.Requests;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Tenancy;
using Tenancy.Migrations;

namespace Benchmarks.Migration;

/// <summary>A way to migrate the fleet.</summary>
/// <param name="Name">In the report.</param>
/// <param name="Customers">How many of them; the slow ways get a sample.</param>
/// <param name="Slow">Whether it sits out every second round.</param>
/// <param name="RunAsync">Migrates these in the database of that connection string.</param>
internal sealed record Rival(
    string Name, int Customers, bool Slow, Func<string, IReadOnlyList<Tenant>, CancellationToken, Task<Cost>> RunAsync);

/// <summary>What is sent to the server by each, and when its clock runs.</summary>
internal sealed class Rivals
{
    private readonly NpgsqlDataSource _admin;
    private readonly CompiledMigrations _build;

    /// <param name="sample">The migrations that all schemas have already.</param>
    /// <param name="admin">Sees the sessions of all.</param>
    /// <param name="instead">Another migration than <see cref="AddReference"/>; not for EF.</param>
    public Rivals(CompiledMigrations sample, NpgsqlDataSource admin, CompiledMigration? instead = null)
    {
        _admin = admin;
        var later = MigrationCompiler.Compile(() => new InvoicingContext(Options("Host=nowhere")));
        _build = new([.. sample.Migrations, .. instead is null ? later.Migrations : [instead]], later.CreateHistory,
            later.HistoryTable);
    }

    /// <summary>The migration that all apply.</summary>
    public string Id => _build.Migrations[^1].Id;

    /// <summary>
    /// A loop on the server in one transaction: no round trips, no claims, no ledger, and every customer waits until
    /// the last is done. Its connection is open before the clock starts.
    /// </summary>
    /// <param name="database">Its connection string.</param>
    /// <param name="tenants">All that the ledger has.</param>
    /// <param name="ct">Ends it.</param>
    /// <param name="perTransaction">A COMMIT after so many, because the server's lock table ends.</param>
    public async Task<Cost> FloorAsync(
        string database, IReadOnlyList<Tenant> tenants, CancellationToken ct, int perTransaction = int.MaxValue)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var connection = await source.OpenConnectionAsync(ct);
        var some = tenants[0].Schema;
        await using var loop = new NpgsqlCommand(
            $"""
            DO $loop$
            DECLARE customer text; done int := 0;
            BEGIN
                FOR customer IN SELECT schema FROM tenancy.schemas ORDER BY schema LOOP
                    EXECUTE format($format${_build.Migrations[^1].Up.Script(some).Replace(some.Quoted, "%1$I", StringComparison.Ordinal)}$format$, customer);
                    done := done + 1;
                    IF done % {perTransaction} = 0 THEN COMMIT; END IF;
                END LOOP;
            END
            $loop$
            """,
            connection) { CommandTimeout = 0 };
        return await Cost.OfAsync(_admin, () => loop.ExecuteNonQueryAsync(ct), ct);
    }

    /// <summary>
    /// The library, with the default of the plan or others. Its connections are open before the clock starts.
    /// </summary>
    public async Task<Cost> OursAsync(
        FleetPlan plan, string database, IReadOnlyList<Tenant> tenants, CancellationToken ct)
    {
        await using var source = TenantDataSource.Create(new() { ConnectionString = database });
        var connections = new List<NpgsqlConnection>();
        // One for each worker and one for the heartbeat, all held until the last is open.
        for (var at = 0; at <= plan.Workers; at++)
        {
            connections.Add(await source.OpenConnectionAsync(ct));
        }

        foreach (var connection in connections)
        {
            await connection.DisposeAsync();
        }

        var migrator = new FleetMigrator(
            source, _build, new(source, _build), TimeProvider.System, NullLogger<FleetMigrator>.Instance);
        return await Cost.OfAsync(_admin, MigrateAsync, ct);

        async Task MigrateAsync()
        {
            var report = await migrator.RunAsync(plan, ct);
            if (report.Migrated != tenants.Count)
            {
                throw new InvalidOperationException(
                    $"{report.Migrated} of {tenants.Count} schemas were migrated: {report.Reason} " +
                    $"{string.Join(" ", report.Failed.Select(failed => failed.Error).Take(1))}");
            }
        }
    }

    /// <summary>
    /// EF's own way, a context for each. Its connections are open, and one schema that isn't counted is migrated,
    /// before the clock starts.
    /// </summary>
    public async Task<Cost> EfAsync(int atOnce, string database, IReadOnlyList<Tenant> tenants, CancellationToken ct)
    {
        var connectionString = new NpgsqlConnectionStringBuilder(database) { NoResetOnClose = true }.ConnectionString;
        var options = Options(connectionString);
        await MigrateAsync(Fleet.Tenant(tenants[0].Schema == Fleet.Tenant(0).Schema ? 1 : 0), ct);
        await Task.WhenAll(Enumerable.Range(0, atOnce).Select(async _ =>
        {
            await using var context = new InvoicingContext(options).For(tenants[0]);
            await context.Database.OpenConnectionAsync(ct);
            // Held until all are open: one after the other they would get the same one.
            await context.Database.ExecuteSqlRawAsync("SELECT pg_sleep(0.05)", ct);
        }));

        var cost = await Cost.OfAsync(
            _admin,
            () => Parallel.ForEachAsync(tenants,
                new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = ct },
                async (tenant, ct) => await MigrateAsync(tenant, ct)),
            ct);
        // The next copy of the database has the same name, and none of these connections.
        await using var pool = new NpgsqlConnection(connectionString);
        NpgsqlConnection.ClearPool(pool);
        return cost;

        async Task MigrateAsync(Tenant tenant, CancellationToken ct)
        {
            await using var context = new InvoicingContext(options).For(tenant);
            await context.Database.MigrateAsync(ct);
        }
    }

    /// <summary>
    /// EF as an application has it that has no library for it: a connection string for each customer, whose search path
    /// is that one's schema. Not pooled, because a pool for each customer would hold a connection for each. One that
    /// isn't counted comes before the clock starts.
    /// </summary>
    public async Task<Cost> EfBySearchPathAsync(
        int atOnce, string database, IReadOnlyList<Tenant> tenants, CancellationToken ct)
    {
        await MigrateAsync(Fleet.Tenant(tenants[0].Schema == Fleet.Tenant(0).Schema ? 1 : 0), ct);
        return await Cost.OfAsync(
            _admin,
            () => Parallel.ForEachAsync(tenants,
                new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = ct },
                async (tenant, ct) => await MigrateAsync(tenant, ct)),
            ct);

        async Task MigrateAsync(Tenant tenant, CancellationToken ct)
        {
            var options = new DbContextOptionsBuilder<SearchPathContext>();
            options.UseNpgsql(
                new NpgsqlConnectionStringBuilder(database) { SearchPath = tenant.Schema.Value,
                    Pooling = false }.ConnectionString);
            await using var context = new SearchPathContext(options.Options);
            await context.Database.MigrateAsync(ct);
        }
    }

    private static DbContextOptions<InvoicingContext> Options(string database)
    {
        var options = new DbContextOptionsBuilder<InvoicingContext>();
        // By its string and not by a data source: each data source makes EF build its services anew, and there is one
        // for each copy of the database.
        options.UseNpgsql(database, npgsql => npgsql.MigrationsAssembly(typeof(AddReference).Assembly)).UseTenancy();
        return options.Options;
    }
}
