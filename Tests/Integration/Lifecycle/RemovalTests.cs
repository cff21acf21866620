using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Tenancy;
using Tenancy.Doctor;
using Tests.Integration.Doctor;
using Xunit;

namespace Tests.Integration.Lifecycle;

/// <summary>A tenant is dropped in two steps: it can be taken back, then it can't.</summary>
public sealed class RemovalTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static Task<long> VacuumsAsync(Warehouse warehouse) =>
        warehouse.ScalarAsync<long>(CatalogVacuumTests.Vacuums);

    [Fact]
    public async Task A_dropped_tenant_is_kept_until_its_time_is_over_and_can_be_taken_back()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        var acme = await warehouse.CreateAsync("acme", items: 3);

        var after = await warehouse.Removal.DropAsync("acme", "acme", ct: Ct);

        Assert.InRange(after!.Value - DateTimeOffset.UtcNow, TimeSpan.FromDays(6.9), TimeSpan.FromDays(7.1));
        Assert.Equal(Availability.Closed, (await Assert.ThrowsAsync<TenantUnavailableException>(
            () => warehouse.Tenants.ServeAsync("acme", Ct))).Availability);
        Assert.Empty((await warehouse.Removal.ReconcileAsync(Ct)).Removed);
        // Its slug and its rows stay reserved.
        await Assert.ThrowsAsync<TenantSlugTakenException>(() => warehouse.Tenants.CreateAsync("acme", Ct));
        Assert.True(await warehouse.IsCleanAsync());

        Assert.True(await warehouse.Tenants.SetStatusAsync("acme", TenantStatus.Active, Ct));
        await using var scope = await warehouse.Tenants.ServeAsync("acme", Ct);
        Assert.Equal(3L, await warehouse.ScalarAsync<long>($"SELECT count(*) FROM {acme.Schema}.items"));
        Assert.Equal("ready", await StateAsync(warehouse));
    }

    [Fact]
    public async Task When_its_time_is_over_nothing_of_it_stays_and_its_slug_is_free()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        await warehouse.CreateAsync("acme", items: 3);
        await warehouse.CreateAsync("globex", items: 3);

        await warehouse.Removal.DropAsync("acme", "acme", TimeSpan.Zero, Ct);
        var report = await warehouse.Removal.ReconcileAsync(Ct);

        Assert.Equal(["tenant_acme"], report.Removed.Select(schema => schema.Value));
        Assert.Empty(report.Failed);
        Assert.False(await warehouse.ScalarAsync<bool>("SELECT to_regnamespace('tenant_acme') IS NOT NULL"));
        Assert.Equal("dropped", await StateAsync(warehouse));
        Assert.Null(await warehouse.Tenants.FindSummaryAsync("acme", Ct));
        Assert.False(await warehouse.Tenants.SetStatusAsync("acme", TenantStatus.Active, Ct));
        Assert.Empty((await warehouse.Removal.ReconcileAsync(Ct)).Removed);
        Assert.Equal(3L, await warehouse.ScalarAsync<long>("SELECT count(*) FROM tenant_globex.items"));
        Assert.True(await warehouse.IsCleanAsync());
        // A new tenant gets the slug, and never the schema's name.
        Assert.Equal("tenant_acme_2", (await warehouse.Tenants.CreateAsync("acme", Ct)).Schema.Value);
        await using var scope = await warehouse.Tenants.ServeAsync("acme", Ct);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task What_it_leaves_dead_in_the_catalogs_is_vacuumed_unless_that_is_turned_off(bool on)
    {
        await using var warehouse = await Warehouse.StartAsync(app, services: services => services.AddSingleton(
            provider => new CatalogVacuum(provider.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey),
                new() { VacuumCatalogs = on }, NullLogger<CatalogVacuum>.Instance) { AtLeast = 0, Share = 0 }));
        await warehouse.CreateAsync("acme", items: 1);
        await warehouse.Removal.DropAsync("acme", "acme", TimeSpan.Zero, Ct);
        var before = await VacuumsAsync(warehouse);

        await warehouse.Removal.ReconcileAsync(Ct);
        var after = await VacuumsAsync(warehouse);
        await warehouse.Removal.ReconcileAsync(Ct);

        Assert.Equal(on ? 1 : 0, after - before);
        // Nothing was left to be removed the second time.
        Assert.Equal(after, await VacuumsAsync(warehouse));
    }

    [Fact]
    public async Task The_slug_has_to_be_repeated_and_the_time_to_make_sense()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        await warehouse.CreateAsync("acme", items: 1);

        foreach (var repeated in new[] { "", "globex", "ACME", "acme " })
        {
            await Assert.ThrowsAsync<ArgumentException>(() => warehouse.Removal.DropAsync("acme", repeated, ct: Ct));
        }

        foreach (var grace in new[] { TimeSpan.FromTicks(-1), TimeSpan.FromDays(4000), TimeSpan.MaxValue })
        {
            await Assert.ThrowsAsync<ArgumentException>(() => warehouse.Removal.DropAsync("acme", "acme", grace, Ct));
        }

        Assert.Null(await warehouse.Removal.DropAsync("nobody", "nobody", ct: Ct));
        Assert.Null(await warehouse.Removal.DropAsync("'; DROP", "'; DROP", ct: Ct));
        await using var scope = await warehouse.Tenants.ServeAsync("acme", Ct);
    }

    [Fact]
    public async Task Dropped_twice_the_earlier_time_counts()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        await warehouse.CreateAsync("acme", items: 1);

        var first = await warehouse.Removal.DropAsync("acme", "acme", TimeSpan.FromDays(2), Ct);
        var longer = await warehouse.Removal.DropAsync("acme", "acme", TimeSpan.FromDays(9), Ct);
        var shorter = await warehouse.Removal.DropAsync("acme", "acme", TimeSpan.FromDays(1), Ct);

        Assert.Equal(first, longer);
        Assert.True(shorter < first);
    }

    [Fact]
    public async Task Suspending_archiving_and_dropping_wait_for_open_transactions()
    {
        await using var warehouse = await Warehouse.StartAsync(app,
            options: tenancy => tenancy.LockTimeout = TimeSpan.FromSeconds(30));
        await warehouse.CreateAsync("acme", items: 1);

        foreach (var end in new Func<Task>[]
        {
            () => warehouse.Tenants.SetStatusAsync("acme", TenantStatus.Suspended, Ct),
            () => warehouse.Tenants.SetStatusAsync("acme", TenantStatus.Archived, Ct),
            () => warehouse.Removal.DropAsync("acme", "acme", ct: Ct),
        })
        {
            await using var request = await warehouse.Admin.OpenConnectionAsync(Ct);
            await using var transaction = await request.BeginTransactionAsync(Ct);
            await new NpgsqlCommand("UPDATE tenant_acme.items SET name = 'x'", request).ExecuteNonQueryAsync(Ct);

            var ending = end();
            // Not served from the first moment.
            await Eventually.HoldsAsync(async () =>
                (await warehouse.Tenants.FindSummaryAsync("acme", Ct))!.Availability != Availability.Served);
            Assert.False(ending.IsCompleted);
            await transaction.CommitAsync(Ct);
            await ending;
        }
    }

    [Fact]
    public async Task A_transaction_that_doesnt_end_is_named_and_keeps_the_tenant_from_being_marked()
    {
        await using var warehouse = await Warehouse.StartAsync(app,
            options: tenancy => tenancy.LockTimeout = TimeSpan.FromMilliseconds(300));
        await warehouse.CreateAsync("acme", items: 1);
        await using var request = await warehouse.Admin.OpenConnectionAsync(Ct);
        await using var transaction = await request.BeginTransactionAsync(Ct);
        await new NpgsqlCommand("SELECT FROM tenant_acme.items", request).ExecuteNonQueryAsync(Ct);

        var refused = await Assert.ThrowsAsync<TenantInUseException>(
            () => warehouse.Removal.DropAsync("acme", "acme", TimeSpan.Zero, Ct));

        Assert.Contains($"{request.ProcessID}", refused.Message, StringComparison.Ordinal);
        Assert.Equal("ready", await StateAsync(warehouse));
        Assert.Equal(TenantStatus.Archived, (await warehouse.Tenants.FindSummaryAsync("acme", Ct))!.Entry.Status);
    }

    [Fact]
    public async Task What_is_in_use_is_left_and_the_next_run_goes_on()
    {
        await using var warehouse = await Warehouse.StartAsync(app,
            options: tenancy => tenancy.LockTimeout = TimeSpan.FromMilliseconds(200));
        await warehouse.CreateAsync("acme", items: 1);
        await warehouse.Removal.DropAsync("acme", "acme", TimeSpan.Zero, Ct);
        await using (var request = await warehouse.Admin.OpenConnectionAsync(Ct))
        await using (var transaction = await request.BeginTransactionAsync(Ct))
        {
            await new NpgsqlCommand("SELECT FROM tenant_acme.parts", request).ExecuteNonQueryAsync(Ct);
            var failed = Assert.Single((await warehouse.Removal.ReconcileAsync(Ct)).Failed);
            Assert.Equal("tenant_acme", failed.Schema.Value);
        }

        Assert.Equal("tenant_acme", Assert.Single((await warehouse.Removal.ReconcileAsync(Ct)).Removed).Value);
        Assert.False(await warehouse.ScalarAsync<bool>("SELECT to_regnamespace('tenant_acme') IS NOT NULL"));
    }

    [Fact]
    public async Task What_another_schema_reads_is_not_taken_away_from_it()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        await warehouse.CreateAsync("acme", items: 1);
        await warehouse.ExecuteAsync("CREATE VIEW public.report AS SELECT count(*) FROM tenant_acme.items");
        await warehouse.Removal.DropAsync("acme", "acme", TimeSpan.Zero, Ct);

        var failed = Assert.Single((await warehouse.Removal.ReconcileAsync(Ct)).Failed);

        Assert.Contains("public.report", failed.Error, StringComparison.Ordinal);
        Assert.Equal(1L, await warehouse.ScalarAsync<long>("SELECT count FROM public.report"));
        // It can still be taken back.
        Assert.True(await warehouse.Tenants.SetStatusAsync("acme", TenantStatus.Active, Ct));
        await warehouse.Removal.DropAsync("acme", "acme", TimeSpan.Zero, Ct);
        await warehouse.ExecuteAsync("DROP VIEW public.report");
        Assert.Single((await warehouse.Removal.ReconcileAsync(Ct)).Removed);
    }

    [Fact]
    public async Task A_large_tenant_is_removed_in_transactions_that_leave_the_lock_table_to_others()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        var acme = await warehouse.CreateAsync("acme", items: 1);
        await warehouse.ExecuteAsync(
            $"""
            DO $$ BEGIN FOR at IN 1..300 LOOP
                EXECUTE format('CREATE TABLE {acme.Schema}.t%s (id int PRIMARY KEY, a int UNIQUE, b int UNIQUE)', at);
                IF at % 50 = 0 THEN COMMIT; END IF;
            END LOOP; END $$
            """);
        await warehouse.Removal.DropAsync("acme", "acme", TimeSpan.Zero, Ct);
        using var watched = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var watch = MostLocksAsync(warehouse, watched.Token);

        var report = await warehouse.Removal.ReconcileAsync(Ct);
        await watched.CancelAsync();

        Assert.Single(report.Removed);
        var share = await warehouse.ScalarAsync<long>("SELECT current_setting('max_locks_per_transaction')::bigint");
        Assert.InRange(await watch, 1, share);
        Assert.False(await warehouse.ScalarAsync<bool>("SELECT to_regnamespace('tenant_acme') IS NOT NULL"));
    }

    [Fact]
    public async Task Two_that_remove_at_once_remove_once()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        for (var at = 0; at < 6; at++)
        {
            await warehouse.CreateAsync($"t{at}", items: 1);
            await warehouse.Removal.DropAsync($"t{at}", $"t{at}", TimeSpan.Zero, Ct);
        }

        var reports = await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => warehouse.Removal.ReconcileAsync(Ct)));
        var rest = await warehouse.Removal.ReconcileAsync(Ct);

        Assert.Equal(6, reports.Append(rest).SelectMany(report => report.Removed).Distinct().Count());
        Assert.Empty(reports.SelectMany(report => report.Failed));
        Assert.Equal(0L, await warehouse.ScalarAsync<long>("SELECT count(*) FROM pg_namespace WHERE nspname LIKE 'tenant\\_%'"));
    }

    [Fact]
    public async Task A_database_from_before_gets_what_dropping_needs()
    {
        await using var warehouse = await Warehouse.StartAsync(app);
        await warehouse.CreateAsync("acme", items: 1);
        await warehouse.ExecuteAsync(
            """
            ALTER TABLE tenancy.schemas DROP COLUMN drop_after, DROP CONSTRAINT ck_schemas_state,
                ADD CONSTRAINT ck_schemas_state CHECK (state IN ('provisioning', 'ready', 'failed', 'suspended', 'archived', 'dropping', 'spare'))
            """);

        await warehouse.Tenants.MigrateAsync(Ct);

        await warehouse.Removal.DropAsync("acme", "acme", TimeSpan.Zero, Ct);
        Assert.Single((await warehouse.Removal.ReconcileAsync(Ct)).Removed);
    }

    private static Task<string> StateAsync(Warehouse warehouse) =>
        warehouse.ScalarAsync<string>("SELECT state FROM tenancy.schemas WHERE schema = 'tenant_acme'");

    private static async Task<long> MostLocksAsync(Warehouse warehouse, CancellationToken ct)
    {
        var most = 0L;
        while (!ct.IsCancellationRequested)
        {
            most = Math.Max(most, await warehouse.ScalarAsync<long>(
                """
                SELECT coalesce(max(locks), 0) FROM (SELECT count(*) AS locks FROM pg_locks
                    WHERE database = (SELECT oid FROM pg_database WHERE datname = current_database()) AND pid <> pg_backend_pid()
                    GROUP BY pid) AS by_backend
                """));
        }

        return most;
    }
}
