using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Tenancy;
using Tenancy.Doctor;
using Tests.Integration.Fleet;
using Xunit;

namespace Tests.Integration.Doctor;

/// <summary>What a run leaves dead in the catalogs is vacuumed after it.</summary>
public sealed class CatalogVacuumTests(App app)
{
    /// <summary>SQL: how often somebody, not autovacuum, vacuumed the catalog of columns.</summary>
    internal const string Vacuums =
        "SELECT vacuum_count FROM pg_stat_sys_tables WHERE relid = 'pg_catalog.pg_attribute'::regclass";

    private static readonly CompiledMigrations Build = TestFleet.Build(
        TestFleet.Step("m1_a", "CREATE TABLE \"__Tenant__\".a (x int)", "DROP TABLE \"__Tenant__\".a"),
        TestFleet.Step("m2_b", "ALTER TABLE \"__Tenant__\".a ADD COLUMN y int, ADD COLUMN z int",
            "ALTER TABLE \"__Tenant__\".a DROP COLUMN y, DROP COLUMN z"));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_run_vacuums_the_catalogs_unless_that_is_turned_off(bool on)
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(Build.UpTo("m1_a"), 3);
        var vacuum = new CatalogVacuum(fleet.Database, new() { VacuumCatalogs = on },
            NullLogger<CatalogVacuum>.Instance) { AtLeast = 0, Share = 0 };

        await Migrator(fleet, vacuum).RunAsync(new(), Ct);
        var after = await VacuumsAsync(fleet);
        await Migrator(fleet, vacuum).RunAsync(new(), Ct);

        Assert.Equal(on ? 1L : 0L, after);
        // Nothing was pending the second time.
        Assert.Equal(after, await VacuumsAsync(fleet));
    }

    [Fact]
    public async Task Few_dead_rows_are_left_to_autovacuum()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await fleet.ProvisionAsync(Build.UpTo("m1_a"), 3);

        await Migrator(fleet, new(fleet.Database, new(), NullLogger<CatalogVacuum>.Instance)).RunAsync(new(), Ct);

        Assert.Equal(0L, await VacuumsAsync(fleet));
    }

    [Fact]
    public async Task The_owner_of_the_database_may_and_another_login_is_told_once_what_is_missing()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var owner = new NpgsqlConnectionStringBuilder(app.Server.AsNewLogin(await app.Server.ConnectionStringAsync(Ct)))
        {
            Database = (string?)await fleet.ScalarAsync("SELECT current_database()::text"), Pooling = false,
        };
        await fleet.ScalarAsync($"CREATE ROLE {owner.Username} LOGIN PASSWORD '{owner.Password}'");
        await using var database = NpgsqlDataSource.Create(owner);
        var log = new Lines();
        var vacuum = new CatalogVacuum(database, new(), log) { AtLeast = 0, Share = 0 };

        await vacuum.RunAsync(Ct);
        await vacuum.RunAsync(Ct);
        Assert.Contains("may not vacuum them", Assert.Single(log.Said), StringComparison.Ordinal);
        Assert.Equal(0L, await VacuumsAsync(fleet));

        await fleet.ScalarAsync($"ALTER DATABASE {owner.Database} OWNER TO {owner.Username}");
        await vacuum.RunAsync(Ct);
        Assert.Equal(1L, await VacuumsAsync(fleet));
        Assert.StartsWith("Vacuumed ", log.Said[1], StringComparison.Ordinal);
        await fleet.ScalarAsync($"ALTER DATABASE {owner.Database} OWNER TO CURRENT_USER");
    }

    private static FleetMigrator Migrator(TestFleet fleet, CatalogVacuum vacuum) =>
        new(fleet.Database, Build, new(fleet.Database, Build), TimeProvider.System, NullLogger<FleetMigrator>.Instance)
        {
            Vacuum = vacuum,
        };

    private static async Task<object?> VacuumsAsync(TestFleet fleet) => await fleet.ScalarAsync(Vacuums);

    private sealed class Lines : ILogger<CatalogVacuum>
    {
        public List<string> Said { get; } = [];

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter) => Said.Add(formatter(state, exception));
    }
}
