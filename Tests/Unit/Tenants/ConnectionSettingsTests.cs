using Data.Invoicing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Unit.Tenants;

public sealed class ConnectionSettingsTests
{
    [Fact]
    public void The_pool_is_set_for_many_schemas()
    {
        var settings = Settings("Host=localhost;Database=tenants");

        Assert.True(settings.NoResetOnClose);
        Assert.Equal(1800, settings.ConnectionLifetime);
        Assert.Equal(30, settings.MaxPoolSize);
        Assert.Equal(0, settings.MaxAutoPrepare);
        // To connect; a statement may take as long as with Npgsql's own defaults.
        Assert.Equal((2, 30), (settings.Timeout, settings.CommandTimeout));
        Assert.True(string.IsNullOrEmpty(settings.SearchPath));
    }

    [Fact]
    public void What_the_connection_string_says_itself_wins()
    {
        var settings = Settings(
            "Host=localhost;No Reset On Close=false;Connection Lifetime=60;Maximum Pool Size=7;Max Auto " +
            "Prepare=5;Timeout=9");

        Assert.False(settings.NoResetOnClose);
        Assert.Equal(60, settings.ConnectionLifetime);
        Assert.Equal(7, settings.MaxPoolSize);
        Assert.Equal(5, settings.MaxAutoPrepare);
        Assert.Equal(9, settings.Timeout);
    }

    [Fact]
    public async Task The_application_has_the_last_word_on_every_data_source()
    {
        await using var services = Services(options =>
        {
            options.ConnectionString = "Host=localhost;Username=owner";
            options.TenantConnectionString = "Host=localhost;Username=api";
            options.ConfigureDataSource = source => source.ConnectionStringBuilder.MaxPoolSize = 3;
        });

        Assert.All([services.GetRequiredService<NpgsqlDataSource>(), Tenants(services), Guarded(services)],
            source => Assert.Contains("Maximum Pool Size=3", source.ConnectionString, StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_login_of_the_tenants_own_has_a_pool_of_its_own_with_the_same_settings()
    {
        await using var services = Services(options =>
        {
            options.ConnectionString = "Host=localhost;Username=owner";
            options.TenantConnectionString = "Host=localhost;Username=api";
        });

        Assert.Equal("owner",
            new NpgsqlConnectionStringBuilder(
                services.GetRequiredService<NpgsqlDataSource>().ConnectionString).Username);
        var tenants = new NpgsqlConnectionStringBuilder(Tenants(services).ConnectionString);
        Assert.Equal(("api", false, 1800, 0),
            (tenants.Username, tenants.NoResetOnClose, tenants.ConnectionLifetime, tenants.MaxAutoPrepare));
        Assert.True(services.GetRequiredService<TenantLogin>().IsOwn);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("")]
    [InlineData("Host=localhost;Username=owner")]
    public async Task Without_one_the_tenants_is_the_owners(string? tenants)
    {
        await using var services = Services(options =>
        {
            options.ConnectionString = "Host=localhost;Username=owner";
            options.TenantConnectionString = tenants;
        });

        Assert.Same(services.GetRequiredService<NpgsqlDataSource>(), Tenants(services));
        Assert.False(services.GetRequiredService<TenantLogin>().IsOwn);
    }

    [Theory]
    [InlineData("Search Path=customer_acme", "Host=localhost")]
    [InlineData("Host=localhost", "Host=localhost;Search Path=public")]
    [InlineData("Host=localhost;Options=-c search_path=customer_acme", null)]
    public async Task A_search_path_is_refused_with_the_reason(string owner, string? tenants)
    {
        await using var services = Services(options =>
            (options.ConnectionString, options.TenantConnectionString) = (owner, tenants));

        var refused = Assert.Throws<OptionsValidationException>(services.GetRequiredService<TenancyOptions>);

        Assert.Contains("every statement names its schema", refused.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(1001)]
    public async Task A_number_of_spare_schemas_that_cannot_be_meant_is_refused(int warmPool)
    {
        await using var services = Services(options =>
            (options.ConnectionString, options.WarmPool) = ("Host=localhost", warmPool));

        var refused = Assert.Throws<OptionsValidationException>(services.GetRequiredService<TenancyOptions>);

        Assert.Contains("WarmPool", refused.Message, StringComparison.Ordinal);
    }

    private static ServiceProvider Services(Action<TenancyOptions> configure) =>
        new ServiceCollection().AddLogging().AddTenancy<InvoicingContext>(configure).BuildServiceProvider();

    private static NpgsqlDataSource Guarded(ServiceProvider services) =>
        services.GetRequiredService<GuardedDataSource>().Tenants;

    private static NpgsqlDataSource Tenants(ServiceProvider services) =>
        services.GetRequiredKeyedService<NpgsqlDataSource>(TenancyOptions.TenantsKey);

    private static NpgsqlConnectionStringBuilder Settings(string connectionString)
    {
        using var sources = TenantDataSource.CreateGuarded(new() { ConnectionString = connectionString });
        return new(sources.Tenants.ConnectionString);
    }
}
