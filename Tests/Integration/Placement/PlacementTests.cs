using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Data;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tests.Integration.Citus;
using Xunit;

namespace Tests.Integration.Placement;

/// <summary>Customers in two databases, behind one API.</summary>
public sealed class PlacementTests(App app) : IAsyncLifetime
{
    private TwoDatabases _two = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => _two = await TwoDatabases.StartAsync(app);

    public ValueTask DisposeAsync() => _two.DisposeAsync();

    [Fact]
    public async Task Each_customer_is_served_from_its_database_alone()
    {
        Assert.Null((string?)(await _two.CreateAsync("acme"))["database"]);
        Assert.Equal("two", (string?)(await _two.CreateAsync("globex", "two"))["database"]);

        Assert.Equal(["customer_acme"], await TwoDatabases.SchemasAsync(_two.First));
        Assert.Equal(["customer_globex"], await TwoDatabases.SchemasAsync(_two.Second));
        Assert.Equal(0L, await TwoDatabases.ScalarAsync(_two.Second, "SELECT count(*) FROM public.customers"));
        // Over the same few contexts and connections, again and again.
        await Parallel.ForEachAsync(Enumerable.Range(1, 40), Ct, async (number, _) =>
            await _two.WriteAsync(number % 2 == 0 ? "acme" : "globex", number));
        Assert.Equal(Enumerable.Range(1, 20).Select(n => 2m * n), (await AllAsync("acme")).Order());
        Assert.Equal(Enumerable.Range(1, 20).Select(n => 2m * n - 1), (await AllAsync("globex")).Order());
        Assert.Equal(20L, await TwoDatabases.ScalarAsync(
            _two.Second, "SELECT count(*) FROM customer_globex.invoices"));
    }

    [Fact]
    public async Task A_schema_name_is_never_that_of_another_database_and_no_row_of_it_is_seen()
    {
        var old = await _two.CreateAsync("acme");
        await _two.WriteAsync("acme", 7m);
        using var renamed = await _two.Http.PatchAsJsonAsync("/customers/acme", new { slug = "acme-old" }, Ct);
        Assert.Equal(HttpStatusCode.NoContent, renamed.StatusCode);

        var next = await _two.CreateAsync("acme", "two");

        Assert.NotEqual((string?)old["schema"], (string?)next["schema"]);
        Assert.Empty(await _two.InvoicesAsync("acme"));
        Assert.Equal([7m], await _two.InvoicesAsync("acme-old"));
    }

    [Fact]
    public async Task A_customer_of_the_second_database_is_renamed_suspended_resumed_and_dropped()
    {
        await _two.CreateAsync("globex", "two");
        await _two.WriteAsync("globex", 5m);

        using var renamed = await _two.Http.PatchAsJsonAsync("/customers/globex", new { slug = "globex-2" }, Ct);
        Assert.Equal(HttpStatusCode.NoContent, renamed.StatusCode);
        Assert.Equal([5m], await _two.InvoicesAsync("globex-2"));
        Assert.Equal(HttpStatusCode.NotFound, await _two.StatusAsync("globex"));

        Assert.Equal(HttpStatusCode.NoContent, await PostAsync("/customers/globex-2/suspend"));
        Assert.Equal(HttpStatusCode.Forbidden, await _two.StatusAsync("globex-2"));
        Assert.Equal(HttpStatusCode.NoContent, await PostAsync("/customers/globex-2/resume"));
        Assert.Equal(HttpStatusCode.OK, await _two.StatusAsync("globex-2"));

        using var ring = await _two.Http.PatchAsJsonAsync("/customers/globex-2", new { ring = 3 }, Ct);
        Assert.Equal(HttpStatusCode.NoContent, ring.StatusCode);
        Assert.Equal(3, await TwoDatabases.ScalarAsync(
            _two.Second, "SELECT ring FROM tenancy.schemas WHERE schema = 'customer_globex'"));

        using var dropped = await _two.Http.DeleteAsync("/customers/globex-2?confirm=globex-2&graceDays=0", Ct);
        Assert.Equal(HttpStatusCode.Accepted, dropped.StatusCode);
        // The API asks for the removal as an operation, which goes through all databases.
        await Eventually.HoldsAsync(async () => (await TwoDatabases.SchemasAsync(_two.Second)).Length == 0);
        Assert.Equal(0L, await TwoDatabases.ScalarAsync(_two.First, "SELECT count(*) FROM public.customers"));
        await _two.CreateAsync("globex-2", "two");
    }

    [Fact]
    public async Task The_list_has_all_customers_in_any_order_and_counts_them()
    {
        await _two.CreateAsync("acme");
        await _two.CreateAsync("globex", "two");
        await TwoDatabases.ExecuteAsync(_two.Second,
            "UPDATE tenancy.schemas SET state = 'failed', attempts = 1, last_error = 'of the second'");

        foreach (var sort in new[] { "slug", "name", "created", "migrated", "size", "ring" })
        {
            var page = await _two.Http.GetFromJsonAsync<JsonObject>($"/customers?sort={sort}", Ct);
            var globex = page!["items"]!.AsArray().Single(item => (string?)item!["slug"] == "globex")!;
            Assert.Equal(2, page["items"]!.AsArray().Count);
            Assert.Equal(("two", "of the second", "failed"),
                ((string?)globex["database"], (string?)globex["lastError"], (string?)globex["availability"]));
        }

        var failed = await _two.Http.GetFromJsonAsync<JsonObject>("/customers?condition=failed", Ct);
        Assert.Equal("globex", (string?)Assert.Single(failed!["items"]!.AsArray())!["slug"]);
        var counts = await _two.Http.GetFromJsonAsync<JsonObject>("/customer-counts", Ct);
        Assert.Equal((2, 1), ((int)counts!["total"]!, (int)counts["failed"]!));
        await EventuallyAsync("globex", HttpStatusCode.ServiceUnavailable);
    }

    [Fact]
    public async Task A_change_in_the_second_ledger_is_heard()
    {
        await _two.CreateAsync("globex", "two");
        var directory = _two.Api.Services.GetRequiredService<TenantDirectory>();
        await Eventually.HoldsAsync(() => directory.IsListening);
        Assert.Equal(HttpStatusCode.OK, await _two.StatusAsync("globex"));

        // Answers are kept for five minutes, longer than this test waits: what comes sooner comes by the notice.
        await TwoDatabases.ExecuteAsync(_two.Second, "UPDATE tenancy.schemas SET state = 'archived'");

        await Eventually.HoldsAsync(async () => await _two.StatusAsync("globex") == HttpStatusCode.Forbidden);
    }

    [Fact]
    public async Task When_the_second_database_is_gone_the_customers_of_the_first_are_served()
    {
        await _two.CreateAsync("acme");
        await _two.CreateAsync("globex", "two");
        await _two.WriteAsync("acme", 9m);
        await _two.WriteAsync("globex", 8m);
        await _two.KillSecondAsync();

        Assert.Equal(HttpStatusCode.ServiceUnavailable, await _two.StatusAsync("globex"));
        Assert.Equal([9m], await _two.InvoicesAsync("acme"));
        var report = await _two.Http.GetFromJsonAsync<JsonObject>("/reports/receivables", Ct);
        Assert.Equal("acme", (string?)Assert.Single(report!["balances"]!.AsArray())!["slug"]);
        Assert.Equal("globex", (string?)Assert.Single(report["missing"]!.AsArray())!["slug"]);
        var list = await _two.Http.GetFromJsonAsync<JsonObject>("/customers", Ct);
        Assert.Equal(["served", "unreachable"],
            list!["items"]!.AsArray().Select(item => (string?)item!["availability"]));
        using var health = await _two.Http.GetAsync("/health", Ct);
        var entries = JsonNode.Parse(await health.Content.ReadAsStringAsync(Ct))!["entries"]!;
        Assert.Equal((HttpStatusCode.OK, "Degraded"),
            (health.StatusCode, (string?)entries["other databases"]!["status"]));
        Assert.Contains("'two'", (string?)entries["other databases"]!["description"], StringComparison.Ordinal);
        await _two.CreateAsync("initech");
        using var refused = await _two.Http.PostAsJsonAsync(
            "/customers", new { slug = "umbrella", name = "Umbrella", database = "two" }, Ct);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, refused.StatusCode);
    }

    [Fact]
    public async Task A_customer_in_an_unknown_database_is_answered_with_503_and_nobody_else_is()
    {
        await _two.CreateAsync("acme");
        await _two.CreateAsync("globex", "two");
        await TwoDatabases.ExecuteAsync(
            _two.First, "UPDATE public.customers SET database = 'three' WHERE slug = 'globex'");
        await EventuallyAsync("globex", HttpStatusCode.ServiceUnavailable);

        using var answer = await _two.Http.GetAsync("/customers/globex/invoices", Ct);

        var problem = JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!;
        Assert.EndsWith(":unreachable", (string?)problem["type"], StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await _two.StatusAsync("acme"));
        var list = await _two.Http.GetFromJsonAsync<JsonObject>("/customers", Ct);
        Assert.Equal(["served", "unreachable"],
            list!["items"]!.AsArray().Select(item => (string?)item!["availability"]));
    }

    [Fact]
    public async Task A_database_that_isnt_there_is_refused_by_name()
    {
        using var answer = await _two.Http.PostAsJsonAsync(
            "/customers", new { slug = "acme", name = "Acme", database = "three" }, Ct);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(
            "There is no database 'three'. Leave it out for the first one, or use first, two.",
            await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_first_database_has_a_name_for_who_chooses_one()
    {
        Assert.Null((await _two.CreateAsync("acme", TenancyOptions.FirstDatabase))["database"]);
        Assert.Equal(["customer_acme"], await TwoDatabases.SchemasAsync(_two.First));
    }

    [Fact]
    public async Task A_creation_that_is_interrupted_between_the_databases_leaves_nobody()
    {
        _ = _two.Http;
        var tenants = _two.Api.Services.GetRequiredService<Tenants>();
        await using var blocker = await _two.First.OpenConnectionAsync(Ct);
        await using var hold = await blocker.BeginTransactionAsync(Ct);
        await using (var take = new NpgsqlCommand("LOCK TABLE public.customers IN SHARE MODE", blocker, hold))
        {
            await take.ExecuteNonQueryAsync(Ct);
        }

        using var interrupt = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var creating = tenants.CreateInAsync("two", "globex", "Globex", ct: interrupt.Token);
        await Eventually.HoldsAsync(async () => await TwoDatabases.ScalarAsync(_two.Second,
            "SELECT count(*) FROM tenancy.schemas WHERE state = 'dropping'") is 1L);
        await interrupt.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => creating);
        await hold.RollbackAsync(Ct);

        Assert.Equal(HttpStatusCode.NotFound, await _two.StatusAsync("globex"));
        await TwoDatabases.ExecuteAsync(_two.Second, "UPDATE tenancy.schemas SET drop_after = now()");
        var removed = await _two.Api.Services.GetRequiredService<TenantRemoval>().ReconcileAsync(Ct);
        Assert.Equal(["customer_globex"], removed.Removed.Select(schema => schema.Value));
        // Not the name of the one that is gone: it is never used again.
        var next = await tenants.CreateInAsync("two", "globex", "Globex", ct: Ct);
        Assert.Equal("customer_globex_2", next.Schema.Value);
    }

    [Fact]
    public async Task The_gauges_name_the_second_database()
    {
        await _two.CreateAsync("globex", "two");
        var databases = _two.Api.Services.GetRequiredService<Tenancy.Databases.TenantDatabases>();
        var counted = await databases.Named("two").GetRequiredService<FleetMonitor>().LookAsync(Ct);

        Assert.Equal(1, counted!.Customers);
        Assert.All(counted.ByState, value => Assert.Contains(new("tenancy.database", "two"), value.Tags.ToArray()));
        Assert.Equal(0, _two.Api.Services.GetRequiredService<FleetMonitor>().Last?.Customers ?? 0);
    }

    [Fact]
    public async Task A_customer_that_failed_in_the_second_database_degrades_health_which_names_it()
    {
        await _two.CreateAsync("acme");
        await _two.CreateAsync("globex", "two");
        var monitors = new[] { _two.Api.Services, _two.Api.Services
            .GetRequiredService<Tenancy.Databases.TenantDatabases>().Named("two") }
            .Select(services => services.GetRequiredService<FleetMonitor>()).ToList();
        await Task.WhenAll(monitors.Select(monitor => monitor.LookAsync(Ct)));
        Assert.Equal("2 customers, none failed, none is behind.", (string?)(await HealthAsync())["description"]);

        await TwoDatabases.ExecuteAsync(_two.Second, "UPDATE tenancy.schemas SET state = 'failed', last_error = 'No.'");
        await Task.WhenAll(monitors.Select(monitor => monitor.LookAsync(Ct)));

        var health = await HealthAsync();
        Assert.Equal(("Degraded", 1), ((string?)health["status"], (int)health["data"]!["failed"]!));
        Assert.StartsWith("1 of 2 customers failed: ", (string?)health["description"], StringComparison.Ordinal);
        Assert.EndsWith(
            " In the database 'two' 1 failed, 0 behind.", (string?)health["description"], StringComparison.Ordinal);

        async Task<JsonNode> HealthAsync() =>
            (await _two.Http.GetFromJsonAsync<JsonObject>("/health", Ct))!["entries"]!["fleet"]!;
    }

    [Fact]
    public async Task With_roles_each_customer_is_served_as_its_role_in_its_database()
    {
        CitusCluster.SkipOn("Citus logs in to its nodes as the role of the moment, and a tenant's role can't log in.");
        await using var two = await TwoDatabases.StartAsync(app, (DataRegistration.TenantRolesSetting, "true"));
        await two.CreateAsync("acme");
        await two.CreateAsync("globex", "two");
        await two.WriteAsync("acme", 1m);
        await two.WriteAsync("globex", 2m);

        // The login has no rights before it switches to the customer's role.
        Assert.Equal([1m], await two.InvoicesAsync("acme"));
        Assert.Equal([2m], await two.InvoicesAsync("globex"));
        var report = await two.Http.GetFromJsonAsync<JsonObject>("/reports/receivables", Ct);
        Assert.Equal(["acme", "globex"], report!["balances"]!.AsArray().Select(row => (string?)row!["slug"]));
    }

    private async Task<decimal[]> AllAsync(string slug)
    {
        var page = await _two.Http.GetFromJsonAsync<JsonObject>($"/customers/{slug}/invoices?pageSize=100", Ct);
        return [.. page!["items"]!.AsArray().Select(invoice => (decimal)invoice!["total"]!)];
    }

    private Task EventuallyAsync(string slug, HttpStatusCode expected) =>
        Eventually.HoldsAsync(async () => await _two.StatusAsync(slug) == expected);

    private async Task<HttpStatusCode> PostAsync(string path)
    {
        using var answer = await _two.Http.PostAsync(path, null, Ct);
        return answer.StatusCode;
    }
}
