using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tests.Integration.Customers;
using Xunit;

namespace Tests.Integration.Lifecycle;

/// <summary>
/// The server ends all of the application's processes at each step of each verb. Afterwards the work is done or not
/// begun, or a run of the job ends it; and the verb can be repeated.
/// </summary>
public sealed class InterruptedLifecycleTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task An_import_at_every_step()
    {
        using var interrupter = new Interrupter();
        await using var warehouse = await Warehouse.StartAsync(app, interrupter);
        var acme = await warehouse.CreateAsync("acme", items: 3);
        using var file = new MemoryStream();
        await warehouse.Transfer.ExportAsync("acme", file, Ct);

        await AtEveryStepAsync(warehouse, interrupter, acme, slug =>
        {
            file.Position = 0;
            return warehouse.Transfer.ImportAsync(file, slug, ct: Ct);
        });
    }

    [Fact]
    public async Task A_clone_at_every_step()
    {
        using var interrupter = new Interrupter();
        await using var warehouse = await Warehouse.StartAsync(app, interrupter);
        var acme = await warehouse.CreateAsync("acme", items: 3);

        await AtEveryStepAsync(
            warehouse, interrupter, acme, slug => warehouse.Transfer.CloneAsync("acme", slug, ct: Ct));
    }

    [Fact]
    public async Task A_drop_and_its_removal_at_every_step()
    {
        using var interrupter = new Interrupter();
        await using var warehouse = await Warehouse.StartAsync(app, interrupter);
        for (var moment = 1; ; moment++)
        {
            await warehouse.CreateAsync($"t{moment}", items: 1);
            interrupter.Arm(moment, () => End(warehouse));
            try
            {
                await warehouse.Removal.DropAsync($"t{moment}", $"t{moment}", TimeSpan.Zero, Ct);
                await warehouse.Removal.ReconcileAsync(Ct);
            }
            catch (NpgsqlException)
            {
            }

            interrupter.Disarm();
            Clear(warehouse);
            // Whatever is left: nobody is served from a half, and the same again ends it.
            var state = await warehouse.ScalarAsync<string>(
                $"SELECT state FROM tenancy.schemas WHERE schema = 'tenant_t{moment}'");
            if (await warehouse.ScalarAsync<long>($"SELECT count(*) FROM tenancy.tenants WHERE slug = 't{moment}'") == 1)
            {
                Assert.Equal(5L, await TablesAsync(warehouse, $"tenant_t{moment}"));
                await warehouse.Removal.DropAsync($"t{moment}", $"t{moment}", TimeSpan.Zero, Ct);
            }
            else
            {
                Assert.Equal("dropped", state);
            }

            await warehouse.Removal.ReconcileAsync(Ct);
            Assert.Equal(0L, await warehouse.ScalarAsync<long>(
                $"SELECT count(*) FROM pg_namespace WHERE nspname = 'tenant_t{moment}'"));
            Assert.Equal(1L, await warehouse.ScalarAsync<long>(
                $"SELECT count(*) FROM tenancy.schemas WHERE schema = 'tenant_t{moment}' AND state = 'dropped' AND drop_after IS NULL"));
            if (!interrupter.Fired)
            {
                Assert.True(moment > 15, $"There were only {moment - 1} moments.");
                return;
            }
        }
    }

    private static async Task AtEveryStepAsync(
        Warehouse warehouse, Interrupter interrupter, Tenant original, Func<string, Task> make)
    {
        for (var moment = 1; ; moment++)
        {
            var slug = $"t{moment}";
            interrupter.Arm(moment, () => End(warehouse));
            try
            {
                await make(slug);
            }
            catch (Exception e) when (e is NpgsqlException or { InnerException: NpgsqlException })
            {
            }

            interrupter.Disarm();
            Clear(warehouse);
            // Interrupted when nothing was left but the answer, it may be there: then all of it.
            var exists = await warehouse.Tenants.FindSummaryAsync(slug, Ct) is not null;
            Assert.Equal(exists ? 1L : 0L, await warehouse.ScalarAsync<long>(
                $"SELECT count(*) FROM pg_namespace WHERE nspname = 'tenant_{slug}'"));
            Assert.Equal(exists ? 1L : 0L, await warehouse.ScalarAsync<long>(
                $"SELECT count(*) FROM tenancy.schemas WHERE schema = 'tenant_{slug}'"));
            if (!exists)
            {
                await make(slug);
            }

            foreach (var table in new[] { "kinds", "items", "parts", "events" })
            {
                Assert.Equal(await warehouse.ScalarAsync<long>($"SELECT count(*) FROM {original.Schema}.{table}"),
                    await warehouse.ScalarAsync<long>($"SELECT count(*) FROM tenant_{slug}.{table}"));
            }

            await using var served = await warehouse.Tenants.ServeAsync(slug, Ct);
            if (!interrupter.Fired)
            {
                Assert.True(moment > 20, $"There were only {moment - 1} moments.");
                return;
            }
        }
    }

    private static Task<long> TablesAsync(Warehouse warehouse, string schema) => warehouse.ScalarAsync<long>(
        $"SELECT count(*) FROM pg_class WHERE relnamespace = to_regnamespace('{schema}') AND relkind IN ('r', 'p') AND NOT relispartition");

    private static void Clear(Warehouse warehouse) => warehouse.Services
        .GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey).Clear();

    private static void End(Warehouse warehouse)
    {
        using var end = warehouse.Admin.CreateCommand(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND " +
            "application_name <> 'the test itself' AND pid <> pg_backend_pid()");
        end.ExecuteNonQuery();
    }
}
