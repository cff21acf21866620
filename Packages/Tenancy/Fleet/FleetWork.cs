using Tenancy.Migrations;

namespace Tenancy.Fleet;

/// <summary>One migration to be applied to a schema, or taken back.</summary>
/// <param name="Id">Which.</param>
/// <param name="Sql">By what.</param>
/// <param name="Adds">Applied, not taken back.</param>
internal sealed record MigrationStep(string Id, MigrationSql Sql, bool Adds);

/// <summary>
/// The target of a run: the versions that aren't there yet, and the steps for a schema with given migrations.
/// </summary>
internal sealed class FleetWork
{
    private readonly CompiledMigrations _build;
    private readonly bool _down;

    private FleetWork(CompiledMigrations build, string target, bool down)
    {
        _build = build;
        _down = down;
        Target = target;
    }

    /// <summary>The id of the last migration that stays or gets applied; empty for none.</summary>
    public string Target { get; }

    /// <summary>
    /// The version of a schema that has all of these and nothing else, where reaching it is all there is to do; null
    /// when taking back.
    /// </summary>
    public string? TargetVersion => _down ? null : _build.Target;

    /// <exception cref="ArgumentException">The plan names a migration that the build doesn't have.</exception>
    public static FleetWork Of(FleetPlan plan, CompiledMigrations build)
    {
        if (plan.Down)
        {
            return new(build,
                build.Find(
                    plan.To ?? throw new ArgumentException(
                        "To take migrations back, say down to which: FleetPlan.To.", nameof(plan))), down: true);
        }

        var upTo = plan.To is null ? build : build.UpTo(build.Find(plan.To));
        return new(upTo, upTo.Ids.LastOrDefault() ?? "", down: false);
    }

    /// <summary>
    /// Whether schemas of that version have to be looked at. Of a version that nobody wrote down the schema's own
    /// history tells.
    /// </summary>
    public bool IsDue(SchemaVersion? version) => version is null || (_down
        ? version.Migrations.Any(IsBeyond)
        : !_build.Ids.All(version.Migrations.Contains));

    /// <exception cref="NotSupportedException">It has a migration that this build doesn't know, and that would have to
    /// be taken back.</exception>
    public IReadOnlyList<MigrationStep> StepsFor(IReadOnlySet<string> applied)
    {
        if (!_down)
        {
            return [.. _build.Migrations.Where(migration => !applied.Contains(migration.Id))
                .Select(migration => new MigrationStep(migration.Id, migration.Up, Adds: true))];
        }

        var known = _build.Migrations.ToDictionary(migration => migration.Id);
        return [.. applied.Where(IsBeyond).OrderDescending(StringComparer.Ordinal)
            .Select(id => known.TryGetValue(id, out var migration)
                ? new MigrationStep(id, migration.Down.Value, Adds: false)
                : throw new NotSupportedException(
                    $"It has {id}, which this build doesn't know: only a build that has it can take it back."))];
    }

    /// <summary>The most locks that one schema's part of a group can hold.</summary>
    public int LocksPerSchema(IEnumerable<SchemaVersion?> versions)
    {
        // Whatever else there is, the history.
        const int History = 2;
        return History + Steps(versions)
            .Select(steps => steps.TakeWhile(step => !step.Sql.OutsideTransaction).Sum(step => step.Sql.Locks))
            .DefaultIfEmpty().Max();
    }

    /// <summary>Whether any of these schemas needs a migration that takes a second connection.</summary>
    public bool GoesOutside(IEnumerable<SchemaVersion?> versions) =>
        Steps(versions).Any(steps => steps.Any(step => step.Sql.OutsideTransaction));

    /// <summary>The versions of these schemas after the first transaction of each.</summary>
    public IEnumerable<HashSet<string>> Reached(IEnumerable<SchemaVersion> versions) =>
        Possible(versions.Select(version => version.Migrations))
            .Select(applied => applied.After(StepsFor(applied).TakeWhile(step => !step.Sql.OutsideTransaction)));

    /// <summary>Of each version.</summary>
    private IEnumerable<IReadOnlyList<MigrationStep>> Steps(IEnumerable<SchemaVersion?> versions) =>
        Possible(versions.Select(version => version?.Migrations ?? new HashSet<string>())).Select(StepsFor);

    /// <summary>A migration that this build can't take back fails later, for that schema alone.</summary>
    private IEnumerable<IReadOnlySet<string>> Possible(IEnumerable<IReadOnlySet<string>> histories) =>
        histories.Where(applied => !_down || applied.Where(IsBeyond).All(_build.Ids.Contains));

    /// <summary>The build's migrations after <see cref="Target"/>: those that taking back takes.</summary>
    public IEnumerable<string> Beyond => _build.Ids.Where(IsBeyond);

    private bool IsBeyond(string id) => string.CompareOrdinal(id, Target) > 0;
}

/// <summary>Applies migrations to a history.</summary>
internal static class MigrationSteps
{
    /// <summary>The applied ones when these have run.</summary>
    public static HashSet<string> After(this IEnumerable<string> applied, IEnumerable<MigrationStep> steps)
    {
        var after = applied.ToHashSet(StringComparer.Ordinal);
        foreach (var step in steps)
        {
            _ = step.Adds ? after.Add(step.Id) : after.Remove(step.Id);
        }

        return after;
    }
}
