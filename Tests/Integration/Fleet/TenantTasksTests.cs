using System.Collections.Concurrent;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>A task is done once for every customer, and recorded.</summary>
public sealed class TenantTasksTests(App app)
{
    private static readonly TenantTask Visit = TenantTask.FromSql("visit", TaskCustomers.Visit);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_customer_does_it_once_over_two_runs_and_a_new_customer_in_the_next()
    {
        await using var customers = await TaskCustomers.StartAsync(app, 5);

        var first = await customers.RunAsync(Visit);
        var second = await customers.RunAsync(Visit);
        await customers.AddAsync("late");
        var third = await customers.RunAsync(Visit);

        Assert.Equal((5, 0, 1), (first.Migrated, second.Migrated, third.Migrated));
        Assert.Equal([1, 1, 1, 1, 1], await customers.VisitsAsync());
        // Nothing to do is no run.
        Assert.Null(second.Run);
        Assert.Equal("task|visit|5|5|0|done", await customers.ScalarAsync(
            "SELECT concat_ws('|', kind, target, total, migrated, failed, outcome) FROM tenancy.runs " +
            $"WHERE id = '{first.Run}'"));
    }

    [Fact]
    public async Task Two_runs_at_once_share_the_customers_and_do_none_twice()
    {
        await using var customers = await TaskCustomers.StartAsync(app, 12);
        var another = customers.Another();
        var rounds = TestDepth.Of(normal: 20, full: 100);
        for (var round = 0; round < rounds; round++)
        {
            var task = TenantTask.FromSql($"visit-{round}", TaskCustomers.Visit);
            var plan = new FleetPlan { Workers = 2 };

            var reports = await Task.WhenAll(
                customers.RunAsync(task, plan),
                another.RunAsync(task, plan, null, CancellationToken.None, Ct));

            Assert.Equal(12, reports.Sum(report => report.Migrated));
        }

        Assert.All(await customers.VisitsAsync(), visits => Assert.Equal(rounds, visits));
    }

    [Fact]
    public async Task A_claim_that_is_older_than_another_process_commit_does_nothing()
    {
        await using var customers = await TaskCustomers.StartAsync(app, 1);
        await customers.ScalarAsync(
            $"""
            INSERT INTO tenancy.tasks (task, schema, attempts, last_error)
            VALUES ('visit', '{customers.Schemas[0]}', 1, 'earlier');
            ALTER TABLE tenancy.tasks RENAME TO slow_tasks;
            -- So cheap that PostgreSQL calls it before it compares anything.
            CREATE FUNCTION public.nap() RETURNS boolean LANGUAGE plpgsql COST 0.0001
                AS 'BEGIN PERFORM pg_sleep(0.7); RETURN true; END';
            CREATE VIEW tenancy.tasks AS SELECT * FROM tenancy.slow_tasks WHERE public.nap();
            """);

        // The claim has its snapshot, and not yet the row, when the other process commits.
        var run = customers.RunAsync(Visit, new() { Workers = 1 });
        await Eventually.HoldsAsync(async () => await customers.ScalarAsync(
            """
            SELECT count(*) FROM pg_stat_activity
            WHERE datname = current_database() AND wait_event = 'PgSleep' AND query LIKE '%FOR UPDATE OF s%'
            """) is 1L);
        await customers.ScalarAsync("UPDATE tenancy.slow_tasks SET done_at = now()");

        Assert.Equal(0, (await run).Migrated);
        Assert.Equal([0], await customers.VisitsAsync());
    }

    [Fact]
    public async Task A_task_has_the_tenants_context_and_the_library_saves_its_changes()
    {
        await using var customers = await TaskCustomers.StartAsync(app, 2);
        var served = new ConcurrentQueue<string>();
        var task = TenantTask.Create("add-contact", (context, _) =>
        {
            context.GetContext<InvoicingContext>().Contacts.Add(
                new() { Name = "visited", CreatedAt = DateTimeOffset.UtcNow });
            var scoped = context.Services.GetRequiredService<InvoicingContext>();
            served.Enqueue($"{context.Tenant.Schema} {scoped.Tenant().Schema}");
            return Task.CompletedTask;
        });

        var report = await customers.RunAsync(task);

        Assert.Equal((2, 0), (report.Migrated, report.Failed.Count));
        Assert.Equal([1, 1], await customers.VisitsAsync());
        Assert.Equal(customers.Schemas.Select(schema => $"{schema} {schema}"), served.Order());
    }

    [Fact]
    public async Task A_task_that_writes_by_the_context_and_fails_leaves_nothing()
    {
        await using var customers = await TaskCustomers.StartAsync(app, 1);
        var task = TenantTask.Create("half", async (context, ct) =>
        {
            var db = context.GetContext<InvoicingContext>();
            db.Contacts.Add(new() { Name = "visited", CreatedAt = DateTimeOffset.UtcNow });
            await db.SaveChangesAsync(ct);
            await db.Contacts.ExecuteUpdateAsync(set => set.SetProperty(contact => contact.Email, "a@example.com"), ct);
            throw new InvalidOperationException("the second half is missing");
        });

        var report = await customers.RunAsync(task);

        Assert.Equal("the second half is missing", Assert.Single(report.Failed).Error);
        Assert.Equal([0], await customers.VisitsAsync());
    }

    [Fact]
    public async Task A_spare_schema_is_not_visited_and_a_suspended_customer_is()
    {
        await using var customers = await TaskCustomers.StartAsync(app, 2);
        await using (var connection = await customers.Application.GetRequiredKeyedService<NpgsqlDataSource>(
            TenancyOptions.OwnerKey).OpenConnectionAsync(Ct))
        await using (var transaction = await connection.BeginTransactionAsync(Ct))
        {
            await customers.Application.GetRequiredService<SchemaProvisioner>().CreateSpareAsync(transaction, Ct);
            await transaction.CommitAsync(Ct);
        }

        Assert.True(await customers.Application.GetRequiredService<Tenants>()
            .SetStatusAsync("t-00", TenantStatus.Suspended, Ct));
        var report = await customers.RunAsync(Visit);

        Assert.Equal((2, 0), (report.Migrated, report.Failed.Count));
        Assert.Equal([1, 1], await customers.VisitsAsync());
        Assert.Equal(0L, await customers.ScalarAsync("SELECT count(*) FROM tenancy.tasks WHERE schema LIKE 'spare%'"));
    }

    [Fact]
    public async Task With_a_customers_schema_its_records_go_and_the_others_stay()
    {
        await using var customers = await TaskCustomers.StartAsync(app, 2);
        await customers.RunAsync(Visit);
        var removal = customers.Application.GetRequiredService<TenantRemoval>();

        await removal.DropAsync("t-00", "t-00", TimeSpan.Zero, Ct);
        Assert.Empty((await removal.ReconcileAsync(Ct)).Failed);

        Assert.Equal(
            $"{customers.Schemas[1]}",
            await customers.ScalarAsync("SELECT string_agg(schema, ',') FROM tenancy.tasks"));
    }

    [Fact]
    public async Task A_run_is_a_span_with_one_for_each_customer()
    {
        await using var customers = await TaskCustomers.StartAsync(app, 2);
        await customers.BreakAsync(customers.Schemas[1]);
        using var spans = new Spans();

        await customers.RunAsync(Visit);

        var run = Assert.Single(spans.Of(TenancyTelemetry.RunTask));
        Assert.Equal(("visit", 1, 1), (run.GetTagItem(TenancyTelemetry.Task), run.GetTagItem(TenancyTelemetry.Migrated),
            run.GetTagItem(TenancyTelemetry.Failed)));
        var each = spans.Of(TenancyTelemetry.RunTaskForTenant).OrderBy(span => span.GetTagItem(TenancyTelemetry.Tenant))
            .ToList();
        Assert.Equal(["t-00", "t-01"], each.Select(span => span.GetTagItem(TenancyTelemetry.Tenant)));
        Assert.All(each, span => Assert.Equal(run.SpanId, span.ParentSpanId));
        Assert.StartsWith("23514", each[1].StatusDescription, StringComparison.Ordinal);
    }
}
