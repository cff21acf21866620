using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Adoption;

/// <summary>
/// Databases as applications without tenants have them, made by EF's own migrator, become a tenant's; and afterwards
/// they are what a new tenant is.
/// </summary>
public sealed class AdoptTests(App app)
{
    private const string OwnHistory = "ordering", SharedHistory = "public";

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(OwnHistory, false)]
    [InlineData(OwnHistory, true)]
    [InlineData(SharedHistory, false)]
    [InlineData(SharedHistory, true)]
    public async Task A_schema_of_its_own_is_renamed_and_a_shared_history_is_split(string history, bool others)
    {
        var database = await OrderingAsync(history);
        await using var admin = NpgsqlDataSource.Create(database);
        if (others)
        {
            await ExecuteAsync(admin, $"""
                INSERT INTO {history}."__EFMigrationsHistory" VALUES ('20240101000000_Catalog', '9.0.0')
                """);
        }

        using var host = Host(database, tenancy => tenancy.AddContext<OrderingContext>(
            ordering => ordering.ReplaceSchema(OrderingContext.Schema)));
        var tenants = host.Services.GetRequiredService<Tenants>();
        await tenants.MigrateAsync(Ct);
        var before = await TextsAsync(admin, Everything);

        var plan = await AdoptionOf(host).PlanAsync(new("acme", OrderingContext.Schema), Ct);
        Assert.Equal(before, await TextsAsync(admin, Everything));
        var done = await AdoptionOf(host).AdoptAsync(new("acme", OrderingContext.Schema), Ct);

        Assert.Equal(plan.Steps, done.Steps);
        Assert.Empty(done.Differences);
        Assert.Empty(done.Pending);
        await using (var scope = await tenants.ServeAsync("acme", Ct))
        {
            var db = scope.Services.GetRequiredService<OrderingContext>();
            Assert.Equal("Ada", (await db.Orders.SingleAsync(Ct)).Buyer);
            Assert.Equal(1, await db.Database.SqlQuery<long>(
                $"""SELECT "__Tenant__".lines_of(1) AS "Value" """).SingleAsync(Ct));
            db.Orders.Add(new() { Buyer = "Bob" });
            await db.SaveChangesAsync(Ct);
            Assert.Empty(await db.Database.GetPendingMigrationsAsync(Ct));
        }

        await tenants.CreateAsync("globex", Ct);
        var drift = await host.Services.GetRequiredService<FleetVerifier>().VerifyAsync(ct: Ct);
        Assert.Equal((2, 0), (drift.Checked, drift.Drifted.Count));
        // As the plan says: the other context's history is no tenant's, and verify can't know.
        Assert.Equal(others && history == OwnHistory ? ["ordering"] : [], drift.Strays);
        Assert.Equal(others ? ["20240101000000_Catalog"] : [], await HistoryAsync(admin, history));
        Assert.Equal(0, (await tenants.MigrateAsync(Ct)).Migrated);
    }

    [Fact]
    public async Task Out_of_public_goes_what_the_migrations_make_and_the_rest_stays()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using var admin = NpgsqlDataSource.Create(database);
        await using (var tickets = new TicketsContext(
            new DbContextOptionsBuilder<TicketsContext>().UseNpgsql($"{database};Pooling=false").Options, new()))
        {
            await tickets.Database.MigrateAsync(Ct);
        }

        await ExecuteAsync(admin,
            """
            INSERT INTO tickets VALUES (gen_random_uuid(), 'Help', 'Ada');
            CREATE TABLE currencies (code text PRIMARY KEY);
            CREATE EXTENSION citext;
            """);
        using var host = Host(database, tenancy => tenancy.AddContext<TicketsContext>());
        await host.Services.GetRequiredService<Tenants>().MigrateAsync(Ct);

        var done = await AdoptionOf(host).AdoptAsync(new("acme", "public") { Name = "Acme" }, Ct);

        Assert.Equal(["table public.currencies"], done.Stays);
        await using var scope = await host.Services.GetRequiredService<Tenants>().ServeAsync("acme", Ct);
        Assert.Equal("Help",
            (await scope.Services.GetRequiredService<TicketsContext>().Tickets.SingleAsync(Ct)).Title);
        Assert.Equal(["__EFMigrationsHistory", "currencies"], await TextsAsync(admin,
            "SELECT relname FROM pg_class WHERE relnamespace = 'public'::regnamespace AND relkind = 'r' ORDER BY 1"));
    }

    [Fact]
    public async Task Tables_without_a_history_need_a_baseline_and_lag_behind_it()
    {
        var database = await OrderingAsync(OwnHistory);
        await using var admin = NpgsqlDataSource.Create(database);
        await ExecuteAsync(admin,
            """
            DROP TABLE ordering."__EFMigrationsHistory", ordering.order_lines;
            DROP FUNCTION ordering.lines_of;
            """);
        using var host = Host(database, tenancy => tenancy.AddContext<OrderingContext>(
            ordering => ordering.ReplaceSchema(OrderingContext.Schema)));
        var tenants = host.Services.GetRequiredService<Tenants>();
        await tenants.MigrateAsync(Ct);

        var without = await Assert.ThrowsAsync<AdoptionException>(
            () => AdoptionOf(host).AdoptAsync(new("acme", OrderingContext.Schema), Ct));
        var done = await AdoptionOf(host).AdoptAsync(new("acme", OrderingContext.Schema) { Baseline = "Orders" }, Ct);

        Assert.Contains("baseline", without.Message, StringComparison.Ordinal);
        Assert.Equal(["20250301000000_Lines"], done.Pending);
        Assert.Equal(Availability.Upgrading,
            (await Assert.ThrowsAsync<TenantUnavailableException>(() => tenants.ServeAsync("acme", Ct))).Availability);
        Assert.Equal(1, (await tenants.MigrateAsync(Ct)).Migrated);
        Assert.True((await host.Services.GetRequiredService<FleetVerifier>().VerifyAsync(ct: Ct)).IsClean);
    }

    [Fact]
    public async Task What_differs_is_refused_in_words_and_nothing_is_changed()
    {
        var database = await OrderingAsync(OwnHistory);
        await using var admin = NpgsqlDataSource.Create(database);
        await ExecuteAsync(admin,
            "ALTER TABLE ordering.orders ADD note text; DROP INDEX ordering.\"IX_order_lines_OrderId\"");
        using var host = Host(database, tenancy => tenancy.AddContext<OrderingContext>(
            ordering => ordering.ReplaceSchema(OrderingContext.Schema)));
        await host.Services.GetRequiredService<Tenants>().MigrateAsync(Ct);
        var before = await TextsAsync(admin, Everything);

        var refusal = await Assert.ThrowsAsync<AdoptionException>(
            () => AdoptionOf(host).AdoptAsync(new("acme", OrderingContext.Schema), Ct));

        Assert.Contains("column orders.note is in no migration", refusal.Message, StringComparison.Ordinal);
        Assert.Contains("IX_order_lines_OrderId", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(before, await TextsAsync(admin, Everything));
        var done = await AdoptionOf(host).AdoptAsync(
            new("acme", OrderingContext.Schema) { AcceptDifferences = true }, Ct);
        Assert.Equal(2, done.Differences.Count);
    }

    [Theory]
    [InlineData("acme", "nowhere", "There is no schema 'nowhere'.")]
    [InlineData("acme", "pg_catalog", "PostgreSQL's")]
    [InlineData("acme", "tenancy", "the library's")]
    [InlineData("acme", "tenant_globex", "is a tenant's schema already")]
    [InlineData("acme", "public", "the baseline")]
    [InlineData("globex", "ordering", "is taken")]
    [InlineData("Acme", "ordering", "can't be a tenant's slug")]
    public async Task What_cant_be_adopted_is_refused(string slug, string from, string words)
    {
        using var host = Host(await OrderingAsync(OwnHistory), tenancy => tenancy.AddContext<OrderingContext>(
            ordering => ordering.ReplaceSchema(OrderingContext.Schema)));
        var tenants = host.Services.GetRequiredService<Tenants>();
        await tenants.MigrateAsync(Ct);
        await tenants.CreateAsync("globex", Ct);

        var refusal = await Assert.ThrowsAnyAsync<Exception>(() => AdoptionOf(host).AdoptAsync(new(slug, from), Ct));

        Assert.Contains(words, refusal.Message, StringComparison.Ordinal);
        Assert.Equal(["globex"], (await tenants.ListAsync(ct: Ct)).Select(one => one.Entry.Tenant.Slug));
    }

    private const string Everything =
        """
        SELECT n.nspname || '.' || c.relname || ' ' || c.relfilenode FROM pg_class AS c
        JOIN pg_namespace AS n ON n.oid = c.relnamespace WHERE n.nspname !~ '^(pg_|information_schema|tenancy)' ORDER BY 1
        """;

    private static TenantAdoption AdoptionOf(IHost host) => host.Services.GetRequiredService<TenantAdoption>();

    /// <summary>As the application made it before it had tenants, with an order.</summary>
    private async Task<string> OrderingAsync(string history)
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using var ordering = new OrderingContext(new DbContextOptionsBuilder<OrderingContext>().UseNpgsql(
            $"{database};Pooling=false", npgsql => npgsql.MigrationsHistoryTable("__EFMigrationsHistory", history)).Options);
        await ordering.Database.MigrateAsync(Ct);
        ordering.Orders.Add(new() { Buyer = "Ada", Lines = { new() { Product = "Tea" } } });
        await ordering.SaveChangesAsync(Ct);
        return database;
    }

    private static IHost Host(string database, Action<TenancyBuilder> contexts)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateApplicationBuilder(
            new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:shop", database)]);
        builder.Services.AddScoped<ActingUser>();
        builder.AddTenancy("shop", tenancy => contexts(tenancy.UseBuiltInRegistry()));
        return builder.Build();
    }

    private static async Task<IReadOnlyList<string>> HistoryAsync(NpgsqlDataSource database, string schema) =>
        await TextsAsync(database, $"SELECT to_regclass('{schema}.\"__EFMigrationsHistory\"')::text") is [null]
            ? []
            : await TextsAsync(database, $"SELECT \"MigrationId\" FROM {schema}.\"__EFMigrationsHistory\"");

    private static async Task ExecuteAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private static async Task<IReadOnlyList<string>> TextsAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await using var rows = await command.ExecuteReaderAsync(Ct);
        var texts = new List<string>();
        while (await rows.ReadAsync(Ct))
        {
            texts.Add(rows.IsDBNull(0) ? null! : rows.GetString(0));
        }

        return texts;
    }
}
