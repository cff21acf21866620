namespace Benchmarks.Measuring;

/// <summary>
/// What one variant did in one short stretch of time. Everything is per request, times in microseconds.
/// </summary>
/// <param name="Requests">How many it served.</param>
/// <param name="Time">The slice's length divided by its requests: with several at once, less than a request
/// lasts.</param>
/// <param name="P50">Half of the requests lasted no longer.</param>
/// <param name="P99">99 of 100 requests lasted no longer.</param>
/// <param name="AllocatedBytes">Managed memory, of all threads.</param>
/// <param name="ClientCpu">Of this process.</param>
/// <param name="ServerCpu">Of the server's processes that serve the variant; null where they can't be seen.</param>
internal sealed record Slice(
    int Requests, double Time, double P50, double P99, double AllocatedBytes, double ClientCpu, double? ServerCpu)
{
    /// <summary>Client and server; the client alone where the server's can't be seen.</summary>
    public double Cpu => ClientCpu + (ServerCpu ?? 0);
}

/// <summary>What the requests do.</summary>
internal enum Operation
{
    /// <summary>One row by its id, not tracked.</summary>
    Select,

    /// <summary>One row, by SaveChanges where it is EF.</summary>
    Insert,
}

/// <summary>An operation, and by how many workers it is done at the same time.</summary>
internal readonly record struct Load(Operation Operation, int AtOnce)
{
    public override string ToString() => $"{Operation.ToString().ToUpperInvariant()}, {AtOnce} at once";
}
