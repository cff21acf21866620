using System.Collections.Concurrent;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Tenancy;
using Tests.Integration.Customers;
using Xunit;

namespace Tests.Integration.Isolation;

/// <summary>Work outside of requests: a scope for one tenant, and every tenant in turn.</summary>
public sealed class TenantsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_scope_for_a_tenant_serves_it_and_no_other()
    {
        await using var fleet = await SmallFleet.StartAsync(app, "acme", "globex");
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
        await using var fleet = await SmallFleet.StartAsync(app, "failed", "suspended", "behind");
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
            app, [.. slugs, "failed", "suspended", "behind"]);
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
        await using var fleet = await SmallFleet.StartAsync(app, slugs);
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

    /// <summary>The sample's application in a database of its own, with these customers.</summary>
    private sealed class SmallFleet(CustomersDatabase database, IServiceProvider application) : IAsyncDisposable
    {
        public Tenants Tenants => application.GetRequiredService<Tenants>();

        public static async Task<SmallFleet> StartAsync(App app, params string[] slugs)
        {
            var database = await CustomersDatabase.CreateAsync(app);
            var application = database.Application();
            foreach (var slug in slugs)
            {
                await CustomersDatabase.CreateAsync(application, slug);
            }

            return new(database, application);
        }

        /// <summary>Makes those of these names what they are called.</summary>
        public async Task SpoilAsync()
        {
            await using var spoil = database.Admin.CreateCommand(
                """
                UPDATE tenancy.schemas SET state = 'failed' WHERE schema = 'customer_failed';
                UPDATE tenancy.schemas SET state = 'suspended' WHERE schema = 'customer_suspended';
                UPDATE tenancy.schemas SET version = '' WHERE schema = 'customer_behind';
                """);
            await spoil.ExecuteNonQueryAsync(Ct);
        }

        public ValueTask DisposeAsync() => database.DisposeAsync();
    }
}
