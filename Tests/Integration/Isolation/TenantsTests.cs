using System.Collections.Concurrent;
using Data.Customers;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Isolation;

/// <summary>Work outside of requests: a scope for one tenant, and every tenant in turn.</summary>
public sealed class TenantsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_scope_for_a_tenant_serves_it_and_no_other()
    {
        await using var fleet = await SmallFleet.StartAsync(app.Server, "acme", "globex");
        await using (var acme = await fleet.Tenants.ServeAsync("acme", Ct))
        {
            Assert.Equal("acme", acme.Tenant.Slug);
            var db = acme.Services.GetRequiredService<InvoicingContext>();
            db.Add(new Contact { Id = Guid.CreateVersion7(), Name = "A", Email = "a@example.com" });
            await db.SaveChangesAsync(Ct);
        }

        await using var globex = await fleet.Tenants.ServeAsync("globex", Ct);
        Assert.Empty(await globex.Services.GetRequiredService<InvoicingContext>().Contacts.ToListAsync(Ct));
        Assert.Throws<InvalidOperationException>(
            () => globex.Services.GetRequiredService<CurrentTenant>().Choose(globex.Tenant));
    }

    [Theory]
    [InlineData("nobody", null)]
    [InlineData("failed", Availability.Failed)]
    [InlineData("suspended", Availability.Suspended)]
    [InlineData("behind", Availability.Upgrading)]
    public async Task Who_is_not_served_is_an_exception_that_says_why(string slug, Availability? why)
    {
        await using var fleet = await SmallFleet.StartAsync(app.Server, "failed", "suspended", "behind");
        await fleet.SpoilAsync();

        var error = await Assert.ThrowsAsync<TenantUnavailableException>(() => fleet.Tenants.ServeAsync(slug, Ct));

        Assert.Equal((slug, why), (error.Slug, error.Availability));
        Assert.Contains(slug, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Each_tenant_is_visited_once_in_order_and_one_that_fails_keeps_no_other_from_its_turn()
    {
        var slugs = Enumerable.Range(0, 12).Select(number => $"t{number:00}").ToArray();
        await using var fleet = await SmallFleet.StartAsync(
            app.Server, [.. slugs, "failed", "suspended", "behind"]);
        await fleet.SpoilAsync();
        var visited = new ConcurrentBag<string>();
        var reached = new List<SchemaName>();
        var (now, most) = (0, 0);

        var report = await fleet.Tenants.ForEachAsync(
            async (scope, ct) =>
            {
                most = Math.Max(most, Interlocked.Increment(ref now));
                var db = scope.Services.GetRequiredService<InvoicingContext>();
                Assert.Empty(await db.Contacts.ToListAsync(ct));
                visited.Add(scope.Tenant.Slug);
                Interlocked.Decrement(ref now);
                if (scope.Tenant.Slug == "t05")
                {
                    throw new InvalidOperationException("not this one");
                }
            },
            new() { Parallel = 3, Reached = reached.Add }, Ct);

        Assert.Equal(slugs, visited.Order(StringComparer.Ordinal));
        Assert.InRange(most, 1, 3);
        Assert.Equal(11, report.Done);
        var failure = Assert.Single(report.Failed);
        Assert.Equal(("t05", "not this one"), (failure.Tenant.Slug, failure.Error.Message));
        Assert.Equal(["behind", "failed", "suspended"], report.Skipped.Select(skipped => skipped.Slug));
        Assert.Equal(15, reached.Count);
        Assert.Equal(reached.Order(), reached);
    }

    [Fact]
    public async Task What_was_ended_goes_on_after_the_last_that_was_reached()
    {
        var slugs = Enumerable.Range(0, 10).Select(number => $"t{number:00}").ToArray();
        await using var fleet = await SmallFleet.StartAsync(app.Server, slugs);
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var visits = new ConcurrentQueue<string>();
        SchemaName? last = null;

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => fleet.Tenants.ForEachAsync(
            async (scope, ct) =>
            {
                if (scope.Tenant.Slug == "t06")
                {
                    await stop.CancelAsync();
                }

                ct.ThrowIfCancellationRequested();
                visits.Enqueue(scope.Tenant.Slug);
            },
            new() { Parallel = 2, Reached = schema => last = schema }, stop.Token));
        Assert.NotNull(last);
        await fleet.Tenants.ForEachAsync(
            (scope, _) =>
            {
                visits.Enqueue(scope.Tenant.Slug);
                return Task.CompletedTask;
            },
            new() { After = last }, Ct);

        // Who was in hand when it ended is visited again, and nobody is left out.
        Assert.Equal(slugs, visits.Distinct().Order(StringComparer.Ordinal));
        Assert.InRange(visits.Count, 10, 11);
    }

    private sealed class SmallFleet(ServiceProvider services) : IAsyncDisposable
    {
        public Tenants Tenants => services.GetRequiredService<Tenants>();

        public static async Task<SmallFleet> StartAsync(TestServer server, params string[] slugs)
        {
            var database = await server.ConnectionStringAsync(Ct);
            await using (var customers = new CustomersContext(
                new DbContextOptionsBuilder<CustomersContext>().UseNpgsql(database, CustomersContext.History).Options))
            {
                await customers.Database.MigrateAsync(Ct);
            }

            var tenants = slugs.ToDictionary(
                slug => slug, slug => new Tenant(Guid.NewGuid(), slug, SchemaName.Parse($"customer_{slug}")));
            var services = new ServiceCollection().AddLogging(logging => logging.ClearProviders())
                .AddTenancy<InvoicingContext>(options =>
                {
                    options.ConnectionString = database;
                    options.FindTenant = async (provider, slug, ct) => tenants.GetValueOrDefault(slug) is { } tenant
                        ? await ListAsync(provider, tenant, ct)
                        : null;
                    options.FindSlugs = (_, schemas, _) => Task.FromResult<IReadOnlyDictionary<SchemaName, string>>(
                        tenants.Values.Where(tenant => schemas.Contains(tenant.Schema))
                            .ToDictionary(tenant => tenant.Schema, tenant => tenant.Slug));
                })
                .BuildServiceProvider(validateScopes: true);
            foreach (var tenant in tenants.Values)
            {
                await using var connection = await Owner(services).OpenConnectionAsync(Ct);
                await using var transaction = await connection.BeginTransactionAsync(Ct);
                await services.GetRequiredService<SchemaProvisioner>()
                    .ProvisionAsync(transaction, tenant.Schema.Value, ct: Ct);
                await transaction.CommitAsync(Ct);
            }

            return new(services);
        }

        /// <summary>Makes those of these names what they are called.</summary>
        public async Task SpoilAsync()
        {
            await using var spoil = Owner(services).CreateCommand(
                """
                UPDATE tenancy.schemas SET state = 'failed' WHERE schema = 'customer_failed';
                UPDATE tenancy.schemas SET state = 'suspended' WHERE schema = 'customer_suspended';
                UPDATE tenancy.schemas SET version = '' WHERE schema = 'customer_behind';
                """);
            await spoil.ExecuteNonQueryAsync(Ct);
        }

        public ValueTask DisposeAsync() => services.DisposeAsync();

        private static NpgsqlDataSource Owner(IServiceProvider services) =>
            services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey);

        private static async Task<TenantListing> ListAsync(
            IServiceProvider services, Tenant tenant, CancellationToken ct)
        {
            await using var ask = Owner(services).CreateCommand(
                "SELECT initcap(state), version FROM tenancy.schemas WHERE schema = $1");
            ask.Parameters.AddWithValue(tenant.Schema.Value);
            await using var row = await ask.ExecuteReaderAsync(ct);
            await row.ReadAsync(ct);
            return new(tenant, Enum.Parse<SchemaState>(row.GetString(0)), row.GetString(1));
        }
    }
}
