using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Unit.Tenants;

/// <summary>What else an application registers neither wins nor is lost without a word.</summary>
public sealed class RegistrationTests
{
    private const string Elsewhere = "Host=elsewhere.invalid;Username=somebody";

    [Fact]
    public void A_second_AddTenancy_is_refused()
    {
        var services = Services();

        var same = Assert.Throws<InvalidOperationException>(() => Add<InvoicingContext>(services));
        var other = Assert.Throws<InvalidOperationException>(() => Add<OtherContext>(services));

        Assert.Contains("was called already", same.Message, StringComparison.Ordinal);
        Assert.Contains("was called already", other.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AddDbContext")]
    [InlineData("AddDbContextPool")]
    [InlineData("AddDbContextFactory")]
    [InlineData("AddPooledDbContextFactory")]
    [InlineData("ConfigureDbContext")]
    [InlineData("AddSingleton")]
    public void The_context_registered_before_is_refused(string how)
    {
        var services = new ServiceCollection().AddLogging();
        Register(services, how);

        var refusal = Assert.Throws<InvalidOperationException>(() => Add<InvoicingContext>(services));

        Assert.Contains("before AddTenancy", refusal.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("AddDbContext")]
    [InlineData("AddDbContextPool")]
    [InlineData("AddDbContextFactory")]
    [InlineData("AddPooledDbContextFactory")]
    [InlineData("ConfigureDbContext")]
    [InlineData("AddSingleton")]
    public async Task The_context_registered_afterwards_stops_the_start(string how)
    {
        var services = Services();
        Register(services, how);
        await using var provider = services.BuildServiceProvider();

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => CheckAsync(provider));

        Assert.Contains("Remove", refusal.Message, StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_context_of_something_else_is_no_matter()
    {
        var services = new ServiceCollection().AddLogging();
        services.AddDbContext<OtherContext>(options => options.UseNpgsql(Elsewhere));
        Add<InvoicingContext>(services);
        services.AddDbContextFactory<ThirdContext>(options => options.UseNpgsql(Elsewhere));
        await using var provider = services.BuildServiceProvider();

        await CheckAsync(provider);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_data_source_of_the_applications_is_neither_used_nor_replaced(bool before)
    {
        await using var own = NpgsqlDataSource.Create(Elsewhere);
        var services = new ServiceCollection().AddLogging();
        if (before)
        {
            services.AddSingleton(own);
        }

        Add<InvoicingContext>(services);
        if (!before)
        {
            services.AddSingleton(own);
        }

        await using var provider = services.BuildServiceProvider();

        Assert.Same(own, provider.GetRequiredService<NpgsqlDataSource>());
        foreach (var ours in new[]
        {
            provider.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey),
            provider.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.TenantsKey),
            provider.GetRequiredService<GuardedDataSource>().Tenants,
        })
        {
            Assert.Equal("localhost", new NpgsqlConnectionStringBuilder(ours.ConnectionString).Host);
        }

        await using var context = provider.GetRequiredService<IDbContextFactory<InvoicingContext>>().CreateDbContext();
        Assert.Contains("localhost", context.Database.GetConnectionString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_anybody_can_inject_resets_its_sessions()
    {
        await using var provider = Services().BuildServiceProvider();

        Assert.All(
            [
                provider.GetRequiredService<NpgsqlDataSource>(),
                provider.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.OwnerKey),
                provider.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.TenantsKey),
            ],
            source => Assert.False(new NpgsqlConnectionStringBuilder(source.ConnectionString).NoResetOnClose));
        Assert.True(new NpgsqlConnectionStringBuilder(
            provider.GetRequiredService<GuardedDataSource>().Tenants.ConnectionString).NoResetOnClose);
    }

    private static IServiceCollection Services() => Add<InvoicingContext>(new ServiceCollection().AddLogging());

    private static IServiceCollection Add<TContext>(IServiceCollection services) where TContext : DbContext =>
        services.AddTenancy<TContext>(options => options.ConnectionString = "Host=localhost;Username=owner");

    private static Task CheckAsync(IServiceProvider provider) =>
        provider.GetServices<IHostedService>().OfType<RegistrationCheck<InvoicingContext>>().Single()
            .StartAsync(CancellationToken.None);

    private static void Register(IServiceCollection services, string how)
    {
        switch (how)
        {
            case "AddDbContext":
                services.AddDbContext<InvoicingContext>(options => options.UseNpgsql(Elsewhere));
                break;
            case "AddDbContextPool":
                services.AddDbContextPool<InvoicingContext>(options => options.UseNpgsql(Elsewhere));
                break;
            case "AddDbContextFactory":
                services.AddDbContextFactory<InvoicingContext>(options => options.UseNpgsql(Elsewhere));
                break;
            case "AddPooledDbContextFactory":
                services.AddPooledDbContextFactory<InvoicingContext>(options => options.UseNpgsql(Elsewhere));
                break;
            case "ConfigureDbContext":
                services.ConfigureDbContext<InvoicingContext>(options => options.UseNpgsql(Elsewhere));
                break;
            default:
                services.AddSingleton<IDbContextFactory<InvoicingContext>, NoFactory>();
                break;
        }
    }

    private sealed class NoFactory : IDbContextFactory<InvoicingContext>
    {
        public InvoicingContext CreateDbContext() => throw new NotSupportedException();
    }

    private sealed class OtherContext(DbContextOptions<OtherContext> options) : DbContext(options);

    private sealed class ThirdContext(DbContextOptions<ThirdContext> options) : DbContext(options);
}
