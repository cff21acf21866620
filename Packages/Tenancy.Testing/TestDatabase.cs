using Npgsql;
using Tenancy.Postgres;

namespace Tenancy.Testing;

/// <summary>
/// An empty database of one test's, or of one test class's, own. It is on the server that the environment variable
/// <see cref="ServerVariable"/> names, whose user must be allowed to create databases; else on a server that is started
/// once for the process, from installed binaries or those that npm has fetched, and ends with it.
/// </summary>
public sealed class TestDatabase : IAsyncDisposable
{
    /// <summary>The environment variable that has a server's connection string.</summary>
    public const string ServerVariable = "TENANCY_TEST_SERVER";

    private static readonly Lazy<Task<string>> Server = new(StartAsync);

    private readonly string _server;
    private readonly string _name;

    private TestDatabase(string server, string name)
    {
        (_server, _name) = (server, name);
        // Each test has pools of its own, and Npgsql keeps an idle connection for five minutes. A server of a hundred
        // connections would run out of them.
        ConnectionString = new NpgsqlConnectionStringBuilder(server)
        {
            Database = name, ConnectionIdleLifetime = 10, ConnectionPruningInterval = 2,
        }.ConnectionString;
    }

    /// <summary>The owner's. Its pools close a connection that has been idle for 10 seconds.</summary>
    public string ConnectionString { get; }

    /// <summary>Makes one.</summary>
    /// <exception cref="NoPostgresException">There is no server and none can be started; the message says what to
    /// do.</exception>
    public static async Task<TestDatabase> CreateAsync(CancellationToken ct = default) =>
        await CreateAsync(await Server.Value.WaitAsync(ct), ct);

    /// <summary>Makes one on a server of yours.</summary>
    /// <param name="server">A connection string of a user who may create databases.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <exception cref="NpgsqlException">The server doesn't answer, or refuses.</exception>
    public static async Task<TestDatabase> CreateAsync(string server, CancellationToken ct = default)
    {
        ArgumentException.ThrowIfNullOrEmpty(server);
        var database = new TestDatabase(server, $"test_{Guid.NewGuid():n}");
        await database.ExecuteAsync($"CREATE DATABASE {database._name}", ct);
        return database;
    }

    /// <summary>Drops it, whoever is connected.</summary>
    public async ValueTask DisposeAsync()
    {
        NpgsqlConnection.ClearPool(new(ConnectionString));
        await ExecuteAsync($"DROP DATABASE IF EXISTS {_name} WITH (FORCE)", CancellationToken.None);
    }

    private static async Task<string> StartAsync() =>
        Environment.GetEnvironmentVariable(ServerVariable) is { Length: > 0 } server
            ? server
            : (await PostgresServer.StartThrowawayAsync(CancellationToken.None)).ConnectionString();

    // Not pooled: CREATE DATABASE needs the database it copies to itself.
    private async Task ExecuteAsync(string sql, CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_server) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
