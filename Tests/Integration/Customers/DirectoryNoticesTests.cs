using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy;
using Tests.Integration.Adoption;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Customers;

/// <summary>
/// Two processes over one database. Answers of the directory are kept for an hour here, so what is noticed was heard.
/// </summary>
public sealed class DirectoryNoticesTests(App app) : IAsyncLifetime
{
    private static readonly TimeSpan Hour = TimeSpan.FromHours(1);

    private string _database = "";
    private IHost _one = null!;
    private IHost _other = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private Tenants Tenants => _one.Services.GetRequiredService<Tenants>();

    private TenantDirectory Directory => _other.Services.GetRequiredService<TenantDirectory>();

    public async ValueTask InitializeAsync()
    {
        _database = await app.Server.ConnectionStringAsync(Ct);
        (_one, _other) = (Host(), Host());
        await Tenants.MigrateAsync(Ct);
        await Tenants.CreateAsync("acme", Ct);
        await Tenants.CreateAsync("globex", Ct);
        await _one.StartAsync(Ct);
        await _other.StartAsync(Ct);
        await Eventually.HoldsAsync(() => Directory.IsListening);
        Assert.Equal(Availability.Served, await FindAsync("acme"));
        Assert.Equal(Availability.Served, await FindAsync("globex"));
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var host in new[] { _one, _other })
        {
            await host.StopAsync(CancellationToken.None);
            host.Dispose();
        }
    }

    [Fact]
    public async Task A_suspension_is_noticed_by_every_process()
    {
        await Tenants.SetStatusAsync("acme", TenantStatus.Suspended, Ct);
        await BecomesAsync("acme", Availability.Suspended);

        await Tenants.SetStatusAsync("acme", TenantStatus.Active, Ct);
        await BecomesAsync("acme", Availability.Served);
        Assert.Equal(Availability.Served, await FindAsync("globex"));
    }

    [Theory]
    [InlineData("UPDATE tenancy.tenants SET status = 'suspended' WHERE slug = 'acme'", Availability.Suspended)]
    [InlineData("UPDATE tenancy.tenants SET status = 'archived'", Availability.Closed)]
    [InlineData("UPDATE tenancy.tenants SET slug = 'acme-gone' WHERE slug = 'acme'", null)]
    [InlineData("DELETE FROM tenancy.tenants WHERE slug = 'acme'", null)]
    [InlineData("UPDATE tenancy.schemas SET state = 'failed' WHERE schema = 'tenant_acme'", Availability.Failed)]
    [InlineData("UPDATE tenancy.schemas SET version = ''", Availability.Upgrading)]
    public async Task A_change_by_hand_is_noticed(string sql, Availability? becomes)
    {
        await ExecuteAsync(sql);

        await BecomesAsync("acme", becomes);
    }

    [Fact]
    public async Task A_change_of_more_than_a_notice_holds_is_noticed()
    {
        await ExecuteAsync(
            """
            INSERT INTO tenancy.tenants SELECT gen_random_uuid(), 'shop-' || n, 'tenant_shop_' || n, 'Shop', 'active', now()
            FROM generate_series(1, 500) AS n;
            UPDATE tenancy.tenants SET status = 'suspended'
            """);

        await BecomesAsync("acme", Availability.Suspended);
    }

    [Fact]
    public async Task A_slug_that_is_given_to_another_tenant_is_that_tenants()
    {
        var globex = (await Directory.FindAsync("globex", Ct))!.Tenant;

        await ExecuteAsync(
            """
            DELETE FROM tenancy.tenants WHERE slug = 'acme';
            UPDATE tenancy.tenants SET slug = 'acme' WHERE slug = 'globex'
            """);

        await Eventually.HoldsAsync(async () => (await Directory.FindAsync("acme", Ct))?.Tenant.Id == globex.Id);
        Assert.Null(await Directory.FindAsync("globex", Ct));
    }

    [Fact]
    public async Task What_was_missed_while_the_connection_was_lost_is_asked_for_again()
    {
        // A change without a notice stands for one whose notice was lost.
        await ExecuteAsync(
            """
            ALTER TABLE tenancy.tenants DISABLE TRIGGER ALL;
            UPDATE tenancy.tenants SET status = 'suspended' WHERE slug = 'acme';
            ALTER TABLE tenancy.tenants ENABLE TRIGGER ALL;
            """);
        Assert.Equal(Availability.Served, await FindAsync("acme"));

        await ExecuteAsync(
            """
            SELECT pg_terminate_backend(pid) FROM pg_stat_activity
            WHERE datname = current_database() AND application_name = 'tenancy directory'
            """);

        await BecomesAsync("acme", Availability.Suspended);
        await Eventually.HoldsAsync(() => Directory.IsListening);
        await Tenants.SetStatusAsync("acme", TenantStatus.Active, Ct);
        await BecomesAsync("acme", Availability.Served);
    }

    /// <summary>
    /// The first question about a tenant doesn't know its schema yet, which is what the notice names.
    /// </summary>
    [Fact]
    public async Task A_notice_that_comes_while_a_tenant_is_asked_for_wins()
    {
        var (asked, go) = (new TaskCompletionSource(), new TaskCompletionSource());
        using var slow = Host(options =>
        {
            var find = options.FindTenant!;
            options.FindTenant = async (services, slug, ct) =>
            {
                var listing = await find(services, slug, ct);
                if (slug == "acme" && asked.TrySetResult())
                {
                    await go.Task;
                }

                return listing;
            };
        });
        await slow.StartAsync(Ct);
        var directory = slow.Services.GetRequiredService<TenantDirectory>();
        await Eventually.HoldsAsync(() => directory.IsListening);
        Assert.Equal(SchemaState.Ready, (await directory.FindAsync("globex", Ct))!.State);
        var asking = directory.FindAsync("acme", Ct).AsTask();
        await asked.Task;

        await ExecuteAsync("UPDATE tenancy.schemas SET state = 'failed'");
        // One notice for both.
        await Eventually.HoldsAsync(async () => (await directory.FindAsync("globex", Ct))!.State == SchemaState.Failed);
        go.SetResult();

        Assert.Equal(SchemaState.Failed, (await asking)!.State);
        Assert.Equal(SchemaState.Failed, (await directory.FindAsync("acme", Ct))!.State);
        await slow.StopAsync(Ct);
    }

    [Fact]
    public async Task Behind_a_pooler_in_transaction_mode_nothing_is_believed()
    {
        await using var pooler = await PgBouncer.StartAsync(_database, Ct);
        using var deaf = Host(options =>
        {
            options.ListenConnectionString = pooler.ConnectionString;
            options.DirectoryCacheTime = TimeSpan.FromMilliseconds(1);
        });
        await deaf.StartAsync(Ct);
        var directory = deaf.Services.GetRequiredService<TenantDirectory>();

        await Task.Delay(TimeSpan.FromSeconds(4), Ct);

        Assert.False(directory.IsListening);
        Assert.Equal(SchemaState.Ready, (await directory.FindAsync("acme", Ct))!.State);
        await ExecuteAsync("UPDATE tenancy.tenants SET status = 'suspended' WHERE slug = 'acme'");
        await Eventually.HoldsAsync(async () =>
            (await directory.FindAsync("acme", Ct))!.State == SchemaState.Suspended);
        await deaf.StopAsync(Ct);
    }

    private async Task BecomesAsync(string slug, Availability? becomes) =>
        await Eventually.HoldsAsync(async () => await FindAsync(slug) == becomes);

    private async Task<Availability?> FindAsync(string slug) =>
        await Directory.FindAsync(slug, Ct) is { } listing ? Directory.AvailabilityOf(listing) : null;

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(_database + ";Pooling=false");
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private IHost Host(Action<TenancyOptions>? options = null)
    {
        var builder = Microsoft.Extensions.Hosting.Host.CreateEmptyApplicationBuilder(settings: null);
        builder.Logging.ClearProviders();
        builder.Configuration.AddInMemoryCollection([new("ConnectionStrings:shop", _database)]);
        builder.AddTenancy("shop", tenancy => tenancy.UseBuiltInRegistry()
            .AddContext<OrderingContext>(ordering => ordering.ReplaceSchema(OrderingContext.Schema))
            .Configure(it =>
            {
                (it.DirectoryCacheTime, it.DirectoryListenTime) = (Hour, Hour);
                options?.Invoke(it);
            }));
        return builder.Build();
    }
}
