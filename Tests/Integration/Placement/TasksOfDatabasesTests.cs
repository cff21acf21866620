using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Tests.Integration.Placement;

/// <summary>How far the tasks are where customers are in two databases.</summary>
public sealed class TasksOfDatabasesTests(App app) : IAsyncLifetime
{
    private TwoDatabases _two = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _two = await TwoDatabases.StartAsync(app);
        await _two.CreateAsync("acme");
        await _two.CreateAsync("globex", "two");
        await _two.CreateAsync("initech", "two");
        await TwoDatabases.ExecuteAsync(_two.First,
            "INSERT INTO tenancy.tasks (task, schema, done_at) VALUES ('trim', 'customer_acme', now())");
        await TwoDatabases.ExecuteAsync(_two.Second,
            "INSERT INTO tenancy.tasks (task, schema, attempts, last_error, failed_at) " +
            "VALUES ('trim', 'customer_globex', 2, 'of the second', now())");
    }

    public ValueTask DisposeAsync() => _two.DisposeAsync();

    [Fact]
    public async Task A_task_is_counted_over_all_databases_and_by_database()
    {
        var task = await TaskAsync("");

        Assert.Equal((1, 1, 1, "customer_globex", "of the second"),
            ((int)task["done"]!, (int)task["failed"]!, (int)task["left"]!, (string?)task["failedSchema"],
                (string?)task["lastError"]));
        Assert.Equal(["first: 1, 0, 0", "two: 0, 1, 1 of the second"], Databases(task));
        Assert.Equal(["first: 1, 0, 0"], Databases(await TaskAsync("?database=first")));
        var second = await TaskAsync("?database=two");
        Assert.Equal((0, 1, 1), ((int)second["done"]!, (int)second["failed"]!, (int)second["left"]!));
        Assert.Equal(["two: 0, 1, 1 of the second"], Databases(second));
    }

    [Fact]
    public async Task A_task_that_only_the_second_database_knows_is_left_for_the_customers_of_the_first()
    {
        await TwoDatabases.ExecuteAsync(_two.First, "DELETE FROM tenancy.tasks");

        Assert.Equal(["first: 0, 0, 1", "two: 0, 1, 1 of the second"], Databases(await TaskAsync("")));
        Assert.Equal(["acme left  ", "globex failed two 2", "initech left two "], await CustomersAsync(""));
    }

    [Fact]
    public async Task Customers_of_all_databases_or_of_the_chosen_one_are_listed_by_how_far_they_are()
    {
        Assert.Equal(["acme done  ", "globex failed two 2", "initech left two "], await CustomersAsync(""));
        Assert.Equal(["globex failed two 2"], await CustomersAsync("?state=failed"));
        Assert.Equal(["initech left two "], await CustomersAsync("?state=left"));
        Assert.Equal(["acme done  "], await CustomersAsync("?state=done"));
        Assert.Equal(["acme done  "], await CustomersAsync("?database=first"));
        Assert.Equal(["globex failed two 2", "initech left two "], await CustomersAsync("?database=two"));
        Assert.Equal([], await CustomersAsync("?database=two&state=done"));

        // A schema that isn't the customer's, although it has its name.
        await TwoDatabases.ExecuteAsync(_two.Second,
            """
            INSERT INTO tenancy.schemas SELECT (jsonb_populate_record(s, '{"schema": "customer_acme"}')).*
            FROM tenancy.schemas AS s WHERE schema = 'customer_globex'
            """);
        Assert.Equal(["acme done  ", "globex failed two 2", "initech left two "], await CustomersAsync(""));
    }

    [Fact]
    public async Task A_database_that_is_gone_is_named_and_the_others_are_counted_and_listed()
    {
        await _two.KillSecondAsync();

        var task = await TaskAsync("");

        Assert.Equal((1, 0, 0), ((int)task["done"]!, (int)task["failed"]!, (int)task["left"]!));
        Assert.Equal(["first: 1, 0, 0", "two: gone"], Databases(task));
        Assert.Equal(["acme done  "], await CustomersAsync(""));
        foreach (var path in (string[])["/fleet/tasks", "/fleet/tasks/trim/customers"])
        {
            using var gone = await _two.Http.GetAsync($"{path}?database=two", Ct);
            Assert.Equal((path, HttpStatusCode.ServiceUnavailable), (path, gone.StatusCode));
        }
    }

    [Theory]
    [InlineData("/fleet/tasks")]
    [InlineData("/fleet/tasks/trim/customers")]
    [InlineData("/doctor")]
    public async Task A_database_that_isnt_there_is_refused_by_name(string path)
    {
        using var answer = await _two.Http.GetAsync($"{path}?database=three", Ct);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("There is no database 'three'. Leave it out for all, or use first, two.",
            await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    private async Task<JsonNode> TaskAsync(string query) => Assert.Single(
        (await _two.Http.GetFromJsonAsync<JsonArray>($"/fleet/tasks{query}", Ct))!,
        task => (string?)task!["name"] == "trim")!;

    private static IEnumerable<string> Databases(JsonNode task) => task["databases"]!.AsArray().Select(one =>
        $"{one!["name"] ?? "first"}: " + (one["error"] is null
            ? $"{one["done"]}, {one["failed"]}, {one["left"]} {one["lastError"]}".TrimEnd()
            : "gone"));

    private async Task<IEnumerable<string>> CustomersAsync(string query) =>
        (await _two.Http.GetFromJsonAsync<JsonObject>($"/fleet/tasks/trim/customers{query}", Ct))!["items"]!.AsArray()
            .Select(one => $"{one!["slug"]} {one["state"]} {one["database"]} " +
                ((int)one["attempts"]! is > 0 and var attempts ? $"{attempts}" : ""));
}
