using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Telemetry;

/// <summary>
/// A run of the job is one trace, whatever it finds, and whoever looks for one customer finds what the run did for it.
/// </summary>
public sealed class RunTracesTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_first_run_is_one_trace_and_so_is_one_that_finds_nothing_to_do()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        var database = await app.Server.ConnectionStringAsync(Ct);

        Assert.Equal(0, (await TracedProgram.RunJobAsync(receiver, database, "Development")).ExitCode);
        var first = receiver.Spans;
        Assert.Equal(["migrationservice: migrate"], first.Roots());
        Assert.DoesNotContain(first, span => span.IsError);
        Assert.Equal("migrate > create customer > provision schema",
            first.Path(first.Named("provision schema").First(span => span.Tenant == "acme")));
        Assert.Equal(["acme", "globex", "initech"], first.Named("create customer").Select(span => span.Tenant));
        Assert.All(first.Where(span => span.Name == "INSERT invoices; INSERT invoice_lines" && span.Tenant == "globex"),
            span => Assert.EndsWith("|customer_globex", span.Attributes["db.namespace"], StringComparison.Ordinal));
        Assert.DoesNotContain(
            first, span => span.Name.Contains("customer_", StringComparison.Ordinal) || span.Name == "postgresql");

        receiver.Clear();
        Assert.Equal(0, (await TracedProgram.RunJobAsync(receiver, database, "Development")).ExitCode);
        Assert.Equal(["migrationservice: migrate"], receiver.Spans.Roots());
        Assert.Single(receiver.Spans.Named("migrate fleet (0 of 3)"));
        var summary = Assert.Single(receiver.Logs,
            log => log.Body.Contains("customers: {Migrated} migrated", StringComparison.Ordinal)
                || log.Body.Contains("3 customers: 0 migrated", StringComparison.Ordinal));
        Assert.Equal(receiver.Spans[0].Trace, summary.Trace);
        Assert.Equal("0", receiver.Spans.Named("migrate").Single().Attributes["process.exit.code"]);
    }

    [Fact]
    public async Task Customers_that_were_migrated_and_customers_that_failed_are_found_in_the_runs_trace()
    {
        await using var receiver = await OtlpReceiver.StartAsync();
        var database = await app.Server.ConnectionStringAsync(Ct);
        await TracedProgram.RunJobAsync(receiver, database, "Development");
        receiver.Clear();
        // As if no migration were applied to two customers; one of them was altered by hand.
        await using (var source = NpgsqlDataSource.Create(database))
        await using (var alter = source.CreateCommand($"""
            DROP TABLE customer_acme.invoice_lines, customer_acme.invoices, customer_acme.contacts,
                customer_acme.idempotency_keys, customer_acme.settings, customer_globex.invoice_lines, customer_globex.invoices;
            DELETE FROM customer_acme."__EFMigrationsHistory";
            DELETE FROM customer_globex."__EFMigrationsHistory";
            UPDATE tenancy.schemas SET version = '{CompiledMigrations.Fingerprint([])}' WHERE schema IN ('customer_acme', 'customer_globex')
            """))
        {
            await alter.ExecuteNonQueryAsync(Ct);
        }

        Assert.Equal(0,
            (await TracedProgram.RunJobAsync(receiver, database, "Development", "--on-failure", "isolate")).ExitCode);

        var spans = receiver.Spans;
        Assert.Equal(["migrationservice: migrate"], spans.Roots());
        Assert.True(Assert.Single(spans.Named("migrate fleet (1 of 3)")).IsError);
        Assert.Equal("migrate > migrate fleet (1 of 3) > migrate group > migrate schema",
            spans.Path(Assert.Single(spans.Named("migrate schema"))));
        Assert.Equal("acme", spans.Named("migrate schema")[0].Tenant);
        Assert.EndsWith(
            "|customer_acme", spans.Named("migrate schema")[0].Attributes["db.namespace"], StringComparison.Ordinal);
        Assert.Equal("globex", Assert.Single(spans.Named("migration failed")).Tenant);
        var told = receiver.Logs.Where(log => log.Severity == "Error").ToList();
        Assert.Equal(2, told.Count);
        Assert.All(told, log => Assert.Equal(("globex", spans[0].Trace), (log.Tenant, log.Trace)));
    }

    [Fact]
    public async Task A_run_that_the_database_fails_ends_its_trace_with_the_error()
    {
        await using var receiver = await OtlpReceiver.StartAsync();

        var run = await TracedProgram.RunJobAsync(
            receiver, "Host=127.0.0.1;Port=1;Username=nobody;Database=none;Timeout=2", "Production");

        Assert.Equal(2, run.ExitCode);
        Assert.Equal(["migrationservice: migrate"], receiver.Spans.Roots());
        var root = Assert.Single(receiver.Spans.Named("migrate"));
        Assert.Equal((true, "2"), (root.IsError, root.Attributes["process.exit.code"]));
        Assert.Equal(root.Trace, Assert.Single(receiver.Logs, log => log.Severity == "Critical").Trace);
    }
}
