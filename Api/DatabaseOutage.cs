using Tenancy;

namespace Api;

/// <summary>Says once that the database is gone and once that it is back, however many requests meet it.</summary>
internal sealed partial class DatabaseOutage(TenancyPools pools, TimeProvider time, ILogger<DatabaseOutage> log)
{
    /// <summary>
    /// Where nobody asks for health, nobody notices that it is back: what comes so much later is another outage.
    /// </summary>
    private static readonly TimeSpan Another = TimeSpan.FromMinutes(1);

    private readonly Lock _lock = new();
    private DateTimeOffset? _since;
    private DateTimeOffset _last;

    /// <summary>A request or a health check met it.</summary>
    /// <param name="cause">A sentence.</param>
    public void Note(string cause)
    {
        lock (_lock)
        {
            var now = time.GetUtcNow();
            var known = _since is not null && now - _last < Another;
            _last = now;
            if (known)
            {
                return;
            }

            _since = now;
        }

        LogGone(log, cause);
        // Pooled connections to the server that was there are of no use to the one that comes back.
        pools.Clear();
    }

    /// <summary>The database has answered.</summary>
    public void Over()
    {
        DateTimeOffset since;
        lock (_lock)
        {
            if (_since is not { } begun)
            {
                return;
            }

            (since, _since) = (begun, null);
        }

        LogBack(log, (time.GetUtcNow() - since).TotalSeconds);
    }

    [LoggerMessage(LogLevel.Error,
        "{Cause} Requests that need it are answered with 503 until it is back; nothing has to be restarted here.")]
    private static partial void LogGone(ILogger log, string cause);

    [LoggerMessage(LogLevel.Information, "PostgreSQL answers again, after {Seconds:0} s.")]
    private static partial void LogBack(ILogger log, double seconds);
}
