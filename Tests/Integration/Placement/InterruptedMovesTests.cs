using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tenancy.Databases;
using Tests.Integration.Customers;
using Tests.Integration.Lifecycle;
using Xunit;

namespace Tests.Integration.Placement;

/// <summary>
/// A move to another database is killed at each step. Nothing is lost, nobody is served from two places, and either the
/// same command or a reconcile ends it.
/// </summary>
public sealed class InterruptedMovesTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_move_at_every_step()
    {
        var second = await app.Server.ConnectionStringAsync(Ct);
        using var interrupter = new Interrupter();
        await using var warehouse = await Warehouse.StartAsync(app, interrupter, options =>
            options.Databases["two"] = new() { ConnectionString = second });
        await using var servers = new Servers(warehouse, second);
        var step = TestDepth.Of(normal: 7, full: 1);
        for (var moment = 1 + new Random(TestSeed.Say()).Next(step); ; moment += step)
        {
            var slug = $"t{moment}";
            var tenant = await warehouse.CreateAsync(slug, items: 3);
            var rows = await servers.RowsAsync(tenant);
            interrupter.Arm(moment, servers.Kill);
            try
            {
                await servers.Move.MoveAsync(slug, "two", Ct);
            }
            catch (Exception e) when (e is not Xunit.Sdk.XunitException)
            {
            }

            interrupter.Disarm();
            await servers.ReviveAsync();
            if (moment % 2 == 0)
            {
                // Nobody repeats it: a minute later a reconcile ends it.
                await servers.AgeAsync();
                var report = await warehouse.Removal.ReconcileAsync(Ct);
                Assert.Empty(report.Failed);
                await ServedAsync(warehouse, servers, slug, tenant.Id, rows);
            }

            var moved = await servers.Move.MoveAsync(slug, "two", Ct);

            Assert.Equal((tenant.Id, "two"), (moved!.Tenant.Id, moved.Tenant.Database));
            await ServedAsync(warehouse, servers, slug, tenant.Id, rows);
            await servers.AgeAsync();
            Assert.Empty((await warehouse.Removal.ReconcileAsync(Ct)).Failed);
            await ServedAsync(warehouse, servers, slug, tenant.Id, rows);
            // One place, and no trace of others but the names, which are never used again.
            Assert.Equal([moved.Tenant.Schema.Value], await servers.SchemasAsync());
            await warehouse.Removal.DropAsync(slug, slug, TimeSpan.Zero, Ct);
            await warehouse.Removal.ReconcileAsync(Ct);
            if (!interrupter.Fired)
            {
                Assert.True(moment > 40, $"There were only {moment - 1} moments.");
                return;
            }
        }
    }

    [Fact]
    public async Task A_command_that_is_killed_before_it_turns_the_registry_leaves_the_customer_where_it_was()
    {
        await using var two = await TwoDatabases.StartAsync(app);
        await two.CreateAsync("acme");
        await two.WriteAsync("acme", 7m);
        await using (var blocker = await two.First.OpenConnectionAsync(Ct))
        await using (var hold = await blocker.BeginTransactionAsync(Ct))
        {
            await using (var take = new NpgsqlCommand("LOCK TABLE public.customers IN SHARE MODE", blocker, hold))
            {
                await take.ExecuteNonQueryAsync(Ct);
            }

            using var job = two.StartJob("move", "acme", "--to-database", "two");
            await Eventually.HoldsAsync(async () => await TwoDatabases.ScalarAsync(two.First,
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'public.customers'::regclass") is 1L);
            job.Kill(entireProcessTree: true);
            await job.WaitForExitAsync(Ct);
        }

        // Both places are there, and neither is served.
        Assert.Equal(["customer_acme_2"], await TwoDatabases.SchemasAsync(two.Second));
        Assert.Equal(System.Net.HttpStatusCode.ServiceUnavailable, await two.StatusAsync("acme"));
        Assert.Equal(0, (await two.JobAsync("verify")).ExitCode);
        foreach (var database in new[] { two.First, two.Second })
        {
            await TwoDatabases.ExecuteAsync(
                database, "UPDATE tenancy.schemas SET drop_after = now() WHERE state = 'moving'");
        }

        Assert.Equal(0, (await two.JobAsync("reconcile")).ExitCode);
        await Eventually.HoldsAsync(async () => await two.StatusAsync("acme") == System.Net.HttpStatusCode.OK);
        Assert.Equal([7m], await two.InvoicesAsync("acme"));
        Assert.Empty(await TwoDatabases.SchemasAsync(two.Second));
        Assert.Equal(0, (await two.JobAsync("move", "acme", "--to-database", "two")).ExitCode);
        await Eventually.HoldsAsync(async () => await two.StatusAsync("acme") == System.Net.HttpStatusCode.OK);
        Assert.Equal([7m], await two.InvoicesAsync("acme"));
        Assert.Equal(["customer_acme_3"], await TwoDatabases.SchemasAsync(two.Second));
    }

    [Fact]
    public async Task A_move_that_takes_long_is_not_taken_for_an_interrupted_one()
    {
        await using var two = await TwoDatabases.StartAsync(app);
        await two.CreateAsync("acme");
        await two.WriteAsync("acme", 7m);
        var move = two.Api.Services.GetRequiredService<TenantDatabaseMove>();
        await using var blocker = await two.Second.OpenConnectionAsync(Ct);
        await using var hold = await blocker.BeginTransactionAsync(Ct);
        await using (var take = new NpgsqlCommand("LOCK TABLE tenancy.tasks IN SHARE MODE", blocker, hold))
        {
            await take.ExecuteNonQueryAsync(Ct);
        }

        // All is copied, and the copy isn't committed.
        var moving = move.MoveAsync("acme", "two", Ct);
        await Eventually.HoldsAsync(async () => await TwoDatabases.ScalarAsync(two.Second,
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'tenancy.tasks'::regclass") is 1L);
        Assert.Equal(0, (await two.JobAsync("reconcile")).ExitCode);
        await using (var other = await two.First.OpenConnectionAsync(Ct))
        await using (var ask = new NpgsqlCommand(
            "SELECT count(*) FROM (SELECT FROM tenancy.schemas WHERE state = 'moving' FOR UPDATE SKIP LOCKED) AS free", other))
        {
            Assert.Equal(0L, await ask.ExecuteScalarAsync(Ct));
        }

        var second = await Assert.ThrowsAsync<TenantInUseException>(() => move.MoveAsync("acme", "two", Ct));
        Assert.Contains("acme", second.Message, StringComparison.Ordinal);
        await hold.RollbackAsync(Ct);
        Assert.Equal("two", (await moving)!.Tenant.Database);
        await Eventually.HoldsAsync(async () => await two.StatusAsync("acme") == System.Net.HttpStatusCode.OK);
        Assert.Equal([7m], await two.InvoicesAsync("acme"));
    }

    private static async Task ServedAsync(
        Warehouse warehouse, Servers servers, string slug, Guid id, IReadOnlyList<long> rows)
    {
        await using var served = await warehouse.Tenants.ServeAsync(slug, Ct);
        Assert.Equal(id, served.Tenant.Id);
        Assert.Equal(rows, await servers.RowsAsync(served.Tenant));
    }

    /// <summary>Both databases, which a test takes away from the application at once, as if its process was killed.</summary>
    private sealed class Servers : IAsyncDisposable
    {
        private readonly Warehouse _warehouse;
        private readonly string[] _databases;
        private readonly NpgsqlDataSource _first;
        private readonly NpgsqlDataSource _second;
        private readonly NpgsqlDataSource _neither;

        public Servers(Warehouse warehouse, string second)
        {
            _warehouse = warehouse;
            var first = warehouse.Services.GetRequiredService<TenancyOptions>().ConnectionString;
            _databases = [new NpgsqlConnectionStringBuilder(first).Database!, new NpgsqlConnectionStringBuilder(second).Database!];
            _first = NpgsqlDataSource.Create($"{first};Pooling=false");
            _second = NpgsqlDataSource.Create($"{second};Pooling=false");
            _neither = NpgsqlDataSource.Create(
                new NpgsqlConnectionStringBuilder(first) { Database = "postgres", Pooling = false });
        }

        public TenantDatabaseMove Move => _warehouse.Services.GetRequiredService<TenantDatabaseMove>();

        private TenantDatabase Two => _warehouse.Services.GetRequiredService<TenantDatabases>().Named("two");

        /// <summary>From now on nothing of the application reaches a database.</summary>
        public void Kill()
        {
            foreach (var database in _databases)
            {
                using var close = _neither.CreateCommand(
                    $"ALTER DATABASE \"{database}\" WITH ALLOW_CONNECTIONS false");
                close.ExecuteNonQuery();
                using var end = _neither.CreateCommand(
                    $"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{database}'");
                end.ExecuteNonQuery();
            }
        }

        /// <summary>Another process may go on.</summary>
        public async Task ReviveAsync()
        {
            foreach (var database in _databases)
            {
                await TwoDatabases.ExecuteAsync(_neither, $"ALTER DATABASE \"{database}\" WITH ALLOW_CONNECTIONS true");
            }

            _warehouse.Admin.Clear();
            _warehouse.Services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey).Clear();
            Two.Owner.Clear();
        }

        /// <summary>A minute later.</summary>
        public async Task AgeAsync()
        {
            foreach (var database in new[] { _first, _second })
            {
                await TwoDatabases.ExecuteAsync(database,
                    "UPDATE tenancy.schemas SET drop_after = clock_timestamp() WHERE drop_after IS NOT NULL");
            }
        }

        public async Task<IReadOnlyList<long>> RowsAsync(Tenant tenant)
        {
            var counts = new List<long>();
            foreach (var table in new[] { "kinds", "items", "parts", "events" })
            {
                counts.Add((long)(await TwoDatabases.ScalarAsync(tenant.Database is null ? _first : _second,
                    $"SELECT count(*) FROM {tenant.Schema}.{table}"))!);
            }

            return counts;
        }

        /// <summary>All schemas of tenants, under whichever name, in both.</summary>
        public async Task<IReadOnlyList<string>> SchemasAsync()
        {
            var schemas = new List<string>();
            foreach (var database in new[] { _first, _second })
            {
                schemas.AddRange((string[])(await TwoDatabases.ScalarAsync(database,
                    "SELECT coalesce(array_agg(nspname::text ORDER BY nspname), '{}') FROM pg_namespace " +
                    "WHERE nspname LIKE 'tenant\\_%' OR nspname LIKE 'moving\\_%'"))!);
            }

            return schemas;
        }

        public async ValueTask DisposeAsync()
        {
            await ReviveAsync();
            await _first.DisposeAsync();
            await _second.DisposeAsync();
            await _neither.DisposeAsync();
        }
    }
}
