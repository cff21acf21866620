using System.Diagnostics;
using Benchmarks.Measuring;
using Npgsql;

namespace Benchmarks.Migration;

/// <summary>What migrating took.</summary>
/// <param name="Milliseconds">From begin to end.</param>
/// <param name="ClientMilliseconds">Of the processor, by this process.</param>
/// <param name="ServerMilliseconds">Of the processor, by the server's sessions; 0 where those can't be seen.</param>
internal readonly record struct Cost(double Milliseconds, double ClientMilliseconds, double ServerMilliseconds)
{
    /// <summary>The Application Name of the sessions that are counted.</summary>
    public const string Application = "migration";

    /// <summary>Of the processor, by both together.</summary>
    public double CpuMilliseconds => ClientMilliseconds + ServerMilliseconds;

    public static Cost operator /(Cost cost, double count) =>
        new(cost.Milliseconds / count, cost.ClientMilliseconds / count, cost.ServerMilliseconds / count);

    /// <param name="admin">Of the same server.</param>
    /// <param name="work">Leaves its sessions open. Those that it opens count from their start.</param>
    /// <param name="ct">Ends the measuring.</param>
    public static async Task<Cost> OfAsync(NpgsqlDataSource admin, Func<Task> work, CancellationToken ct)
    {
        var serverBefore = (await ServerCpu.OfAsync(admin, Application, ct)).Seconds() ?? 0;
        var clientBefore = Environment.CpuUsage.TotalTime;
        var start = Stopwatch.GetTimestamp();
        await work();
        var elapsed = Stopwatch.GetElapsedTime(start);
        var client = Environment.CpuUsage.TotalTime - clientBefore;
        var server = (await ServerCpu.OfAsync(admin, Application, ct)).Seconds() is { } after
            ? after - serverBefore
            : 0;
        return new(elapsed.TotalMilliseconds, client.TotalMilliseconds, server * 1000);
    }
}
