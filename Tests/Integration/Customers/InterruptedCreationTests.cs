using Data.Customers;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Customers;

/// <summary>
/// Whatever happens while a customer is made, and whenever: afterwards it exists completely or not at all, and can be
/// made again.
/// </summary>
public sealed class InterruptedCreationTests(App app)
{
    private const string Name = "interrupted";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public Task Cancelled_at_any_step(int warmPool) => AtEveryStepAsync(warmPool, (_, cancel) => cancel.Cancel());

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public Task Its_backend_ended_at_any_step(int warmPool) =>
        AtEveryStepAsync(warmPool, (database, _) => End(database));

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Failing_once_the_name_is_taken(int warmPool)
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        var application = database.Application(warmPool);
        await CustomersDatabase.Keeper(application).FillAsync(Ct);
        var provisioner = application.GetRequiredService<SchemaProvisioner>();
        await using var connection = await application.GetRequiredService<NpgsqlDataSource>().OpenConnectionAsync(Ct);

        await using (var transaction = await connection.BeginTransactionAsync(Ct))
        {
            await Assert.ThrowsAsync<InvalidOperationException>(() => provisioner.ProvisionAsync(
                transaction, "customer_acme",
                reserved: name => throw new InvalidOperationException($"{name} is reserved"), ct: Ct));
        }

        await IsWholeAsync(database, "acme", exists: false);
        Assert.Equal(warmPool, (await database.SparesAsync()).Length);
        await CustomersDatabase.CreateAsync(application, "acme");
        await IsWholeAsync(database, "acme", exists: true);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task Failing_after_everything_and_before_the_commit(int warmPool)
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        var application = database.Application(warmPool);
        await CustomersDatabase.Keeper(application).FillAsync(Ct);
        await using var scope = application.CreateAsyncScope();
        var registry = scope.ServiceProvider.GetRequiredService<CustomerRegistry>();

        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            registry.CreateAsync("acme", "Acme", async invoicing =>
            {
                Assert.Empty(await invoicing.Invoices.ToListAsync(Ct));
                throw new InvalidOperationException("before the commit");
            }, ct: Ct));

        await IsWholeAsync(database, "acme", exists: false);
        Assert.Equal(warmPool, (await database.SparesAsync()).Length);
        // By the same registry: it has forgotten the first.
        await registry.CreateAsync("acme", "Acme", ct: Ct);
        await IsWholeAsync(database, "acme", exists: true);
    }

    [Fact]
    public async Task Its_backend_ended_in_the_middle_of_the_tables()
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        var application = database.Application(settings: $"Application Name={Name}");
        await CustomersDatabase.CreateAsync(application, "first");
        await using var blocker = await database.Admin.OpenConnectionAsync(Ct);
        await using var blocking = await blocker.BeginTransactionAsync(Ct);
        // The rights come after the tables, and wait for this.
        await using (var block = new NpgsqlCommand(
            "LOCK TABLE pg_catalog.pg_default_acl IN SHARE MODE", blocker, blocking))
        {
            await block.ExecuteNonQueryAsync(Ct);
        }

        var creating = CustomersDatabase.CreateAsync(application, "acme");
        await Eventually.HoldsAsync(async () => await database.ScalarAsync<long>(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = $1 AND wait_event_type = 'Lock'",
            Name) > 0);

        End(database);
        await Assert.ThrowsAnyAsync<NpgsqlException>(() => creating);
        await blocking.RollbackAsync(Ct);

        await IsWholeAsync(database, "acme", exists: false);
        application.GetRequiredService<NpgsqlDataSource>().Clear();
        await CustomersDatabase.CreateAsync(application, "acme");
        await IsWholeAsync(database, "acme", exists: true);
    }

    private async Task AtEveryStepAsync(int warmPool, Action<CustomersDatabase, CancellationTokenSource> interrupt)
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        using var interrupter = new Interrupter();
        var application = database.Application(warmPool, $"Application Name={Name}", interrupter);
        var keeper = CustomersDatabase.Keeper(database.Application(warmPool));
        await CustomersDatabase.CreateAsync(application, "first");

        for (var moment = 1; ; moment++)
        {
            await keeper.FillAsync(Ct);
            var spares = await database.SparesAsync();
            var slug = $"c{moment}";
            using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            interrupter.Arm(moment, () => interrupt(database, cancel));
            var created = true;
            try
            {
                await CustomersDatabase.CreateAsync(application, slug,
                    async invoicing => Assert.Empty(await invoicing.Invoices.ToListAsync(cancel.Token)), cancel.Token);
            }
            catch (Exception e)
                when (e is OperationCanceledException or NpgsqlException
                    or { InnerException: NpgsqlException or { InnerException: NpgsqlException } })
            {
                created = false;
            }

            interrupter.Disarm();
            Assert.True(created || interrupter.Fired);
            // Interrupted when nothing was left but the answer, it may be there.
            var exists = await database.ScalarAsync<long>(
                "SELECT count(*) FROM public.customers WHERE slug = $1", slug) == 1;
            await IsWholeAsync(database, slug, exists);
            Assert.Equal(exists ? 0 : warmPool, (await database.SparesAsync()).Intersect(spares).Count());
            Assert.True(exists || !created);
            if (!exists)
            {
                application.GetRequiredService<NpgsqlDataSource>().Clear();
                await CustomersDatabase.CreateAsync(application, slug);
                await IsWholeAsync(database, slug, exists: true);
            }

            if (!interrupter.Fired)
            {
                // The slug, the name, the row, the schema, the first data: before and after each.
                Assert.True(moment > 10, $"There were only {moment - 1} moments.");
                return;
            }
        }
    }

    private static async Task IsWholeAsync(CustomersDatabase database, string slug, bool exists)
    {
        var schema = CustomerSlug.WantedSchema(slug);
        Assert.Equal(exists ? 1 : 0,
            await database.ScalarAsync<long>("SELECT count(*) FROM public.customers WHERE slug = $1", slug));
        Assert.Equal(exists ? "ready" : "",
            await database.ScalarAsync<string>(
                "SELECT coalesce((SELECT state FROM tenancy.schemas WHERE schema = $1), '')", schema));
        Assert.Equal(exists ? 6 : 0,
            await database.ScalarAsync<long>("SELECT count(*) FROM pg_tables WHERE schemaname = $1", schema));
        Assert.Equal(exists ? 1 : 0,
            await database.ScalarAsync<long>("SELECT count(*) FROM pg_namespace WHERE nspname LIKE $1", schema + "%"));
    }

    /// <summary>Ends the application's server processes, and waits until they have.</summary>
    private static void End(CustomersDatabase database)
    {
        using var end = database.Admin.CreateCommand(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = current_database() AND " +
            "application_name = $1");
        end.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Name });
        end.ExecuteNonQuery();
    }
}
