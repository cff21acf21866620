using System.Diagnostics;
using System.Globalization;
using Benchmarks.Measuring;

namespace Benchmarks.Scale;

/// <summary>What was done once, with its time, the processor time of this process and of the server.</summary>
internal sealed class Steps(ServerProcesses server, Stopwatch clock, TextWriter output)
{
    private readonly List<(string Name, int Customers, double Seconds, double Client, double Server, long Managed)> _done = [];

    /// <param name="name">In the table.</param>
    /// <param name="customers">How many it was done for.</param>
    /// <param name="work">What is measured.</param>
    /// <returns>Its time, and the processor time of client and server together: seconds.</returns>
    public async Task<(double Seconds, double Cpu)> RunAsync(string name, int customers, Func<Task> work)
    {
        Say(name);
        GC.Collect();
        GC.WaitForPendingFinalizers();
        var (client, serverBefore, start) = (Environment.CpuUsage.TotalTime, server.Seconds(), Stopwatch.GetTimestamp());
        await work();
        var step = (name, customers, Stopwatch.GetElapsedTime(start).TotalSeconds,
            (Environment.CpuUsage.TotalTime - client).TotalSeconds, server.Seconds() - serverBefore,
            GC.GetTotalMemory(forceFullCollection: true));
        _done.Add(step);
        return (step.Item3, step.Item4 + step.Item5);
    }

    public void Say(string what) =>
        output.WriteLine(FormattableString.Invariant($"{clock.Elapsed.TotalSeconds,5:0} s  {what}"));

    public void Write() => Table.Write(output,
    [
        ["step", "s", "one, ms", "client CPU, s", "server CPU, s", "managed memory after it, MB"],
        .. _done.Select(step => new[]
        {
            step.Name, Number(step.Seconds, "0.0"), Number(step.Seconds * 1000 / step.Customers, "0.00"),
            Number(step.Client, "0.0"), Number(step.Server, "0.0"), Number(step.Managed / 1e6, "0.0"),
        }),
    ]);

    private static string Number(double value, string format) => value.ToString(format, CultureInfo.InvariantCulture);
}
