using Tenancy.Postgres.Cluster;
using Npgsql;
using Tests.Integration.Citus;
using Xunit;

namespace Tests.Integration.Server;

public sealed class TestServerTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Every_test_can_have_a_database_of_its_own()
    {
        var databases = await Task.WhenAll(app.Server.ConnectionStringAsync(Ct), app.Server.ConnectionStringAsync(Ct));

        foreach (var database in databases)
        {
            Assert.Equal(new NpgsqlConnectionStringBuilder(database).Database,
                await ScalarAsync(database, "CREATE TABLE mine(); SELECT current_database()"));
        }
    }

    [Fact]
    public async Task The_tests_run_on_the_PostgreSQL_that_was_asked_for()
    {
        const string major = "SELECT current_setting('server_version_num')::int / 10000";
        object? asked = (CitusCluster.Coordinator ?? Environment.GetEnvironmentVariable("ConnectionStrings__tenants"))
            is { Length: > 0 } configured
            ? await ScalarAsync(configured, major)
            : PostgresBinaries.Choose(PostgresBinaries.Installed(), version: null)?.Major;

        // Without any installation the AppHost's container is the server, whichever version that has.
        Assert.Equal(
            asked ?? await ScalarAsync(app.ConnectionString, major), await ScalarAsync(app.ConnectionString, major));
    }

    [Fact]
    public async Task Logins_that_depend_on_each_other_are_dropped_at_the_end_in_whichever_order_that_needs()
    {
        CitusCluster.SkipOn("A login that changes roles needs a way into every node, and these have none.");
        var server = new TestServer();
        var database = await server.ConnectionStringAsync(Ct);
        var logins = Enumerable.Range(0, 3).Select(_ => new NpgsqlConnectionStringBuilder(server.AsNewLogin(database)))
            .ToList();
        await ScalarAsync(database, $"""
            CREATE ROLE {logins[1].Username} LOGIN CREATEROLE PASSWORD '{logins[1].Password}';
            CREATE ROLE {logins[0].Username} LOGIN CREATEROLE PASSWORD '{logins[0].Password}';
            CREATE ROLE {logins[2].Username};
            GRANT {logins[2].Username} TO {logins[0].Username} WITH ADMIN OPTION;
            """);
        // From 16 on this membership depends on the login that grants it.
        await ScalarAsync(logins[0].ConnectionString, $"GRANT {logins[2].Username} TO {logins[1].Username}");

        await TestServer.DropLoginsAsync(database, [.. logins.Select(login => login.Username!)]);
        var left = await ScalarAsync(database,
            "SELECT count(*) FROM pg_roles WHERE rolname IN " +
            $"('{string.Join("', '", logins.Select(login => login.Username))}')");
        await server.DisposeAsync();

        Assert.Equal(0L, left);
    }

    [Fact]
    public async Task A_server_that_is_killed_keeps_every_commit_that_it_has_confirmed()
    {
        Assert.SkipWhen(
            PostgresBinaries.Installed().Count == 0, "Needs PostgreSQL's binaries, for a server that it may kill.");
        await using var server = await CrashingPostgres.StartAsync(Ct);
        await ScalarAsync(server.ConnectionString, "CREATE TABLE kept (id int)");

        for (var round = 1; round <= 3; round++)
        {
            await ScalarAsync(server.ConnectionString, $"INSERT INTO kept VALUES ({round})");
            await server.CrashAsync(Ct);
            await server.StartServerAsync(Ct);

            Assert.Equal((long)round, await ScalarAsync(server.ConnectionString, "SELECT count(*) FROM kept"));
        }
    }

    private static async Task<object?> ScalarAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }
}
