using System.Globalization;
using Npgsql;

namespace Benchmarks.Measuring;

/// <summary>
/// All processes of a server together, those that have ended included, as the kernel accounts for them: sessions come
/// and go in what is measured here. Linux only.
/// </summary>
internal sealed class ServerProcesses
{
    private const double TicksPerSecond = 100;  // USER_HZ, the same on every Linux

    private readonly int _postmaster;

    private ServerProcesses(int postmaster) => _postmaster = postmaster;

    public static async Task<ServerProcesses> OfAsync(NpgsqlDataSource admin, CancellationToken ct)
    {
        await using var ask = admin.CreateCommand("SELECT split_part(pg_read_file('postmaster.pid'), E'\\n', 1)::int");
        return new((int)(await ask.ExecuteScalarAsync(ct))!);
    }

    /// <summary>Seconds of processor time until now; 0 where the processes can't be seen.</summary>
    public double Seconds()
    {
        if (!OperatingSystem.IsLinux())
        {
            return 0;
        }

        var ticks = 0L;
        foreach (var folder in Directory.EnumerateDirectories("/proc")
            .Where(folder => char.IsAsciiDigit(folder["/proc/".Length])))
        {
            if (Stat(folder) is { } fields && fields[1] == _postmaster)
            {
                ticks += fields[11] + fields[12];
            }
        }

        // The postmaster's own, and that of its children that have ended.
        return Stat($"/proc/{_postmaster}") is { } own
            ? (ticks + own[11] + own[12] + own[13] + own[14]) / TicksPerSecond
            : 0;
    }

    /// <summary>
    /// The largest of the sessions with that Application Name, without what it shares with the others: bytes. 0 where
    /// it can't be seen.
    /// </summary>
    public static async Task<long> LargestAsync(NpgsqlDataSource admin, string application, CancellationToken ct) =>
        (await ServerCpu.BackendsAsync(admin, application, ct)).Select(Memory).DefaultIfEmpty().Max();

    /// <summary>
    /// Of a process, bytes. Not what smaps calls private: a page of the server's shared buffers that one process alone
    /// has touched is private there.
    /// </summary>
    public static long Memory(int process)
    {
        try
        {
            return 1024 * long.Parse(
                File.ReadLines($"/proc/{process}/status").First(line => line.StartsWith("RssAnon:", StringComparison.Ordinal))
                    .Split(' ', StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture);
        }
        catch (Exception e) when (e is IOException or InvalidOperationException)
        {
            // It has ended, or there is no /proc.
            return 0;
        }
    }

    /// <summary>The numbers after the process's name; from the state, which is none and is 0 here. Null when it has
    /// ended.</summary>
    private static long[]? Stat(string folder)
    {
        try
        {
            var stat = File.ReadAllText(Path.Combine(folder, "stat"));
            return [.. stat[(stat.LastIndexOf(')') + 2)..].Split(' ')
                .Select(field => long.TryParse(field, CultureInfo.InvariantCulture, out var number) ? number : 0)];
        }
        catch (IOException)
        {
            return null;
        }
    }
}
