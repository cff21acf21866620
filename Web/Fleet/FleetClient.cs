using Web.Api;
using Web.Customers;
using Web.Operations;

namespace Web.Fleet;

/// <summary>What operators ask about all customers at once, and the runs over them. No write is sent twice.</summary>
public sealed class FleetClient(HttpClient http, Visit? visit = null)
{
    public Task<Result<FleetStatus>> FindAsync(CancellationToken ct) =>
        http.SendAsync<FleetStatus>(visit, "find fleet", new(HttpMethod.Get, "/fleet"), ct);

    /// <summary>The migrations of the API's build, in order.</summary>
    public Task<Result<List<FleetMigration>>> MigrationsAsync(CancellationToken ct) =>
        http.SendAsync<List<FleetMigration>>(visit, "list migrations", new(HttpMethod.Get, "/fleet/migrations"), ct);

    /// <summary>Customers in a condition, with their last error.</summary>
    /// <param name="condition"><c>failed</c> or <c>behind</c>.</param>
    /// <param name="count">At most so many; 1 to 200.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<Page<Customer>>> CustomersAsync(string condition, int count, CancellationToken ct) =>
        http.SendAsync<Page<Customer>>(visit, $"list {condition} customers",
            new(HttpMethod.Get, $"/customers?condition={condition}&page=1&pageSize={count}"), ct);

    /// <summary>The largest customers, the largest first.</summary>
    public Task<Result<Page<Customer>>> LargestAsync(int count, CancellationToken ct) =>
        http.SendAsync<Page<Customer>>(visit, "list largest customers",
            new(HttpMethod.Get, $"/customers?sort=-size&page=1&pageSize={count}"), ct);

    /// <summary>Begins a run, or a comparison.</summary>
    /// <param name="kind"><c>migrate</c>, <c>retry</c> or <c>verify</c>.</param>
    /// <param name="ring">Only that ring; null for all.</param>
    /// <param name="customers">Only those, by slug; null for all.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<Operation>> BeginAsync(
        string kind, int? ring, IReadOnlyList<string>? customers, CancellationToken ct) =>
            http.SendAsync<Operation>(visit, $"begin {kind}",
                new(HttpMethod.Post, $"/fleet/{kind}") { Content = JsonContent.Create(new { ring, customers }) }, ct);

    /// <summary>Begins to take back what came after a migration.</summary>
    /// <param name="to">The migration that stays applied.</param>
    /// <param name="migrations">All that are taken back: the API refuses others.</param>
    /// <param name="ring">Only from those of that ring; null for all.</param>
    /// <param name="customers">Only from those, by slug; null for all.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<Operation>> TakeBackAsync(
        string to, IReadOnlyList<string> migrations, int? ring, IReadOnlyList<string>? customers,
        CancellationToken ct) =>
            http.SendAsync<Operation>(visit, "begin down",
                new(HttpMethod.Post, "/fleet/down")
                {
                    Content = JsonContent.Create(new { to, migrations, ring, customers }),
                }, ct);

    /// <summary>Asks all runs in progress to end after what is in hand.</summary>
    public Task<Result<HaltedRuns>> HaltAsync(string reason, CancellationToken ct) =>
        http.SendAsync<HaltedRuns>(visit, "halt runs",
            new(HttpMethod.Post, "/fleet/halt") { Content = JsonContent.Create(new { reason }) }, ct);
}
