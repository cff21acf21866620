using System.Net;
using Aspire.Hosting.ApplicationModel;
using Npgsql;
using Tests.Integration.Fleet;
using Xunit;

namespace Tests.EndToEnd;

/// <summary>`dotnet run --project AppHost -- --Replicas:Api=2 --Replicas:Migrations=2`.</summary>
public sealed class ReplicasTests(Integration.App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Two_jobs_migrate_each_customer_once_and_two_APIs_refuse_a_suspended_customer()
    {
        Assert.SkipUnless(TestDepth.IsFull, "It starts the whole system twice over: at full depth only.");
        await using var data = await ThrowawayData.CreateAsync(app.Server, Ct);
        await using var running = await RunningApp.StartAsync(
            [.. data.Arguments, "--Replicas:Api=2", "--Replicas:Migrations=2"]);
        await running.HealthyAsync("api");
        await running.HealthyAsync("web");
        var first = await running.ReplicasAsync("migrations", 2, seen => seen.Snapshot.ExitCode is not null);
        Assert.Equal([0, 0], first.Select(job => job.Snapshot.ExitCode));

        await TwoJobsShareARunAsync(running, first);
        await TwoApisNoticeASuspensionAsync(running);
    }

    private static async Task TwoJobsShareARunAsync(RunningApp running, ResourceEvent[] first)
    {
        for (var number = 0; number < 10; number++)
        {
            await running.CreateCustomerAsync($"shared-{number}");
        }

        var owner = await running.ConnectionStringAsync();
        await using var database = NpgsqlDataSource.Create($"{owner};Pooling=false");
        var (code, output) = await Job.RunAsync(
            owner, "Production", "down", "--to", "20261127001228_UniqueContacts");
        Assert.True(code == 0, output);
        var before = (DateTime)(await ScalarAsync(database, "SELECT clock_timestamp()"))!;

        var started = await running.CommandAsync("migrations", "start");
        Assert.True(started.Success, started.Message);
        var jobs = await running.ReplicasAsync(
            "migrations", 2, seen => seen.Snapshot.ExitCode is not null
                && first.All(earlier => earlier.Snapshot.StartTimeStamp != seen.Snapshot.StartTimeStamp));

        Assert.Equal([0, 0], jobs.Select(job => job.Snapshot.ExitCode));
        // 10, and the 3 of the first run. A customer that both had migrated would be counted by both.
        Assert.Equal(13L, await ScalarAsync(
            database, "SELECT coalesce(sum(migrated), 0) FROM tenancy.runs WHERE started_at > $1", before));
        Assert.Equal(0L, await ScalarAsync(
            database, "SELECT count(*) FROM tenancy.schemas WHERE state <> 'ready' OR attempts > 0"));
    }

    private static async Task TwoApisNoticeASuspensionAsync(RunningApp running)
    {
        var apis = await running.ReplicasAsync("api", 2, seen => seen.Snapshot.State?.Text == "Running");
        var addresses = apis.Select(RunningApp.AddressOf).ToArray();
        Assert.Equal(2, addresses.Distinct().Count());
        using var operators = await running.OperatorAsync();
        // Each has the customer in its directory now, for the five minutes that an answer is kept while changes are
        // heard. Nothing but a notice makes one look again within this test's patience.
        foreach (var address in addresses)
        {
            await Eventually.HoldsAsync(async () => await InvoicesAsync(address, operators) == HttpStatusCode.OK);
        }

        using var suspended = await operators.PostAsync("/customers/acme/suspend", null, Ct);
        Assert.True(suspended.IsSuccessStatusCode, $"{suspended.StatusCode}");

        foreach (var address in addresses)
        {
            await Eventually.HoldsAsync(
                async () => await InvoicesAsync(address, operators) == HttpStatusCode.Forbidden);
        }
    }

    private static async Task<HttpStatusCode> InvoicesAsync(Uri address, HttpClient operators)
    {
        using var client = new HttpClient { BaseAddress = address };
        client.DefaultRequestHeaders.Authorization = operators.DefaultRequestHeaders.Authorization;
        client.DefaultRequestHeaders.Add("X-Customer", "acme");
        using var answer = await client.GetAsync("/invoices", Ct);
        return answer.StatusCode;
    }

    private static async Task<object?> ScalarAsync(NpgsqlDataSource database, string sql, params object[] values)
    {
        await using var command = database.CreateCommand(sql);
        command.Parameters.AddRange(values.Select(value => new NpgsqlParameter { Value = value }).ToArray());
        return await command.ExecuteScalarAsync(Ct);
    }
}
