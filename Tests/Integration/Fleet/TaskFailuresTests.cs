using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>One customer's failure is its own; too many of a ring halt the run.</summary>
public sealed class TaskFailuresTests(App app)
{
    private static readonly TenantTask Visit = TenantTask.FromSql("visit", TaskCustomers.Visit);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_failed_customer_does_not_stop_the_others_and_is_recorded_with_each_attempt()
    {
        await using var customers = await TaskCustomers.StartAsync(app, 5);
        var broken = customers.Schemas[2];
        await customers.BreakAsync(broken);

        var first = await customers.RunAsync(Visit);
        var retry = await customers.RunAsync(Visit, new() { OnlyFailed = true });

        Assert.Equal((4, FleetOutcome.Done), (first.Migrated, first.Outcome));
        var failed = Assert.Single(first.Failed);
        Assert.Equal(broken, failed.Schema);
        Assert.StartsWith("23514: ", failed.Error, StringComparison.Ordinal);
        Assert.Equal((0, 1), (retry.Migrated, retry.Failed.Count));
        Assert.Equal([1, 1, 0, 1, 1], await customers.VisitsAsync());
        Assert.Equal($"2|{failed.Error}|f", await RecordAsync(customers, broken));

        await customers.MendAsync(broken);
        Assert.Equal(1, (await customers.RunAsync(Visit, new() { OnlyFailed = true })).Migrated);
        Assert.Equal("0||t", await RecordAsync(customers, broken));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task One_failure_in_ring_zero_halts_before_the_next_ring(bool isolate)
    {
        await using var customers = await TaskCustomers.StartAsync(app, 6);
        await customers.ScalarAsync(
            "UPDATE tenancy.schemas SET ring = 0 WHERE schema IN " +
            $"('{customers.Schemas[0]}', '{customers.Schemas[1]}')");
        await customers.BreakAsync(customers.Schemas[0]);

        var report = await customers.RunAsync(Visit, new() { Isolate = isolate, Workers = 1 });

        Assert.Equal(FleetOutcome.Halted, report.Outcome);
        Assert.Contains("ring 0", report.Reason, StringComparison.Ordinal);
        Assert.Equal([0, isolate ? 1 : 0, 0, 0, 0, 0], await customers.VisitsAsync());

        await customers.MendAsync(customers.Schemas[0]);
        Assert.Equal(FleetOutcome.Done, (await customers.RunAsync(Visit)).Outcome);
        Assert.Equal([1, 1, 1, 1, 1, 1], await customers.VisitsAsync());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Halted_or_stopped_it_ends_after_the_customers_in_hand_and_the_next_run_does_the_rest(bool halt)
    {
        await using var customers = await TaskCustomers.StartAsync(app, 4);
        using var stop = new CancellationTokenSource();
        // One row is held, so the run can't end by itself.
        await using (await customers.HoldAsync(customers.Schemas[3]))
        {
            var run = customers.Tasks.RunAsync(Visit, new(), null, stop.Token, Ct);
            await Eventually.HoldsAsync(async () =>
                await customers.ScalarAsync("SELECT count(*) FROM tenancy.tasks WHERE done_at IS NOT NULL") is 3L);
            await customers.ScalarAsync(halt ? "UPDATE tenancy.runs SET halt = 'a test'" : "SELECT 1");
            await (halt ? Task.CompletedTask : stop.CancelAsync());
            var report = await run;

            Assert.Equal((halt ? FleetOutcome.Halted : FleetOutcome.Cancelled, halt ? "a test" : null, 3),
                (report.Outcome, report.Reason, report.Migrated));
        }

        Assert.Equal(1, (await customers.RunAsync(Visit)).Migrated);
        Assert.Equal([1, 1, 1, 1], await customers.VisitsAsync());
        Assert.Equal($"{(halt ? "halted" : "cancelled")},done",
            await customers.ScalarAsync("SELECT string_agg(outcome, ',' ORDER BY id) FROM tenancy.runs"));
    }

    [Theory]
    [InlineData("version = ''", "migrate it first")]
    [InlineData("state = 'failed', attempts = 1, last_error = 'x'", "its last migration failed")]
    public async Task A_customer_that_has_to_be_migrated_first_fails_and_says_so(string ledger, string says)
    {
        await using var customers = await TaskCustomers.StartAsync(app, 3);
        await customers.ScalarAsync($"UPDATE tenancy.schemas SET {ledger} WHERE schema = '{customers.Schemas[1]}'");

        var report = await customers.RunAsync(Visit);

        Assert.Contains(says, Assert.Single(report.Failed).Error, StringComparison.Ordinal);
        Assert.Equal([1, 0, 1], await customers.VisitsAsync());
    }

    [Fact]
    public async Task A_lock_conflict_is_tried_again_and_no_failure()
    {
        await using var customers = await TaskCustomers.StartAsync(app, 1);
        var attempts = 0;
        await using var holder = new NpgsqlConnection(customers.ConnectionString);
        await holder.OpenAsync(Ct);
        await using var holding = await holder.BeginTransactionAsync(Ct);
        await using (var hold = new NpgsqlCommand($"LOCK TABLE {customers.Schemas[0].Qualify("contacts")}", holder))
        {
            await hold.ExecuteNonQueryAsync(Ct);
        }

        var report = await customers.RunAsync(TenantTask.Create("visit", async (context, ct) =>
        {
            if (++attempts == 2)
            {
                await holding.RollbackAsync(ct);
            }

            await using var visit = context.CreateCommand(TaskCustomers.Visit);
            await visit.ExecuteNonQueryAsync(ct);
        }), new() { LockTimeout = TimeSpan.FromMilliseconds(100) });

        Assert.Equal((1, 0, 2), (report.Migrated, report.Failed.Count, attempts));
        Assert.Equal([1], await customers.VisitsAsync());
    }

    [Theory]
    [InlineData("ROLLBACK")]
    [InlineData("COMMIT")]
    [InlineData("ROLLBACK; BEGIN")]
    public async Task A_task_that_ends_its_own_transaction_is_not_recorded_as_done(string end)
    {
        await using var customers = await TaskCustomers.StartAsync(app, 1);

        var report = await customers.RunAsync(TenantTask.Create("ends", async (context, ct) =>
        {
            await using var ended = new NpgsqlCommand(end, context.Transaction.Connection);
            await ended.ExecuteNonQueryAsync(ct);
        }));

        Assert.Single(report.Failed);
        Assert.EndsWith(
            "|f", (string?)await RecordAsync(customers, customers.Schemas[0], "ends"), StringComparison.Ordinal);
    }

    private static Task<object?> RecordAsync(TaskCustomers customers, SchemaName schema, string task = "visit") =>
        customers.ScalarAsync(
            $"""
            SELECT concat(attempts, '|', last_error, '|', done_at IS NOT NULL) FROM tenancy.tasks
            WHERE task = '{task}' AND schema = '{schema}'
            """);
}
