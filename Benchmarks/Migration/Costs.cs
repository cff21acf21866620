using Benchmarks.Measuring;

namespace Benchmarks.Migration;

/// <summary>What each rival's rounds took.</summary>
internal sealed class Costs
{
    public Turns Times { get; } = new();

    public Turns Cpu { get; } = new();

    public Turns Client { get; } = new();

    public Turns Server { get; } = new();

    public void Add(string rival, int round, Cost cost)
    {
        Times.Add(rival, round, cost.Milliseconds);
        Cpu.Add(rival, round, cost.CpuMilliseconds);
        Client.Add(rival, round, cost.ClientMilliseconds);
        Server.Add(rival, round, cost.ServerMilliseconds);
    }
}
