using Web.Api;

namespace Web.Customers;

/// <summary>What came of the same change for several customers.</summary>
/// <param name="Done">What the customers are now, for example <c>suspended</c>.</param>
/// <param name="Succeeded">Those that are.</param>
/// <param name="Failed">The others, each with its reason.</param>
/// <param name="Untried">Those that nobody tried, because somebody stopped it before.</param>
public sealed record BulkOutcome(
    string Done, IReadOnlyList<Customer> Succeeded, IReadOnlyList<(Customer Customer, Problem Problem)> Failed,
    IReadOnlyList<Customer> Untried)
{
    public int Total => Succeeded.Count + Failed.Count + Untried.Count;
}

/// <summary>The same change for several customers. One that fails keeps no other from its turn.</summary>
internal static class BulkChange
{
    /// <summary>How many are changed at once: a suspension may wait for transactions.</summary>
    private const int Parallel = 4;

    /// <param name="customers">Whom.</param>
    /// <param name="done">What they are then, for example <c>suspended</c>.</param>
    /// <param name="change">Changes one.</param>
    /// <param name="progress">Called after each one.</param>
    /// <param name="stop">Ends it after those in hand.</param>
    public static async Task<BulkOutcome> RunAsync(IReadOnlyList<Customer> customers, string done,
        Func<Customer, Task<Result<Done>>> change, Action progress, CancellationToken stop)
    {
        var left = new Queue<Customer>(customers);
        var (succeeded, failed) = (new List<Customer>(), new List<(Customer, Problem)>());
        await Task.WhenAll(Enumerable.Range(0, Parallel).Select(_ => WorkAsync()));
        return new(done, succeeded, failed, [.. left]);

        // All workers run on the circuit's own context, one at a time between their waits.
        async Task WorkAsync()
        {
            while (!stop.IsCancellationRequested && left.TryDequeue(out var customer))
            {
                var result = await change(customer);
                if (result.Succeeded)
                {
                    succeeded.Add(customer);
                }
                else
                {
                    failed.Add((customer, result.Problem));
                }

                progress();
            }
        }
    }
}
