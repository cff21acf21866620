using Npgsql;
using Tenancy;
using Tests.Integration.Server;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>What a comparison leaves behind in the database and in its connections: nothing.</summary>
public sealed class VerifyingConnectionsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_migration_that_fails_here_fails_the_comparison_and_leaves_nothing_behind()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(DriftFleet.Old, 1);
        var before = await DriftFleet.SchemasAsync(fleet);
        var broken = DriftFleet.Migrations(
            ("m1_a", "CREATE TABLE \"__Tenant__\".a (x int); SELECT * FROM \"__Tenant__\".gone;"));

        var error = await Assert.ThrowsAsync<PostgresException>(() =>
            DriftFleet.Verifier(fleet, broken).VerifyAsync(ct: Ct));

        Assert.Equal("42P01", error.SqlState);
        Assert.Equal(before, await DriftFleet.SchemasAsync(fleet));
    }

    [Fact]
    public async Task Cancelled_while_the_reference_is_made_it_leaves_nothing_behind()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(DriftFleet.Old, 1);
        var before = await DriftFleet.SchemasAsync(fleet);
        var endless = DriftFleet.Migrations(("m1_a", "CREATE TABLE \"__Tenant__\".a (x int); SELECT pg_sleep(3600);"));
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(Ct);

        var verifying = DriftFleet.Verifier(fleet, endless).VerifyAsync(ct: cancel.Token);
        await Eventually.HoldsAsync(async () => await fleet.ScalarAsync(
            "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'")
                is > 0L);
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => verifying);

        Assert.Equal(before, await DriftFleet.SchemasAsync(fleet));
        Assert.Equal(0L,
            await fleet.ScalarAsync(
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND wait_event = 'PgSleep'"));
    }

    [Fact]
    public async Task One_connection_is_enough_and_goes_back_as_it_came()
    {
        var connectionString = await app.Server.ConnectionStringAsync(Ct);
        await using var fleet = await TestFleet.StartAsync(connectionString);
        await fleet.ProvisionAsync(DriftFleet.New, 2);
        await fleet.ProvisionAsync(DriftFleet.Old, 1);
        await using var one = TenantDataSource.Create(
            new() { ConnectionString =
                new NpgsqlConnectionStringBuilder(connectionString) { MaxPoolSize = 1 }.ConnectionString });
        await using var session = one.CreateCommand(
            "SELECT concat_ws(' ', pg_backend_pid(), current_setting('search_path'), current_setting('jit'), " +
            "current_setting('lock_timeout'))");
        var before = await session.ExecuteScalarAsync(Ct);

        Assert.True(
            (await new FleetVerifier(one, DriftFleet.New, new(one, DriftFleet.New), new(),
                TimeProvider.System) { Chunk = 1 }.VerifyAsync(ct: Ct)).IsClean);

        Assert.Equal(before, await session.ExecuteScalarAsync(Ct));
    }

    [Fact]
    public async Task The_comparison_passes_a_pooler()
    {
        var connectionString = await app.Server.ConnectionStringAsync(Ct);
        await using var fleet = await TestFleet.StartAsync(connectionString);
        var schemas = await fleet.ProvisionAsync(DriftFleet.New, 5);
        await fleet.ScalarAsync($"CREATE TABLE {schemas[3].Quoted}.by_hand (x int)");
        await using var pooler = await PgBouncer.StartAsync(connectionString, Ct);
        await using var source = TenantDataSource.Create(new() { ConnectionString = pooler.ConnectionString });

        var report = await new FleetVerifier(source, DriftFleet.New, new(source, DriftFleet.New), new(),
            TimeProvider.System) { Chunk = 1 }.VerifyAsync(ct: Ct);

        Assert.Equal(["table by_hand is in no migration"], Assert.Single(report.Drifted).Differences);
        Assert.Equal(5, report.Checked);
    }
}
