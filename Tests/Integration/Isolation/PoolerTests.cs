using Data;
using Data.Customers;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using NpgsqlTypes;
using Tenancy;
using Tests.Integration.Fleet;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Isolation;

/// <summary>
/// What works through PgBouncer in transaction mode, where the next transaction may get any backend: everything,
/// because nothing is kept in a session. Each test has more connections to the pooler than the pooler has to the
/// server.
/// </summary>
public sealed class PoolerTests(App app) : IAsyncLifetime
{
    private PgBouncer? _pooler;
    private ServiceProvider? _services;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private NpgsqlDataSource Database => _services!.GetRequiredService<NpgsqlDataSource>();

    private TenantContextFactory<InvoicingContext> Leases =>
        _services!.GetRequiredService<TenantContextFactory<InvoicingContext>>();

    public async ValueTask InitializeAsync()
    {
        _pooler = await PgBouncer.StartAsync(app.ConnectionString, Ct);
        _services = new ServiceCollection().AddLogging()
            .AddData(App.Configuration(_pooler.ConnectionString + ";Maximum Pool Size=12")).BuildServiceProvider();
    }

    public async ValueTask DisposeAsync()
    {
        if (_services is not null)
        {
            await _services.DisposeAsync();
        }

        if (_pooler is not null)
        {
            await _pooler.DisposeAsync();
        }
    }

    [Fact]
    public async Task A_new_customer_is_complete()
    {
        var tenant = await NewCustomerAsync();

        await using var db = Leases.Create(tenant);
        Assert.Empty(await db.Invoices.ToListAsync(Ct));
        Assert.NotEmpty(
            await db.Database.SqlQuery<string>(
                $"SELECT \"MigrationId\" AS \"Value\" FROM \"__Tenant__\".\"__EFMigrationsHistory\"").ToListAsync(Ct));
    }

    [Fact]
    public async Task Clients_share_few_backends_and_a_transaction_keeps_its_own_up_to_its_end()
    {
        var tenants = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => NewCustomerAsync()));
        var backends = await Task.WhenAll(tenants.Select(async tenant =>
        {
            await using var db = Leases.Create(tenant);
            await using var transaction = await db.Database.BeginTransactionAsync(Ct);
            var first = await BackendAsync(db);
            db.Contacts.Add(new Contact { Name = "kept" });
            await db.SaveChangesAsync(Ct);
            await transaction.CreateSavepointAsync("before", Ct);
            db.Contacts.Add(new Contact { Name = "undone" });
            await db.SaveChangesAsync(Ct);
            await transaction.RollbackToSavepointAsync("before", Ct);
            Assert.Equal(first, await BackendAsync(db));
            await transaction.CommitAsync(Ct);
            return first;
        }));

        Assert.InRange(backends.Distinct().Count(), 1, PgBouncer.ServerConnections);
        foreach (var tenant in tenants)
        {
            await using var db = Leases.Create(tenant);
            Assert.Equal("kept", (await db.Contacts.SingleAsync(Ct)).Name);
        }

        static Task<int> BackendAsync(InvoicingContext db) =>
            db.Database.SqlQuery<int>($"SELECT pg_backend_pid() AS \"Value\"").SingleAsync(Ct);
    }

    [Fact]
    public async Task Batches_and_binary_copy_write_where_they_are_told()
    {
        var (acme, globex) = (await NewCustomerAsync(), await NewCustomerAsync());
        await using (var connection = await Database.OpenConnectionAsync(Ct))
        {
            await using var batch = new NpgsqlBatch(connection);
            foreach (var tenant in new[] { acme, globex })
            {
                batch.BatchCommands.Add(
                    new($"INSERT INTO {tenant.Schema.Qualify("contacts")} (id, name, created_at) VALUES " +
                        "(gen_random_uuid(), $1, now())")
                    {
                        Parameters = { new NpgsqlParameter<string> { TypedValue = tenant.Slug } },
                    });
            }

            await batch.ExecuteNonQueryAsync(Ct);
            await using var copy = await connection.BeginBinaryImportAsync(
                $"COPY {acme.Schema.Qualify("contacts")} (id, name, created_at) FROM STDIN (FORMAT BINARY)", Ct);
            for (var i = 0; i < 500; i++)
            {
                await copy.StartRowAsync(Ct);
                await copy.WriteAsync(Guid.NewGuid(), NpgsqlDbType.Uuid, Ct);
                await copy.WriteAsync(acme.Slug, NpgsqlDbType.Text, Ct);
                await copy.WriteAsync(DateTime.UtcNow, NpgsqlDbType.TimestampTz, Ct);
            }

            Assert.Equal(500ul, await copy.CompleteAsync(Ct));
        }

        Assert.Equal([(acme.Slug, 501), (globex.Slug, 1)], [await ContactsAsync(acme), await ContactsAsync(globex)]);

        async Task<(string, int)> ContactsAsync(Tenant tenant)
        {
            await using var db = Leases.Create(tenant);
            var names = await db.Contacts.Select(c => c.Name).ToListAsync(Ct);
            return (Assert.Single(names.Distinct()), names.Count);
        }
    }

    [Fact]
    public async Task A_cancelled_statement_ends_and_the_next_one_runs()
    {
        await using var db = Leases.Create(await NewCustomerAsync());
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(Ct);

        var sleep = db.Database.ExecuteSqlAsync(
            $"SELECT pg_sleep(600), count(*) FROM \"__Tenant__\".contacts", patience.Token);
        await patience.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => sleep);
        Assert.Empty(await db.Contacts.ToListAsync(Ct));
    }

    [Fact]
    public async Task A_local_setting_ends_with_its_transaction()
    {
        await using var db = Leases.Create(await NewCustomerAsync());
        var before = await TimeoutsAsync();

        await using (var transaction = await db.Database.BeginTransactionAsync(Ct))
        {
            await db.Database.ExecuteSqlAsync($"SET LOCAL statement_timeout = '77s'", Ct);
            Assert.Equal(["77s"],
                await db.Database.SqlQuery<string>($"SELECT current_setting('statement_timeout') AS \"Value\"")
                    .ToListAsync(Ct));
            await transaction.CommitAsync(Ct);
        }

        Assert.Equal(before, await TimeoutsAsync());

        // Of all backends: transactions that are open at once have one each.
        async Task<HashSet<string?>> TimeoutsAsync()
        {
            var settings = new HashSet<string?>();
            var open = new Stack<NpgsqlConnection>();
            while (open.Count < PgBouncer.ServerConnections)
            {
                var connection = await Database.OpenConnectionAsync(Ct);
                open.Push(connection);
                await connection.BeginTransactionAsync(Ct);
                await using var show = new NpgsqlCommand("SHOW statement_timeout", connection);
                settings.Add((string?)await show.ExecuteScalarAsync(Ct));
            }

            while (open.TryPop(out var connection))
            {
                await connection.DisposeAsync();
            }

            return settings;
        }
    }

    [Fact]
    public async Task A_fleet_is_migrated()
    {
        // The pooler takes any of the server's databases.
        var database = new NpgsqlConnectionStringBuilder(await app.Server.ConnectionStringAsync(Ct)).Database;
        await using var fleet = await TestFleet.StartAsync(
            new NpgsqlConnectionStringBuilder(_pooler!.ConnectionString) { Database = database }.ConnectionString);
        var schemas = await fleet.ProvisionAsync(TestFleet.Build("m1_a"), 8);

        var report = await fleet.Migrator(TestFleet.Build("m1_a", "m2_b")).RunAsync(new() { Workers = 4 }, Ct);

        Assert.Equal((8, 0), (report.Migrated, report.Failed.Count));
        foreach (var schema in schemas)
        {
            Assert.Equal("m1_a,m2_b", await fleet.TablesAsync(schema));
        }
    }

    private async Task<Tenant> NewCustomerAsync()
    {
        await using var scope = _services!.CreateAsyncScope();
        return (await scope.ServiceProvider.GetRequiredService<CustomerRegistry>()
            .CreateAsync(App.NewSlug(), "A test's customer", ct: Ct)).AsTenant();
    }
}
