using System.Text.Json;
using Web.Api;
using Web.Customers;
using Web.Operations;

namespace Web.Fleet;

/// <summary>What operators ask about all customers at once, and the runs over them. No write is sent twice.</summary>
public sealed class FleetClient(HttpClient http, Visit? visit = null)
{
    /// <summary>All schemas, the last runs, and the first <see cref="FleetLook.MostFailed"/> failures.</summary>
    public Task<Result<FleetStatus>> FindAsync(CancellationToken ct) =>
        http.SendAsync<FleetStatus>(
            visit, "find fleet", new(HttpMethod.Get, $"/fleet?failures={FleetLook.MostFailed}"), ct);

    /// <summary>The migrations of the API's build, in order.</summary>
    public Task<Result<List<FleetMigration>>> MigrationsAsync(CancellationToken ct) =>
        http.SendAsync<List<FleetMigration>>(visit, "list migrations", new(HttpMethod.Get, "/fleet/migrations"), ct);

    /// <summary>Customers in a condition, with their last error.</summary>
    /// <param name="condition"><c>failed</c> or <c>waiting</c>.</param>
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
    /// <param name="database">Only that database's; null for all.</param>
    public Task<Result<Operation>> BeginAsync(
        string kind, int? ring, IReadOnlyList<string>? customers, CancellationToken ct, string? database = null) =>
            http.SendAsync<Operation>(visit, $"begin {kind}",
                new(HttpMethod.Post, $"/fleet/{kind}") { Content = Body(new { ring, customers }, database) }, ct);

    /// <summary>Begins to take back what came after a migration.</summary>
    /// <param name="to">The migration that stays applied.</param>
    /// <param name="migrations">All that are taken back: the API refuses others.</param>
    /// <param name="ring">Only from those of that ring; null for all.</param>
    /// <param name="customers">Only from those, by slug; null for all.</param>
    /// <param name="database">Only from that database's; null for all.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<Operation>> TakeBackAsync(
        string to, IReadOnlyList<string> migrations, int? ring, IReadOnlyList<string>? customers, string? database,
        CancellationToken ct) =>
            http.SendAsync<Operation>(visit, "begin down",
                new(HttpMethod.Post, "/fleet/down")
                {
                    Content = Body(new { to, migrations, ring, customers }, database),
                }, ct);

    /// <summary>The tasks that are done once for each customer, by name.</summary>
    public Task<Result<List<FleetTask>>> TasksAsync(CancellationToken ct) =>
        http.SendAsync<List<FleetTask>>(visit, "list tasks", new(HttpMethod.Get, "/fleet/tasks"), ct);

    /// <summary>How far customers are with a task, by slug.</summary>
    /// <param name="task">Its name.</param>
    /// <param name="state"><c>done</c>, <c>failed</c> or <c>left</c>; null for all.</param>
    /// <param name="page">From 1.</param>
    /// <param name="pageSize">1 to 200.</param>
    /// <param name="database">Only that database's; null for all.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<Page<TaskCustomer>>> TaskCustomersAsync(
        string task, string? state, int page, int pageSize, string? database, CancellationToken ct) =>
        http.SendAsync<Page<TaskCustomer>>(visit, "list task's customers", new(HttpMethod.Get,
            $"/fleet/tasks/{Uri.EscapeDataString(task)}/customers?page={page}&pageSize={pageSize}" +
            (string.IsNullOrEmpty(state) ? "" : $"&state={Uri.EscapeDataString(state)}") +
            (string.IsNullOrEmpty(database) ? "" : $"&database={Uri.EscapeDataString(database)}")), ct);

    /// <summary>Begins a task for the customers that haven't done it.</summary>
    /// <param name="task">Its name.</param>
    /// <param name="customers">Only those, by slug; null for all.</param>
    /// <param name="database">Only that database's; null for all.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<Operation>> RunTaskAsync(
        string task, IReadOnlyList<string>? customers, string? database, CancellationToken ct) =>
        http.SendAsync<Operation>(visit, "begin task",
            new(HttpMethod.Post, $"/fleet/tasks/{Uri.EscapeDataString(task)}")
            {
                Content = Body(new { customers }, database),
            }, ct);

    /// <summary>Asks all runs in progress to end after what is in hand.</summary>
    /// <param name="reason">Why.</param>
    /// <param name="database">Only that database's; null for all.</param>
    /// <param name="ct">Gives up waiting.</param>
    public Task<Result<HaltedRuns>> HaltAsync(string reason, string? database, CancellationToken ct) =>
        http.SendAsync<HaltedRuns>(visit, "halt runs",
            new(HttpMethod.Post, "/fleet/halt") { Content = Body(new { reason }, database) }, ct);

    /// <summary>With one database the body says nothing of databases.</summary>
    private static JsonContent Body(object request, string? database)
    {
        var body = JsonSerializer.SerializeToNode(request, JsonSerializerOptions.Web)!.AsObject();
        if (database is not null)
        {
            body["database"] = database;
        }

        return JsonContent.Create(body);
    }
}
