using System.Diagnostics;
using Tenancy.Postgres;
using Microsoft.Extensions.Hosting;

namespace Tenancy.Hosting.Sources;

/// <summary>
/// One server per data: while an AppHost runs, no other one gets its container volume. Two containers on one volume
/// destroy each other's data, and no engine prevents them.
/// </summary>
internal sealed class VolumeClaim : IHostedService, IDisposable
{
    /// <summary>How long another user of the volume may need to end: as long as a local server may.</summary>
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(4);

    /// <summary>
    /// How long the orchestrator may need to remove the container of an AppHost that was killed: 15 seconds were seen.
    /// </summary>
    private static readonly TimeSpan OrchestratorsFarewell = TimeSpan.FromSeconds(25);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(250);

    private readonly FileStream? _lock;

    private VolumeClaim(FileStream? @lock) => _lock = @lock;

    /// <summary>
    /// Claims the volume for this process. The claim is a locked file, which the system unlocks when the process ends,
    /// also by kill -9. A container of an AppHost that was killed a moment ago is waited for: the orchestrator still
    /// removes it.
    /// </summary>
    /// <param name="volume">The volume's name.</param>
    /// <param name="engine">The engine that has it.</param>
    /// <param name="folder">Where the lock is. All AppHosts of one user have the same folder.</param>
    /// <param name="haste">Divides the time that another user of the volume is waited for.</param>
    /// <exception cref="NoPostgresException">Another AppHost or another container still uses the volume.</exception>
    public static VolumeClaim Take(string volume, ContainerEngine engine, string folder, int haste = 1)
    {
        var clock = Stopwatch.StartNew();
        FileStream? taken;
        while (!TryLock(folder, volume, out taken))
        {
            if (clock.Elapsed > Farewell / haste)
            {
                throw Used("AppHost", volume);
            }

            Thread.Sleep(Pause);
        }

        while (engine.UsersOf(volume) is [var user, ..])
        {
            if (clock.Elapsed > (user.IsAspires ? OrchestratorsFarewell : Farewell) / haste)
            {
                taken?.Dispose();
                throw Used($"server (container {user.Container})", volume);
            }

            Thread.Sleep(Pause);
        }

        return new(taken);
    }

    public Task StartAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    public void Dispose() => _lock?.Dispose();

    /// <summary>False if another process has the lock. Where no lock can be made, only the engine can tell.</summary>
    private static bool TryLock(string folder, string volume, out FileStream? taken)
    {
        taken = null;
        try
        {
            Directory.CreateDirectory(folder);
            taken = new FileStream(
                Path.Combine(folder, $"{volume}.lock"), FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
            return true;
        }
        catch (Exception problem) when (problem is UnauthorizedAccessException or DirectoryNotFoundException)
        {
            return true;
        }
        catch (IOException)
        {
            return !File.Exists(Path.Combine(folder, $"{volume}.lock"));
        }
    }

    private static NoPostgresException Used(string by, string volume) => new($"""
        Another {by} uses the data in the container volume '{volume}': this AppHost seems to run already.
        Stop it first, or give this one its own data with --Postgres:DataVolume=...
        """);
}
