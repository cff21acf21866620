using Npgsql;
using Xunit;

namespace Tests.Integration.Server;

public sealed class TestServerTests(App app)
{
    [Fact]
    public async Task Every_test_can_have_a_database_of_its_own()
    {
        var ct = TestContext.Current.CancellationToken;
        var databases = await Task.WhenAll(app.Server.ConnectionStringAsync(ct), app.Server.ConnectionStringAsync(ct));

        foreach (var database in databases)
        {
            await using var source = NpgsqlDataSource.Create(database);
            await using var command = source.CreateCommand("CREATE TABLE mine(); SELECT current_database()");
            Assert.Equal(new NpgsqlConnectionStringBuilder(database).Database, await command.ExecuteScalarAsync(ct));
        }
    }

    [Fact]
    public async Task A_database_has_no_connection_left_over_from_its_making()
    {
        var ct = TestContext.Current.CancellationToken;
        await using var source = NpgsqlDataSource.Create(await app.Server.ConnectionStringAsync(ct));
        await using var command = source.CreateCommand("SELECT count(*) FROM pg_stat_activity WHERE datname = current_database()");

        Assert.Equal(1L, await command.ExecuteScalarAsync(ct));
    }
}
