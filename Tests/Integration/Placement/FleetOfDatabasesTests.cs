using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Xunit;

namespace Tests.Integration.Placement;

/// <summary>What operators see and do of all databases at once.</summary>
public sealed class FleetOfDatabasesTests(App app) : IAsyncLifetime
{
    private TwoDatabases _two = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _two = await TwoDatabases.StartAsync(app);
        await _two.CreateAsync("acme");
        await _two.CreateAsync("globex", "two");
    }

    public ValueTask DisposeAsync() => _two.DisposeAsync();

    [Fact]
    public async Task The_fleet_is_that_of_all_databases_and_one_that_is_gone_is_named()
    {
        await TwoDatabases.ExecuteAsync(_two.Second,
            "UPDATE tenancy.schemas SET state = 'failed', attempts = 1, last_error = 'of the second'");

        var fleet = await FleetAsync();

        Assert.Equal([(null, null), ("two", null)], Databases(fleet));
        Assert.Equal([(null, "ready"), ("two", "failed")], Groups(fleet));
        var failure = Assert.Single(fleet["failures"]!.AsArray());
        Assert.Equal(("customer_globex", "two"), ((string?)failure!["schema"], (string?)failure["database"]));
        Assert.Equal(2, (int)fleet["total"]!);

        await _two.KillSecondAsync();
        fleet = await FleetAsync();
        Assert.Equal([(null, "ready")], Groups(fleet));
        Assert.Equal([null, "two"], Databases(fleet).Select(database => database.Name));
        Assert.NotEmpty(Databases(fleet)[1].Error!);
    }

    [Fact]
    public async Task A_run_a_retaking_and_a_comparison_go_over_all_databases_or_over_the_chosen_one()
    {
        var build = (await _two.Http.GetFromJsonAsync<JsonArray>("/fleet/migrations", Ct))!
            .Select(migration => (string)migration!["id"]!).ToList();
        await EndedAsync("down", new { to = build[^2], migrations = build[^1..], database = "two" });
        Assert.Equal([(null, "current"), ("two", "behind")], Groups(await FleetAsync(), "standing"));
        await EndedAsync("migrate", new { database = "first" });
        Assert.Equal([(null, "current"), ("two", "behind")], Groups(await FleetAsync(), "standing"));
        await EndedAsync("migrate", new { database = "two" });
        var fleet = await FleetAsync();
        Assert.Equal([(null, "current"), ("two", "current")], Groups(fleet, "standing"));
        Assert.Equal(["two/migrate", "two/down"], fleet["runs"]!.AsArray()
            .Select(run => $"{run!["database"]}/{run["kind"]}").Take(2));

        await TwoDatabases.ExecuteAsync(_two.Second, "ALTER TABLE customer_globex.contacts ADD COLUMN extra int");
        Assert.True((bool)(await EndedAsync("verify", new { database = "first" }))["isClean"]!);
        Assert.False((bool)(await EndedAsync("verify", new { database = "two" }))["isClean"]!);
        Assert.Equal(2, (int)(await EndedAsync("verify", new { }))["checked"]!);
        await TwoDatabases.ExecuteAsync(_two.Second, "ALTER TABLE customer_globex.contacts DROP COLUMN extra");
    }

    [Fact]
    public async Task A_migration_is_not_taken_back_when_the_other_database_was_migrated_after_it_was_asked_for()
    {
        var build = (await _two.Http.GetFromJsonAsync<JsonArray>("/fleet/migrations", Ct))!
            .Select(migration => (string)migration!["id"]!).ToList();
        await TwoDatabases.ExecuteAsync(_two.Second,
            "INSERT INTO tenancy.runs (id, kind, asked_by, target, total, migrated, started_at) " +
            "VALUES (gen_random_uuid(), 'migrate', 'a test', '', 1, 1, now() + interval '1 hour')");

        using var asked = await _two.Http.PostAsJsonAsync(
            "/fleet/down", new { to = build[^2], migrations = build[^1..] }, Ct);

        var ended = await EndedAsync(asked);
        Assert.Equal("failed", (string?)ended["state"]);
        Assert.Contains("were migrated after this was asked for", (string?)ended["error"], StringComparison.Ordinal);
        Assert.Equal([(null, "current"), ("two", "current")], Groups(await FleetAsync(), "standing"));
    }

    [Fact]
    public async Task Runs_are_halted_in_all_databases_or_in_the_chosen_one_and_one_that_is_gone_is_named()
    {
        foreach (var database in new[] { _two.First, _two.Second })
        {
            await TwoDatabases.ExecuteAsync(database,
                "INSERT INTO tenancy.runs (id, kind, asked_by, target, total) " +
                "VALUES (gen_random_uuid(), 'migrate', 'a test', '', 1)");
        }

        Assert.Equal((1, ""), await HaltAsync("two"));
        Assert.Equal(0L, await TwoDatabases.ScalarAsync(_two.First, "SELECT count(halt) FROM tenancy.runs"));
        await AliveAsync();
        Assert.Equal((2, ""), await HaltAsync(null));
        await _two.KillSecondAsync();
        await AliveAsync();
        Assert.Equal((1, "two"), await HaltAsync(null));
    }

    [Theory]
    [InlineData("migrate", "{}")]
    [InlineData("down", """{"to":"x","migrations":[]}""")]
    [InlineData("halt", """{"reason":"a test"}""")]
    public async Task A_database_that_isnt_there_is_refused_by_name(string kind, string body)
    {
        var request = JsonNode.Parse(body)!.AsObject();
        request["database"] = "three";

        using var answer = await _two.Http.PostAsJsonAsync($"/fleet/{kind}", request, Ct);

        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("There is no database 'three'. Leave it out for all, or use first, two.",
            await answer.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    private async Task<JsonObject> FleetAsync() => (await _two.Http.GetFromJsonAsync<JsonObject>("/fleet", Ct))!;

    private static List<(string? Name, string? Error)> Databases(JsonObject fleet) =>
        [.. fleet["databases"]!.AsArray().Select(one => ((string?)one!["name"], (string?)one["error"]))];

    private static IEnumerable<(string?, string?)> Groups(JsonObject fleet, string what = "state") =>
        fleet["groups"]!.AsArray().Select(group => ((string?)group!["database"], (string?)group[what]));

    /// <summary>Heartbeats that the tests' runs don't have.</summary>
    private async Task AliveAsync()
    {
        foreach (var database in new[] { _two.First, _two.Second })
        {
            await TwoDatabases.ExecuteAsync(database,
                "UPDATE tenancy.runs SET heartbeat_at = clock_timestamp(), halt = NULL WHERE ended_at IS NULL");
        }
    }

    private async Task<(int Runs, string Unreached)> HaltAsync(string? database)
    {
        using var answer = await _two.Http.PostAsJsonAsync("/fleet/halt", new { reason = "a test", database }, Ct);
        var halted = (await answer.Content.ReadFromJsonAsync<JsonObject>(Ct))!;
        return ((int)halted["runs"]!, string.Join(',', halted["unreached"]!.AsArray().Select(name => (string?)name)));
    }

    private async Task<JsonObject> EndedAsync(string kind, object request)
    {
        using var asked = await _two.Http.PostAsJsonAsync($"/fleet/{kind}", request, Ct);
        var ended = await EndedAsync(asked);
        Assert.True((string?)ended["state"] == "done", ended.ToJsonString());
        return ended["result"]!.AsObject();
    }

    private async Task<JsonObject> EndedAsync(HttpResponseMessage asked)
    {
        Assert.True(asked.StatusCode == HttpStatusCode.Accepted, await asked.Content.ReadAsStringAsync(Ct));
        JsonObject? operation = null;
        await Eventually.HoldsAsync(async () =>
            (string?)(operation = await _two.Http.GetFromJsonAsync<JsonObject>(asked.Headers.Location, Ct))!["state"]
                is not ("queued" or "running"));
        return operation!;
    }
}
