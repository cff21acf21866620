using Data;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Tenancy;
using Tests.Integration.Customers;
using Tests.Integration.Fleet;
using Tests.Integration.Outage;
using Xunit;

namespace Tests.Integration.Metrics;

/// <summary>The metrics say what the database says.</summary>
public sealed class MetricsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Before_any_work_every_counter_is_reported_as_zero_and_what_is_unknown_is_not_reported()
    {
        await using var application = Application("Host=127.0.0.1;Port=1;Username=nobody;Timeout=1");
        using var measured = new Measured(application);
        await application.GetRequiredService<FleetMonitor>().LookAsync(Ct);

        var samples = measured.Read();

        Assert.All(samples, sample => Assert.Equal(0, sample.Value));
        Assert.Equal(
            [TenancyTelemetry.ConnectionsRecycled, TenancyTelemetry.DirectoryLookups, TenancyTelemetry.Leases,
                TenancyTelemetry.Migrations, TenancyTelemetry.Refusals, TenancyTelemetry.Unavailable],
            samples.Select(sample => sample.Instrument).Distinct().Order());
        Assert.DoesNotContain(
            samples, sample => sample.Tags.Any(tag => tag.StartsWith("tenant.", StringComparison.Ordinal)));
    }

    [Fact]
    public async Task Tenants_by_state_and_version_are_those_of_the_ledger_and_spare_schemas_are_none()
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        await using var application = Application(database.ConnectionString, warmPool: 2);
        using var measured = new Measured(application);
        await CustomersDatabase.Keeper(application).FillAsync(Ct);
        foreach (var slug in (string[])["one", "two", "three", "four"])
        {
            await CustomersDatabase.CreateAsync(application, slug);
        }

        await CustomersDatabase.Keeper(application).FillAsync(Ct);
        await database.ScalarAsync<object>(
            "UPDATE tenancy.schemas SET state = 'failed', last_error = 'a test' WHERE schema = 'customer_one' " +
            "RETURNING 1");
        await database.ScalarAsync<object>(
            $"UPDATE tenancy.schemas SET state = 'suspended', version = '{CompiledMigrations.Fingerprint([])}' WHERE " +
            "schema = 'customer_two' RETURNING 1");

        var fleet = await application.GetRequiredService<FleetMonitor>().LookAsync(Ct);

        foreach (var state in Enum.GetValues<SchemaState>().Where(state => state != SchemaState.Spare)
            .Select(state => state.ToString().ToLowerInvariant()))
        {
            Assert.Equal(
                await database.ScalarAsync<long>("SELECT count(*) FROM tenancy.schemas WHERE state = $1", state),
                measured.Sum(TenancyTelemetry.Tenants, $"{TenancyTelemetry.State}={state}"));
        }

        Assert.Empty(measured.Of(TenancyTelemetry.Tenants, $"{TenancyTelemetry.State}=spare"));
        Assert.Equal(await database.ScalarAsync<long>("SELECT count(*) FROM tenancy.schemas WHERE state = 'spare'"),
            measured.Sum(TenancyTelemetry.SpareSchemas));
        var build = application.GetRequiredService<CompiledMigrations>();
        Assert.Equal(3,
            measured.Sum(TenancyTelemetry.TenantsByVersion,
                $"{TenancyTelemetry.Version}={build.Ids.Last()} ({build.Target[..8]})",
                $"{TenancyTelemetry.Standing}=current"));
        Assert.Equal(1, measured.Sum(TenancyTelemetry.TenantsByVersion, $"{TenancyTelemetry.Standing}=behind"));
        Assert.Equal((4, 1, 1, 2), (fleet!.Customers, fleet.Failed, fleet.Behind, fleet.Spares));
    }

    [Fact]
    public async Task However_many_versions_there_are_only_ten_get_a_series_of_their_own()
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        await using var application = Application(database.ConnectionString);
        using var measured = new Measured(application);
        await database.ScalarAsync<object>(
            "INSERT INTO tenancy.schemas (schema, state, version) SELECT 'c_' || i, 'ready', md5((i % 25)::text) " +
            "FROM generate_series(1, 100) AS i RETURNING 1");

        await application.GetRequiredService<FleetMonitor>().LookAsync(Ct);

        var versions = measured.Of(TenancyTelemetry.TenantsByVersion);
        Assert.Equal(100, versions.Sum(version => version.Value));
        Assert.Equal(11, versions.Count);
        Assert.Equal(64, measured.Sum(TenancyTelemetry.TenantsByVersion, $"{TenancyTelemetry.Version}=other"));
        // This build's own is there, though nobody has it.
        Assert.Equal(0,
            Assert.Single(
                measured.Of(TenancyTelemetry.TenantsByVersion, $"{TenancyTelemetry.Standing}=current")).Value);
    }

    [Fact]
    public async Task The_gauges_fall_silent_when_the_ledger_cannot_be_read()
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        await using var application = Application(database.ConnectionString);
        using var measured = new Measured(application);
        await application.GetRequiredService<FleetMonitor>().LookAsync(Ct);
        Assert.NotEmpty(measured.Of(TenancyTelemetry.Tenants));

        await database.ScalarAsync<object>("ALTER TABLE tenancy.schemas RENAME TO elsewhere; SELECT 1");
        await application.GetRequiredService<FleetMonitor>().LookAsync(Ct);

        Assert.Empty(measured.Of(TenancyTelemetry.Tenants));
        Assert.Empty(measured.Of(TenancyTelemetry.SpareSchemas));
    }

    [Fact]
    public async Task A_lookup_is_a_miss_when_the_registry_was_asked_and_else_a_hit()
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        await using var application = Application(database.ConnectionString);
        using var measured = new Measured(application);
        await CustomersDatabase.CreateAsync(application, "one");
        var directory = application.GetRequiredService<TenantDirectory>();

        await directory.FindAsync("one", Ct);
        await directory.FindAsync("nobody", Ct);
        await directory.FindAsync("nobody", Ct);
        await directory.FindAsync("one", Ct);

        Assert.Equal(3, measured.Sum(TenancyTelemetry.DirectoryLookups, $"{TenancyTelemetry.Result}=miss"));
        Assert.Equal(1, measured.Sum(TenancyTelemetry.DirectoryLookups, $"{TenancyTelemetry.Result}=hit"));
    }

    [Fact]
    public async Task Leases_are_the_contexts_that_serve_a_tenant_now_from_the_pool_or_not()
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        await using var application = Application(database.ConnectionString);
        using var measured = new Measured(application);
        var customer = (await CustomersDatabase.CreateAsync(application, "one")).AsTenant();

        await using (var context = application.GetRequiredService<TenantContextFactory<InvoicingContext>>()
            .Create(customer))
        {
            await using (var scope = application.CreateAsyncScope())
            {
                scope.ServiceProvider.GetRequiredService<CurrentTenant>().Choose(customer);
                await scope.ServiceProvider.GetRequiredService<InvoicingContext>().Invoices.CountAsync(Ct);
                Assert.Equal(2, measured.Sum(TenancyTelemetry.Leases));
            }

            Assert.Equal(1, measured.Sum(TenancyTelemetry.Leases));
            await context.DisposeAsync();
        }

        Assert.Equal(0, measured.Sum(TenancyTelemetry.Leases));
    }

    [Fact]
    public async Task Commands_that_the_guard_refuses_and_work_without_a_tenant_are_counted_by_reason()
    {
        await using var application = Application("Host=127.0.0.1;Port=1;Username=nobody");
        using var measured = new Measured(application);
        await using var context = application.GetRequiredService<TenantContextFactory<InvoicingContext>>()
            .Create(new(Guid.NewGuid(), "one", SchemaName.Parse("customer_one")));
        await using var nobodys = await application.GetRequiredService<IDbContextFactory<InvoicingContext>>()
            .CreateDbContextAsync(Ct);

        await Assert.ThrowsAsync<NpgsqlException>(() =>
            context.Database.ExecuteSqlRawAsync("DELETE FROM \"__Tenant__\".invoices", Ct));
        await Assert.ThrowsAsync<CommandRefusedException>(() =>
            context.Database.ExecuteSqlRawAsync("DELETE FROM customer_two.invoices", Ct));
        await Assert.ThrowsAsync<NoTenantException>(() => nobodys.Invoices.CountAsync(Ct));

        Assert.Equal(1,
            measured.Sum(TenancyTelemetry.Refusals, $"{TenancyTelemetry.Refused}=command",
                $"{TenancyTelemetry.Reason}=foreign_schema"));
        Assert.Equal(1,
            measured.Sum(TenancyTelemetry.Refusals, $"{TenancyTelemetry.Refused}=command",
                $"{TenancyTelemetry.Reason}=no_tenant"));
        Assert.Equal(2, measured.Sum(TenancyTelemetry.Refusals));
    }

    [Fact]
    public async Task Requests_without_a_customer_to_serve_and_answers_of_503_are_counted_by_reason()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using var api = await ServedApi.StartAsync(database, app.Server.AsNewLogin(database));
        var failed = await api.NewCustomerAsync("failed");
        var suspended = await api.NewCustomerAsync("suspended");
        await using (var source = NpgsqlDataSource.Create(database))
        {
            await using var change = source.CreateCommand(
                "UPDATE tenancy.schemas SET state = 'failed' WHERE schema = 'customer_failed'; UPDATE " +
                "public.customers SET status = 'suspended' WHERE slug = 'suspended'");
            await change.ExecuteNonQueryAsync(Ct);
        }

        (await api.Http.GetAsync("/invoices", Ct)).Dispose();
        foreach (var slug in (string[])["No Slug", "nobody"])
        {
            using var request = new HttpRequestMessage(
                HttpMethod.Get, "/invoices") { Headers = { { "X-Customer", slug } } };
            (await api.Http.SendAsync(request, Ct)).Dispose();
        }

        (await failed.Http.GetAsync("/invoices", Ct)).Dispose();
        (await suspended.Http.GetAsync("/invoices", Ct)).Dispose();

        foreach (var reason in (string[])["no_tenant", "invalid_tenant", "unknown_tenant"])
        {
            Assert.Equal(1,
                api.Measured.Sum(TenancyTelemetry.Refusals, $"{TenancyTelemetry.Refused}=request",
                    $"{TenancyTelemetry.Reason}={reason}"));
        }

        Assert.Equal(3, api.Measured.Sum(TenancyTelemetry.Refusals));
        Assert.Equal(1, api.Measured.Sum(TenancyTelemetry.Unavailable, $"{TenancyTelemetry.Reason}=failed"));
        Assert.Equal(1, api.Measured.Sum(TenancyTelemetry.Unavailable, $"{TenancyTelemetry.Reason}=suspended"));
    }

    [Fact]
    public async Task Migrated_and_failed_schemas_are_counted_and_the_run_and_its_groups_are_timed()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var schemas = await fleet.ProvisionAsync(TestFleet.Build("m1_a"), 5);
        await fleet.ScalarAsync($"CREATE TABLE {schemas[2].Qualify("m2_b")} (by_hand int)");
        await using var application = Application("Host=127.0.0.1");
        using var measured = new Measured(application);
        var build = TestFleet.Build("m1_a", "m2_b");

        await new FleetMigrator(fleet.Database, build, new(fleet.Database, build), TimeProvider.System,
            NullLogger<FleetMigrator>.Instance, application.GetRequiredService<TenancyMetrics>())
            .RunAsync(new(), Ct);

        Assert.Equal(
            await fleet.ScalarAsync($"SELECT count(*)::float8 FROM tenancy.schemas WHERE version = '{build.Target}'"),
            measured.Sum(TenancyTelemetry.Migrations, $"{TenancyTelemetry.Outcome}=migrated"));
        Assert.Equal(
            await fleet.ScalarAsync("SELECT count(*)::float8 FROM tenancy.schemas WHERE last_error IS NOT NULL"),
            measured.Sum(TenancyTelemetry.Migrations, $"{TenancyTelemetry.Outcome}=failed"));
        Assert.Equal(
            [$"{TenancyTelemetry.Outcome}=done"], Assert.Single(measured.Of(TenancyTelemetry.RunDuration)).Tags);
        Assert.NotEmpty(measured.Of(TenancyTelemetry.GroupDuration));
    }

    [Fact]
    public async Task Each_new_customer_is_one_provisioning_by_where_its_schema_came_from()
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        await using var application = Application(database.ConnectionString, warmPool: 1);
        using var measured = new Measured(application);
        await CustomersDatabase.CreateAsync(application, "one");
        await CustomersDatabase.Keeper(application).FillAsync(Ct);
        await CustomersDatabase.CreateAsync(application, "two");

        Assert.Equal(
            [$"{TenancyTelemetry.ProvisioningSource}=made", $"{TenancyTelemetry.ProvisioningSource}=spare"],
            measured.Of(TenancyTelemetry.ProvisioningDuration).Select(sample => Assert.Single(sample.Tags)));
    }

    /// <summary>With a meter factory, as every host has one.</summary>
    private static ServiceProvider Application(string connectionString, int warmPool = 0)
    {
        var services = new ServiceCollection().AddLogging().AddMetrics().AddData(App.Configuration(connectionString));
        return services.PostConfigure<TenancyOptions>(options => options.WarmPool = warmPool).BuildServiceProvider();
    }
}
