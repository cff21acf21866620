using System.Diagnostics;
using Benchmarks.Measuring;

namespace Benchmarks.Pending;

/// <summary>
/// Programs as processes, from their start to their exit, in turn; all of them .NET, of the same build, with the same
/// environment.
/// </summary>
internal static class Starts
{
    public const string Job = "the job, nothing pending";
    public const string EmptyHost = "a host that opens a connection by EF";
    public const string Nothing = "a process that does nothing";

    public static IReadOnlyList<string> All => [Nothing, EmptyHost, Job];

    /// <returns>Milliseconds.</returns>
    public static async Task<Turns> MeasureAsync(string database, int rounds, CancellationToken ct)
    {
        var turns = new Turns();
        // The first round reads the assemblies from the disk.
        for (var round = -1; round < rounds; round++)
        {
            foreach (var program in Turns.Order(All, round))
            {
                var (elapsed, _) = await StartAsync(program, database, ct);
                if (round >= 0)
                {
                    turns.Add(program, round, elapsed.TotalMilliseconds);
                }
            }
        }

        return turns;
    }

    /// <returns>The time from start to exit, and the most memory that it had: bytes; 0 where that can't be seen.
    /// </returns>
    public static async Task<(TimeSpan Elapsed, long Memory)> StartAsync(
        string program, string database, CancellationToken ct)
    {
        var start = new ProcessStartInfo(
            Environment.ProcessPath is { } path && Path.GetFileNameWithoutExtension(path) == "dotnet" ? path : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["ConnectionStrings__tenants"] = database, ["DOTNET_ENVIRONMENT"] = "Production" },
        };
        start.ArgumentList.Add(Built(program == Job ? "MigrationService" : "EmptyHost"));
        if (program == Nothing)
        {
            start.ArgumentList.Add("nothing");
        }

        var begun = Stopwatch.GetTimestamp();
        using var process = Process.Start(start)!;
        var said = Task.WhenAll(process.StandardOutput.ReadToEndAsync(ct), process.StandardError.ReadToEndAsync(ct));
        var exited = process.WaitForExitAsync(ct);
        var memory = 0L;
        while (!exited.IsCompleted)
        {
            memory = Math.Max(memory, Resident(process.Id));
            await Task.WhenAny(exited, Task.Delay(50, ct));
        }

        await exited;
        var elapsed = Stopwatch.GetElapsedTime(begun);
        return process.ExitCode == 0
            ? (elapsed, memory)
            : throw new InvalidOperationException(
                $"'{program}' ended with exit code {process.ExitCode}: {string.Concat(await said)}");
    }

    private static long Resident(int process)
    {
        try
        {
            return Process.GetProcessById(process).WorkingSet64;
        }
        catch (ArgumentException)
        {
            // It has ended.
            return 0;
        }
    }

    /// <summary>Where the build puts a program, beside this one's output.</summary>
    private static string Built(string project)
    {
        var folder = Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory);
        return Path.GetFullPath(Path.Combine(folder, "..", "..", project, Path.GetFileName(folder), $"{project}.dll"));
    }
}
