using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Tenancy;
using Tests.Integration.Server;

namespace Tests.Integration.Backends;

/// <summary>
/// An application with many tenants of one table in a database of its own. The schemas are made without the library:
/// what is tested is how they are served.
/// </summary>
internal sealed class Shop : IAsyncDisposable
{
    private const string Application = "shop";
    private readonly IHost _host;

    private Shop(IHost host, IReadOnlyList<Tenant> tenants) => (_host, Tenants) = (host, tenants);

    public IReadOnlyList<Tenant> Tenants { get; }

    public TenancyOptions Options => _host.Services.GetRequiredService<TenancyOptions>();

    /// <summary>Npgsql's pool, the one that serves tenants.</summary>
    public NpgsqlDataSource Pool => _host.Services.GetRequiredService<GuardedDataSource>().Tenants;

    public static async Task<Shop> OpenAsync(
        TestServer server, int tenants, int connections, Action<TenancyOptions> configure, CancellationToken ct)
    {
        var database = new NpgsqlConnectionStringBuilder(await server.ConnectionStringAsync(ct))
        {
            ApplicationName = Application,
            MaxPoolSize = connections,
            Timeout = 30,
        }.ConnectionString;
        await using (var source = NpgsqlDataSource.Create(
            new NpgsqlConnectionStringBuilder(database) { Pooling = false }.ConnectionString))
        {
            // The commits keep the locks few.
            await using var make = source.CreateCommand($"""
                DO $do$ BEGIN
                  FOR at IN 0..{tenants - 1} LOOP
                    EXECUTE format('CREATE SCHEMA shop_%1$s; CREATE TABLE shop_%1$s.goods (id int PRIMARY KEY, name text);
                      CREATE INDEX ON shop_%1$s.goods (name); CREATE INDEX ON shop_%1$s.goods (name, id);
                      INSERT INTO shop_%1$s.goods VALUES (1, ''shop_%1$s'')', at);
                    COMMIT;
                  END LOOP;
                END $do$
                """);
            make.CommandTimeout = 0;
            await make.ExecuteNonQueryAsync(ct);
        }

        var application = Host.CreateEmptyApplicationBuilder(settings: null);
        application.Configuration.AddInMemoryCollection([new("ConnectionStrings:shop", database)]);
        application.AddTenancy("shop", tenancy => tenancy.UseBuiltInRegistry().AddContext<GoodsContext>());
        var shop = new Shop(application.Build(), [.. Enumerable.Range(0, tenants).Select(at =>
            new Tenant(Guid.CreateVersion7(), $"shop-{at}", SchemaName.Parse($"shop_{at}")))]);
        // Afterwards, because an application's options may not be as small as a test's.
        configure(shop.Options);
        return shop;
    }

    /// <summary>One request of a tenant's.</summary>
    public async Task<T> ServeAsync<T>(Tenant tenant, Func<GoodsContext, Task<T>> work)
    {
        await using var scope = _host.Services.CreateAsyncScope();
        scope.ServiceProvider.GetRequiredService<CurrentTenant>().Choose(tenant);
        return await work(scope.ServiceProvider.GetRequiredService<GoodsContext>());
    }

    /// <summary>The name of the tenant's one thing, which is the tenant's schema.</summary>
    public Task<string> ReadAsync(Tenant tenant, CancellationToken ct) => ServeAsync(tenant,
        async db => (await db.Goods.AsNoTracking().SingleAsync(thing => thing.Id == 1, ct)).Name);

    /// <summary>The server processes behind the pool.</summary>
    public async Task<IReadOnlyList<int>> ProcessesAsync(CancellationToken ct)
    {
        await using var own = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(Options.ConnectionString)
        {
            Pooling = false,
            ApplicationName = "the test",
        }.ConnectionString);
        await using var ask = own.CreateCommand(
            "SELECT pid FROM pg_stat_activity WHERE application_name = $1 AND datname = current_database()");
        ask.Parameters.Add(new() { Value = Application });
        await using var rows = await ask.ExecuteReaderAsync(ct);
        var processes = new List<int>();
        while (await rows.ReadAsync(ct))
        {
            processes.Add(rows.GetInt32(0));
        }

        return processes;
    }

    public async ValueTask DisposeAsync()
    {
        Pool.Clear();
        await ((IAsyncDisposable)_host).DisposeAsync();
    }
}

internal sealed class GoodsContext(DbContextOptions<GoodsContext> options) : DbContext(options)
{
    public DbSet<Thing> Goods => Set<Thing>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
        modelBuilder.Entity<Thing>(thing =>
        {
            thing.ToTable("goods");
            thing.Property(one => one.Id).HasColumnName("id").ValueGeneratedNever();
            thing.Property(one => one.Name).HasColumnName("name");
            thing.HasIndex(one => one.Name);
            thing.HasIndex(one => new { one.Name, one.Id });
        });
    }
}

internal sealed class Thing
{
    public int Id { get; set; }

    public string Name { get; set; } = "";
}
