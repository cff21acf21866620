using System.Collections.Concurrent;
using Tenancy.Postgres;
using Tenancy.Postgres.Cluster;
using Data;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Tenancy;
using Tenancy.Testing;
using Tests.EndToEnd;
using Tests.Integration.Citus;

namespace Tests.Integration.Server;

/// <summary>
/// The PostgreSQL of a test run, started when the first test asks for a database: the one that
/// <c>ConnectionStrings__tenants</c> names, whose user must be allowed to create databases and roles; else a private
/// server from the installed binaries, gone with the run; else, where there are only containers, the one that the
/// AppHost makes. With <c>TEST_CITUS</c> it is the cluster of that coordinator, see <see cref="CitusCluster"/>.
/// </summary>
public sealed class TestServer : IAsyncDisposable
{
    private readonly ConcurrentBag<TestDatabase> _databases = [];
    private readonly SemaphoreSlim _starting = new(1);
    private readonly ConcurrentBag<string> _logins = [];
    private PostgresServer? _local;
    private ThrowawayData? _data;
    private RunningApp? _container;
    private string? _maintenance;

    /// <summary>
    /// The environment variable that names a file, which gets the server's version. A runner doesn't show what tests
    /// print: a script reads the file and says which PostgreSQL was tested.
    /// </summary>
    private const string VersionFile = "TEST_SERVER_VERSION_FILE";

    /// <summary>Whether the environment names a server.</summary>
    public static bool IsConfigured => Configured is { Length: > 0 };

    private static string? Configured =>
        CitusCluster.Coordinator ?? Environment.GetEnvironmentVariable("ConnectionStrings__tenants");

    /// <summary>
    /// The connection string of a new and empty database, <c>test_</c> and random letters, which is dropped at the end
    /// of the run.
    /// </summary>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="instead">See <see cref="CitusCluster.AddAsync"/>.</param>
    public async Task<string> ConnectionStringAsync(
        CancellationToken ct, IReadOnlyDictionary<int, int>? instead = null)
    {
        var database = await TestDatabase.CreateAsync(await StartedAsync(ct), ct);
        _databases.Add(database);
        if (CitusCluster.IsConfigured)
        {
            await CitusCluster.AddAsync(database.ConnectionString, ct, instead);
        }

        return database.ConnectionString;
    }

    /// <summary>
    /// The connection string for the same database of a login that nobody has made yet; it is dropped at the end of the
    /// run. Whoever may make it: the migration job, or a test.
    /// </summary>
    public string AsNewLogin(string connectionString)
    {
        var login = $"tests_{Guid.NewGuid():n}";
        _logins.Add(login);
        return new NpgsqlConnectionStringBuilder(connectionString) { Username = login,
            Password = Guid.NewGuid().ToString("n") }.ConnectionString;
    }

    /// <summary>
    /// The login that serves customers, made as the job makes it, in a database that has the shared migrations.
    /// </summary>
    public async Task<string> AddTenantsLoginAsync(string connectionString, CancellationToken ct)
    {
        var tenants = AsNewLogin(connectionString);
        await using var source = NpgsqlDataSource.Create(connectionString);
        await new TenantLogin(source, new() { ConnectionString = connectionString, TenantConnectionString = tenants,
            CitusNodePasswords = CitusCluster.IsConfigured },
            NullLogger<TenantLogin>.Instance)
            .EnsureAsync(DataRegistration.ApiRole, ct);
        return tenants;
    }

    /// <summary>
    /// Whether the databases of a run fit into memory, where they take a fifth less of the processor: 7 GB by default,
    /// as measured, beside what the tests' processes need. At full depth there are too many.
    /// </summary>
    private static bool HasMemoryForData =>
        !TestDepth.IsFull && GC.GetGCMemoryInfo().TotalAvailableMemoryBytes >= 16L << 30;

    public async ValueTask DisposeAsync()
    {
        if (_local is not null)
        {
            await _local.DisposeAsync();
        }
        else if (_container is not null)
        {
            await _container.DisposeAsync();
            await _data!.DisposeAsync();
        }
        else
        {
            foreach (var database in _databases)
            {
                await database.DisposeAsync();
                if (CitusCluster.IsConfigured)
                {
                    await CitusCluster.RemoveAsync(database.ConnectionString);
                }
            }

            await DropLoginsAsync(_maintenance!, [.. _logins]);
        }

        _starting.Dispose();
    }

    private async Task<string> StartedAsync(CancellationToken ct)
    {
        await _starting.WaitAsync(ct);
        try
        {
            return _maintenance ??= await WithVersionToldAsync(await StartAsync(ct), ct);
        }
        finally
        {
            _starting.Release();
        }
    }

    private async Task<string> StartAsync(CancellationToken ct)
    {
        if (CitusCluster.IsConfigured
            && Environment.GetEnvironmentVariable("ConnectionStrings__tenants") is { Length: > 0 })
        {
            throw new InvalidOperationException(
                $"ConnectionStrings__tenants names a server for the tests, and {CitusCluster.Variable} another one: " +
                "set one of them.");
        }

        if (IsConfigured)
        {
            return Environment.GetEnvironmentVariable(PostgresBinaries.ForTests) is not { Length: > 0 } asked
                ? Configured!
                : throw new InvalidOperationException(
                    "ConnectionStrings__tenants names a server for the tests, and " +
                    $"{PostgresBinaries.ForTests}={asked} another one: set one of them.");
        }

        if (PostgresBinaries.Installed().Count > 0)
        {
            _local = await PostgresServer.StartThrowawayAsync(ct, inMemory: HasMemoryForData);
            return _local.ConnectionString();
        }

        _data = await ThrowawayData.CreateAsync(this, ct);
        _container = await RunningApp.StartAsync(_data);
        return await _container.ConnectionStringAsync();
    }

    private static async Task<string> WithVersionToldAsync(string maintenance, CancellationToken ct)
    {
        if (Environment.GetEnvironmentVariable(VersionFile) is { Length: > 0 } file)
        {
            await using var connection = new NpgsqlConnection(
                new NpgsqlConnectionStringBuilder(maintenance) { Pooling = false }.ConnectionString);
            await connection.OpenAsync(ct);
            await File.WriteAllTextAsync(file, $"{connection.PostgreSqlVersion}\n", ct);
        }

        return maintenance;
    }

    /// <summary>
    /// Drops logins, those first that nothing depends on. Since PostgreSQL 16 a membership depends on the login that
    /// granted it, and that login can't be dropped before it (2BP01).
    /// </summary>
    internal static async Task DropLoginsAsync(string maintenance, IReadOnlyCollection<string> logins)
    {
        while (logins.Count > 0)
        {
            var left = new List<string>();
            PostgresException? problem = null;
            foreach (var login in logins)
            {
                try
                {
                    await ExecuteAsync(maintenance, $"DROP ROLE IF EXISTS {login}", CancellationToken.None);
                }
                catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DependentObjectsStillExist)
                {
                    left.Add(login);
                    problem = e;
                }
            }

            logins = left.Count < logins.Count ? left
                : throw new InvalidOperationException(
                    $"The logins {string.Join(", ", left)} of these tests can't be dropped: {problem!.Detail}",
                    problem);
        }
    }

    // Not pooled: CREATE DATABASE needs the database it copies to itself.
    private static async Task ExecuteAsync(string connectionString, string sql, CancellationToken ct)
    {
        var unpooled = new NpgsqlConnectionStringBuilder(connectionString) { Pooling = false };
        await using var connection = new NpgsqlConnection(unpooled.ConnectionString);
        await connection.OpenAsync(ct);
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
