using Microsoft.EntityFrameworkCore;
using Data.Invoicing;
using Microsoft.Extensions.DependencyInjection;
using Tenancy;
using Tests.Integration.Roles;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>A task's SQL is a tenant's, and is refused before the first tenant where it isn't.</summary>
public sealed class TaskSqlTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData("DELETE FROM tenant_globex.contacts")]
    [InlineData("DELETE FROM contacts")]
    [InlineData("DELETE FROM public.customers")]
    [InlineData("DELETE FROM tenancy.schemas")]
    [InlineData("SET search_path = public")]
    [InlineData("COMMIT")]
    [InlineData("DROP SCHEMA \"__Tenant__\" CASCADE")]
    [InlineData("DO $$ BEGIN DELETE FROM public.customers; END $$")]
    public async Task Sql_that_is_not_a_tenants_is_refused_before_anything_runs(string hostile)
    {
        await using var customers = await TaskCustomers.StartAsync(app, 2);
        var task = TenantTask.FromSql("hostile", $"{TaskCustomers.Visit}\n{hostile};");

        await Assert.ThrowsAsync<CommandRefusedException>(() => customers.RunAsync(task));

        Assert.Equal([0, 0], await customers.VisitsAsync());
        Assert.Equal(0L, await customers.ScalarAsync(
            "SELECT (SELECT count(*) FROM tenancy.tasks) + (SELECT count(*) FROM tenancy.runs)"));
    }

    [Fact]
    public async Task A_context_in_the_owners_transaction_may_not_drop_the_schema_either()
    {
        await using var customers = await TaskCustomers.StartAsync(app, 1);

        foreach (var hostile in new[]
        {
            "DROP SCHEMA \"__Tenant__\" CASCADE", "GRANT ALL ON SCHEMA \"__Tenant__\" TO PUBLIC",
            "GRANT SELECT ON ALL TABLES IN SCHEMA \"__Tenant__\" TO PUBLIC",
        })
        {
            var report = await customers.RunAsync(TenantTask.Create("hostile", (context, ct) =>
                context.GetContext<InvoicingContext>().Database.ExecuteSqlRawAsync(hostile, ct)));
            var byHand = await customers.RunAsync(TenantTask.Create("by-hand", (context, ct) =>
                context.GetContext<InvoicingContext>().CreateTenantCommand(hostile).ExecuteNonQueryAsync(ct)));

            foreach (var refused in new[] { report, byHand })
            {
                Assert.Contains("not the schema itself", Assert.Single(refused.Failed).Error, StringComparison.Ordinal);
            }
        }

        Assert.Equal([0], await customers.VisitsAsync());
    }

    [Fact]
    public async Task Several_statements_run_in_order_and_may_read_what_the_models_share()
    {
        await using var customers = await TaskCustomers.StartAsync(app, 2);
        var folder = Directory.CreateTempSubdirectory("task-");
        try
        {
            var path = Path.Combine(folder.FullName, "2026-12-visits.sql");
            await File.WriteAllTextAsync(path,
                $"""
                -- Two statements; the second one needs the first.
                {TaskCustomers.Visit}
                UPDATE "__Tenant__".contacts SET email = (SELECT min(code) || '@example.com' FROM public.currencies)
                WHERE name = 'visited';
                """, Ct);
            var task = TenantTask.FromSqlFile(path);

            var report = await customers.RunAsync(task);

            Assert.Equal("2026-12-visits", task.Name);
            Assert.Equal((2, 0), (report.Migrated, report.Failed.Count));
            Assert.Equal(1L, await customers.ScalarAsync(
                $"SELECT count(*) FROM {customers.Schemas[0].Qualify("contacts")} WHERE email LIKE '%@example.com'"));
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task Where_tenants_have_roles_the_work_runs_as_the_owner_and_reaches_that_tenant()
    {
        Tenant? tenant = null;
        await using var fleet = await RoleFleet.StartAsync(app.Server, options =>
        {
            options.FindSlugs = (_, _, _) => Task.FromResult<IReadOnlyDictionary<SchemaName, string>>(
                new Dictionary<SchemaName, string> { [tenant!.Schema] = tenant.Slug });
            options.FindTenant = (_, _, _) => Task.FromResult<TenantListing?>(new(tenant!, SchemaState.Ready, ""));
        });
        tenant = await fleet.NewAsync("acme");
        var task = TenantTask.Create("visit", async (context, ct) =>
        {
            context.GetContext<InvoicingContext>().Contacts.Add(
                new() { Name = "visited", CreatedAt = DateTimeOffset.UtcNow });
            await using var visit = context.CreateCommand(TaskCustomers.Visit);
            await visit.ExecuteNonQueryAsync(ct);
        });

        var report = await fleet.Services.GetRequiredService<TenantTasks>().RunAsync(
            task, new(), null, CancellationToken.None, Ct);

        Assert.Empty(report.Failed);
        Assert.Equal(1, report.Migrated);
        Assert.Equal(2L, await fleet.OwnerAsync($"SELECT count(*) FROM {tenant.Schema.Qualify("contacts")}"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("Visit")]
    [InlineData("-visit")]
    [InlineData("visit all")]
    [InlineData("visit\n")]
    [InlineData("a123456789a123456789a123456789a123456789a123456789a123456789a123456789a123456789a123456789a123456789a")]
    public void A_name_that_can_not_be_a_tasks_is_refused(string name) =>
        Assert.Contains("can't name a task", Assert.Throws<FormatException>(
            () => TenantTask.FromSql(name, TaskCustomers.Visit)).Message, StringComparison.Ordinal);

    [Fact]
    public async Task A_plan_with_migrations_is_refused_and_so_are_two_tasks_of_one_name()
    {
        await using var customers = await TaskCustomers.StartAsync(app, 0);
        var task = TenantTask.FromSql("visit", TaskCustomers.Visit);

        await Assert.ThrowsAsync<ArgumentException>(() => customers.RunAsync(task, new() { To = "Initial" }));
        await Assert.ThrowsAsync<ArgumentException>(() => customers.RunAsync(task, new() { Down = true }));
        Assert.Contains("no task 'other'", Assert.Throws<ArgumentException>(
            () => customers.Tasks.Find("other")).Message, StringComparison.Ordinal);

        var twice = new ServiceCollection().AddLogging()
            .AddTenancy<InvoicingContext>(options => options.ConnectionString = customers.ConnectionString)
            .AddTenantTask("visit", (_, _) => Task.CompletedTask).AddTenantTask("visit", (_, _) => Task.CompletedTask);
        await using var application = twice.BuildServiceProvider();
        Assert.Contains("'visit'", Assert.Throws<InvalidOperationException>(
            application.GetRequiredService<TenantTasks>).Message, StringComparison.Ordinal);
    }
}
