using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Tenancy.Postgres.Cluster;
using Npgsql;
using Xunit;

namespace Tests.Integration.Server;

/// <summary>
/// A private PgBouncer in transaction mode in front of a test's server, on a free port of 127.0.0.1: a client keeps a
/// server connection for one transaction only. It ends when it is disposed, and with this process, however that ends.
/// </summary>
internal sealed class PgBouncer : IAsyncDisposable
{
    /// <summary>Few, so that clients share them.</summary>
    public const int ServerConnections = 4;

    private const int PortsTried = 3;
    private const int LinesKept = 30;

    private static readonly string? Program = Find();

    private readonly Process _process;
    private readonly string _folder;
    private readonly ConcurrentQueue<string> _log = new();

    private PgBouncer(NpgsqlConnectionStringBuilder server, ServerAccount account)
    {
        _folder = ThrowawayFolder.Make(account);
        var port = FreePort();
        var users = Write("users.txt", $"{Quoted(server.Username)} {Quoted(server.Password)}", account);
        var configuration = Write("pgbouncer.ini", $"""
            [databases]
            * = host={server.Host} port={server.Port}

            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {port}
            unix_socket_dir =
            auth_type = scram-sha-256
            auth_file = {users}
            pool_mode = transaction
            default_pool_size = {ServerConnections}
            max_client_conn = 200
            """, account);
        ConnectionString = new NpgsqlConnectionStringBuilder(
            server.ConnectionString) { Host = "127.0.0.1", Port = port, SslMode = SslMode.Disable }.ConnectionString;

        // The guard adds a port that PgBouncer doesn't take as an argument; the shell drops it, and becomes the
        // program.
        string[] program = [.. account.Drop, "sh", "-c", "exec \"$0\" \"$1\"", Program!, configuration];
        _process = new Process
        {
            StartInfo = new ProcessStartInfo("sh",
                [Path.Combine(AppContext.BaseDirectory, "Tenancy.Postgres", "guard.sh"), $"{Environment.ProcessId}",
                    .. program])
            {
                WorkingDirectory = "/",
                RedirectStandardError = true,
                Environment = { ["PGPORT"] = $"{port}" },
            },
        };
        _process.ErrorDataReceived += (_, line) => _log.Enqueue(line.Data ?? "");
    }

    /// <summary>The server's connection string, by way of the pooler.</summary>
    public string ConnectionString { get; }

    /// <summary>True once it, and what guards it, have ended.</summary>
    public bool HasExited => _process.HasExited;

    /// <summary>What it said last.</summary>
    public string Log => string.Join(Environment.NewLine, _log.TakeLast(LinesKept));

    /// <summary>
    /// Starts one in front of the server of a connection string, for all its databases, and returns when it takes
    /// connections. Skips the test where that can't be.
    /// </summary>
    public static async Task<PgBouncer> StartAsync(string connectionString, CancellationToken ct)
    {
        var server = new NpgsqlConnectionStringBuilder(connectionString);
        Assert.SkipUnless(Program is not null, "PgBouncer isn't installed: apt-get install pgbouncer");
        Assert.SkipWhen(string.IsNullOrEmpty(server.Password),
            "ConnectionStrings__tenants has no password, which PgBouncer would log in with.");
        var account = ServerAccount.Current();
        for (var attempt = 1; ; attempt++)
        {
            var pooler = new PgBouncer(server, account);
            pooler._process.Start();
            pooler._process.BeginErrorReadLine();
            if (await pooler.IsReadyAsync(ct))
            {
                return pooler;
            }

            var log = pooler.Log;
            await pooler.DisposeAsync();
            // Its port was free a moment ago; it may be somebody else's now.
            Assert.True(attempt < PortsTried, $"PgBouncer ended at once:{Environment.NewLine}{log}");
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (!_process.HasExited)
        {
            Command.Run(TimeSpan.FromSeconds(5), "kill", "-TERM", $"{_process.Id}");
            await _process.WaitForExitAsync(CancellationToken.None);
        }

        _process.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    /// <returns>False if it has ended instead.</returns>
    private async Task<bool> IsReadyAsync(CancellationToken ct)
    {
        await using var source = NpgsqlDataSource.Create(ConnectionString);
        while (!_process.HasExited)
        {
            try
            {
                await using var connection = await source.OpenConnectionAsync(ct);
                return true;
            }
            catch (NpgsqlException problem) when (problem.InnerException is SocketException)
            {
                await Task.Delay(TimeSpan.FromMilliseconds(20), ct);
            }
        }

        await _process.WaitForExitAsync(ct);    // until its last words are read
        return false;
    }

    private string Write(string name, string text, ServerAccount account)
    {
        var file = Path.Combine(_folder, name);
        File.WriteAllText(file, "");
        account.Own(file);
        File.WriteAllText(file, text + "\n");
        return file;
    }

    private static string Quoted(string? text) => $"\"{text?.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    // Debian puts it where only root's PATH looks.
    private static string? Find() => OperatingSystem.IsWindows() ? null :
        $"{Environment.GetEnvironmentVariable("PATH")}:/usr/sbin:/usr/local/sbin"
            .Split(':', StringSplitOptions.RemoveEmptyEntries)
            .Select(folder => Path.Combine(folder, "pgbouncer")).FirstOrDefault(File.Exists);

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
