using System.Net;
using System.Net.Http.Json;
using System.Text.Json.Nodes;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tenancy.Operations;
using Tests.Integration.Citus;
using Tests.Integration.Customers;
using Tests.Integration.Lifecycle;
using Xunit;

namespace Tests.Integration.Placement;

/// <summary>A customer's move that is asked for as an operation.</summary>
public sealed class MoveOperationsTests(App app) : IAsyncLifetime
{
    private TwoDatabases _two = null!;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _two = await TwoDatabases.StartAsync(app);
        await _two.CreateAsync("acme");
        await _two.WriteAsync("acme", 7m);
    }

    public ValueTask DisposeAsync() => _two.DisposeAsync();

    [Fact]
    public async Task A_customer_moves_there_and_back_and_the_operation_says_where_it_was_and_how_many_rows_it_has()
    {
        var id = (string?)(await _two.Http.GetFromJsonAsync<JsonObject>("/customers/acme", Ct))!["id"];

        var there = await MoveAsync(new { database = "two" });

        Assert.Equal(("move", "acme", "done"),
            ((string?)there["kind"], (string?)there["customer"], (string?)there["state"]));
        var result = there["result"]!.AsObject();
        Assert.Equal((id, "acme", "customer_acme_2", "first", "two", true), ((string?)result["id"],
            (string?)result["slug"], (string?)result["schema"], (string?)result["from"], (string?)result["to"],
            (bool)result["moved"]!));
        Assert.Equal(1, (int)result["rows"]!["invoices"]!);
        await ServedFromAsync("two");
        Assert.Equal(["customer_acme_2"], await TwoDatabases.SchemasAsync(_two.Second));
        Assert.Empty(await TwoDatabases.SchemasAsync(_two.First));

        var again = (await MoveAsync(new { database = "two" }))["result"]!.AsObject();
        Assert.Equal(("two", "two", false, 0),
            ((string?)again["from"], (string?)again["to"], (bool)again["moved"]!, again["rows"]!.AsObject().Count));

        var back = (await MoveAsync(new { database = "first" }))["result"]!.AsObject();
        Assert.Equal(("two", "first", "customer_acme_3"),
            ((string?)back["from"], (string?)back["to"], (string?)back["schema"]));
        await ServedFromAsync(null);
    }

    [Fact]
    public async Task A_move_that_cannot_be_begun_is_refused_at_once_and_says_why()
    {
        foreach (var (slug, body, status, words) in new (string, object, HttpStatusCode, string)[]
        {
            ("acme", new { }, HttpStatusCode.BadRequest, "name a database or a node"),
            ("acme", new { database = "two", node = "worker-1:5432" }, HttpStatusCode.BadRequest, "not both"),
            ("acme", new { database = "three" }, HttpStatusCode.BadRequest, "or use first, two"),
            ("acme", new { database = "No Name" }, HttpStatusCode.BadRequest, "Name a database."),
            ("acme", new { node = "worker-1" }, HttpStatusCode.BadRequest, "write HOST:PORT"),
            ("acme", new { node = "worker-1:99999" }, HttpStatusCode.BadRequest, "write HOST:PORT"),
            ("acme", new { databases = "two" }, HttpStatusCode.BadRequest, "databases"),
            ("nobody", new { database = "two" }, HttpStatusCode.NotFound, "nobody"),
        })
        {
            using var answer = await _two.Http.PostAsJsonAsync($"/customers/{slug}/move", body, Ct);
            Assert.Equal((body.ToString(), status), (body.ToString(), answer.StatusCode));
            Assert.Contains(words,
                JsonNode.Parse(await answer.Content.ReadAsStringAsync(Ct))!.ToJsonString(), StringComparison.Ordinal);
        }

        var asked = await _two.Http.GetFromJsonAsync<JsonObject>("/operations", Ct);
        Assert.Empty(asked!["items"]!.AsArray());
    }

    [Fact]
    public async Task A_move_that_fails_says_what_to_do_and_the_customer_is_served_as_before()
    {
        _two.Api.Services.GetRequiredService<TenancyOptions>().LockTimeout = TimeSpan.FromMilliseconds(300);
        var operations = _two.Api.Services.GetRequiredService<TenantOperations>();
        foreach (var (slug, arguments, words) in new (string, JsonObject, string)[]
        {
            ("nobody", new() { ["database"] = "two" }, "No tenant has the slug 'nobody'."),
            ("acme", new() { ["database"] = "three" }, "There is no database 'three'. There are: 'two'."),
            ("acme", [], "name a database or a node"),
            ("acme", new() { ["database"] = "two", ["node"] = "worker-1:5432" }, "name a database or a node"),
            ("acme", new() { ["node"] = "worker-1" }, "write HOST:PORT"),
        })
        {
            var asked = await operations.AskAsync(OperationKinds.Move, slug, "a test", arguments, ct: Ct);
            await FailedAsync(asked.Id, words);
        }

        await using (var open = await _two.First.OpenConnectionAsync(Ct))
        await using (var transaction = await open.BeginTransactionAsync(Ct))
        {
            await HoldAsync(transaction, "UPDATE customer_acme.invoices SET paid_on = paid_on");
            await FailedAsync(await AskAsync(new { database = "two" }), "still open");
        }

        await using (var open = await _two.First.OpenConnectionAsync(Ct))
        await using (var transaction = await open.BeginTransactionAsync(Ct))
        {
            // PostgreSQL's words would be "canceling statement due to lock timeout".
            await HoldAsync(transaction, "SELECT 1 FROM tenancy.schemas FOR UPDATE");
            await FailedAsync(await AskAsync(new { database = "two" }), "try again later");
        }

        await ServedFromAsync(null);
        Assert.Empty(await TwoDatabases.SchemasAsync(_two.Second));
    }

    [Fact]
    public async Task A_move_to_a_node_needs_a_cluster()
    {
        CitusCluster.SkipOn("It is one.");

        await FailedAsync(await AskAsync(new { node = "worker-1:5432" }), "Citus");

        await ServedFromAsync(null);
    }

    [Theory]
    [InlineData(null)]
    [InlineData("two")]
    public async Task A_customer_of_any_database_moves_to_another_node_of_the_cluster(string? of)
    {
        CitusCluster.SkipWithout();
        var database = of is null ? _two.First : _two.Second;
        var slug = of is null ? "acme" : "globex";
        if (of is not null)
        {
            await _two.CreateAsync(slug, of);
        }

        var from = await NodeAsync();
        var to = (string)(await TwoDatabases.ScalarAsync(database,
            "SELECT nodename || ':' || nodeport FROM pg_dist_node WHERE groupid <> 0 AND nodename || ':' || nodeport " +
            $"<> '{from}' ORDER BY 1 LIMIT 1"))!;

        var moved = (await MoveAsync(new { node = to }, slug))["result"]!.AsObject();

        Assert.Equal((from, to, true), ((string?)moved["from"], (string?)moved["to"], (bool)moved["moved"]!));
        Assert.True((long)moved["bytes"]! > 0);
        Assert.Equal(to, await NodeAsync());
        await _two.WriteAsync(slug, 8m);
        Assert.False((bool)(await MoveAsync(new { node = to }, slug))["result"]!["moved"]!);

        async Task<string> NodeAsync() => (string)(await TwoDatabases.ScalarAsync(database,
            $"""
            SELECT DISTINCT nodename || ':' || nodeport
            FROM pg_dist_shard JOIN pg_dist_placement USING (shardid) JOIN pg_dist_node USING (groupid)
            WHERE logicalrelid IN (SELECT oid FROM pg_class WHERE relnamespace = 'customer_{slug}'::regnamespace)
            """))!;
    }

    [Fact]
    public async Task A_customer_whose_migration_fails_in_the_new_place_has_moved_and_the_operation_says_that()
    {
        CitusCluster.SkipOn("A trigger keeps the migration from its end.");
        var (code, output) = await _two.JobAsync("down", "--to", "20261130034801_IdempotencyKeys");
        Assert.True(code == 0, output);
        await TwoDatabases.ExecuteAsync(_two.Second,
            """
            CREATE FUNCTION public.refuse() RETURNS event_trigger LANGUAGE plpgsql AS $$
            BEGIN
                IF EXISTS (SELECT FROM pg_event_trigger_ddl_commands()
                    WHERE object_identity = 'customer_acme_2.settings') THEN
                    RAISE 'no settings here';
                END IF;
            END $$;
            CREATE EVENT TRIGGER refuse ON ddl_command_end WHEN TAG IN ('CREATE TABLE')
                EXECUTE FUNCTION public.refuse();
            """);

        var failed = await EndedAsync(await AskAsync(new { database = "two" }));

        Assert.Equal("failed", (string?)failed["state"]);
        Assert.Contains("has moved and isn't served, because its migration failed",
            (string?)failed["error"], StringComparison.Ordinal);
        Assert.Contains("no settings here", (string?)failed["error"], StringComparison.Ordinal);
        Assert.Equal("two", (string?)failed["result"]!["to"]);
    }

    [Theory]
    [InlineData(11)]
    [InlineData(48)]
    [InlineData(null)]
    public async Task A_move_whose_process_was_killed_is_begun_again_and_ends_in_the_new_place(int? moment)
    {
        var second = await app.Server.ConnectionStringAsync(Ct);
        using var interrupter = new Interrupter();
        await using var warehouse = await Warehouse.StartAsync(app, interrupter, options =>
        {
            options.Databases["two"] = new() { ConnectionString = second };
            options.ParallelOperations = 1;
        });
        await using var servers = new KillableServers(warehouse, second);
        var tenant = await warehouse.CreateAsync("acme", items: 3);
        var rows = await servers.RowsAsync(tenant);
        var operations = warehouse.Services.GetRequiredService<TenantOperations>();
        var asked = await operations.AskAsync(
            OperationKinds.Move, "acme", "a test", new() { ["database"] = "two" }, ct: Ct);
        var (claimed, arguments) = (await operations.Table.ClaimAsync(Ct))!.Value;
        var attempt = () => operations.Find(OperationKinds.Move)!.RunAsync(
            new(operations.Table, claimed, arguments, warehouse.Services), Ct);
        if (moment is { } one)
        {
            interrupter.Arm(one, servers.Kill);
            await Assert.ThrowsAnyAsync<Exception>(attempt);
            Assert.True(interrupter.Fired);
            await servers.ReviveAsync();
            warehouse.Services.GetRequiredService<GuardedDataSource>().Owner.Clear();
            Assert.Equal("moving", await warehouse.ScalarAsync<string>(
                $"SELECT state FROM tenancy.schemas WHERE schema = '{tenant.Schema}'"));
        }
        else
        {
            // As after the registry's commit: the schema is still marked, and nobody is served from it.
            await attempt();
            await using var two = NpgsqlDataSource.Create($"{second};Pooling=false");
            await TwoDatabases.ExecuteAsync(two, "UPDATE tenancy.schemas SET state = 'moving', " +
                "drop_after = now() + interval '1 minute' WHERE state = 'ready'");
        }

        await warehouse.ExecuteAsync(
            "UPDATE tenancy.operations SET heartbeat_at = clock_timestamp() - interval '1 minute'");

        using var runner = ActivatorUtilities.CreateInstance<OperationsRunner>(warehouse.Services);
        await runner.StartAsync(Ct);
        await Eventually.HoldsAsync(async () => (await operations.FindAsync(asked.Id, Ct))!.IsOver);
        await runner.StopAsync(Ct);

        var ended = (await operations.FindAsync(asked.Id, Ct))!;
        Assert.Equal((OperationState.Done, 2, null), (ended.State, ended.Attempts, ended.Error));
        Assert.Equal("two", (string?)ended.Result!["to"]);
        await using var served = await warehouse.Tenants.ServeAsync("acme", Ct);
        Assert.Equal((tenant.Id, "two"), (served.Tenant.Id, served.Tenant.Database));
        Assert.Equal(rows, await servers.RowsAsync(served.Tenant));
    }

    private static async Task HoldAsync(NpgsqlTransaction transaction, string sql)
    {
        await using var command = new NpgsqlCommand(sql, transaction.Connection, transaction);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private async Task FailedAsync(Guid operation, string words)
    {
        var ended = await EndedAsync(operation);
        Assert.Equal("failed", (string?)ended["state"]);
        Assert.Contains(words, (string?)ended["error"], StringComparison.Ordinal);
        Assert.DoesNotContain("(Parameter", (string?)ended["error"], StringComparison.Ordinal);
    }

    private async Task ServedFromAsync(string? database)
    {
        await Eventually.HoldsAsync(async () => await _two.StatusAsync("acme") == HttpStatusCode.OK);
        Assert.Equal([7m], await _two.InvoicesAsync("acme"));
        var customer = await _two.Http.GetFromJsonAsync<JsonObject>("/customers/acme", Ct);
        Assert.Equal(database, (string?)customer!["database"]);
    }

    private async Task<JsonObject> MoveAsync(object body, string slug = "acme")
    {
        var ended = await EndedAsync(await AskAsync(body, slug));
        Assert.True((string?)ended["state"] == "done", ended.ToJsonString());
        return ended;
    }

    private async Task<Guid> AskAsync(object body, string slug = "acme")
    {
        using var answer = await _two.Http.PostAsJsonAsync($"/customers/{slug}/move", body, Ct);
        var operation = await answer.Content.ReadFromJsonAsync<JsonObject>(Ct);
        Assert.True(answer.StatusCode == HttpStatusCode.Accepted, operation!.ToJsonString());
        Assert.Equal($"/operations/{(string?)operation["id"]}", answer.Headers.Location?.ToString());
        return (Guid)operation["id"]!;
    }

    private async Task<JsonObject> EndedAsync(Guid id)
    {
        JsonObject? operation = null;
        await Eventually.HoldsAsync(async () =>
            (string?)(operation = await _two.Http.GetFromJsonAsync<JsonObject>($"/operations/{id}", Ct))!["state"]
                is not ("queued" or "running"));
        return operation!;
    }
}
