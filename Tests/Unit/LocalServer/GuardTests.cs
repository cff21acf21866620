using System.Diagnostics;
using Tenancy.Postgres;
using Tenancy.Postgres.Cluster;
using Xunit;

namespace Tests.Unit.LocalServer;

/// <summary>The script that ties a server to the process it was started for.</summary>
public sealed class GuardTests(ClusterTemplate template) : IClassFixture<ClusterTemplate>, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly TemporaryFolder _folder = new();
    private readonly Process _owner = Process.Start("sleep", "600");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_killed_owner_takes_the_server_with_it_and_the_next_start_finds_the_data()
    {
        await using var server = await StartAsync();
        using var postmaster = Postmaster();

        _owner.Kill();

        await GoneAsync(postmaster);
        await Eventually.HoldsAsync(() => server.HasExited);
        await using var next = await PostgresServer.StartAsync(_folder["kept"], Ct);
        Assert.False(next.HasExited);
    }

    [Fact]
    public async Task A_killed_guard_takes_the_server_with_it()
    {
        await using var server = await StartAsync();
        using var postmaster = Postmaster();

        using var guard = Process.GetProcessById(server.ProcessId);
        guard.Kill();

        await GoneAsync(postmaster);
        Assert.False(_owner.HasExited);
    }

    [Theory]
    [InlineData("TERM")]
    [InlineData("INT")]
    [InlineData("HUP")]
    public async Task A_signal_to_the_guard_stops_the_server_though_a_client_is_connected(string signal)
    {
        Signals.SkipWhereIgnored(signal);
        await using var server = await StartAsync();
        using var postmaster = Postmaster();
        await using var client = new Npgsql.NpgsqlConnection(server.ConnectionString());
        await client.OpenAsync(Ct);

        Command.Run(Patience, "kill", "-s", signal, $"{server.ProcessId}");

        await Eventually.HoldsAsync(() => server.HasExited);
        await GoneAsync(postmaster);
        Assert.False(File.Exists(PidFile));
    }

    [Fact]
    public async Task A_killed_server_ends_the_guard_and_the_next_start_recovers()
    {
        await using var server = await StartAsync();
        using var postmaster = Postmaster();

        postmaster.Kill();

        await Eventually.HoldsAsync(() => server.HasExited);
        Assert.True(File.Exists(PidFile));
        await using var next = await PostgresServer.StartAsync(_folder["kept"], Ct);
        Assert.False(next.HasExited);
    }

    [Fact]
    public async Task The_servers_exit_code_is_the_guards()
    {
        var command = new ProcessStartInfo("sh",
            [Path.Combine(AppContext.BaseDirectory, "Tenancy.Postgres", "guard.sh"), $"{_owner.Id}",
                _folder.Script("ends", "exit 7")])
        {
            Environment = { ["PGPORT"] = "5432" },
        };
        using var guard = Process.Start(command)!;

        await guard.WaitForExitAsync(Ct);

        Assert.Equal(7, guard.ExitCode);
    }

    public void Dispose()
    {
        _owner.Kill();
        _owner.Dispose();
        _folder.Dispose();
    }

    private string PidFile => Path.Combine(_folder["kept"], "data", "postmaster.pid");

    private Task<PostgresServer> StartAsync()
    {
        template.CopyTo(_folder["kept"]);
        return PostgresServer.StartAsync(_folder["kept"], ClusterTemplate.Account, _owner.Id, durable: false, Ct);
    }

    private Process Postmaster() => Process.GetProcessById(int.Parse(File.ReadLines(PidFile).First(), provider: null));

    private static Task GoneAsync(Process process) => process.WaitForExitAsync(Ct).WaitAsync(Patience, Ct);

}
