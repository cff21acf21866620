using Npgsql;

namespace Tenancy.Citus;

/// <summary>Asks, over a connection of its own, how far a move is, until it is disposed of.</summary>
internal sealed class MoveWatch : IAsyncDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _end = new();
    private Task _watching = Task.CompletedTask;

    private MoveWatch()
    {
    }

    /// <param name="database">The owner's.</param>
    /// <param name="session">The move's backend.</param>
    /// <param name="progress">Told; null for nobody.</param>
    /// <param name="time">The clock.</param>
    public static MoveWatch Start(
        NpgsqlDataSource database, int session, IProgress<TenantMoveProgress>? progress, TimeProvider time)
    {
        var watch = new MoveWatch();
        if (progress is not null)
        {
            watch._watching = watch.WatchAsync(database, session, progress, time);
        }

        return watch;
    }

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        await _watching;
        _end.Dispose();
    }

    private async Task WatchAsync(
        NpgsqlDataSource database, int session, IProgress<TenantMoveProgress> progress, TimeProvider time)
    {
        try
        {
            await using var connection = await database.OpenConnectionAsync(_end.Token);
            while (true)
            {
                await AskAsync(connection, session, progress);
                await Task.Delay(Pause, time, _end.Token);
            }
        }
        catch (OperationCanceledException)
        {
            // The move has ended.
        }
        catch (NpgsqlException)
        {
            // Progress is for people. The move goes on without it, or says itself what is wrong.
        }
    }

    private async Task AskAsync(
        NpgsqlConnection connection, int session, IProgress<TenantMoveProgress> progress)
    {
        await using var ask = new NpgsqlCommand(
            """
            SELECT max(status), sum(target_shard_size)::bigint, sum(source_shard_size)::bigint
            FROM get_rebalance_progress() WHERE sessionid = $1 HAVING count(*) > 0
            """, connection) { Parameters = { new NpgsqlParameter<int> { TypedValue = session } } };
        await using var row = await ask.ExecuteReaderAsync(_end.Token);
        if (await row.ReadAsync(_end.Token))
        {
            progress.Report(new(row.GetString(0), row.GetInt64(1), row.GetInt64(2)));
        }
    }
}
