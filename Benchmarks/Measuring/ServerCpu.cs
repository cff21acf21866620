using System.Globalization;
using Npgsql;

namespace Benchmarks.Measuring;

/// <summary>
/// The processor time of the server processes that serve one variant, as the kernel accounts for them. Linux only.
/// </summary>
internal sealed class ServerCpu
{
    private const double TicksPerSecond = 100;  // USER_HZ, the same on every Linux

    private readonly string[] _folders;

    private ServerCpu(IEnumerable<int> backends) => _folders = [.. backends.Select(pid => $"/proc/{pid}")];

    /// <summary>
    /// Of the sessions whose Application Name is <paramref name="application"/>: they have to be open and to stay so.
    /// </summary>
    public static async Task<ServerCpu> OfAsync(NpgsqlDataSource admin, string application, CancellationToken ct) =>
        new(OperatingSystem.IsLinux() ? await BackendsAsync(admin, application, ct) : []);

    public static async Task<IReadOnlyList<int>> BackendsAsync(
        NpgsqlDataSource admin, string application, CancellationToken ct)
    {
        await using var command = admin.CreateCommand(
            "SELECT pid FROM pg_catalog.pg_stat_activity WHERE application_name = $1 ORDER BY pid");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = application });
        await using var rows = await command.ExecuteReaderAsync(ct);
        var backends = new List<int>();
        while (await rows.ReadAsync(ct))
        {
            backends.Add(rows.GetInt32(0));
        }

        return backends;
    }

    /// <summary>Seconds until now; null where the server's processes can't be seen.</summary>
    public double? Seconds()
    {
        try
        {
            return _folders.Length == 0 ? null : _folders.Sum(Seconds);
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static double Seconds(string folder)
    {
        // The scheduler counts nanoseconds; stat has the same in ticks of 10 ms, coarse for a slice of half a second.
        var scheduler = Path.Combine(folder, "schedstat");
        if (File.Exists(scheduler)
            && long.TryParse(File.ReadAllText(scheduler).Split(' ')[0], CultureInfo.InvariantCulture,
                out var nanoseconds) && nanoseconds > 0)
        {
            return nanoseconds / 1e9;
        }

        // After the name, which is in brackets and may contain anything: field 14 is utime, 15 stime.
        var stat = File.ReadAllText(Path.Combine(folder, "stat"));
        var fields = stat[(stat.LastIndexOf(')') + 2)..].Split(' ');
        return (long.Parse(fields[11], CultureInfo.InvariantCulture) +
            long.Parse(fields[12], CultureInfo.InvariantCulture)) / TicksPerSecond;
    }
}
