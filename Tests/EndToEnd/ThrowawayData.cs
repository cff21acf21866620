using System.Diagnostics;
using Tenancy.Hosting.Sources;
using Microsoft.Extensions.Configuration;
using Tests.Integration.Server;

namespace Tests.EndToEnd;

/// <summary>
/// Where a system under test keeps its data, whichever way its AppHost gets a PostgreSQL: a new database of the
/// configured server, a container volume, or a folder. Kept between restarts of one test, gone after it.
/// </summary>
public sealed class ThrowawayData : IAsyncDisposable
{
    private readonly string _name = $"tests-{Guid.NewGuid():n}";

    private ThrowawayData(string? owner, string? tenants) => Arguments = owner is null
        ? [$"--Postgres:DataFolder={Folder}", $"--Postgres:DataVolume={_name}"]
        : [$"--ConnectionStrings:tenants={owner}", $"--ConnectionStrings:tenantsApi={tenants}"];

    /// <summary>What the AppHost is started with.</summary>
    public string[] Arguments { get; }

    private string Folder => Path.Combine(Path.GetTempPath(), _name);

    public static async Task<ThrowawayData> CreateAsync(TestServer server, CancellationToken ct)
    {
        var owner = TestServer.IsConfigured ? await server.ConnectionStringAsync(ct) : null;
        return new(owner, owner is null ? null : server.AsNewLogin(owner));
    }

    public async ValueTask DisposeAsync()
    {
        if (Directory.Exists(Folder))
        {
            Directory.Delete(Folder, recursive: true);
        }
        else if (!TestServer.IsConfigured
            && ContainerEngine.Answers(new ConfigurationBuilder().AddEnvironmentVariables().Build()))
        {
            using var remove = Process.Start(
                new ProcessStartInfo("docker", ["volume", "rm", "--force", _name]) { RedirectStandardOutput = true });
            await remove!.WaitForExitAsync();
        }
    }
}
