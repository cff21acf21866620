using Microsoft.Extensions.Logging.Abstractions;
using Tenancy;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>
/// During a deployment the old build goes on making customers after the job has ended. A process of the new build
/// migrates them, and nobody whom somebody holds back.
/// </summary>
public sealed class LateTenantsTests(App app)
{
    private static readonly CompiledMigrations Old = TestFleet.Build("m1_a");
    private static readonly CompiledMigrations New = TestFleet.Build("m1_a", "m2_b");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_customer_of_the_old_build_after_the_job_is_migrated_and_served()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(Old, 3);
        Assert.Equal(3, (await fleet.Migrator(New).RunAsync(new(), Ct)).Migrated);
        var late = await LateAsync(fleet);
        using var keeper = Keeper(fleet);

        await keeper.StartAsync(Ct);
        await Eventually.HoldsAsync(async () => (await fleet.LedgerAsync(late)).Version == New.Target);
        await keeper.StopAsync(Ct);

        Assert.Equal((New.Target, "ready", 0, null), await fleet.LedgerAsync(late));
        Assert.Equal("m1_a,m2_b", await fleet.TablesAsync(late));
        Assert.Equal(0, await Keeper(fleet).MigrateAsync(Ct));
    }

    [Fact]
    public async Task Where_the_job_had_nothing_to_do_the_start_of_the_process_counts()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        using var keeper = Keeper(fleet);
        Assert.Equal(0, await keeper.MigrateAsync(Ct));
        await LateAsync(fleet);

        Assert.Equal(1, await keeper.MigrateAsync(Ct));
    }

    [Theory]
    [InlineData("UPDATE tenancy.runs SET outcome = 'halted'")]
    [InlineData("UPDATE tenancy.runs SET outcome = NULL, ended_at = NULL")]
    [InlineData("UPDATE tenancy.runs SET kind = 'down'")]
    [InlineData("UPDATE tenancy.schemas SET attempts = 1, last_error = 'it failed' WHERE schema = 'late'")]
    [InlineData("UPDATE tenancy.schemas SET created_at = now() - interval '1 day' WHERE schema = 'late'")]
    [InlineData("UPDATE tenancy.schemas SET state = 'spare' WHERE schema = 'late'")]
    [InlineData("UPDATE tenancy.schemas SET state = 'dropping' WHERE schema = 'late'")]
    public async Task Whom_somebody_holds_back_stays(string why)
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(Old, 1);
        await fleet.Migrator(New).RunAsync(new(), Ct);
        var late = await LateAsync(fleet);
        await fleet.ScalarAsync(why);

        Assert.Equal(0, await Keeper(fleet).MigrateAsync(Ct));
        Assert.Equal("m1_a", await fleet.TablesAsync(late));
    }

    [Fact]
    public async Task A_tasks_run_that_was_halted_after_the_job_keeps_nobody_waiting()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(Old, 1);
        await fleet.Migrator(New).RunAsync(new(), Ct);
        await LateAsync(fleet);
        await fleet.ScalarAsync(
            """
            UPDATE tenancy.runs SET started_at = now() - interval '5 minutes';
            INSERT INTO tenancy.runs (id, kind, asked_by, target, total, ended_at, outcome)
            VALUES (gen_random_uuid(), 'task', 'somebody@elsewhere', 'backfill', 1, now(), 'halted')
            """);

        Assert.Equal(1, await Keeper(fleet).MigrateAsync(Ct));
    }

    [Fact]
    public async Task A_spare_of_an_old_build_that_has_gone_is_migrated_too()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(Old, 1);
        await fleet.Migrator(New).RunAsync(new(), Ct);
        await fleet.ScalarAsync("UPDATE tenancy.runs SET started_at = now() - interval '1 hour'");
        var late = await LateAsync(fleet);
        await fleet.ScalarAsync(
            "UPDATE tenancy.schemas SET state = 'spare', created_at = now() - interval '20 minutes' " +
            "WHERE schema = 'late'");

        Assert.Equal(1, await Keeper(fleet).MigrateAsync(Ct));
        Assert.Equal((New.Target, "spare", 0, null), await fleet.LedgerAsync(late));
    }

    private static LateTenantMigrator Keeper(TestFleet fleet) => new(
        fleet.Database, New, new(fleet.Database, New), fleet.Migrator(New), new(fleet.Database, New, new()),
        new() { FleetInterval = TimeSpan.FromMilliseconds(20) }, TimeProvider.System,
        NullLogger<LateTenantMigrator>.Instance);

    private static async Task<SchemaName> LateAsync(TestFleet fleet)
    {
        var provisioner = new SchemaProvisioner(Old, new(fleet.Database, Old), new());
        await using var connection = await fleet.Database.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        var late = await provisioner.ProvisionAsync(transaction, "late", ct: Ct);
        await transaction.CommitAsync(Ct);
        return late;
    }
}
