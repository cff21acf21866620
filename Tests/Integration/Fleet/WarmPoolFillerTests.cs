using Microsoft.Extensions.Logging;
using Npgsql;
using Tenancy;
using Tenancy.Provisioning;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>Who makes the schemas for tenants to come, and when.</summary>
public sealed class WarmPoolFillerTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_keeper_makes_what_was_given_away_and_two_make_no_more_than_one()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var pool = new WarmPool(fleet, WarmPool.Old, 5);
        var rival = new WarmPool(fleet, WarmPool.Old, 5);
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
        var pool = new WarmPool(fleet, WarmPool.Old, 1);
        await using var connection = await fleet.Database.OpenConnectionAsync(Ct);
        await using var transaction = await connection.BeginTransactionAsync(Ct);
        Assert.Equal(0, await SpareSchemas.CountAsync(transaction, WarmPool.Old.Target, [], Ct));

        Assert.False(await pool.Keeper().FillAsync(Ct));
        await transaction.RollbackAsync(Ct);
        Assert.True(await pool.Keeper().FillAsync(Ct));

        Assert.Single(await pool.SparesAsync());
    }

    [Fact]
    public async Task Without_a_number_the_keeper_ends_at_once()
    {
        await using var fleet = await TestFleet.StartAsync(app.Server);
        var pool = new WarmPool(fleet, WarmPool.Old, 0);
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
        var pool = new WarmPool(fleet, WarmPool.Old, 2);
        using var keeper = pool.Keeper(time, log, TimeSpan.FromMilliseconds(10));

        await keeper.StartAsync(Ct);
        await Eventually.HoldsAsync(() => time.Pauses >= 3);

        Assert.Equal([LogLevel.Warning], log.Levels);
        await Execute($"ALTER DATABASE {database} ALLOW_CONNECTIONS true");
        await pool.UntilAsync(2);
        // It says so once it has looked, which it may not have done yet.
        await Eventually.HoldsAsync(() => log.Levels.Count >= 2);
        await keeper.StopAsync(Ct);
        Assert.Equal([LogLevel.Warning, LogLevel.Information], log.Levels);

        async Task Execute(string sql)
        {
            await using var command = server.CreateCommand(sql);
            await command.ExecuteNonQueryAsync(Ct);
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

    private sealed class Lines : ILogger<WarmPoolFiller>
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

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception,
            Func<TState, Exception?, string> formatter)
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
