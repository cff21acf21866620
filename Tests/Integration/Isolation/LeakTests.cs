using Data;
using Data.Customers;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Isolation;

public sealed class LeakTests(App app)
{
    private const int Customers = 50;

    /// <summary>However many connections there are to a pooler.</summary>
    private const int Backends = PgBouncer.ServerConnections;

    /// <summary>How requests end, all of which has to happen.</summary>
    private static readonly string[] Ends =
    [
        "broken", "cancelled", "counted", "deleted", "ended a backend", "interleaved", "left midway",
        "outlived its command's timeout", "read", "refused",
        "rolled back", "rolled back in part", "saved", "saved an invoice", "timed out", "updated", "written by hand",
    ];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public Task Many_customers_over_few_connections_read_and_write_only_their_own_rows_whatever_fails_in_between() =>
        RunAsync(app.ServingConnectionString, connections: Backends, Without.Nothing);

    [Fact]
    public async Task The_same_holds_through_a_pooler_that_may_change_the_backend_with_every_transaction()
    {
        await using var pooler = await PgBouncer.StartAsync(app.ConnectionString, Ct);

        // One after the other: PgBouncer before 1.21 (Debian 12 has 1.18) ends itself when a backend ends while it is
        // being cancelled (its issue 822), and then it would be the pooler that is tested.
        await RunAsync(pooler.ConnectionString, connections: 10, Without.BrokenConnections, Without.Cancellations);

        Assert.False(pooler.HasExited, pooler.Log);
    }

    private async Task RunAsync(string connectionString, int connections, params Without[] parts)
    {
        var seed = TestSeed.Say();
        var name = $"leaks-{Guid.NewGuid().ToString("n")[..8]}";
        await using var direct = NpgsqlDataSource.Create(app.ConnectionString);
        await using var services = new ServiceCollection()
            .AddData(
                App.Configuration(app.ConnectionString,
                    new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = connections,
                        ApplicationName = name }.ConnectionString))
            .BuildServiceProvider();
        var tenants = await CustomersAsync();
        using var run = new LeakRun(tenants, services, ct => EndSomeBackendAsync(direct, name, ct), seed);
        await run.BeginAsync(Ct);

        var requests = TestDepth.Of(normal: 4_000, full: 100_000);
        foreach (var without in parts)
        {
            await run.ServeAsync(requests / parts.Length, without, Ct);
        }

        TestContext.Current.TestOutputHelper?.WriteLine(
            $"{string.Join(", ", run.Outcomes.OrderBy(outcome => outcome.Key).Select(outcome => $"{outcome.Value} {outcome.Key}"))}; {run.Books.Committed} writes, {run.Books.Unknown} unknown");
        Assert.Empty(run.Strangers);
        Assert.Equal(Ends, run.Outcomes.Keys.Order(StringComparer.Ordinal));
        Assert.Equal(requests, run.Outcomes.Values.Sum());
        await NothingIsLeftOpenAsync(direct, name);
        Assert.Empty(await run.Books.DifferencesAsync(direct, tenants, Ct));
        // Were many of the writes unknown, the books would say little.
        Assert.InRange(run.Books.Unknown, 0, run.Books.Committed / 10);
    }

    private async Task<List<Tenant>> CustomersAsync()
    {
        await using var scope = app.Services.CreateAsyncScope();
        var registry = scope.ServiceProvider.GetRequiredService<CustomerRegistry>();
        var tenants = new List<Tenant>();
        for (var i = 0; i < Customers; i++)
        {
            tenants.Add((await registry.CreateAsync(App.NewSlug(), "A test's customer", ct: Ct)).AsTenant());
        }

        return tenants;
    }

    private static async Task EndSomeBackendAsync(NpgsqlDataSource direct, string name, CancellationToken ct)
    {
        await using var command = direct.CreateCommand(
            "SELECT pg_terminate_backend(pid) FROM (SELECT pid FROM pg_stat_activity WHERE application_name = $1 " +
            "ORDER BY random() LIMIT 1) AS chosen");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        await command.ExecuteScalarAsync(ct);
    }

    /// <summary>
    /// A backend whose client is gone notices it when it next has something to say, so we ask until it did.
    /// </summary>
    private static async Task NothingIsLeftOpenAsync(NpgsqlDataSource direct, string name)
    {
        await using var command = direct.CreateCommand(
            "SELECT count(*), count(xact_start), string_agg(state || ': ' || query, chr(10)) FROM pg_stat_activity " +
            "WHERE application_name = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = name });
        for (var asked = 0; ; asked++)
        {
            await using var row = await command.ExecuteReaderAsync(Ct);
            await row.ReadAsync(Ct);
            if (row.GetInt64(0) is > 0 and <= Backends && row.GetInt64(1) == 0)
            {
                return;
            }

            Assert.True(
                asked < 100, $"{row.GetInt64(0)} backends, {row.GetInt64(1)} in a transaction: {row.GetValue(2)}");
            await Task.Delay(100, Ct);
        }
    }
}
