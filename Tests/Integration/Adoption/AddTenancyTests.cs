using System.Reflection;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Storage;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy;
using Tests.Unit.Docs;
using Xunit;

namespace Tests.Integration.Adoption;

/// <summary>
/// An application with two contexts, an own schema and old migrations becomes multi-tenant by its registration alone.
/// </summary>
public sealed class AddTenancyTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Old_migrations_of_two_contexts_make_each_tenants_schema()
    {
        using var host = await HostAsync();
        var tenants = host.Services.GetRequiredService<Tenants>();

        await tenants.MigrateAsync(Ct);
        var acme = await tenants.CreateAsync("acme-inc", Ct);
        await tenants.CreateAsync("globex", "Globex GmbH", Ct);

        Assert.Equal("tenant_acme_inc", acme.Schema.Value);
        await using (var scope = await tenants.ServeAsync("acme-inc", Ct))
        {
            var db = scope.Services.GetRequiredService<OrderingContext>();
            db.Orders.Add(new() { Buyer = "Ada", Lines = { new() { Product = "Tea" } } });
            await db.SaveChangesAsync(Ct);
            Assert.Equal(1, await db.Database.SqlQuery<long>(
                $"""SELECT "__Tenant__".lines_of({(await db.Orders.SingleAsync(Ct)).Id}) AS "Value" """).SingleAsync(Ct));
        }

        await using (var scope = await tenants.ServeAsync("globex", Ct))
        {
            Assert.Empty(await scope.Services.GetRequiredService<OrderingContext>().Orders.ToListAsync(Ct));
            Assert.Equal("Welcome",
                (await scope.Services.GetRequiredService<TicketsContext>().Tickets.SingleAsync(Ct)).Title);
        }

        var database = host.Services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey);
        // The reference has every column that there is.
        var page = DocPages.Text("docs/tables.md");
        Assert.All(
            await TextsAsync(
                database, "SELECT column_name FROM information_schema.columns WHERE table_schema = 'tenancy'"),
            column => Assert.Contains($"`{column}`", page, StringComparison.Ordinal));
        Assert.Equal(["20250101000000_Orders", "20250201000000_Tickets", "20250301000000_Lines"],
            await TextsAsync(database, """SELECT "MigrationId" FROM tenant_globex."__EFMigrationsHistory" ORDER BY 1"""));
        Assert.Empty(await TextsAsync(database, "SELECT nspname FROM pg_namespace WHERE nspname = 'ordering'"));
        Assert.True((await host.Services.GetRequiredService<FleetVerifier>().VerifyAsync(ct: Ct)).IsClean);
        Assert.Equal([("acme-inc", "acme-inc"), ("globex", "Globex GmbH")],
            (await tenants.ListAsync(ct: Ct)).Select(one => (one.Entry.Tenant.Slug, one.Entry.Name)));
    }

    [Fact]
    public async Task EF_itself_finds_nothing_to_do_in_a_schema_that_was_made_so()
    {
        using var host = await HostAsync();
        var tenants = host.Services.GetRequiredService<Tenants>();
        await tenants.MigrateAsync(Ct);
        await tenants.CreateAsync("acme", Ct);

        await using var scope = await tenants.ServeAsync("acme", Ct);
        foreach (DbContext db in new DbContext[]
        {
            scope.Services.GetRequiredService<OrderingContext>(), scope.Services.GetRequiredService<TicketsContext>(),
        })
        {
            Assert.Empty(await db.Database.GetPendingMigrationsAsync(Ct));
        }

        // What `dotnet ef migrations add` would write down, and under which names.
        var ordering = scope.Services.GetRequiredService<OrderingContext>();
        Assert.False(ordering.Database.HasPendingModelChanges());
        Assert.IsType<OrderingSnapshot>(ordering.GetService<IMigrationsAssembly>().ModelSnapshot);
        Assert.IsType<Lines>(ordering.GetService<IMigrationsAssembly>().CreateMigration(
            typeof(Lines).GetTypeInfo(), ordering.Database.ProviderName!));
    }

    [Fact]
    public async Task A_context_with_services_of_its_own_gets_those_of_its_scope()
    {
        using var host = await HostAsync();
        var tenants = host.Services.GetRequiredService<Tenants>();
        await tenants.MigrateAsync(Ct);
        await tenants.CreateAsync("acme", Ct);

        foreach (var name in new[] { "Ada", "Bob" })
        {
            await using var scope = await tenants.ServeAsync("acme", Ct);
            scope.Services.GetRequiredService<ActingUser>().Name = name;
            var db = scope.Services.GetRequiredService<TicketsContext>();
            db.Tickets.Add(new() { Title = "By " + name });
            await db.SaveChangesAsync(Ct);
            Assert.Same(scope.Services.GetRequiredService<ActingUser>(), db.User);
        }

        await using var made = host.Services.GetRequiredService<TenantContextFactory<TicketsContext>>()
            .Create((await tenants.FindSummaryAsync("acme", Ct))!.Entry.Tenant);
        Assert.Equal([("By Ada", "Ada"), ("By Bob", "Bob"), ("Welcome", "nobody")], (await made.Tickets.ToListAsync(Ct))
            .Select(ticket => (ticket.Title, ticket.WrittenBy)).Order());
    }

    [Fact]
    public async Task Two_contexts_share_a_transaction_and_then_have_their_own_connections_again()
    {
        using var host = await HostAsync();
        var tenants = host.Services.GetRequiredService<Tenants>();
        await tenants.MigrateAsync(Ct);
        await tenants.CreateAsync("acme", Ct);

        foreach (var commits in new[] { false, true, false })
        {
            await using var scope = await tenants.ServeAsync("acme", Ct);
            var orders = scope.Services.GetRequiredService<OrderingContext>();
            var tickets = scope.Services.GetRequiredService<TicketsContext>();
            await using var transaction = await tickets.Database.BeginTransactionAsync(Ct);
            // The pooled one gets the other's connection.
            orders.Database.SetDbConnection(tickets.Database.GetDbConnection());
            await orders.Database.UseTransactionAsync(transaction.GetDbTransaction(), Ct);
            orders.Orders.Add(new() { Buyer = "Ada" });
            tickets.Tickets.Add(new() { Title = "Ada's" });
            await orders.SaveChangesAsync(Ct);
            await tickets.SaveChangesAsync(Ct);
            if (commits)
            {
                await transaction.CommitAsync(Ct);
            }
        }

        await using var after = await tenants.ServeAsync("acme", Ct);
        Assert.Equal("Ada", (await after.Services.GetRequiredService<OrderingContext>().Orders.SingleAsync(Ct)).Buyer);
        Assert.Equal(["Ada's", "Welcome"], await after.Services.GetRequiredService<TicketsContext>().Tickets
            .Select(ticket => ticket.Title).Order().ToListAsync(Ct));
    }

    [Fact]
    public async Task A_seed_that_fails_leaves_no_tenant()
    {
        var fails = true;
        using var host = await HostAsync(tenancy => tenancy.SeedNew<OrderingContext>((_, _) =>
            fails ? throw new InvalidOperationException("no") : Task.CompletedTask));
        var tenants = host.Services.GetRequiredService<Tenants>();
        await tenants.MigrateAsync(Ct);

        await Assert.ThrowsAsync<InvalidOperationException>(() => tenants.CreateAsync("acme", Ct));
        Assert.Empty(await tenants.ListAsync(ct: Ct));
        await Assert.ThrowsAsync<TenantUnavailableException>(() => tenants.ServeAsync("acme", Ct));
        fails = false;

        // The name was given back: nothing of the first attempt stayed.
        Assert.Equal("tenant_acme", (await tenants.CreateAsync("acme", Ct)).Schema.Value);
    }

    [Fact]
    public async Task A_slug_is_one_tenants_however_many_ask_at_once()
    {
        using var host = await HostAsync();
        var tenants = host.Services.GetRequiredService<Tenants>();
        await tenants.MigrateAsync(Ct);

        var outcomes = await Task.WhenAll(Enumerable.Range(0, 8).Select(async _ =>
        {
            try
            {
                return (await tenants.CreateAsync("acme", Ct)).Slug;
            }
            catch (TenantSlugTakenException)
            {
                return "taken";
            }
        }));

        Assert.Equal(1, outcomes.Count(outcome => outcome == "acme"));
        Assert.Equal(7, outcomes.Count(outcome => outcome == "taken"));
        await Assert.ThrowsAsync<FormatException>(() => tenants.CreateAsync("Acme", Ct));
    }

    [Fact]
    public async Task A_suspended_tenant_is_not_served_from_the_next_moment_on()
    {
        using var host = await HostAsync();
        var tenants = host.Services.GetRequiredService<Tenants>();
        await tenants.MigrateAsync(Ct);
        await tenants.CreateAsync("acme", Ct);
        await (await tenants.ServeAsync("acme", Ct)).DisposeAsync();

        Assert.True(await tenants.SetStatusAsync("acme", TenantStatus.Suspended, Ct));

        var refusal = await Assert.ThrowsAsync<TenantUnavailableException>(() => tenants.ServeAsync("acme", Ct));
        Assert.Equal(Availability.Suspended, refusal.Availability);
        Assert.True(await tenants.SetStatusAsync("acme", TenantStatus.Active, Ct));
        await (await tenants.ServeAsync("acme", Ct)).DisposeAsync();
        Assert.False(await tenants.SetStatusAsync("nobody", TenantStatus.Active, Ct));
    }

    /// <summary>The tables that the package makes are those that a shared model's migrations make.</summary>
    [Fact]
    public async Task The_built_in_tables_are_the_ledgers_models()
    {
        using var host = await HostAsync();
        await host.Services.GetRequiredService<Tenants>().MigrateAsync(Ct);
        var peer = await app.Server.ConnectionStringAsync(Ct);
        await using (var model = new LedgerContext(new DbContextOptionsBuilder().UseNpgsql($"{peer};Pooling=false").Options))
        {
            await model.Database.EnsureCreatedAsync(Ct);
        }

        await using var theirs = NpgsqlDataSource.Create(peer);
        var expected = await TextsAsync(theirs, Described);
        Assert.NotEmpty(expected);
        Assert.Equal(expected, await TextsAsync(
            host.Services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey), Described));
    }

    [Fact]
    public async Task What_is_missing_is_said_at_once()
    {
        var nothing = await Assert.ThrowsAsync<InvalidOperationException>(() => HostAsync(_ => { }, bare: true));

        Assert.Contains("AddContext", nothing.Message, StringComparison.Ordinal);
        Assert.Contains("UseBuiltInRegistry", nothing.Message, StringComparison.Ordinal);
        var seeded = await Assert.ThrowsAsync<InvalidOperationException>(() => HostAsync(
            tenancy => tenancy.UseBuiltInRegistry().AddContext<OrderingContext>()
                .SeedNew<TicketsContext>((_, _) => Task.CompletedTask), bare: true));
        Assert.Contains("no context TicketsContext", seeded.Message, StringComparison.Ordinal);
        var twice = await Assert.ThrowsAsync<InvalidOperationException>(() =>
            HostAsync(tenancy => tenancy.UseBuiltInRegistry()));
        Assert.Contains("registry of tenants already", twice.Message, StringComparison.Ordinal);
        var pooled = await Assert.ThrowsAnyAsync<Exception>(async () =>
        {
            using var host = await HostAsync(
                tenancy => tenancy.UseBuiltInRegistry().AddContext<TicketsContext>(tickets => tickets.Pooled()),
                bare: true);
            await host.StartAsync(Ct);
        });
        Assert.Contains("Pooled() can't be right for TicketsContext", pooled.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_contexts_that_make_the_same_table_are_refused()
    {
        using var host = await HostAsync(
            tenancy => tenancy.UseBuiltInRegistry().AddContext<OrderingContext>(ordering =>
                ordering.ReplaceSchema(OrderingContext.Schema)).AddContext<OtherOrdersContext>(other =>
                other.Configure(options => options.ConfigureWarnings(warnings => warnings.Ignore(
                    RelationalEventId.PendingModelChangesWarning)))),
            bare: true);

        var refusal = Assert.Throws<TenantMigrationException>(
            () => host.Services.GetRequiredService<CompiledMigrations>().Compile());

        Assert.Contains("both make the table 'orders'", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Without_ReplaceSchema_the_refusal_says_so()
    {
        using var host = await HostAsync(
            tenancy => tenancy.UseBuiltInRegistry().AddContext<OrderingContext>(), bare: true);

        var refusal = Assert.Throws<TenantMigrationException>(
            () => host.Services.GetRequiredService<CompiledMigrations>().Compile());

        Assert.Contains("ReplaceSchema(\"ordering\")", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_context_whose_tables_no_migration_makes_is_refused()
    {
        using var host = await HostAsync(
            tenancy => tenancy.UseBuiltInRegistry().AddContext<OtherOrdersContext>(), bare: true);

        var refusal = Assert.Throws<TenantMigrationException>(
            () => host.Services.GetRequiredService<CompiledMigrations>().Compile());

        Assert.Contains("dotnet ef migrations add Initial --context OtherOrdersContext", refusal.Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_shared_table_keeps_its_schema_though_that_schema_is_replaced()
    {
        using var host = await HostAsync(
            tenancy => tenancy.UseBuiltInRegistry().AddContext<BillingContext>(billing => billing.ReplaceSchema("public")),
            bare: true);

        await using var context = host.Services.GetRequiredService<TenantContextFactory<BillingContext>>()
            .Create(new(Guid.NewGuid(), "acme", SchemaName.Parse("tenant_acme")));

        Assert.Contains("FROM \"tenant_acme\".tickets", context.Set<Ticket>().ToQueryString(), StringComparison.Ordinal);
        Assert.Contains("FROM public.orders", context.Set<Order>().ToQueryString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Before_the_job_has_run_a_tenant_cant_be_created_and_the_message_says_so()
    {
        using var host = await HostAsync();
        var tenants = host.Services.GetRequiredService<Tenants>();

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => tenants.CreateAsync("acme", Ct));

        Assert.Contains("run the migration job", refusal.Message, StringComparison.Ordinal);
        await tenants.MigrateAsync(Ct);
        await tenants.CreateAsync("acme", Ct);
    }

    [Fact]
    public async Task All_problems_of_a_build_are_told_at_once()
    {
        using var host = await HostAsync(
            tenancy => tenancy.UseBuiltInRegistry().AddContext<OrderingContext>().AddContext<OtherOrdersContext>()
                .AddContext<WrongContext>(), bare: true);

        var problems = host.Services.GetRequiredService<CompiledMigrations>().Problems();

        // In Development the start says the same.
        host.Services.GetRequiredService<IHostEnvironment>().EnvironmentName = Environments.Development;
        var refused = await Assert.ThrowsAsync<TenantMigrationException>(() => host.StartAsync(Ct));
        Assert.Equal(string.Join(Environment.NewLine, problems), refused.Message);
        Assert.Collection(problems.Order(StringComparer.Ordinal),
            ordering => Assert.Contains("ReplaceSchema(\"ordering\")", ordering, StringComparison.Ordinal),
            other => Assert.Contains("OtherOrdersContext has tables and no migrations", other, StringComparison.Ordinal),
            wrong =>
            {
                // A model's, each on a line.
                Assert.Equal(2, wrong.Split('\n').Length);
                Assert.Contains("the sequence 'public.numbers'", wrong, StringComparison.Ordinal);
                Assert.Contains("nextval", wrong, StringComparison.Ordinal);
            });
        using var right = await HostAsync();
        Assert.Empty(right.Services.GetRequiredService<CompiledMigrations>().Problems());
    }

    private const string Described =
        """
        SELECT line FROM (
            SELECT format('%s.%s %s %s %s %s', c.relname, a.attname, format_type(a.atttypid, a.atttypmod), a.attnotnull,
                a.attcollation::regcollation, pg_get_expr(d.adbin, d.adrelid)) AS line
            FROM pg_class AS c JOIN pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0
            LEFT JOIN pg_attrdef AS d ON d.adrelid = c.oid AND d.adnum = a.attnum
            WHERE c.relnamespace = 'tenancy'::regnamespace AND c.relkind = 'r'
            UNION ALL
            SELECT indexdef FROM pg_indexes WHERE schemaname = 'tenancy'
            UNION ALL
            SELECT conrelid::regclass || pg_get_constraintdef(oid) FROM pg_constraint
            WHERE connamespace = 'tenancy'::regnamespace AND contype <> 'n'
        ) AS lines WHERE line NOT LIKE '%tenants%' ORDER BY line COLLATE "C"
        """;

    private async Task<IHost> HostAsync(Action<TenancyBuilder>? more = null, bool bare = false)
    {
        var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings { DisableDefaults = true });
        builder.Configuration.AddInMemoryCollection(
            [new("ConnectionStrings:shop", await app.Server.ConnectionStringAsync(Ct))]);
        builder.Logging.SetMinimumLevel(LogLevel.Warning);
        builder.Services.AddScoped<ActingUser>();
        builder.AddTenancy("shop", tenancy =>
        {
            if (!bare)
            {
                tenancy.UseBuiltInRegistry()
                    .AddContext<OrderingContext>(ordering => ordering.ReplaceSchema(OrderingContext.Schema))
                    .AddContext<TicketsContext>(tickets => tickets.Configure((services, options) =>
                        options.AddInterceptors(new Writer(services.GetRequiredService<ActingUser>()))))
                    .SeedNew<TicketsContext>(async (db, ct) =>
                        await db.Tickets.AddAsync(new() { Title = "Welcome" }, ct));
            }

            more?.Invoke(tenancy);
        });
        return builder.Build();
    }

    private static async Task<IReadOnlyList<string>> TextsAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        await using var rows = await command.ExecuteReaderAsync(Ct);
        var texts = new List<string>();
        while (await rows.ReadAsync(Ct))
        {
            texts.Add(rows.GetString(0));
        }

        return texts;
    }

    /// <summary>Of one scope, as it knows who acts.</summary>
    private sealed class Writer(ActingUser user) : SaveChangesInterceptor
    {
        public override ValueTask<InterceptionResult<int>> SavingChangesAsync(
            DbContextEventData eventData,
            InterceptionResult<int> result,
            CancellationToken cancellationToken = default)
        {
            foreach (var entry in eventData.Context!.ChangeTracker.Entries<Ticket>())
            {
                entry.Entity.WrittenBy = user.Name;
            }

            return ValueTask.FromResult(result);
        }
    }

    private sealed class LedgerContext(DbContextOptions options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.AddTenancyLedger();
    }

    private sealed class BillingContext(DbContextOptions<BillingContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.HasDefaultSchema("public").Entity<Ticket>().ToTable("tickets");
            modelBuilder.Ignore<OrderLine>().Entity<Order>(order =>
            {
                order.Ignore(o => o.Lines);
                order.ToTable("orders", "public", table => table.ExcludeFromMigrations());
            });
        }
    }

    private sealed class WrongContext(DbContextOptions<WrongContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder)
        {
            modelBuilder.HasSequence("numbers", "public");
            modelBuilder.Entity<Ticket>().Property(ticket => ticket.Title).HasDefaultValueSql("nextval('numbers')");
        }
    }

    private sealed class OtherOrdersContext(DbContextOptions<OtherOrdersContext> options) : DbContext(options)
    {
        protected override void OnModelCreating(ModelBuilder modelBuilder) =>
            modelBuilder.Entity<Ticket>().ToTable("orders");
    }
}
