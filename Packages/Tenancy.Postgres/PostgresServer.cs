using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Tenancy.Postgres.Cluster;
using Npgsql;

namespace Tenancy.Postgres;

/// <summary>
/// A private PostgreSQL server on a free port of 127.0.0.1, from the installed binaries, for a test or a benchmark. It
/// ends when it is disposed, and with the process that started it, however that ends.
/// </summary>
public sealed class PostgresServer : IAsyncDisposable
{
    private const int LinesKept = 30;
    private const int PortsTried = 3;

    private readonly Process _process;
    private readonly DatabaseCluster _cluster;
    private readonly int _port;
    private readonly Queue<string> _log = new();
    private string? _throwaway;

    private PostgresServer(DatabaseCluster cluster, ServerCommand command, int port)
    {
        _cluster = cluster;
        _port = port;
        _process = new Process
        {
            StartInfo = new ProcessStartInfo(command.File, command.Arguments)
            {
                WorkingDirectory = command.WorkingDirectory,
                RedirectStandardError = true,
                Environment = { ["PGPORT"] = $"{_port}" },
            },
        };
        _process.ErrorDataReceived += (_, line) => Keep(line.Data);
    }

    /// <summary>The process that guards the server (on Windows the server itself).</summary>
    public int ProcessId => _process.Id;

    /// <summary>True once the server, and what guards it, have ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>
    /// Starts a server on the data in <paramref name="dataFolder"/>, which is made if there is none, and returns when
    /// it takes connections.
    /// </summary>
    /// <exception cref="NoPostgresException">There are no binaries, the data can't be used, or the server ended at
    /// once; the message says why.</exception>
    public static Task<PostgresServer> StartAsync(string dataFolder, CancellationToken ct) =>
        StartAsync(dataFolder, ServerAccount.Current(), Environment.ProcessId, durable: true, ct);

    /// <summary>
    /// The same on new data, which is deleted when the server is disposed, and doesn't wait for the disk.
    /// </summary>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="inMemory">Rather in memory than in a file system.</param>
    /// <exception cref="NoPostgresException">As above.</exception>
    public static async Task<PostgresServer> StartThrowawayAsync(CancellationToken ct, bool inMemory = false)
    {
        var account = ServerAccount.Current();
        var folder = ThrowawayFolder.Make(account, inMemory);
        try
        {
            var server = await StartAsync(folder, account, Environment.ProcessId, durable: false, ct);
            server._throwaway = folder;
            return server;
        }
        catch
        {
            Directory.Delete(folder, recursive: true);
            throw;
        }
    }

    /// <param name="dataFolder">Where the data is.</param>
    /// <param name="account">As whom the server runs.</param>
    /// <param name="owner">The process it lives for.</param>
    /// <param name="durable">Whether it waits for the disk.</param>
    /// <param name="ct">Ends the wait.</param>
    /// <param name="port">A free one, if null.</param>
    /// <param name="settings">Its settings besides the usual ones, e.g. <c>wal_level=logical</c>.</param>
    internal static async Task<PostgresServer> StartAsync(string dataFolder, ServerAccount account, int owner,
        bool durable, CancellationToken ct, int? port = null, IReadOnlyList<string>? settings = null)
    {
        var folder = DataFolder.Choose(
            Environment.CurrentDirectory, dataFolder, account, DataFolder.StateHome(), TextWriter.Null);
        var cluster = await Task.Run(() => DatabaseCluster.Open(folder, account, PostgresBinaries.Installed()), ct);
        for (var attempt = 1; ; attempt++)
        {
            var server = new PostgresServer(
                cluster, ServerCommand.For(cluster, owner, durable, settings), port ?? FreePort());
            try
            {
                server._process.Start();
                server._process.BeginErrorReadLine();
                await server.ReadyAsync(ct);
                return server;
            }
            catch (NoPostgresException problem)
                when (attempt < PortsTried
                    && problem.Message.Contains("Address already in use", StringComparison.Ordinal))
            {
                // Free a moment ago and somebody else's now.
                await server.DisposeAsync();
            }
            catch
            {
                await server.DisposeAsync();
                throw;
            }
        }
    }

    /// <summary>A connection string for one of the server's databases, as its superuser.</summary>
    public string ConnectionString(string database = "postgres") => new NpgsqlConnectionStringBuilder
    {
        Host = "127.0.0.1",
        Port = _port,
        Username = DatabaseCluster.Superuser,
        Password = _cluster.Password,
        Database = database,
    }.ConnectionString;

    /// <summary>
    /// Stops the server (fast: transactions are rolled back) and deletes its data if nobody will miss it.
    /// </summary>
    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            if (OperatingSystem.IsWindows())
            {
                _process.Kill(entireProcessTree: true);
            }
            else
            {
                Command.Run(TimeSpan.FromSeconds(5), "kill", "-TERM", $"{_process.Id}");
            }

            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
        if (_throwaway is not null)
        {
            Directory.Delete(_throwaway, recursive: true);
        }
    }

    private async Task ReadyAsync(CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString());
        while (true)
        {
            if (_process.HasExited)
            {
                await _process.WaitForExitAsync(ct);    // until its last words are read
                throw new NoPostgresException(
                    $"The PostgreSQL server on '{_cluster.Data}' ended at once with code " +
                    $"{_process.ExitCode}:{Environment.NewLine}{Log()}");
            }

            try
            {
                await using var connection = await source.OpenConnectionAsync(ct);
                return;
            }
            // Not listening yet, or (57P03) listening and not ready, or so busy that logging in takes too long.
            catch (NpgsqlException problem)
                when (problem.InnerException is SocketException or IOException or TimeoutException
                    || problem.SqlState == PostgresErrorCodes.CannotConnectNow)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(50), ct);
            }
        }
    }

    private void Keep(string? line)
    {
        lock (_log)
        {
            _log.Enqueue(line ?? "");
            while (_log.Count > LinesKept)
            {
                _log.Dequeue();
            }
        }
    }

    private string Log()
    {
        lock (_log)
        {
            return string.Join(Environment.NewLine, _log);
        }
    }

    internal static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
