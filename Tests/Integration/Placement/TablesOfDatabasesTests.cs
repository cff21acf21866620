using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Placement;

/// <summary>Tenants that are made of tables which are in the second database.</summary>
public sealed class TablesOfDatabasesTests(App app) : IAsyncLifetime
{
    private TwoDatabases _two = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _two = await TwoDatabases.StartAsync(app);
        await RunAsync(0, "create", "globex", "--database", "two");
        await TwoDatabases.ExecuteAsync(_two.Second,
            "INSERT INTO customer_globex.contacts (id, name, created_at) VALUES (gen_random_uuid(), 'Gil', now())");
    }

    public ValueTask DisposeAsync() => _two.DisposeAsync();

    [Fact]
    public async Task Tables_of_the_second_database_are_adopted_there()
    {
        await AsBeforeAdoptionAsync();
        Assert.Contains("customer_shop", await RunAsync(
            0, "adopt", "shop", "--from", "legacy", "--database", "two", "--dry-run"), StringComparison.Ordinal);
        Assert.Contains("no schema", await RunAsync(64, "adopt", "shop", "--from", "legacy"),
            StringComparison.OrdinalIgnoreCase);

        await RunAsync(0, "adopt", "shop", "--from", "legacy", "--database", "two");

        Assert.Equal(["customer_shop"], await TwoDatabases.SchemasAsync(_two.Second));
        Assert.Equal("two", await TwoDatabases.ScalarAsync(_two.First, "SELECT database FROM public.customers"));
        Assert.Equal("ready", await TwoDatabases.ScalarAsync(
            _two.Second, "SELECT state FROM tenancy.schemas WHERE schema = 'customer_shop'"));
        Assert.Equal("Gil", await TwoDatabases.ScalarAsync(_two.Second, "SELECT name FROM customer_shop.contacts"));
        await RunAsync(0, "verify");
    }

    [Fact]
    public async Task An_interrupted_adoption_leaves_the_tables_as_they_were_and_is_done_again()
    {
        await AsBeforeAdoptionAsync();
        var adoption = _two.Api.Services.GetRequiredService<TenantAdoption>();
        await using (var blocker = await _two.First.OpenConnectionAsync(Ct))
        await using (var hold = await blocker.BeginTransactionAsync(Ct))
        {
            await using (var take = new NpgsqlCommand("LOCK TABLE public.customers IN SHARE MODE", blocker, hold))
            {
                await take.ExecuteNonQueryAsync(Ct);
            }

            using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Ct);
            var adopting = adoption.AdoptAsync(new("shop", "legacy") { Database = "two" }, interrupt.Token);
            await Eventually.HoldsAsync(async () => await TwoDatabases.ScalarAsync(_two.First,
                "SELECT count(*) FROM pg_locks WHERE NOT granted AND relation = 'public.customers'::regclass") is 1L);
            await interrupt.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => adopting);
        }

        // Nothing marks somebody's tables for removal.
        Assert.Equal(0L, await TwoDatabases.ScalarAsync(
            _two.Second, "SELECT count(*) FROM tenancy.schemas WHERE drop_after IS NOT NULL"));
        Assert.Equal("Gil", await TwoDatabases.ScalarAsync(_two.Second, "SELECT name FROM legacy.contacts"));
        // Interrupted a moment later, between the two commits: the row is there, and no schema.
        await TwoDatabases.ExecuteAsync(_two.First,
            "INSERT INTO public.customers (id, slug, name, schema, status, ring, created_at, database) " +
            "VALUES (gen_random_uuid(), 'shop', 'shop', 'customer_shop', 'active', 1, now(), 'two')");
        await RunAsync(0, "adopt", "shop", "--from", "legacy", "--database", "two");
        Assert.Equal("Gil", await TwoDatabases.ScalarAsync(_two.Second, "SELECT name FROM customer_shop.contacts"));
        Assert.Equal(1L, await TwoDatabases.ScalarAsync(_two.First, "SELECT count(*) FROM public.customers"));
        await RunAsync(0, "verify");

        var again = await RunAsync(64, "adopt", "shop", "--from", "legacy", "--database", "two");
        Assert.Contains("legacy", again, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Rows_of_shared_tables_of_the_second_database_are_copied_there()
    {
        await TwoDatabases.ExecuteAsync(_two.Second,
            """
            CREATE SCHEMA legacy;
            DO $$
            DECLARE t text;
            BEGIN
                FOR t IN SELECT relname FROM pg_class WHERE relnamespace = 'customer_globex'::regnamespace
                    AND relkind = 'r' AND relname <> '__EFMigrationsHistory'
                LOOP
                    EXECUTE format('CREATE TABLE legacy.%I (LIKE customer_globex.%I INCLUDING GENERATED)', t, t);
                    EXECUTE format('ALTER TABLE legacy.%I ADD COLUMN tenant int', t);
                END LOOP;
            END $$;
            INSERT INTO legacy.contacts (id, name, created_at, tenant) VALUES
                (gen_random_uuid(), 'Ada', now(), 1), (gen_random_uuid(), 'Bea', now(), 2);
            """);
        string[] copy =
        [
            "copy", "--from", "legacy", "--column", "tenant", "--database", "two", "--slugs",
            "SELECT * FROM (VALUES (1, 'shop'), (2, 'store')) AS s",
        ];

        var tried = await _two.Api.Services.GetRequiredService<TenantCopy>().CopyAsync(
            new("legacy", "tenant", new Dictionary<string, string> { ["1"] = "shop" })
            {
                Database = "two", DryRun = true,
            }, ct: Ct);
        Assert.Equal("two", Assert.Single(tried.Copied).Tenant.Database);

        await RunAsync(0, copy);

        Assert.Equal(["customer_globex", "customer_shop", "customer_store"],
            await TwoDatabases.SchemasAsync(_two.Second));
        Assert.Equal("Ada", await TwoDatabases.ScalarAsync(_two.Second, "SELECT name FROM customer_shop.contacts"));
        Assert.Equal("Bea", await TwoDatabases.ScalarAsync(_two.Second, "SELECT name FROM customer_store.contacts"));
        Assert.Equal(3L, await TwoDatabases.ScalarAsync(
            _two.First, "SELECT count(*) FROM public.customers WHERE database = 'two'"));
        Assert.Contains("2 were there", await RunAsync(0, copy), StringComparison.Ordinal);
        await RunAsync(0, "verify");
        Assert.Contains("There is no database 'three'",
            await RunAsync(64, [.. copy.Select(word => word == "two" ? "three" : word)]), StringComparison.Ordinal);
    }

    /// <summary>The schema of a customer, as an application that never heard of the library has it.</summary>
    private async Task AsBeforeAdoptionAsync()
    {
        await TwoDatabases.ExecuteAsync(_two.Second,
            "ALTER SCHEMA customer_globex RENAME TO legacy; DELETE FROM tenancy.schemas");
        await TwoDatabases.ExecuteAsync(_two.First, "DELETE FROM public.customers");
    }

    private async Task<string> RunAsync(int expected, params string[] arguments)
    {
        var (code, output) = await _two.JobAsync(arguments);
        Assert.True(code == expected, $"{string.Join(' ', arguments)} ended with {code}: {output}");
        return output;
    }
}
