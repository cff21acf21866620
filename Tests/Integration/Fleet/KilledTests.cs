using Tenancy.Postgres.Cluster;
using Data;
using Data.Customers;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>
/// Whatever is killed when: every schema is whole or as it was, the next run ends the work, and nothing is done twice.
/// </summary>
public sealed class KilledTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_job_killed_at_any_moment()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using var services = new ServiceCollection().AddLogging().AddData(App.Configuration(database))
            .BuildServiceProvider();
        var (fleet, build, verifier) = (services.GetRequiredService<FleetMigrator>(),
            services.GetRequiredService<CompiledMigrations>(), services.GetRequiredService<FleetVerifier>());
        await CustomersAsync(services, 40);
        var random = new Random(TestSeed.Say());

        for (var round = 0; round < TestDepth.Of(normal: 5, full: 30); round++)
        {
            await fleet.RunAsync(new() { Down = true, To = "0" }, Ct);
            var runs = await ScalarAsync(services, "SELECT count(*) FROM tenancy.runs");
            using var job = Job.Start(database, "--workers", "3", "--group", "4");
            await Eventually.HoldsAsync(async () =>
                job.HasExited || !Equals(runs, await ScalarAsync(services, "SELECT count(*) FROM tenancy.runs")));
            await Task.Delay(random.Next(0, 600), Ct);
            job.Kill();
            await job.WaitForExitAsync(Ct);

            // Version, history and tables of each say the same, at whichever version it is.
            var meanwhile = await verifier.VerifyAsync(ct: Ct);
            Assert.True(meanwhile.IsClean, meanwhile.ToString());

            var (code, output) = await Job.RunAsync(database, "Production");
            Assert.True(code == 0, output);
            Assert.Equal(40L,
                await ScalarAsync(services,
                    $"SELECT count(*) FROM tenancy.schemas WHERE version = '{build.Target}' AND state = 'ready'"));
            var after = await verifier.VerifyAsync(ct: Ct);
            Assert.True(after.IsClean, after.ToString());
        }
    }

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    public async Task Replicas_of_the_job_of_which_one_is_killed(int replicas)
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await using var services = new ServiceCollection().AddLogging().AddData(App.Configuration(database))
            .BuildServiceProvider();
        await CustomersAsync(services, 30);
        await services.GetRequiredService<FleetMigrator>().RunAsync(new() { Down = true, To = "0" }, Ct);
        var runs = await ScalarAsync(services, "SELECT count(*) FROM tenancy.runs");

        using var victim = Job.Start(database, "--workers", "2", "--group", "3");
        var others = Enumerable.Range(1, replicas - 1)
            .Select(_ => Job.RunAsync(database, "Production", "--workers", "2", "--group", "3")).ToList();
        await Eventually.HoldsAsync(async () =>
            victim.HasExited || !Equals(runs, await ScalarAsync(services, "SELECT count(*) FROM tenancy.runs")));
        victim.Kill();
        Assert.All(await Task.WhenAll(others), job => Assert.True(job.ExitCode == 0, job.Output));
        Assert.Equal(30L,
            await ScalarAsync(services,
                "SELECT count(*) FROM tenancy.schemas WHERE version = " +
                $"'{services.GetRequiredService<CompiledMigrations>().Target}' AND state = 'ready'"));
        var after = await services.GetRequiredService<FleetVerifier>().VerifyAsync(ct: Ct);
        Assert.True(after.IsClean, after.ToString());
    }

    [Fact]
    public async Task The_server_killed_at_any_moment_and_started_again()
    {
        if (TestServer.IsConfigured || PostgresBinaries.Installed().Count == 0)
        {
            Assert.Skip("Needs PostgreSQL's binaries, for a server that it may kill.");
        }

        await using var server = await CrashingPostgres.StartAsync(Ct);
        await using var fleet = await TestFleet.StartAsync(server.ConnectionString);
        var first = TestFleet.Step("m1_a", "CREATE TABLE \"__Tenant__\".m1_a (x int)");
        var schemas = await fleet.ProvisionAsync(TestFleet.Build(first), 60);
        List<string> ids = ["m1_a"];
        var random = new Random(TestSeed.Say());

        for (var round = 1; round <= TestDepth.Of(normal: 3, full: 12); round++)
        {
            // No key keeps a second application out: it would be counted. The wait makes room for the kill.
            ids.Add($"m2_{round:000}");
            var build = TestFleet.Build(
                [first, .. ids.Skip(1)
                    .Select((id, at) =>
                        TestFleet.Step(id, $"INSERT INTO \"__Tenant__\".m1_a VALUES ({at}); SELECT pg_sleep(0.01)"))]);
            var migrator = fleet.Migrator(build);
            var run = migrator.RunAsync(new() { Workers = 3, Group = 4, Patience = TimeSpan.FromMinutes(1) }, Ct);
            await Eventually.HoldsAsync(async () => run.IsCompleted || await fleet.ScalarAsync(
                $"SELECT count(*) FROM tenancy.schemas WHERE version = '{build.Target}'") is >= 8L);
            await Task.Delay(random.Next(0, 60), Ct);
            await server.CrashAsync(Ct);
            await server.StartServerAsync(Ct);

            // It has gone on by itself; and another finds nothing.
            Assert.Empty((await run).Failed);
            // Connections that were idle at the crash lead to the killed server, and whoever takes one gets 57P01. A
            // new job has none.
            fleet.Database.Clear();
            Assert.Equal((0, 0),
                await migrator.RunAsync(new(), Ct) is var again ? (again.Migrated, again.Failed.Count) : default);
            Assert.Equal(60L,
                await fleet.ScalarAsync(
                    $"SELECT count(*) FROM tenancy.schemas WHERE version = '{build.Target}' AND state = 'ready' AND " +
                    "last_error IS NULL"));
            foreach (var schema in schemas)
            {
                Assert.Equal((long)round, await fleet.ScalarAsync($"SELECT count(*) FROM {schema.Qualify("m1_a")}"));
            }
        }
    }

    private static async Task CustomersAsync(ServiceProvider services, int count)
    {
        await using var scope = services.CreateAsyncScope();
        await scope.ServiceProvider.GetRequiredService<CustomersContext>().Database.MigrateAsync(Ct);
        for (var i = 0; i < count; i++)
        {
            await scope.ServiceProvider.GetRequiredService<CustomerRegistry>()
                .CreateAsync($"c-{i}", $"Customer {i}", ct: Ct);
        }
    }

    private static async Task<object?> ScalarAsync(ServiceProvider services, string sql)
    {
        await using var command = services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }
}
