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
}
