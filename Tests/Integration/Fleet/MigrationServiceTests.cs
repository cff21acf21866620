using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>The job as a process: what it says and how it ends.</summary>
public sealed class MigrationServiceTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task On_an_empty_database_it_makes_everything_and_the_next_run_finds_nothing_to_do()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);

        var first = await Job.RunAsync(database, "Development");
        var second = await Job.RunAsync(database, "Development");

        Assert.Equal((0, 0), (first.ExitCode, second.ExitCode));
        Assert.Contains("Migrated the shared schema", first.Output, StringComparison.Ordinal);
        Assert.Contains("acme, globex, initech", first.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("fail:", first.Output, StringComparison.Ordinal);
        Assert.Contains("3 customers: 0 migrated, 0 failed", second.Output, StringComparison.Ordinal);
        Assert.Equal(12L, await ScalarAsync(database, "SELECT count(*) FROM customer_globex.invoices"));
    }

    [Fact]
    public async Task Outside_development_there_are_no_demo_customers()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);

        Assert.Equal(0, (await Job.RunAsync(database, "Production")).ExitCode);
        Assert.Equal(0L, await ScalarAsync(database, "SELECT count(*) FROM public.customers"));
    }

    [Fact]
    public async Task A_customer_that_cannot_be_migrated_is_reported_and_the_caller_says_what_that_means()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await Job.RunAsync(database, "Development");
        // As if the newest migration weren't applied, to two customers; one of them was altered by hand.
        await ScalarAsync(database, $"""
            DROP TABLE customer_acme.invoice_lines, customer_acme.invoices, customer_acme.contacts,
                customer_acme.idempotency_keys, customer_acme.settings, customer_globex.invoice_lines, customer_globex.invoices;
            DELETE FROM customer_acme."__EFMigrationsHistory";
            DELETE FROM customer_globex."__EFMigrationsHistory";
            UPDATE tenancy.schemas SET version = '{CompiledMigrations.Fingerprint([])}' WHERE schema IN ('customer_acme', 'customer_globex')
            """);

        var isolated = await Job.RunAsync(database, "Development", "--on-failure", "isolate");
        var failed = await Job.RunAsync(database, "Development");

        Assert.Equal((0, 1), (isolated.ExitCode, failed.ExitCode));
        Assert.Contains("3 customers: 1 migrated, 1 failed", isolated.Output, StringComparison.Ordinal);
        Assert.Matches("Failed: customer_globex: [0-9]+_Initial: 42P07", isolated.Output);
        Assert.Equal(2,
            await ScalarAsync(database,
                "SELECT attempts FROM tenancy.schemas WHERE schema = 'customer_globex' AND state = 'failed'"));
        Assert.Equal(
            "ready", await ScalarAsync(database, "SELECT state FROM tenancy.schemas WHERE schema = 'customer_acme'"));
    }

    [Fact]
    public async Task A_database_that_cannot_be_reached_or_trusted_is_two()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await ScalarAsync(database, "CREATE SCHEMA \"__Tenant__\"");

        var placeholder = await Job.RunAsync(database, "Production");
        var unreachable = await Job.RunAsync(
            "Host=127.0.0.1;Port=1;Username=nobody;Database=none;Timeout=2", "Production");
        var missing = await Job.RunAsync("", "Production");

        Assert.Equal((2, 2, 2), (placeholder.ExitCode, unreachable.ExitCode, missing.ExitCode));
        Assert.Contains("DROP SCHEMA \"__Tenant__\"", placeholder.Output, StringComparison.Ordinal);
        Assert.Contains("ConnectionString is empty", missing.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_jobs_at_once_on_an_empty_database_both_end_well()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);

        var both = await Task.WhenAll(Job.RunAsync(database, "Development"), Job.RunAsync(database, "Development"));

        Assert.All(both, job => Assert.True(job.ExitCode == 0, job.Output));
        Assert.Equal(3L, await ScalarAsync(database, "SELECT count(*) FROM public.customers"));
    }

    [Theory]
    [InlineData("--workers", "0")]
    [InlineData("--workers", "many")]
    [InlineData("--on-failure", "perhaps")]
    [InlineData("--nonsense")]
    public async Task Wrong_arguments_are_neither_success_nor_a_failed_customer(params string[] arguments) =>
        Assert.Equal(64, (await Job.RunAsync("Host=127.0.0.1;Port=1", "Production", arguments)).ExitCode);

    private static async Task<object?> ScalarAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create(database);
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }
}
