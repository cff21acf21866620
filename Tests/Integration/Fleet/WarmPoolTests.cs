using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Tenancy;
using Tenancy.Migrations;
using Xunit;

namespace Tests.Integration.Fleet;

public sealed class WarmPoolTests(App app)
{
    private static readonly CompiledMigrations Old = TestFleet.Build("m1_a");
    private static readonly CompiledMigrations New = TestFleet.Build("m1_a", "m2_b");

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_spare_whose_new_owner_was_rolled_back_is_there_again()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var pool = new Pool(fleet, Old, 1);
        await pool.Keeper().FillAsync(Ct);
        var spare = Assert.Single(await pool.SparesAsync());

        await using (var connection = await fleet.Database.OpenConnectionAsync(Ct))
        await using (var transaction = await connection.BeginTransactionAsync(Ct))
        {
            Assert.Equal("c_acme", (await pool.Provisioner.ProvisionAsync(transaction, "c_acme", ct: Ct)).Value);
        }

        Assert.Equal([spare], await pool.SparesAsync());
        Assert.Equal(spare, await pool.ProvisionAsync("c_acme"));
        Assert.Empty(await pool.SparesAsync());
    }

    [Fact]
    public async Task Two_at_the_same_time_take_different_spares_and_neither_waits()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var pool = new Pool(fleet, Old, 2);
        await pool.Keeper().FillAsync(Ct);
        await using var one = await fleet.Database.OpenConnectionAsync(Ct);
        await using var other = await fleet.Database.OpenConnectionAsync(Ct);
        await using var first = await one.BeginTransactionAsync(Ct);
        await using var second = await other.BeginTransactionAsync(Ct);

        await pool.Provisioner.ProvisionAsync(first, "c_one", ct: Ct);
        await pool.Provisioner.ProvisionAsync(second, "c_other", ring: 0, ct: Ct);
        await second.CommitAsync(Ct);
        await first.CommitAsync(Ct);

        Assert.Empty(await pool.SparesAsync());
        Assert.Equal("m1_a", await fleet.TablesAsync(SchemaName.Parse("c_one")));
        Assert.Equal((Old.Target, "ready", 0, null), await fleet.LedgerAsync(SchemaName.Parse("c_other")));
        Assert.Equal(0, await fleet.ScalarAsync("SELECT ring FROM tenancy.schemas WHERE schema = 'c_other'"));
    }

    [Fact]
    public async Task A_spare_behind_the_build_waits_for_the_fleets_migration()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        await new Pool(fleet, Old, 1).Keeper().FillAsync(Ct);
        var pool = new Pool(fleet, New, 1);
        var spare = Assert.Single(await pool.SparesAsync());

        Assert.NotEqual(spare, await pool.ProvisionAsync("c_before"));
        Assert.Equal([spare], await pool.SparesAsync());
        Assert.Equal(1, (await fleet.Migrator(New).RunAsync(new(), Ct)).Migrated);
        Assert.Equal([spare], await pool.SparesAsync());

        Assert.Equal(spare, await pool.ProvisionAsync("c_after"));
        Assert.Equal("m1_a,m2_b", await fleet.TablesAsync(SchemaName.Parse("c_after")));
        Assert.Equal((New.Target, "ready", 0, null), await fleet.LedgerAsync(SchemaName.Parse("c_after")));
    }

    [Fact]
    public async Task A_spare_that_is_being_migrated_or_was_dropped_by_hand_is_nobodys()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var pool = new Pool(fleet, Old, 2);
        await pool.Keeper().FillAsync(Ct);
        var dropped = (string)(await fleet.ScalarAsync("SELECT min(schema) FROM tenancy.schemas"))!;
        await fleet.ScalarAsync($"DROP SCHEMA \"{dropped}\" CASCADE");
        await fleet.ScalarAsync($"UPDATE tenancy.schemas SET unfinished = 'm2_b' WHERE schema <> '{dropped}'");
        var begun = Assert.Single(await pool.SparesAsync());

        Assert.NotEqual(begun, await pool.ProvisionAsync("c_acme"));
        await pool.Keeper().FillAsync(Ct);

        Assert.Equal(3, (await pool.SparesAsync()).Length);
    }

    [Fact]
    public async Task The_keeper_makes_what_was_given_away_and_two_make_no_more_than_one()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var pool = new Pool(fleet, Old, 5);
        var rival = new Pool(fleet, Old, 5);
        using var keeper = pool.Keeper();
        using var other = rival.Keeper();

        await Task.WhenAll(keeper.StartAsync(Ct), other.StartAsync(Ct));
        await pool.UntilAsync(5);
        for (var i = 0; i < 3; i++)
        {
            await pool.ProvisionAsync($"c_{i}");
            await rival.ProvisionAsync($"c_rival_{i}");
        }

        await pool.UntilAsync(5);
        await Task.WhenAll(keeper.StopAsync(Ct), other.StopAsync(Ct));

        Assert.Equal(5, (await pool.SparesAsync()).Length);
        Assert.True(keeper.ExecuteTask!.IsCompletedSuccessfully && other.ExecuteTask!.IsCompletedSuccessfully);
    }

    [Fact]
    public async Task Only_one_process_makes_spares_at_a_time()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var pool = new Pool(fleet, Old, 1);
        await using var connection = await fleet.Database.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        Assert.Equal(0, await SpareSchemas.CountAsync(transaction, Old.Target, [], Ct));

        Assert.False(await pool.Keeper().FillAsync(Ct));
        await transaction.RollbackAsync(Ct);
        Assert.True(await pool.Keeper().FillAsync(Ct));

        Assert.Single(await pool.SparesAsync());
    }

    [Fact]
    public async Task Without_a_number_the_keeper_ends_at_once()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var pool = new Pool(fleet, Old, 0);
        using var keeper = pool.Keeper();

        await keeper.StartAsync(Ct);
        await keeper.ExecuteTask!;

        Assert.Empty(await pool.SparesAsync());
    }

    [Fact]
    public async Task A_database_that_is_away_is_complained_of_once_and_asked_again()
    {
        var connectionString = await app.Server.ConnectionStringAsync(Ct);
        await using var fleet = await TestFleet.StartAsync(connectionString);
        var database = new NpgsqlConnectionStringBuilder(connectionString).Database;
        await using var server = NpgsqlDataSource.Create(app.ConnectionString);
        await Execute($"ALTER DATABASE {database} ALLOW_CONNECTIONS false");
        await Execute($"SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE datname = '{database}'");
        var time = new CountedTime();
        var log = new Lines();
        var pool = new Pool(fleet, Old, 2);
        using var keeper = pool.Keeper(time, log, TimeSpan.FromMilliseconds(10));

        await keeper.StartAsync(Ct);
        while (time.Pauses < 3)
        {
            await Task.Delay(10, Ct);
        }

        Assert.Equal([LogLevel.Warning], log.Levels);
        await Execute($"ALTER DATABASE {database} ALLOW_CONNECTIONS true");
        await pool.UntilAsync(2);
        // It says so once it has looked, which it may not have done yet.
        while (log.Levels.Count < 2)
        {
            await Task.Delay(10, Ct);
        }

        await keeper.StopAsync(Ct);
        Assert.Equal([LogLevel.Warning, LogLevel.Information], log.Levels);

        async Task Execute(string sql)
        {
            await using var command = server.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(Ct);
        }
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public async Task A_migration_that_takes_no_transaction_is_in_a_new_schema_like_the_others(int warmPool)
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var build = new CompiledMigrations(
            [
                .. Old.Migrations,
                new("m2_index", MigrationSql.Outside(
                    "CREATE INDEX CONCURRENTLY ix_x ON \"__Tenant__\".m1_a (x);\n", "INSERT INTO \"__Tenant__\".\"__EFMigrationsHistory\" VALUES ('m2_index', '10');\n"),
                    new(() => throw new NotSupportedException())),
                new("m3_vacuum", MigrationSql.Outside(
                    "VACUUM \"__Tenant__\".m1_a;\n", "INSERT INTO \"__Tenant__\".\"__EFMigrationsHistory\" VALUES ('m3_vacuum', '10');\n"),
                    new(() => throw new NotSupportedException())),
            ],
            "CREATE TABLE \"__Tenant__\".\"__EFMigrationsHistory\" (\"MigrationId\" text PRIMARY KEY, \"ProductVersion\" text NOT NULL);\n", "__EFMigrationsHistory");
        var pool = new Pool(fleet, build, warmPool);
        await pool.Keeper().FillAsync(Ct);

        await pool.ProvisionAsync("c_acme");

        Assert.Equal(true, await fleet.ScalarAsync("SELECT indisvalid FROM pg_index WHERE indexrelid = 'c_acme.ix_x'::regclass"));
        Assert.Equal(3L, await fleet.ScalarAsync("SELECT count(*) FROM c_acme.\"__EFMigrationsHistory\""));
        Assert.Equal((build.Target, "ready", 0, null), await fleet.LedgerAsync(SchemaName.Parse("c_acme")));
        Assert.Equal(0, (await fleet.Migrator(build).RunAsync(new(), Ct)).Migrated);
    }

    [Fact]
    public async Task Among_ten_thousand_tenants_a_spare_is_found_by_an_index()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var pool = new Pool(fleet, Old, 3);
        await pool.Keeper().FillAsync(Ct);
        await fleet.ScalarAsync(
            $"INSERT INTO tenancy.schemas (schema, state, version, ring) SELECT 'customer_' || n, 'ready', '{Old.Target}', 1 FROM generate_series(1, 10000) AS n");

        foreach (var statistics in new[] { "SELECT 1", "ANALYZE tenancy.schemas" })
        {
            await fleet.ScalarAsync(statistics);
            await using var connection = await fleet.Database.OpenConnectionAsync(Ct);
            await using var transaction = await connection.BeginTransactionAsync(Ct);
            var (reserved, spare) = await SpareSchemas.ClaimAsync(transaction, Old.Target, SchemaName.Parse("c_acme"), 1, Ct);
            Assert.True(reserved && spare is not null);
            await transaction.RollbackAsync(Ct);
            var plan = await pool.ExplainAsync(connection);
            Assert.DoesNotContain("Seq Scan on schemas", plan, StringComparison.Ordinal);
            Assert.Contains("pk_schemas", plan, StringComparison.Ordinal);
        }
    }

    /// <summary>A process that serves: its provisioner, and keepers for it.</summary>
    private sealed class Pool(TestFleet fleet, CompiledMigrations build, int warmPool)
    {
        private readonly TenancyOptions _options = new() { WarmPool = warmPool };

        public SchemaProvisioner Provisioner { get; } = new(build, new(fleet.Database, build), new() { WarmPool = warmPool });

        public WarmPoolKeeper Keeper(TimeProvider? time = null, ILogger<WarmPoolKeeper>? log = null, TimeSpan? pause = null) =>
            new(fleet.Database, build, Provisioner, _options, time ?? TimeProvider.System, log ?? NullLogger<WarmPoolKeeper>.Instance) { Pause = pause ?? TimeSpan.FromMinutes(1) };

        /// <summary>By identity, which stays when the name changes.</summary>
        public async Task<uint[]> SparesAsync() => (uint[])(await fleet.ScalarAsync(
            "SELECT coalesce(array_agg(n.oid ORDER BY n.oid), '{}') FROM tenancy.schemas AS s JOIN pg_namespace AS n ON n.nspname = s.schema WHERE s.state = 'spare'"))!;

        public async Task UntilAsync(int spares)
        {
            while ((await SparesAsync()).Length != spares)
            {
                await Task.Delay(10, Ct);
            }
        }

        public async Task<uint> ProvisionAsync(string wanted)
        {
            await using var connection = await fleet.Database.OpenConnectionAsync(Ct);
            await using var transaction = await connection.BeginTransactionAsync(Ct);
            var schema = await Provisioner.ProvisionAsync(transaction, wanted, ct: Ct);
            await transaction.CommitAsync(Ct);
            return (uint)(await fleet.ScalarAsync($"SELECT oid FROM pg_namespace WHERE nspname = '{schema}'"))!;
        }

        /// <summary>How the claim is carried out.</summary>
        public async Task<string> ExplainAsync(NpgsqlConnection connection)
        {
            await using var explain = new NpgsqlCommand($"EXPLAIN {SpareSchemas.Claim}", connection)
            {
                Parameters = { Ledger.Text(build.Target), Ledger.Text("c_acme"), new NpgsqlParameter<int> { TypedValue = 1 } },
            };
            await using var lines = await explain.ExecuteReaderAsync(Ct);
            var plan = "";
            while (await lines.ReadAsync(Ct))
            {
                plan += lines.GetString(0) + "\n";
            }

            return plan;
        }
    }

    private sealed class CountedTime : TimeProvider
    {
        private int _pauses;

        public int Pauses => Volatile.Read(ref _pauses);

        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
        {
            Interlocked.Increment(ref _pauses);
            return base.CreateTimer(callback, state, dueTime, period);
        }
    }

    private sealed class Lines : ILogger<WarmPoolKeeper>
    {
        private readonly List<LogLevel> _levels = [];

        public IReadOnlyList<LogLevel> Levels
        {
            get
            {
                lock (_levels)
                {
                    return [.. _levels];
                }
            }
        }

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (IsEnabled(logLevel))
            {
                lock (_levels)
                {
                    _levels.Add(logLevel);
                }
            }
        }
    }
}
