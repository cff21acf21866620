using System.Net;
using System.Net.Http.Json;
using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Outage;

/// <summary>
/// PostgreSQL is killed, stops talking, or has no connection left: requests are told so soon and plainly, and nothing
/// has to be restarted.
/// </summary>
public sealed class OutageTests(App app)
{
    /// <summary>
    /// Npgsql's defaults are 15 s to connect and 30 s for a statement: whoever waits for those fails by this.
    /// </summary>
    private static readonly TimeSpan Soon = TimeSpan.FromSeconds(14);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task When_postgres_is_killed_requests_get_503_health_follows_and_all_is_well_when_it_is_back()
    {
        await using var postgres = await CrashingPostgres.StartAsync(Ct);
        await using var api = await ServedApi.StartAsync(postgres.ConnectionString,
            new NpgsqlConnectionStringBuilder(
                postgres.ConnectionString) { Username = "tenants_api", Password = "secret" }.ConnectionString);
        var cached = await api.NewCustomerAsync("cached");
        var other = await api.NewCustomerAsync("other");
        await cached.CreateInvoiceAsync(120m);
        await api.HealthAsync(HttpStatusCode.OK);

        await CheckpointAsync(api.Owner);
        await postgres.CrashAsync(Ct);

        using var soon = Within(Soon);
        var before = api.Measured.Sum(TenancyTelemetry.Unavailable, $"{TenancyTelemetry.Reason}=database");
        Assert.Contains("Try again in 5 seconds",
            await ServedApi.UnavailableAsync(cached.Http.GetAsync("/invoices", soon.Token)), StringComparison.Ordinal);
        Assert.Contains("Try again", await ServedApi.UnavailableAsync(other.Http.GetAsync("/invoices", soon.Token)),
            StringComparison.Ordinal);
        Assert.Contains("Try again", await ServedApi.UnavailableAsync(api.Http.GetAsync("/customers", soon.Token)),
            StringComparison.Ordinal);
        Assert.Contains("saved",
            await ServedApi.UnavailableAsync(
                cached.Http.PostAsJsonAsync("/invoices", TestCustomer.Invoice(7m), soon.Token)),
                    StringComparison.Ordinal);
        Assert.Equal("Nothing was saved. Try again in 5 seconds.",
            await ServedApi.UnavailableAsync(
                api.Http.PostAsJsonAsync("/customers", new { slug = "late", name = "Late" }, soon.Token)));
        Assert.Equal(5, api.Measured.Sum(TenancyTelemetry.Unavailable, $"{TenancyTelemetry.Reason}=database") - before);
        var (code, health) = await api.HealthAsync(soon.Token);
        Assert.Equal((HttpStatusCode.ServiceUnavailable, "Unhealthy", "Unhealthy"),
            (code, (string)health["status"]!, (string)health["entries"]!["database"]!["status"]!));
        using var alive = await api.Http.GetAsync("/alive", soon.Token);
        Assert.Equal(HttpStatusCode.OK, alive.StatusCode);

        await postgres.StartServerAsync(Ct);

        await api.HealthAsync(HttpStatusCode.OK);

        Assert.Single(await cached.InvoicesAsync());
        Assert.Empty(await other.InvoicesAsync());
        await api.NewCustomerAsync("late");
        var errors = api.Log.All.Where(line => line.Level >= LogLevel.Error).ToList();
        Assert.DoesNotContain(errors,
            line => line.Error is not null && line.Category != "Microsoft.EntityFrameworkCore.Database.Command");
        Assert.Contains("Requests that need it are answered with 503",
            Assert.Single(errors, line => line.Category == "Api.DatabaseOutage").Line, StringComparison.Ordinal);
        Assert.Contains(
            api.Log.All, line => line.Line.StartsWith("PostgreSQL answers again", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_request_whose_connection_breaks_in_the_middle_of_a_statement_is_told_what_is_known()
    {
        await using var postgres = await CrashingPostgres.StartAsync(Ct);
        await using var api = await ServedApi.StartAsync(postgres.ConnectionString,
            new NpgsqlConnectionStringBuilder(
                postgres.ConnectionString) { Username = "tenants_api", Password = "secret" }.ConnectionString);
        var customer = await api.NewCustomerAsync("one");
        Task<HttpResponseMessage> reading, writing;
        // Not pooled: a connection to a server that was killed can't be given back.
        await using (var source = NpgsqlDataSource.Create($"{api.Owner};Pooling=false"))
        {
            await using var holder = await LockAsync(source, "customer_one.invoices");
            reading = customer.Http.GetAsync("/invoices", Ct);
            writing = customer.Http.PostAsJsonAsync("/invoices", TestCustomer.Invoice(7m), Ct);
            await WaitingAsync(source, count: 2, seconds: 0);

            await postgres.CrashAsync(Ct);
        }

        Assert.Equal("Try again in 5 seconds.", await ServedApi.UnavailableAsync(reading.WaitAsync(Soon, Ct)));
        Assert.Equal("It isn't known whether it was saved: look before you try again.",
            await ServedApi.UnavailableAsync(writing.WaitAsync(Soon, Ct)));
    }

    [Fact]
    public async Task A_server_that_accepts_connections_and_says_nothing_is_given_up_soon_also_in_the_middle_of_a_statement()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using var proxy = new ServerProxy(new NpgsqlConnectionStringBuilder(database).Port);
        await using var api = await ServedApi.StartAsync(database, app.Server.AsNewLogin(database),
            settings => (settings.Host, settings.Port) = ("127.0.0.1", proxy.Port));
        var one = await api.NewCustomerAsync("one");
        Assert.Empty(await one.InvoicesAsync());
        await api.HealthAsync(HttpStatusCode.OK);

        proxy.FallSilent();

        // The first have open connections and wait for an answer over them, the next wait for a new connection.
        for (var turn = 0; turn < 3; turn++)
        {
            using var soon = Within(Soon);
            await Task.WhenAll(
                ServedApi.UnavailableAsync(one.Http.GetAsync("/invoices", soon.Token)),
                ServedApi.UnavailableAsync(api.Http.GetAsync("/customers", soon.Token)),
                ServedApi.UnavailableAsync(api.Http.GetAsync("/operations", soon.Token)),
                ServedApi.UnavailableAsync(api.Http.GetAsync("/fleet", soon.Token)),
                ServedApi.UnavailableAsync(
                    one.Http.PostAsJsonAsync("/invoices", TestCustomer.Invoice(7m), soon.Token)));
        }

        using (var soon = Within(Soon))
        {
            Assert.Equal(HttpStatusCode.ServiceUnavailable, (await api.HealthAsync(soon.Token)).Code);
        }

        proxy.TalkAgain();

        await api.HealthAsync(HttpStatusCode.OK);

        await one.CreateInvoiceAsync(120m);
        Assert.DoesNotContain(api.Log.All,
            line => line is { Level: >= LogLevel.Error, Error: not null,
                Category: not "Microsoft.EntityFrameworkCore.Database.Command" });
    }

    [Fact]
    public async Task A_statement_that_takes_long_on_a_live_server_is_not_cut_short()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using var api = await ServedApi.StartAsync(database, app.Server.AsNewLogin(database));
        var customer = await api.NewCustomerAsync("one");
        await using var source = NpgsqlDataSource.Create(api.Owner);
        await using var holder = await LockAsync(source, "customer_one.invoices");

        var reading = customer.Http.GetAsync("/invoices", Ct);
        // Longer than anything else here has patience.
        await WaitingAsync(source, count: 1, seconds: 6);
        await holder.DisposeAsync();

        using var read = await reading;
        Assert.Equal(HttpStatusCode.OK, read.StatusCode);
    }

    [Fact]
    public async Task Requests_that_get_no_connection_of_an_exhausted_pool_are_told_to_come_back_and_health_stays()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using var api = await ServedApi.StartAsync(
            database, app.Server.AsNewLogin(database), settings => (settings.MaxPoolSize, settings.Timeout) = (1, 1));
        var customer = await api.NewCustomerAsync("one");
        Assert.Empty(await customer.InvoicesAsync());
        await using var source = NpgsqlDataSource.Create(database);
        await using var holder = await LockAsync(source, "customer_one.invoices");
        var waiting = customer.Http.GetAsync("/invoices", Ct);
        await WaitingAsync(source, count: 1, seconds: 0);

        using var busy = await customer.Http.GetAsync("/invoices", Ct);
        var (code, health) = await api.HealthAsync(HttpStatusCode.OK);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(1)),
            (busy.StatusCode, busy.Headers.RetryAfter!.Delta!.Value));
        Assert.Equal((HttpStatusCode.OK, "Healthy"), (code, (string)health["status"]!));
        Assert.Equal(1, api.Measured.Sum(TenancyTelemetry.Unavailable, $"{TenancyTelemetry.Reason}=busy"));
        await holder.DisposeAsync();
        (await waiting).Dispose();
    }

    [Fact]
    public async Task A_server_that_has_no_connection_left_is_busy()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using var api = await ServedApi.StartAsync(
            database, app.Server.AsNewLogin(database), settings => settings.Pooling = false);
        var customer = await api.NewCustomerAsync("one");
        await using var source = NpgsqlDataSource.Create(database);
        await using (var limit = source.CreateCommand(
            $"ALTER ROLE {new NpgsqlConnectionStringBuilder(api.Serving).Username} CONNECTION LIMIT 0"))
        {
            await limit.ExecuteNonQueryAsync(Ct);
        }

        using var busy = await customer.Http.GetAsync("/invoices", Ct);
        var (code, health) = await api.HealthAsync(HttpStatusCode.OK);

        Assert.Equal((HttpStatusCode.ServiceUnavailable, TimeSpan.FromSeconds(1)),
            (busy.StatusCode, busy.Headers.RetryAfter!.Delta!.Value));
        Assert.Equal((HttpStatusCode.OK, "Degraded"), (code, (string)health["entries"]!["database"]!["status"]!));
    }

    /// <summary>A test's server doesn't wait for the disk: what it has committed is on it from here on.</summary>
    private static async Task CheckpointAsync(string owner)
    {
        await using var source = NpgsqlDataSource.Create(owner);
        await using var checkpoint = source.CreateCommand("CHECKPOINT");
        await checkpoint.ExecuteNonQueryAsync(Ct);
    }

    private static CancellationTokenSource Within(TimeSpan limit)
    {
        var source = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        source.CancelAfter(limit);
        return source;
    }

    private static async Task<NpgsqlConnection> LockAsync(NpgsqlDataSource source, string table)
    {
        var connection = await source.OpenConnectionAsync(Ct);
        await using var hold = new NpgsqlCommand($"BEGIN; LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE", connection);
        await hold.ExecuteNonQueryAsync(Ct);
        return connection;
    }

    /// <summary>Until so many statements have waited for a lock for so long, by the server's clock.</summary>
    private static Task WaitingAsync(NpgsqlDataSource source, int count, int seconds) =>
        Eventually.HoldsAsync(async () =>
        {
            await using var ask = source.CreateCommand(
                "SELECT count(*)::int FROM pg_stat_activity WHERE datname = current_database() AND wait_event_type " +
                $"= 'Lock' AND clock_timestamp() - query_start >= interval '{seconds} seconds'");
            return (int)(await ask.ExecuteScalarAsync(Ct))! >= count;
        });
}
