using Tenancy.Postgres;
using Tenancy.Postgres.Cluster;
using Npgsql;

namespace Tests.Integration.Server;

/// <summary>A server that can be killed, and starts again on the same data and the same port.</summary>
internal sealed class CrashingPostgres : IAsyncDisposable
{
    private readonly ServerAccount _account = ServerAccount.Current();
    private readonly int _port = PostgresServer.FreePort();
    private readonly string _folder;
    private PostgresServer? _server;

    private readonly string[] _settings;

    private CrashingPostgres(string[] settings) => (_folder, _settings) = (ThrowawayFolder.Make(_account), settings);

    /// <summary>
    /// A throw-away server has synchronous_commit=off: it confirms a commit before it has written the log. When it is
    /// killed, it loses up to 0.6 s of confirmed commits; PostgreSQL 18 was seen to lose more than 15. So clients of
    /// this server wait until the log is written. fsync stays off: what was written outlives the server.
    /// </summary>
    public string ConnectionString =>
        new NpgsqlConnectionStringBuilder(
            _server!.ConnectionString()) { Options = "-c synchronous_commit=on" }.ConnectionString;

    /// <param name="ct">Ends the wait.</param>
    /// <param name="settings">Its settings besides the usual ones.</param>
    public static async Task<CrashingPostgres> StartAsync(CancellationToken ct, params string[] settings)
    {
        var server = new CrashingPostgres(settings);
        await server.StartServerAsync(ct);
        return server;
    }

    /// <summary>
    /// kill -9 of the server's first process: its children end when they notice, nothing is written down.
    /// </summary>
    public async Task CrashAsync(CancellationToken ct)
    {
        var pid = int.Parse(
            (await File.ReadAllLinesAsync(
                Directory.EnumerateFiles(_folder, "postmaster.pid", SearchOption.AllDirectories).First(), ct))[0],
                    System.Globalization.CultureInfo.InvariantCulture);
        System.Diagnostics.Process.GetProcessById(pid).Kill();
        await Eventually.HoldsAsync(() => _server!.HasExited);
        await _server!.DisposeAsync();
        _server = null;
    }

    public async Task StartServerAsync(CancellationToken ct)
    {
        while (true)
        {
            try
            {
                _server = await PostgresServer.StartAsync(
                    _folder, _account, Environment.ProcessId, durable: false, ct, _port, _settings);
                return;
            }
            catch (NoPostgresException e)
                when (e.Message.Contains("shared memory", StringComparison.Ordinal)
                    || e.Message.Contains("lock file", StringComparison.Ordinal))
            {
                // A child of the killed one hasn't noticed yet.
                await Task.Delay(50, ct);
            }
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_server is not null)
        {
            await _server!.DisposeAsync();
        }

        Directory.Delete(_folder, recursive: true);
    }
}
