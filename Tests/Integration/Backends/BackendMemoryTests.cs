using System.Globalization;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Tenancy;
using Tenancy.Backends;
using Tests.Integration.Fleet;
using Xunit;

namespace Tests.Integration.Backends;

/// <summary>A server process never gives back what it learnt of a schema, so its connection ends in time.</summary>
public sealed class BackendMemoryTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>What so many schemas of the shop take.</summary>
    private static long Room(int schemas) => Backend.Fresh + (schemas * 4 * 8 * 1024L);

    [Fact]
    public async Task A_pool_that_meets_many_schemas_stays_within_its_share_of_the_memory()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "The memory of a process is read from /proc.");
        const long share = 16L << 20;
        await using var shop = await Shop.OpenAsync(
            app.Server, tenants: 800, connections: 1, options => options.BackendMemory = share, Ct);
        // Without recycling one process would have met all of them.
        await using var unlimited = Unlimited(shop);
        await using var all = await unlimited.OpenConnectionAsync(Ct);

        var largest = 0L;
        foreach (var tenant in shop.Tenants)
        {
            Assert.Equal(tenant.Schema.Value, await shop.ReadAsync(tenant, Ct));
            await using var ask = new NpgsqlCommand($"SELECT FROM {tenant.Schema.Quoted}.goods WHERE id = 1", all);
            await ask.ExecuteNonQueryAsync(Ct);
            if (int.Parse(tenant.Slug["shop-".Length..], CultureInfo.InvariantCulture) % 50 == 49)
            {
                largest = Math.Max(largest, (await shop.ProcessesAsync(Ct)).Select(Memory).DefaultIfEmpty().Max());
            }
        }

        Assert.InRange(largest, 1, share);
        Assert.True(Memory(all.ProcessID) > share, $"{Memory(all.ProcessID)} bytes are no reason to recycle.");
        Assert.InRange(shop.Options.Backends.Recycled, 1, 10);
    }

    [Fact]
    public async Task No_request_fails_while_connections_are_recycled()
    {
        await using var shop = await Shop.OpenAsync(app.Server, tenants: 40, connections: 4, options =>
            options.LeastBackendShare = options.BackendMemory = Room(schemas: 5), Ct);

        await Parallel.ForEachAsync(Enumerable.Range(0, 600),
            new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Ct }, async (number, ct) =>
            {
                var tenant = shop.Tenants[number * 7 % shop.Tenants.Count];
                Assert.Equal(tenant.Schema.Value, await shop.ReadAsync(tenant, ct));
            });

        Assert.True(shop.Options.Backends.Recycled > 50, $"{shop.Options.Backends.Recycled} were recycled.");
        Assert.InRange((await shop.ProcessesAsync(Ct)).Count, 0, 4);
    }

    [Fact]
    public async Task A_transaction_ends_on_the_connection_that_it_began_on()
    {
        await using var shop = await Shop.OpenAsync(app.Server, tenants: 1, connections: 1, options =>
            options.LeastBackendShare = options.BackendMemory = 1, Ct);
        var tenant = shop.Tenants[0];

        var process = await shop.ServeAsync(tenant, async db =>
        {
            await using var transaction = await db.Database.BeginTransactionAsync(Ct);
            var begun = await ProcessAsync(db);
            foreach (var id in Enumerable.Range(2, 5))
            {
                db.Goods.Add(new() { Id = id, Name = $"{id}" });
                await db.SaveChangesAsync(Ct);
                // In the middle of it the connection has met more than it may.
                Backend.Meet((NpgsqlConnection)db.Database.GetDbConnection(), tenant.Schema, SchemaFootprint.History);
                Assert.Equal(begun, await ProcessAsync(db));
            }

            await transaction.CommitAsync(Ct);
            return begun;
        });

        Assert.Equal(6, await shop.ServeAsync(tenant, db => db.Goods.CountAsync(Ct)));
        // The pool has one connection, so another process answered now.
        Assert.NotEqual(process, await shop.ServeAsync(tenant, ProcessAsync));
    }

    [Fact]
    public async Task A_connection_that_a_scope_left_open_is_counted_when_the_scope_ends()
    {
        await using var shop = await Shop.OpenAsync(app.Server, tenants: 1, connections: 1, options =>
            options.LeastBackendShare = options.BackendMemory = 1, Ct);

        await shop.ServeAsync(shop.Tenants[0], async db =>
        {
            await db.Database.OpenConnectionAsync(Ct);
            return await ProcessAsync(db);
        });

        Assert.Equal(1, shop.Options.Backends.Recycled);
    }

    [Fact]
    public async Task A_schema_counts_once_for_a_connection_however_often_it_is_met()
    {
        await using var shop = await Shop.OpenAsync(app.Server, tenants: 3, connections: 1, options =>
            options.LeastBackendShare = options.BackendMemory = Room(schemas: 5), Ct);

        for (var round = 0; round < 50; round++)
        {
            foreach (var tenant in shop.Tenants)
            {
                await shop.ReadAsync(tenant, Ct);
            }
        }

        Assert.Equal(0, shop.Options.Backends.Recycled);
    }

    [Fact]
    public async Task Without_a_limit_no_connection_is_recycled()
    {
        await using var shop = await Shop.OpenAsync(app.Server, tenants: 10, connections: 1, options =>
        {
            options.LeastBackendShare = 1;
            options.BackendMemory = 0;
        }, Ct);

        foreach (var tenant in shop.Tenants)
        {
            await shop.ReadAsync(tenant, Ct);
        }

        Assert.Equal(0, shop.Options.Backends.Recycled);
    }

    /// <summary>The job's workers hold their connections for the whole run.</summary>
    [Fact]
    public async Task A_run_goes_on_over_new_connections_when_the_old_ones_have_met_too_much()
    {
        var connectionString = await app.Server.ConnectionStringAsync(Ct);
        await using var fleet = await TestFleet.StartAsync(connectionString);
        var build = TestFleet.Build("m1_a", "m2_b");
        await fleet.ProvisionAsync(build.UpTo("m1_a"), 40);
        var options = new TenancyOptions
        {
            ConnectionString = connectionString,
            BackendMemory = Backend.Fresh + 1,
            LeastBackendShare = Backend.Fresh + 1,
        };
        await using var database = TenantDataSource.Create(options);

        var report = await new FleetMigrator(database, build, new(database, build), TimeProvider.System,
            Microsoft.Extensions.Logging.Abstractions.NullLogger<FleetMigrator>.Instance)
            .RunAsync(new() { Workers = 2, Group = 4 }, Ct);

        Assert.Equal((40, 0), (report.Migrated, report.Failed.Count));
        // Every group was too much.
        Assert.True(options.Backends.Recycled >= 10, $"{options.Backends.Recycled} were recycled.");
    }

    private static NpgsqlDataSource Unlimited(Shop shop) => NpgsqlDataSource.Create(
        new NpgsqlConnectionStringBuilder(shop.Options.ConnectionString)
        {
            Pooling = false,
            ApplicationName = "unlimited",
        }.ConnectionString);

    private static async Task<int> ProcessAsync(GoodsContext db)
    {
        _ = await db.Goods.AnyAsync(Ct);
        await db.Database.OpenConnectionAsync(Ct);
        var process = ((NpgsqlConnection)db.Database.GetDbConnection()).ProcessID;
        await db.Database.CloseConnectionAsync();
        return process;
    }

    /// <summary>Of a process, without what it shares with others: bytes. 0 when it has ended.</summary>
    private static long Memory(int process)
    {
        try
        {
            return 1024 * long.Parse(
                File.ReadLines($"/proc/{process}/status")
                    .First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal))
                    .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            return 0;
        }
    }
}
