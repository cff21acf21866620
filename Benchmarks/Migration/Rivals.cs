using System.Diagnostics;
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
/// <param name="RunAsync">Migrates these in the database of that connection string, and returns how long it took.</param>
internal sealed record Rival(string Name, int Customers, bool Slow, Func<string, IReadOnlyList<Tenant>, CancellationToken, Task<TimeSpan>> RunAsync);

/// <summary>What is sent to the server by each, and when its clock runs.</summary>
internal sealed class Rivals
{
    private readonly CompiledMigrations _build;

    /// <param name="sample">The migrations that all schemas have already.</param>
    public Rivals(CompiledMigrations sample)
    {
        var later = MigrationCompiler.Compile(() => new InvoicingContext(Options("Host=nowhere")));
        _build = new([.. sample.Migrations, .. later.Migrations], later.CreateHistory, later.HistoryTable);
    }

    /// <summary>
    /// A loop on the server in one transaction: no round trips, no claims, no ledger, and every customer waits until the last is done. Its connection is open before the clock starts.
    /// </summary>
    public async Task<TimeSpan> FloorAsync(string database, IReadOnlyList<Tenant> tenants, CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var connection = await source.OpenConnectionAsync(ct);
        var some = tenants[0].Schema;
        await using var loop = new NpgsqlCommand(
            $"""
            DO $loop$
            DECLARE customer text;
            BEGIN
                FOR customer IN SELECT schema FROM tenancy.schemas ORDER BY schema LOOP
                    EXECUTE format($format${_build.Migrations[^1].Up.Script(some).Replace(some.Quoted, "%1$I", StringComparison.Ordinal)}$format$, customer);
                END LOOP;
            END
            $loop$
            """,
            connection) { CommandTimeout = 0 };
        var start = Stopwatch.GetTimestamp();
        await loop.ExecuteNonQueryAsync(ct);
        return Stopwatch.GetElapsedTime(start);
    }

    /// <summary>The library, from a new data source on: its connections are opened while the clock runs.</summary>
    public async Task<TimeSpan> OursAsync(FleetPlan plan, string database, IReadOnlyList<Tenant> tenants, CancellationToken ct)
    {
        var start = Stopwatch.GetTimestamp();
        await using var source = TenantDataSource.Create(new() { ConnectionString = database });
        var migrator = new FleetMigrator(source, _build, new(source, _build), TimeProvider.System, NullLogger<FleetMigrator>.Instance);
        var report = await migrator.RunAsync(plan, ct);
        var elapsed = Stopwatch.GetElapsedTime(start);
        return report.Migrated == tenants.Count ? elapsed : throw new InvalidOperationException($"{report.Migrated} of {tenants.Count} schemas were migrated: {report.Reason} {string.Join(" ", report.Failed.Select(failed => failed.Error).Take(1))}");
    }

    /// <summary>EF's own way, a context for each. Its connections are open, and one schema that isn't counted is migrated, before the clock starts.</summary>
    public static async Task<TimeSpan> EfAsync(int atOnce, string database, IReadOnlyList<Tenant> tenants, CancellationToken ct)
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

        var start = Stopwatch.GetTimestamp();
        await Parallel.ForEachAsync(tenants, new ParallelOptions { MaxDegreeOfParallelism = atOnce, CancellationToken = ct }, async (tenant, ct) => await MigrateAsync(tenant, ct));
        var elapsed = Stopwatch.GetElapsedTime(start);
        // The next copy of the database has the same name, and none of these connections.
        await using var pool = new NpgsqlConnection(connectionString);
        NpgsqlConnection.ClearPool(pool);
        return elapsed;

        async Task MigrateAsync(Tenant tenant, CancellationToken ct)
        {
            await using var context = new InvoicingContext(options).For(tenant);
            await context.Database.MigrateAsync(ct);
        }
    }

    private static DbContextOptions<InvoicingContext> Options(string database)
    {
        var options = new DbContextOptionsBuilder<InvoicingContext>();
        // By its string and not by a data source: each data source makes EF build its services anew, and there is one for each copy of the database.
        options.UseNpgsql(database, npgsql => npgsql.MigrationsAssembly(typeof(AddReference).Assembly)).UseTenancy();
        return options.Options;
    }
}
