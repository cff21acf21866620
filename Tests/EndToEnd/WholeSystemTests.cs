using System.Net;
using Npgsql;
using Xunit;

namespace Tests.EndToEnd;

/// <summary>One command starts the whole system: what a user sees then.</summary>
public sealed class WholeSystemTests(Integration.App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Migrations_end_well_and_customers_are_served_apart()
    {
        await using var data = await ThrowawayData.CreateAsync(app.Server, Ct);
        await using var running = await RunningApp.StartAsync(data);
        Assert.Equal(0, await running.ExitCodeAsync("migrations"));
        await running.HealthyAsync("api");
        await running.HealthyAsync("web");

        var north = await running.CreateCustomerAsync("north");
        var south = await running.CreateCustomerAsync("south");
        await running.CreateInvoiceAsync(north, 120m);
        await running.CreateInvoiceAsync(south, 7m);
        await running.CreateInvoiceAsync(south, 8m);

        Assert.Equal([120m], await running.InvoicesAsync(north));
        Assert.Equal([8m, 7m], await running.InvoicesAsync(south));
        // The first run's demo customers, with invoices.
        Assert.Equal(12, (await running.InvoicesAsync("acme")).Length);
        // Seen from the owner's connection: another login, which may not make tables, has read them.
        Assert.Equal(false, await ScalarAsync(
            await running.ConnectionStringAsync(),
            """
            SELECT bool_or(has_schema_privilege(usename, 'customer_acme', 'CREATE')) FROM pg_stat_activity
            WHERE datname = current_database() AND query LIKE '%"customer_acme".invoices%' AND pid <> pg_backend_pid()
            """));

        using var web = running.Client("web");
        using var page = await web.GetAsync("/", Ct);
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("<h1>Sign in</h1>", await page.Content.ReadAsStringAsync(Ct), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_restart_keeps_the_data()
    {
        Assert.SkipUnless(TestDepth.IsFull, "It starts the whole system twice: at full depth only.");
        await using var data = await ThrowawayData.CreateAsync(app.Server, Ct);
        await using (var running = await RunningApp.StartAsync(data))
        {
            await running.HealthyAsync("api");
            await running.CreateInvoiceAsync(await running.CreateCustomerAsync("north"), 120m);
        }

        await using var again = await RunningApp.StartAsync(data);
        await again.HealthyAsync("api");

        Assert.Equal([120m], await again.InvoicesAsync("north"));
        Assert.Equal(12, (await again.InvoicesAsync("acme")).Length);
    }

    private static async Task<object?> ScalarAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }
}
