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
        Assert.True(string.IsNullOrEmpty(settings.SearchPath));
    }

    [Fact]
    public void What_the_connection_string_says_itself_wins()
    {
        var settings = Settings("Host=localhost;No Reset On Close=false;Connection Lifetime=60;Maximum Pool Size=7;Max Auto Prepare=5");

        Assert.False(settings.NoResetOnClose);
        Assert.Equal(60, settings.ConnectionLifetime);
        Assert.Equal(7, settings.MaxPoolSize);
        Assert.Equal(5, settings.MaxAutoPrepare);
    }

    private static NpgsqlConnectionStringBuilder Settings(string connectionString)
    {
        using var source = TenantDataSource.Create(new() { ConnectionString = connectionString });
        return new(source.ConnectionString);
    }
}
