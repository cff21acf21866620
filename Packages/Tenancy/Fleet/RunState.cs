using System.Collections.Concurrent;

namespace Tenancy.Fleet;

/// <summary>What the workers of one run share, whatever the run does: progress, failures, halt and patience.</summary>
internal class RunState(
    Guid id, FleetPlan plan, DateTime since, IProgress<FleetProgress>? watcher, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<SchemaName, string> _failed = new();
    private long? _absentSince;
    private int _migrated;
    private int _ring;
    private int _total;

    public Guid Id => id;

    /// <summary>The server's time when it began: who has failed since isn't tried again.</summary>
    public DateTime Since => since;

    public FleetPlan Plan => plan;

    public IEnumerable<FailedSchema> Failed =>
        _failed.Select(entry => new FailedSchema(entry.Key, entry.Value)).OrderBy(failed => failed.Schema);

    public FleetProgress Progress => new(_ring, _total, _migrated, _failed.Count);

    /// <summary>Why no further group is begun; null while the run goes on.</summary>
    public string? Halted { get; private set; }

    public void Expect(int total) => _total = total;

    public void Enter(int ring) => _ring = ring;

    public void Halt(string reason)
    {
        lock (_lock)
        {
            Halted ??= reason;
        }
    }

    public void Succeeded(int schemas)
    {
        Interlocked.Add(ref _migrated, schemas);
        Reached();
        watcher?.Report(Progress);
    }

    /// <summary>Counts schema and error once, whichever worker met it.</summary>
    public void Fail(SchemaName schema, string error)
    {
        _failed[schema] = error;
        Reached();
        watcher?.Report(Progress);
    }

    /// <summary>The run's result.</summary>
    /// <param name="elapsed">How long it took.</param>
    /// <param name="stop">The token that ends it after the groups in hand.</param>
    public FleetReport Report(TimeSpan elapsed, CancellationToken stop) => new(
        _migrated, [.. Failed], elapsed,
        Halted is not null ? FleetOutcome.Halted
            : stop.IsCancellationRequested ? FleetOutcome.Cancelled
            : FleetOutcome.Done, Halted, id);

    /// <summary>
    /// Something was brought to an end: an answer alone is not enough, a server may let everybody in and end whatever
    /// is begun.
    /// </summary>
    private void Reached()
    {
        lock (_lock)
        {
            _absentSince = null;
        }
    }

    /// <summary>Waits before the server is asked again.</summary>
    /// <returns>False when it has been away for longer than the plan has patience.</returns>
    public async Task<bool> WaitForServerAsync(CancellationToken ct)
    {
        long since;
        lock (_lock)
        {
            since = _absentSince ??= time.GetTimestamp();
        }

        if (time.GetElapsedTime(since) >= plan.Patience)
        {
            return false;
        }

        await Task.Delay(TimeSpan.FromMilliseconds(Random.Shared.Next(200, 600)), time, ct);
        return true;
    }
}
