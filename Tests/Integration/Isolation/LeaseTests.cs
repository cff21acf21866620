using System.Collections.Concurrent;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Isolation;

public sealed class LeaseTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_context_that_went_back_to_the_pool_has_forgotten_its_tenant()
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        await using var services = OneContext();
        var pool = services.GetRequiredService<IDbContextFactory<InvoicingContext>>();
        InvoicingContext leased;
        await using (leased = services.GetRequiredService<TenantContextFactory<InvoicingContext>>().Create(acme))
        {
            Assert.Empty(await leased.Contacts.ToListAsync(Ct));
        }

        await using var again = pool.CreateDbContext();

        Assert.Same(leased, again);
        await Assert.ThrowsAsync<NoTenantException>(() => again.Contacts.ToListAsync(Ct));
    }

    [Fact]
    public async Task A_scope_without_a_tenant_gets_no_context()
    {
        await using var scope = app.Services.CreateAsyncScope();

        Assert.Throws<NoTenantException>(scope.ServiceProvider.GetRequiredService<InvoicingContext>);
    }

    [Fact]
    public async Task A_leased_context_cannot_turn_to_another_tenant()
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        var globex = (await app.NewCustomerAsync()).Tenant;
        await using var db = app.Invoicing.Create(acme);

        Assert.Contains(globex.Slug, Assert.Throws<InvalidOperationException>(() => db.For(globex)).Message, StringComparison.Ordinal);
        Assert.Same(db, db.For(acme));
    }

    [Fact]
    public async Task A_statement_that_escapes_the_stamp_fails_instead_of_reading_rows()
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        await using var db = app.Invoicing.Create(acme);
        await db.Database.OpenConnectionAsync(Ct);

        await using var command = db.Database.GetDbConnection().CreateCommand();
        command.CommandText = "SELECT * FROM \"__Tenant__\".contacts";
        Assert.Equal(PostgresErrorCodes.UndefinedTable, (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteScalarAsync(Ct))).SqlState);
        command.CommandText = "SELECT * FROM contacts";
        Assert.Equal(PostgresErrorCodes.UndefinedTable, (await Assert.ThrowsAsync<PostgresException>(() => command.ExecuteScalarAsync(Ct))).SqlState);
    }

    [Fact]
    public async Task Data_that_looks_like_the_placeholder_is_kept_as_it_is()
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        const string Looks = "\"__Tenant__\".contacts '\"__Tenant__\"'";
        await using (var db = app.Invoicing.Create(acme))
        {
            db.Contacts.Add(new Contact { Name = Looks });
            await db.SaveChangesAsync(Ct);
        }

        await using var again = app.Invoicing.Create(acme);
        // A constant, which EF writes into the statement itself.
        Assert.Single(await again.Contacts.Where(c => c.Name == "\"__Tenant__\".contacts '\"__Tenant__\"'").ToListAsync(Ct));
        Assert.Equal(1, await again.Database.ExecuteSqlRawAsync(
            "UPDATE \"__Tenant__\".contacts SET email = '\"__Tenant__\"' /* \"__Tenant__\" */", Ct));
        Assert.Equal(new { Name = Looks, Email = (string?)"\"__Tenant__\"" }, await again.Contacts.Select(c => new { c.Name, c.Email }).SingleAsync(Ct));
    }

    [Fact]
    public async Task Many_customers_over_few_connections_read_only_their_own_rows_whatever_fails_in_between()
    {
        const int Customers = 12;
        var requests = TestDepth.Of(normal: 1_500, full: 15_000);
        var tenants = new List<Tenant>();
        for (var i = 0; i < Customers; i++)
        {
            tenants.Add((await app.NewCustomerAsync()).Tenant);
        }

        await using var services = OneContext(pool: 3);
        var leases = services.GetRequiredService<TenantContextFactory<InvoicingContext>>();
        foreach (var tenant in tenants)
        {
            await using var db = leases.Create(tenant);
            db.Contacts.Add(new Contact { Name = tenant.Slug });
            await db.SaveChangesAsync(Ct);
        }

        var strangers = new ConcurrentBag<string>();
        var outcomes = new ConcurrentDictionary<string, int>();
        await Parallel.ForEachAsync(Enumerable.Range(0, requests), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Ct }, async (request, ct) =>
        {
            var tenant = tenants[request * 7 % Customers];
            using var mayCancel = CancellationTokenSource.CreateLinkedTokenSource(ct);
            try
            {
                await using var db = leases.Create(tenant);
                switch (request % 5)
                {
                    case 0:
                        mayCancel.CancelAfter(TimeSpan.FromMilliseconds(1));
                        await db.Database.ExecuteSqlAsync($"SELECT pg_sleep(0.005), count(*) FROM \"__Tenant__\".contacts", mayCancel.Token);
                        break;
                    case 1:
                        // Two contacts of one key: refused by the constraint.
                        var id = Guid.NewGuid();
                        await db.Database.ExecuteSqlAsync($"INSERT INTO \"__Tenant__\".contacts (id, name, created_at) VALUES ({id}, {tenant.Slug}, now()), ({id}, '', now())", ct);
                        break;
                    case 2:
                        await using (await db.Database.BeginTransactionAsync(ct))
                        {
                            db.Contacts.Add(new Contact { Name = "rolled back" });
                            await db.SaveChangesAsync(ct);
                        }

                        break;
                }

                foreach (var name in await db.Contacts.AsNoTracking().Select(c => c.Name).ToListAsync(ct))
                {
                    if (name != tenant.Slug)
                    {
                        strangers.Add($"{tenant.Slug} read {name}");
                    }
                }

                outcomes.AddOrUpdate("read", 1, (_, count) => count + 1);
            }
            catch (OperationCanceledException) when (!ct.IsCancellationRequested)
            {
                outcomes.AddOrUpdate("cancelled", 1, (_, count) => count + 1);
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
            {
                outcomes.AddOrUpdate("refused", 1, (_, count) => count + 1);
            }
        });

        Assert.Empty(strangers);
        Assert.Equal(["cancelled", "read", "refused"], outcomes.Keys.Order());
        Assert.Equal(requests, outcomes.Values.Sum());
    }

    /// <summary>A provider of its own over the same database, so that a pool of contexts and of connections is not shared with other tests.</summary>
    private ServiceProvider OneContext(int pool = 1) => new ServiceCollection()
        .AddTenancy<InvoicingContext>(options =>
        {
            options.ConnectionString = app.ConnectionString;
            options.TenantConnectionString = $"{app.ServingConnectionString};Maximum Pool Size={pool};Application Name=lease-{Guid.NewGuid():n}";
        })
        .BuildServiceProvider();
}
