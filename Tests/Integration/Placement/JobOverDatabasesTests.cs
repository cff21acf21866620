using System.Text.Json.Nodes;
using Npgsql;
using Xunit;

namespace Tests.Integration.Placement;

/// <summary>One run of the job over two databases.</summary>
public sealed class JobOverDatabasesTests(App app) : IAsyncLifetime
{
    private const string Before = "20261127001228_UniqueContacts";

    private TwoDatabases _two = null!;

    public async ValueTask InitializeAsync()
    {
        _two = await TwoDatabases.StartAsync(app);
        await RunAsync(0, "create", "acme");
        await RunAsync(0, "create", "globex", "--database", "two");
    }

    public ValueTask DisposeAsync() => _two.DisposeAsync();

    [Fact]
    public async Task Customers_of_both_databases_are_migrated_and_compared()
    {
        Assert.Equal(["customer_acme"], await TwoDatabases.SchemasAsync(_two.First));
        Assert.Equal(["customer_globex"], await TwoDatabases.SchemasAsync(_two.Second));
        await RunAsync(0, "down", "--to", Before);
        var plan = await RunAsync(0, "plan");
        Assert.Contains("The database 'two':", plan, StringComparison.Ordinal);
        Assert.Contains("customer_acme", plan, StringComparison.Ordinal);
        Assert.Contains("customer_globex", plan, StringComparison.Ordinal);

        await RunAsync(0);

        var status = JsonNode.Parse(await RunAsync(0, "status", "--json"))!.AsArray();
        Assert.Equal([null, "two"], status.Select(one => (string?)one!["database"]));
        Assert.All(status, one => Assert.Equal(1, (int)one!["answer"]!["total"]!));
        Assert.All(status, one => Assert.Equal("migrate", (string?)one!["answer"]!["runs"]![0]!["kind"]));
        await RunAsync(0, "verify");
        await RunAsync(0, "verify", "--customer", "globex");
        Assert.Contains("globex", await RunAsync(0, "list", "--json"), StringComparison.Ordinal);
        await RunAsync(0, "ring", "2", "--customer", "globex", "acme");
        Assert.Equal(2, await TwoDatabases.ScalarAsync(_two.Second, "SELECT ring FROM tenancy.schemas"));
        Assert.Contains("Nothing is pending", await RunAsync(0, "script", "globex"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_customer_that_fails_in_the_second_database_keeps_nobody_of_the_first()
    {
        await RunAsync(0, "down", "--to", Before);
        // The migration makes this table, too.
        await TwoDatabases.ExecuteAsync(_two.Second, "CREATE TABLE customer_globex.idempotency_keys (x int)");

        var output = await RunAsync(1);

        Assert.Contains("customer_globex", output, StringComparison.Ordinal);
        Assert.Equal("ready", await TwoDatabases.ScalarAsync(_two.First, "SELECT state FROM tenancy.schemas"));
        Assert.Equal("failed", await TwoDatabases.ScalarAsync(_two.Second, "SELECT state FROM tenancy.schemas"));
        await RunAsync(0, "--on-failure", "isolate");
        await TwoDatabases.ExecuteAsync(_two.Second, "DROP TABLE customer_globex.idempotency_keys");
        await RunAsync(0, "retry");
        Assert.Equal("ready", await TwoDatabases.ScalarAsync(_two.Second, "SELECT state FROM tenancy.schemas"));
    }

    [Fact]
    public async Task A_second_database_that_is_gone_ends_a_run_with_2_and_an_isolated_one_with_0()
    {
        await RunAsync(0, "down", "--to", Before);
        await _two.KillSecondAsync();

        var output = await RunAsync(2);

        Assert.Contains("The database 'two' failed.", output, StringComparison.Ordinal);
        Assert.Equal("ready", await TwoDatabases.ScalarAsync(_two.First, "SELECT state FROM tenancy.schemas"));
        await RunAsync(0, "--on-failure", "isolate");
        Assert.Contains("1 schema", await RunAsync(2, "status"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_drifted_schema_of_the_second_database_is_found_and_a_stranger_to_its_registry_is_named()
    {
        await TwoDatabases.ExecuteAsync(_two.Second, "ALTER TABLE customer_globex.contacts ADD COLUMN extra int");
        Assert.Contains("customer_globex", await RunAsync(1, "verify"), StringComparison.Ordinal);
        await TwoDatabases.ExecuteAsync(_two.Second, "ALTER TABLE customer_globex.contacts DROP COLUMN extra");
        await RunAsync(0, "verify");

        // Its schema is in the second database, and the registry says that it is in the first one.
        await TwoDatabases.ExecuteAsync(
            _two.First, "UPDATE public.customers SET database = NULL WHERE slug = 'globex'");
        Assert.Contains("customer_globex", await RunAsync(1, "verify"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_doctor_examines_each_database_and_misses_no_schema_of_the_other()
    {
        var well = await FindingsAsync(0, "missing-schemas");
        await TwoDatabases.ExecuteAsync(_two.Second, "DROP SCHEMA customer_globex CASCADE");
        var lost = await FindingsAsync(1, "missing-schemas");

        Assert.Equal([(null, 0), ("two", 0)], well);
        Assert.Equal([(null, 0), ("two", 1)], lost);
    }

    [Fact]
    public async Task A_plan_names_what_would_block_its_run_in_that_database()
    {
        await using var connection = await _two.Second.OpenConnectionAsync(TestContext.Current.CancellationToken);
        await using var dump = new NpgsqlCommand(
            "SET application_name = 'pg_dump'; BEGIN; LOCK TABLE customer_globex.contacts IN ACCESS SHARE MODE",
            connection);
        await dump.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);

        var plan = JsonNode.Parse(await RunAsync(0, "plan", "--json"))!.AsArray();

        Assert.Equal([(null, ""), ("two", "dump")], plan.Select(one => ((string?)one!["database"], string.Join(' ',
            one["answer"]!["blockers"]!.AsArray().Select(finding => (string)finding!["id"]!)))));
    }

    [Fact]
    public async Task A_customer_in_an_unknown_database_is_named_and_the_others_are_migrated()
    {
        await RunAsync(0, "down", "--to", Before);
        await TwoDatabases.ExecuteAsync(
            _two.First, "UPDATE public.customers SET database = 'three' WHERE slug = 'globex'");

        var output = await RunAsync(1);

        Assert.Contains(
            "1 customers are in the database 'three', which isn't configured", output, StringComparison.Ordinal);
        Assert.Equal("ready", await TwoDatabases.ScalarAsync(_two.First, "SELECT state FROM tenancy.schemas"));
    }

    [Fact]
    public async Task A_task_is_done_in_both_databases()
    {
        var file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.sql");
        await File.WriteAllTextAsync(file,
            """INSERT INTO "__Tenant__".contacts (id, name, created_at) VALUES (gen_random_uuid(), 'task', now());""",
            TestContext.Current.CancellationToken);
        try
        {
            await RunAsync(0, "task", "--sql", file, "--name", "greet");
        }
        finally
        {
            File.Delete(file);
        }

        Assert.Equal(1L, await TwoDatabases.ScalarAsync(_two.First, "SELECT count(*) FROM customer_acme.contacts"));
        Assert.Equal(1L, await TwoDatabases.ScalarAsync(_two.Second, "SELECT count(*) FROM customer_globex.contacts"));
        Assert.Contains("'two'", await RunAsync(0, "tasks"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_customer_moves_to_another_database_by_a_file_or_by_a_clone()
    {
        await TwoDatabases.ExecuteAsync(_two.First,
            "INSERT INTO customer_acme.contacts (id, name, created_at) VALUES (gen_random_uuid(), 'moved', now())");
        var file = Path.Combine(Path.GetTempPath(), $"{Guid.NewGuid():n}.zip");
        try
        {
            await RunAsync(0, "export", "acme", file);
            await RunAsync(0, "import", file, "acme-two", "--database", "two");
        }
        finally
        {
            File.Delete(file);
        }

        await RunAsync(0, "clone", "acme-two", "acme-three");
        await RunAsync(0, "clone", "acme-two", "acme-back", "--database", "two");
        await RunAsync(0, "clone", "acme", "acme-four", "--database", "two");

        string[] moved = ["customer_acme_back", "customer_acme_four", "customer_acme_three", "customer_acme_two"];
        string[] all = [.. moved, "customer_globex"];
        Assert.Equal(all, await TwoDatabases.SchemasAsync(_two.Second));
        foreach (var schema in moved)
        {
            Assert.Equal("moved", await TwoDatabases.ScalarAsync(_two.Second, $"SELECT name FROM {schema}.contacts"));
        }

        Assert.Contains("There is no database 'three'. There are: 'two'.",
            await RunAsync(64, "clone", "acme", "acme-five", "--database", "three"), StringComparison.Ordinal);
        await RunAsync(0, "verify");
        await RunAsync(0, "rename", "acme-two", "--to", "acme-second");
        await RunAsync(0, "suspend", "acme-second");
        await RunAsync(0, "drop", "acme-second", "--confirm", "acme-second", "--grace-days", "0");
        await RunAsync(0, "reconcile");
        Assert.DoesNotContain("customer_acme_two", await TwoDatabases.SchemasAsync(_two.Second));
    }

    private async Task<(string?, int)[]> FindingsAsync(int code, string id) =>
        [.. JsonNode.Parse(await RunAsync(code, "doctor", "--json"))!.AsArray().Select(one => (
            (string?)one!["database"], (int)Assert.Single(one["answer"]!["findings"]!.AsArray(),
                finding => (string)finding!["id"]! == id)!["value"]!))];

    private async Task<string> RunAsync(int expected, params string[] arguments)
    {
        var (code, output) = await _two.JobAsync(arguments);
        Assert.True(code == expected, $"{string.Join(' ', arguments)} ended with {code}: {output}");
        return output;
    }
}
