using System.Collections.Concurrent;
using Tenancy.Ledgers;

namespace Tenancy.Fleet;

/// <summary>The state that the workers of one migration run share.</summary>
internal sealed class FleetRun(Guid id, FleetPlan plan, FleetWork work, DateTime since, IEnumerable<string> versions,
    IProgress<FleetProgress>? watcher, TimeProvider time) : RunState(id, plan, since, watcher, time)
{
    private readonly ConcurrentDictionary<string, bool> _due = new(
        versions.Select(version => KeyValuePair.Create(version, true)));

    public FleetWork Work => work;

    public Due Due(int? ring) =>
        new([.. _due.Keys], ring, Since, Plan.Only?.Select(schema => schema.Value).ToArray(), Plan.OnlyFailed);

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
}
