using Web.Api;
using Web.Customers;
using Web.Operations;

namespace Web.Fleet;

/// <summary>One look at what goes on with all customers.</summary>
/// <param name="Status">The schemas and the runs.</param>
/// <param name="Failed">The customers whose last migration failed; the first <see cref="MostFailed"/>.</param>
/// <param name="Active">The operations over many customers that wait or run, the newest first.</param>
public sealed record FleetLook(FleetStatus Status, Page<Customer> Failed, IReadOnlyList<Operation> Active)
{
    /// <summary>How many failures are read: a page reads them again and again, and a link leads to all.</summary>
    public const int MostFailed = 50;

    /// <summary>Whether the next look will show something else.</summary>
    public bool IsMoving => Status.IsMoving || Active.Count > 0;

    /// <summary>Failed schemas that aren't a customer's: spare ones, say.</summary>
    public IEnumerable<FleetFailure> Ownerless =>
        Failed.Total > Failed.Items.Count || Status.Failed > Status.Failures.Count
        ? []
        : Status.Failures.ExceptBy(Failed.Items.Select(customer => customer.Schema), failure => failure.Schema);

    /// <summary>
    /// The status names schemas, people know customers: one request for the customers that failed leads from one to the
    /// other.
    /// </summary>
    public static async Task<Result<FleetLook>> LoadAsync(
        FleetClient fleet, OperationsClient operations, CancellationToken ct)
    {
        var status = fleet.FindAsync(ct);
        var failed = fleet.CustomersAsync("failed", MostFailed, ct);
        var queued = operations.ListAsync(null, null, "queued", null, 50, ct);
        var running = operations.ListAsync(null, null, "running", null, 50, ct);
        await Task.WhenAll(status, failed, queued, running);
        var (one, two, three, four) = (await status, await failed, await queued, await running);
        return (one.Problem ?? two.Problem ?? three.Problem ?? four.Problem) is { } problem
            ? problem
            : new FleetLook(one.Value!, two.Value!,
                // One that began between the two answers is in both.
                [.. three.Value!.Items.Concat(four.Value!.Items).Where(operation => operation.Customer is null)
                    .DistinctBy(operation => operation.Id).OrderByDescending(operation => operation.CreatedAt)]);
    }
}
