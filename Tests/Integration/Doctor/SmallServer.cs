using Npgsql;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Doctor;

/// <summary>
/// A server with a small lock table, room for few statements, prepared transactions and logical slots: what the tests'
/// common server hasn't.
/// </summary>
public sealed class SmallServer : IAsyncLifetime
{
    private readonly List<Examination> _databases = [];
    private CrashingPostgres? _server;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        // A fixture can't skip its tests. A database of this server does.
        if (TestServer.IsConfigured)
        {
            return;
        }

        _server = await CrashingPostgres.StartAsync(Ct, "max_locks_per_transaction=10", "max_connections=15",
            "max_prepared_transactions=5", "wal_level=logical", "shared_preload_libraries=pg_stat_statements",
            "pg_stat_statements.max=100");
    }

    /// <summary>A new database, without customers.</summary>
    internal async Task<Examination> DatabaseAsync()
    {
        Assert.SkipWhen(TestServer.IsConfigured, "The tests' server is configured: there may be no binaries.");
        var name = $"d{Guid.NewGuid():n}";
        await ExecuteAsync($"CREATE DATABASE {name}");
        var database = await Examination.StartAsync(
            new NpgsqlConnectionStringBuilder(_server!.ConnectionString) { Database = name, Pooling = false }
                .ConnectionString);
        _databases.Add(database);
        return database;
    }

    public async ValueTask DisposeAsync()
    {
        foreach (var database in _databases)
        {
            await database.DisposeAsync();
        }

        if (_server is not null)
        {
            await _server.DisposeAsync();
        }
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var connection = new NpgsqlConnection(
            new NpgsqlConnectionStringBuilder(_server!.ConnectionString) { Pooling = false }.ConnectionString);
        await connection.OpenAsync(Ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
