using Tenancy.Postgres;
using Tenancy.Postgres.Cluster;
using Npgsql;
using Xunit;

namespace Tests.Unit.LocalServer;

/// <summary>On the PostgreSQL that is installed here.</summary>
public sealed class DatabaseClusterTests(ClusterTemplate template) : IClassFixture<ClusterTemplate>, IDisposable
{
    private readonly TemporaryFolder _folder = new();

    private string Data => Path.Combine(_folder["kept"], "data");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Data_and_password_are_kept_from_one_run_to_the_next()
    {
        await using (var first = await PostgresServer.StartAsync(_folder["kept"], Ct))
        {
            await ExecuteAsync(first, "CREATE TABLE kept AS SELECT 42 AS answer");
        }

        await using var second = await PostgresServer.StartAsync(_folder["kept"], Ct);

        Assert.Equal(42, await ExecuteAsync(second, "SELECT answer FROM kept"));
    }

    [Fact]
    public async Task A_path_longer_than_a_sockets_can_be_is_no_obstacle()
    {
        var folder = _folder[new string('x', 200)];

        await using var server = await PostgresServer.StartAsync(folder, Ct);

        Assert.Equal(Path.Combine(folder, "data"), await ExecuteAsync(server, "SHOW data_directory"));
    }

    [Fact]
    public async Task The_server_is_on_loopback_wants_a_password_and_shows_it_to_nobody()
    {
        var cluster = Kept();
        await using var server = await PostgresServer.StartAsync(_folder["kept"], Ct);
        var right = new NpgsqlConnectionStringBuilder(server.ConnectionString());
        var wrong = new NpgsqlConnectionStringBuilder(server.ConnectionString()) { Password = "wrong" };

        await using var connection = new NpgsqlConnection(wrong.ConnectionString);
        var refused = await Assert.ThrowsAsync<PostgresException>(() => connection.OpenAsync(Ct));

        Assert.Equal(PostgresErrorCodes.InvalidPassword, refused.SqlState);
        Assert.Equal("localhost", await ExecuteAsync(server, "SHOW listen_addresses"));
        Assert.DoesNotContain(
            right.Password!, ServerCommand.For(cluster, Environment.ProcessId, durable: true).Arguments);
    }

    [Fact]
    public void What_was_interrupted_is_made_again()
    {
        DataFolder.Choose("/", _folder["kept"], ClusterTemplate.Account, "/", TextWriter.Null);
        using var gone = System.Diagnostics.Process.Start("true");
        gone.WaitForExit(TimeSpan.FromSeconds(10));
        var half = Path.Combine(_folder["kept"], $"new-{gone.Id}");
        ClusterTemplate.Account.Run("mkdir", half);
        ClusterTemplate.Account.Run("touch", Path.Combine(half, "PG_VERSION"), half + ".password");

        var cluster = Open();

        Assert.Equal([Data], Directory.GetFileSystemEntries(_folder["kept"]));
        Assert.True(cluster.Password.Length >= 32);
    }

    [Fact]
    public void Of_two_that_are_made_at_once_both_use_the_first()
    {
        var first = Kept();
        // What the second one sees that looked before the first was there.
        var loser = ClusterTemplate.Installed[0]
            with { Folder = Path.GetDirectoryName(
                _folder.Script("bin/initdb", $"""mkdir "$2" && cp "{Data}/PG_VERSION" "$2" """))! };

        var second = DatabaseCluster.Make(_folder["kept"], Data, ClusterTemplate.Account, loser);

        Assert.Equal(first.Password, second.Password);
        Assert.Equal([Data], Directory.GetFileSystemEntries(_folder["kept"]));
    }

    [Fact]
    public void Data_of_a_version_that_is_not_installed_is_refused_with_what_to_do()
    {
        Kept();
        var version = File.ReadAllText(Path.Combine(Data, "PG_VERSION")).Trim();

        var refused = Assert.Throws<NoPostgresException>(() =>
            DatabaseCluster.Open(_folder["kept"], ClusterTemplate.Account, [new("/nowhere", 9999)]));

        Assert.Contains(
            $"PostgreSQL {version}, which isn't installed (found: 9999)", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_lost_password_is_said_with_what_to_do()
    {
        Kept();
        File.Delete(Path.Combine(Data, "password"));

        var refused = Assert.Throws<NoPostgresException>(() => Open());

        Assert.Contains("ALTER USER postgres PASSWORD", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Data_that_a_server_uses_is_refused_to_a_second_one()
    {
        template.CopyTo(_folder["kept"]);
        await using var server = await PostgresServer.StartAsync(_folder["kept"], Ct);

        var refused = await Assert.ThrowsAsync<NoPostgresException>(() =>
            PostgresServer.StartAsync(_folder["kept"], Ct));

        Assert.Contains("this AppHost seems to run already", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, await ExecuteAsync(server, "SELECT 1"));
    }

    [Fact]
    public void The_password_file_is_for_the_servers_user_alone()
    {
        Kept();

        Assert.True(TemporaryFolder.IsPrivate(Path.Combine(Data, "password")));
    }

    public void Dispose() => _folder.Dispose();

    private DatabaseCluster Kept()
    {
        template.CopyTo(_folder["kept"]);
        return Open();
    }

    private DatabaseCluster Open() =>
        DatabaseCluster.Open(_folder["kept"], ClusterTemplate.Account, ClusterTemplate.Installed);

    private static async Task<object?> ExecuteAsync(PostgresServer server, string sql)
    {
        await using var source = NpgsqlDataSource.Create(server.ConnectionString());
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }
}
