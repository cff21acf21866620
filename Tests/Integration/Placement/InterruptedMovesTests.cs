using Data;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
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
        await using var servers = new KillableServers(warehouse, second);
        var step = TestDepth.Of(normal: 19, full: 1);
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

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_command_that_is_killed_before_it_turns_the_registry_leaves_the_customer_where_it_was(bool roles)
    {
        Assert.SkipUnless(TestDepth.IsFull || !roles, "It starts the job several times: at full depth only.");
        await using var two = await TwoDatabases.StartAsync(
            app, (DataRegistration.TenantRolesSetting, roles ? "true" : "false"));
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
        var doctor = await two.Api.Services.GetRequiredService<TenancyDoctor>().ReportAsync(TimeSpan.Zero, Ct);
        Assert.DoesNotContain(doctor.Findings, one => one.Id is "missing-schemas" or "orphan-schemas" && one.Value > 0);
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
            "SELECT count(*) FROM (SELECT FROM tenancy.schemas WHERE state = 'moving' FOR UPDATE SKIP LOCKED) AS free",
            other))
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

    [Fact]
    public async Task Whoever_ends_a_move_waits_for_its_turn_and_a_move_that_was_ended_is_not_turned()
    {
        await using var two = await TwoDatabases.StartAsync(app);
        await two.CreateAsync("acme");
        await two.WriteAsync("acme", 7m);
        var services = two.Api.Services;
        services.GetRequiredService<TenancyOptions>().LockTimeout = TimeSpan.FromSeconds(30);
        await using var blocker = await two.First.OpenConnectionAsync(Ct);
        await using var hold = await blocker.BeginTransactionAsync(Ct);
        await using (var take = new NpgsqlCommand(
            "SELECT pg_advisory_xact_lock(hashtextextended('tenancy: move customer_acme', 0))", blocker, hold))
        {
            await take.ExecuteNonQueryAsync(Ct);
        }

        var moving = services.GetRequiredService<TenantDatabaseMove>().MoveAsync("acme", "two", Ct);
        await Eventually.HoldsAsync(async () => await WaitingAsync(two) == 1);
        await TwoDatabases.ExecuteAsync(
            two.First, "UPDATE tenancy.schemas SET drop_after = now() WHERE state = 'moving'");
        var ending = services.GetRequiredService<TenantRemoval>().ReconcileAsync(Ct);
        await Eventually.HoldsAsync(async () => await WaitingAsync(two) == 2);
        Assert.Equal("moving", await TwoDatabases.ScalarAsync(two.First, "SELECT state FROM tenancy.schemas"));
        // As if the reconcile had been first.
        var fence = await TwoDatabases.ScalarAsync(
            two.First, "SELECT nspname::text FROM pg_namespace WHERE nspname LIKE 'moving\\_%'");
        await TwoDatabases.ExecuteAsync(two.First, $"ALTER SCHEMA {fence} RENAME TO customer_acme; " +
            "UPDATE tenancy.schemas SET state = 'ready', drop_after = NULL");
        await hold.RollbackAsync(Ct);

        var refused = await Assert.ThrowsAsync<TenantInUseException>(() => moving);
        Assert.Contains("was ended by another command", refused.Message, StringComparison.Ordinal);
        Assert.Empty((await ending).Failed);
        await Eventually.HoldsAsync(async () => await two.StatusAsync("acme") == System.Net.HttpStatusCode.OK);
        Assert.Equal([7m], await two.InvoicesAsync("acme"));
        Assert.Equal(["customer_acme"], await TwoDatabases.SchemasAsync(two.First));
        await services.GetRequiredService<TenantRemoval>().ReconcileAsync(Ct);
        Assert.Empty(await TwoDatabases.SchemasAsync(two.Second));
    }

    [Fact]
    public async Task A_customer_that_is_being_moved_is_not_dropped_and_the_message_says_why()
    {
        await using var two = await TwoDatabases.StartAsync(app);
        await two.CreateAsync("acme");
        await TwoDatabases.ExecuteAsync(
            two.First, "UPDATE tenancy.schemas SET state = 'moving', drop_after = now() + interval '1 minute'");

        var refused = await Assert.ThrowsAsync<TenantInUseException>(() => two.Api.Services
            .GetRequiredService<TenantRemoval>().DropAsync("acme", "acme", TimeSpan.Zero, Ct));

        Assert.Contains("is being moved to another database", refused.Message, StringComparison.Ordinal);
        Assert.Equal("moving", await TwoDatabases.ScalarAsync(two.First, "SELECT state FROM tenancy.schemas"));
    }

    private static async Task<long> WaitingAsync(TwoDatabases two) => (long)(await TwoDatabases.ScalarAsync(
        two.First, "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted AND database = " +
        "(SELECT oid FROM pg_database WHERE datname = current_database())"))!;

    private static async Task ServedAsync(
        Warehouse warehouse, KillableServers servers, string slug, Guid id, IReadOnlyList<long> rows)
    {
        await using var served = await warehouse.Tenants.ServeAsync(slug, Ct);
        Assert.Equal(id, served.Tenant.Id);
        Assert.Equal(rows, await servers.RowsAsync(served.Tenant));
    }
}
