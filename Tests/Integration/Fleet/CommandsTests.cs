using System.Diagnostics;
using System.Text.Json.Nodes;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Tenancy;
using Tests.Integration.Customers;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>The job's commands as processes: what they say, and how they end.</summary>
public sealed class CommandsTests(App app)
{
    private static readonly string Nothing = CompiledMigrations.Fingerprint([]);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Before_anything_is_migrated_plan_says_so_and_the_others_say_what_to_do()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);

        var (plan, status, verify) = (
            await RunAsync(database, "plan"), await RunAsync(database, "status"), await RunAsync(database, "verify"));

        Assert.Equal((0, 2, 2), (plan.ExitCode, status.ExitCode, verify.ExitCode));
        Assert.Contains("First the shared schema: ", plan.Output, StringComparison.Ordinal);
        Assert.Contains("run migrate first", status.Output, StringComparison.Ordinal);
        Assert.Contains("run migrate first", verify.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_canary_that_fails_is_three_and_status_plan_script_and_retry_lead_out_of_it()
    {
        var database = await WithCustomersAsync();
        Assert.Equal(0, (await RunAsync(database, "down", "--to", "0")).ExitCode);
        Assert.Equal(0, (await RunAsync(database, "ring", "0", "--customer", "acme")).ExitCode);
        await ScalarAsync(database, "CREATE TABLE customer_acme.invoices (by_hand int)");

        var halted = await RunAsync(database, "migrate");
        var status = JsonNode.Parse((await RunAsync(database, "status", "--json")).Output)!;
        var plan = JsonNode.Parse((await RunAsync(database, "plan", "--json")).Output)!;
        var script = await RunAsync(database, "script", "globex");

        Assert.Equal(3, halted.ExitCode);
        Assert.Contains("Halted: 1 schemas of ring 0 failed, and 0 may", halted.Output, StringComparison.Ordinal);
        Assert.Equal("customer_acme", (string)Assert.Single(status["failures"]!.AsArray())!["schema"]!);
        Assert.Equal(3, (int)status["behind"]!);
        Assert.Equal("halted", (string)status["runs"]![0]!["outcome"]!);
        Assert.Equal([0, 1], plan["customers"]!.AsArray().Select(group => (int)group!["ring"]!));
        Assert.Contains("CREATE TABLE \"customer_globex\".invoices", script.Output, StringComparison.Ordinal);

        Assert.Equal(1, (await RunAsync(database, "retry")).ExitCode);
        await ScalarAsync(database, "DROP TABLE customer_acme.invoices");
        Assert.Equal(0, (await RunAsync(database, "retry")).ExitCode);
        await ScalarAsync(database, script.Output);
        var rest = await RunAsync(database);
        Assert.Equal(0, rest.ExitCode);
        Assert.Contains("3 customers: 1 migrated, 0 failed", rest.Output, StringComparison.Ordinal);
        Assert.Equal(0, (await RunAsync(database, "verify")).ExitCode);
    }

    [Fact]
    public async Task Drift_is_one_and_told_in_words()
    {
        var database = await WithCustomersAsync();
        await ScalarAsync(
            database, "ALTER TABLE customer_acme.invoices ADD by_hand int; DROP SCHEMA customer_globex CASCADE");

        var all = await RunAsync(database, "verify");
        var one = JsonNode.Parse((await RunAsync(database, "verify", "--json", "--customer", "acme")).Output)!;

        Assert.Equal(1, all.ExitCode);
        Assert.Contains("column invoices.by_hand is in no migration", all.Output, StringComparison.Ordinal);
        Assert.Contains("customer_globex", all.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("customer_initech", all.Output, StringComparison.Ordinal);
        Assert.Equal((1, false), ((int)one["checked"]!, (bool)one["isClean"]!));
    }

    [Fact]
    public async Task One_customer_up_to_one_migration_and_back()
    {
        var database = await WithCustomersAsync();

        var down = await RunAsync(database, "down", "--to", "Initial", "--customer", "acme", "customer_globex");
        var up = await RunAsync(database, "migrate", "--customer", "acme");
        var status = JsonNode.Parse((await RunAsync(database, "status", "--json")).Output)!;

        Assert.Contains("2 migrated", down.Output, StringComparison.Ordinal);
        Assert.Contains("1 migrated", up.Output, StringComparison.Ordinal);
        Assert.Equal("customer_globex", (string)Assert.Single(status["laggards"]!.AsArray())!["schema"]!);
    }

    [Fact]
    public async Task The_first_signal_ends_a_run_after_the_groups_in_hand_and_the_next_run_does_the_rest()
    {
        if (OperatingSystem.IsWindows())
        {
            Assert.Skip("Windows has no SIGINT for another process.");
        }

        Signals.SkipWhereIgnored("INT");
        var database = await WithCustomersAsync();
        await ScalarAsync(database, $"UPDATE tenancy.schemas SET version = '{Nothing}'");
        await using var source = NpgsqlDataSource.Create(database);
        await using var holder = await source.OpenConnectionAsync(Ct);
        await using var holding = await holder.BeginTransactionAsync(Ct);
        await using (var hold = new NpgsqlCommand(
            "SELECT schema FROM tenancy.schemas WHERE schema = 'customer_initech' FOR UPDATE", holder))
        {
            await hold.ExecuteScalarAsync(Ct);
        }

        using var job = Job.Start(database, "--group", "1");
        await Eventually.HoldsAsync(async () => await ScalarAsync(
            database, $"SELECT count(*) FROM tenancy.schemas WHERE version = '{Nothing}'") is 1L);

        using (var signal = Process.Start("kill", ["-INT", $"{job.Id}"]))
        {
            await signal.WaitForExitAsync(Ct);
        }

        await job.WaitForExitAsync(Ct);
        await holding.RollbackAsync(Ct);

        Assert.Equal(130, job.ExitCode);
        Assert.Equal(
            "cancelled", await ScalarAsync(database, "SELECT outcome FROM tenancy.runs ORDER BY id DESC LIMIT 1"));
        Assert.Contains("1 migrated", (await RunAsync(database)).Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_run_is_halted_from_another_process()
    {
        var database = await WithCustomersAsync();
        await ScalarAsync(database, $"UPDATE tenancy.schemas SET version = '{Nothing}'");
        await using var source = NpgsqlDataSource.Create(database);
        await using var holder = await source.OpenConnectionAsync(Ct);
        await using var holding = await holder.BeginTransactionAsync(Ct);
        await using (var hold = new NpgsqlCommand(
            "SELECT schema FROM tenancy.schemas WHERE schema = 'customer_initech' FOR UPDATE", holder))
        {
            await hold.ExecuteScalarAsync(Ct);
        }

        var run = RunAsync(database);
        await Eventually.HoldsAsync(async () =>
            await ScalarAsync(database, "SELECT count(*) FROM tenancy.runs") is > 0L);

        var halt = await RunAsync(database, "halt", "--reason", "too slow");
        var halted = await run;

        Assert.Contains("Asked 1 to halt", halt.Output, StringComparison.Ordinal);
        Assert.Equal(3, halted.ExitCode);
        Assert.Contains("Halted: too slow", halted.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("There is no customer 'nobody'", "migrate", "--customer", "nobody")]
    [InlineData("This build has no migration 'Nope'", "--to", "Nope")]
    [InlineData("This build has no migration 'Nope'", "down", "--to", "Nope")]
    [InlineData("Option '--to' is required", "down")]
    [InlineData("--group takes a number from 1 to 1000, not 'all'", "--group", "all")]
    [InlineData("A ring is a number from 0", "ring", "first", "--customer", "acme")]
    [InlineData("There is no customer 'nobody'", "script", "nobody")]
    public async Task What_is_wrong_with_a_command_line_is_said_and_is_sixty_four(
        string says, params string[] arguments)
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await CustomersDatabase.MigrateAsync(database);

        var job = await RunAsync(database, arguments);

        Assert.Equal(64, job.ExitCode);
        Assert.Contains(says, job.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", job.Output, StringComparison.Ordinal);
    }

    private static Task<(int ExitCode, string Output)> RunAsync(string database, params string[] arguments) =>
        Job.RunAsync(database, "Production", arguments);

    private async Task<string> WithCustomersAsync()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        Assert.Equal(0, (await Job.RunAsync(database, "Development")).ExitCode);
        return database;
    }

    private static async Task<object?> ScalarAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }
}
