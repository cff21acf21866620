using System.Text.Json.Nodes;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>The commands task and tasks as processes: their words, their exit codes, and their sudden end.</summary>
public sealed class TaskCommandsTests(App app) : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("task-");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    public void Dispose() => _folder.Delete(recursive: true);

    [Fact]
    public async Task A_file_is_done_once_and_both_reports_show_it()
    {
        await using var customers = await TaskCustomers.StartAsync(app, 3);
        var file = File("backfill.sql", TaskCustomers.Visit);

        var first = await RunAsync(customers, "task", "--sql", file, "--workers", "2");
        var again = await RunAsync(customers, "task", "--sql", file);
        var named = await RunAsync(customers, "task", "--sql", file, "--name", "backfill-2", "--customer", "t-01");
        var tasks = JsonNode.Parse((await RunAsync(customers, "tasks", "--json")).Output)!["tasks"]!.AsArray();
        var status = await RunAsync(customers, "status", "--format", "markdown");

        Assert.Equal((0, 0, 0), (first.ExitCode, again.ExitCode, named.ExitCode));
        Assert.Contains("backfill: 3 customers done, 0 failed", first.Output, StringComparison.Ordinal);
        Assert.Contains("backfill: nothing to do, no customer is left", again.Output, StringComparison.Ordinal);
        Assert.Equal([1, 2, 1], await customers.VisitsAsync());
        Assert.Equal(["backfill 3 0 0", "backfill-2 1 0 2"],
            tasks.Select(task => $"{task!["name"]} {task["done"]} {task["failed"]} {task["left"]}"));
        Assert.Contains("task backfill-2", status.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_failure_is_one_a_canarys_is_three_and_retry_leads_out_of_it()
    {
        await using var customers = await TaskCustomers.StartAsync(app, 3);
        var file = File("backfill.sql", TaskCustomers.Visit);
        await customers.BreakAsync(customers.Schemas[0]);

        var failed = await RunAsync(customers, "task", "--sql", file);
        var isolated = await RunAsync(customers, "task", "--sql", file, "--retry", "--on-failure", "isolate");
        var tasks = await RunAsync(customers, "tasks");
        await customers.MendAsync(customers.Schemas[0]);
        var retried = await RunAsync(customers, "task", "--sql", file, "--retry");

        Assert.Equal((1, 0, 0), (failed.ExitCode, isolated.ExitCode, retried.ExitCode));
        Assert.Contains($"Failed: {customers.Schemas[0]}: 23514", failed.Output, StringComparison.Ordinal);
        Assert.Contains("violates check constraint", tasks.Output, StringComparison.Ordinal);
        Assert.Equal([1, 1, 1], await customers.VisitsAsync());

        Assert.Equal(0, (await RunAsync(customers, "ring", "0", "--customer", "t-00")).ExitCode);
        var canary = File("canary.sql", "SELECT 1 / count(*) FROM \"__Tenant__\".invoices");
        var halted = await RunAsync(customers, "task", "--sql", canary);
        Assert.Equal(3, halted.ExitCode);
        Assert.Contains("Halted: 1 tenants of ring 0 failed, and 0 may", halted.Output, StringComparison.Ordinal);
        Assert.Equal(1L, await customers.ScalarAsync("SELECT count(*) FROM tenancy.tasks WHERE task = 'canary'"));
    }

    [Theory]
    [InlineData("SET search_path = public", "refused, nothing was done")]
    [InlineData("DELETE FROM tenant_globex.contacts", "'tenant_globex' is neither the tenant's schema")]
    [InlineData("  ", "has no statement")]
    public async Task A_file_that_is_not_a_tenants_is_sixty_four(string sql, string says)
    {
        await using var customers = await TaskCustomers.StartAsync(app, 1);

        var job = await RunAsync(customers, "task", "--sql", File("hostile.sql", sql));

        Assert.Equal(64, job.ExitCode);
        Assert.Contains(says, job.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", job.Output, StringComparison.Ordinal);
        Assert.Equal(0L, await customers.ScalarAsync("SELECT count(*) FROM tenancy.tasks"));
    }

    [Theory]
    [InlineData("Say which task", "task")]
    [InlineData("Say which task", "task", "visit", "--sql", "visit.sql")]
    [InlineData("This build has no task 'visit'", "task", "visit")]
    [InlineData("--name belongs to --sql", "task", "visit", "--name", "other")]
    [InlineData("nowhere.sql", "task", "--sql", "nowhere.sql")]
    [InlineData("There is no customer 'nobody'", "task", "--sql", "FILE", "--customer", "nobody")]
    [InlineData("can't name a task", "task", "--sql", "FILE", "--name", "Backfill All")]
    public async Task What_is_wrong_with_a_command_line_is_said_and_is_sixty_four(
        string says, params string[] arguments)
    {
        await using var customers = await TaskCustomers.StartAsync(app, 0);
        var file = File("visit.sql", TaskCustomers.Visit);

        var job = await RunAsync(customers, [.. arguments.Select(argument => argument == "FILE" ? file : argument)]);

        Assert.Equal(64, job.ExitCode);
        Assert.Contains(says, job.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("   at ", job.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_job_killed_in_the_middle_leaves_each_customer_done_or_as_it_was_and_the_next_does_the_rest()
    {
        await using var customers = await TaskCustomers.StartAsync(app, 20);
        var file = File("slow.sql", $"{TaskCustomers.Visit} SELECT pg_sleep(0.1);");

        using (var job = Job.Start(customers.ConnectionString, "task", "--sql", file, "--workers", "2"))
        {
            await Eventually.HoldsAsync(async () =>
                job.HasExited || await customers.ScalarAsync("SELECT count(*) FROM tenancy.tasks") is >= 3L);
            job.Kill();
            await job.WaitForExitAsync(Ct);
        }

        // The server may need a moment to notice.
        await Eventually.HoldsAsync(async () => await customers.ScalarAsync(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND query LIKE '%pg_sleep%' AND pid <> pg_backend_pid()
            """) is 0L);
        var done = (long)(await customers.ScalarAsync("SELECT count(*) FROM tenancy.tasks WHERE done_at IS NOT NULL"))!;
        Assert.InRange(done, 1, 19);
        Assert.Equal(done, (await customers.VisitsAsync()).Sum());

        var (code, output) = await RunAsync(customers, "task", "--sql", file);
        Assert.True(code == 0, output);
        Assert.Contains($"slow: {20 - done} customers done", output, StringComparison.Ordinal);
        Assert.All(await customers.VisitsAsync(), visits => Assert.Equal(1, visits));
    }

    private static Task<(int ExitCode, string Output)> RunAsync(TaskCustomers customers, params string[] arguments) =>
        Job.RunAsync(customers.ConnectionString, "Production", arguments);

    private string File(string name, string sql)
    {
        var path = Path.Combine(_folder.FullName, name);
        System.IO.File.WriteAllText(path, sql);
        return path;
    }
}
