using System.Collections.Concurrent;
using Tenancy.Ledgers;

namespace Tenancy.Fleet;

/// <summary>The state that the workers of one run share.</summary>
internal sealed class FleetRun(Guid id, FleetPlan plan, FleetWork work, DateTime since, IEnumerable<string> versions,
    IProgress<FleetProgress>? watcher, TimeProvider time)
{
    private readonly Lock _lock = new();
    private readonly ConcurrentDictionary<string, bool> _due = new(
        versions.Select(version => KeyValuePair.Create(version, true)));
    private readonly ConcurrentDictionary<SchemaName, string> _failed = new();
    private long? _absentSince;
    private int _migrated;
    private int _ring;
    private int _total;

    public Guid Id => id;

    /// <summary>The server's time when it began: who has failed since isn't tried again.</summary>
    public DateTime Since => since;

    public FleetPlan Plan => plan;

    public FleetWork Work => work;

    public IEnumerable<FailedSchema> Failed =>
        _failed.Select(entry => new FailedSchema(entry.Key, entry.Value)).OrderBy(failed => failed.Schema);

    public FleetProgress Progress => new(_ring, _total, _migrated, _failed.Count);

    /// <summary>Why no further group is begun; null while the run goes on.</summary>
    public string? Halted { get; private set; }

    public Due Due(int? ring) =>
        new([.. _due.Keys], ring, since, plan.Only?.Select(schema => schema.Value).ToArray(), plan.OnlyFailed);

    /// <summary>The most locks that one schema's part of a group can hold.</summary>
    public int LocksPerSchema(SchemaVersions versions) => work.LocksPerSchema(_due.Keys.Select(versions.Find));

    /// <summary>The versions that pending schemas will have; see <see cref="FleetWork.Reached"/>.</summary>
    public IEnumerable<HashSet<string>> Reached(SchemaVersions versions) =>
        work.Reached(_due.Keys.Select(versions.Find).OfType<SchemaVersion>());

    /// <summary>A version that the run itself, or another one, has left schemas at, between two transactions.</summary>
    public void AddDue(string version) => _due.TryAdd(version, true);

    /// <summary>The versions that other processes have left schemas at meanwhile.</summary>
    public void Learn(SchemaVersions versions, IEnumerable<string> found)
    {
        foreach (var version in found.Where(version => work.IsDue(versions.Find(version))))
        {
            AddDue(version);
        }
    }

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
