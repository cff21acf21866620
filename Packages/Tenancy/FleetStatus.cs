namespace Tenancy;

/// <summary>The status of the whole fleet.</summary>
/// <param name="Target">The last migration that this build has; empty if it has none.</param>
/// <param name="Groups">The schemas by ring, state and version.</param>
/// <param name="Failures">Schemas whose last migration failed, by name; see
/// <see cref="FleetReader.OverviewAsync"/>.</param>
/// <param name="Laggards">Schemas that lack a migration of this build, by name; the first
/// <see cref="FleetReader.MostLaggards"/> of them.</param>
/// <param name="Runs">The runs that are alive, then the last that ended; ten at most.</param>
public sealed record FleetStatus(
    string Target, IReadOnlyList<FleetGroup> Groups, IReadOnlyList<FleetFailure> Failures,
    IReadOnlyList<FleetLaggard> Laggards, IReadOnlyList<FleetRunStatus> Runs)
{
    /// <summary>How many schemas a run would look after.</summary>
    public int Total => Groups.Where(group => group.IsMigrated).Sum(group => group.Schemas);

    /// <summary>How many of them lack a migration of this build.</summary>
    public int Behind =>
        Groups.Where(group => group is { IsMigrated: true, Standing: VersionStanding.Behind })
            .Sum(group => group.Schemas);

    /// <summary>
    /// The databases that were asked, the first one first; empty where there is one. See
    /// <see cref="FleetReader.OverviewOfAllAsync"/>.
    /// </summary>
    public IReadOnlyList<FleetDatabase> Databases { get; init; } = [];
}

/// <summary>A database that was asked, together with others.</summary>
/// <param name="Name">See <see cref="TenancyOptions.Databases"/>; null for the first one.</param>
/// <param name="Error">Why it didn't answer: nothing of the answer is of this database then. Else null.</param>
public sealed record FleetDatabase(string? Name, string? Error);

/// <summary>A migration that this build has.</summary>
/// <param name="Id">Which.</param>
/// <param name="BreaksOlderBuilds">See <see cref="BreaksOlderBuildsAttribute"/>.</param>
/// <param name="OutsideTransaction">It can't run in a transaction and is applied by itself.</param>
public sealed record FleetMigration(string Id, bool BreaksOlderBuilds, bool OutsideTransaction);

/// <summary>Schemas that are alike.</summary>
/// <param name="Ring">Their ring.</param>
/// <param name="State">Their state.</param>
/// <param name="Version">Their version, see <see cref="CompiledMigrations.Fingerprint"/>.</param>
/// <param name="Standing">What it means to this build.</param>
/// <param name="Last">The last migration they have; null where nobody wrote the version down.</param>
/// <param name="Missing">What they lack of this build's migrations.</param>
/// <param name="Late">Those of the missing that are older than one they have: merged late.</param>
/// <param name="Unknown">What they have that this build doesn't know.</param>
/// <param name="Schemas">How many they are.</param>
public sealed record FleetGroup(
    int Ring, SchemaState State, string Version, VersionStanding Standing, string? Last, IReadOnlyList<string> Missing,
    IReadOnlyList<string> Late, IReadOnlyList<string> Unknown, int Schemas)
{
    /// <summary>Whether a run looks after them at all: not those in the making, archived or being dropped.</summary>
    public bool IsMigrated =>
        State is SchemaState.Ready or SchemaState.Failed or SchemaState.Suspended or SchemaState.Spare;

    /// <summary>On how many of them the last migration failed.</summary>
    public int Failed { get; init; }

    /// <summary>The database that they are in; null for the first one.</summary>
    public string? Database { get; init; }
}

/// <summary>A schema whose last migration failed.</summary>
/// <param name="Schema">Which.</param>
/// <param name="Ring">Its ring.</param>
/// <param name="Attempts">Failures since the last success.</param>
/// <param name="Error">What the last said.</param>
/// <param name="FailedAt">When that was.</param>
/// <param name="Unfinished">The migration outside a transaction that was begun and not seen to end; else null.</param>
public sealed record FleetFailure(
    string Schema, int Ring, int Attempts, string Error, DateTimeOffset? FailedAt, string? Unfinished)
{
    /// <summary>The database that it is in; null for the first one.</summary>
    public string? Database { get; init; }
}

/// <summary>A schema that lacks a migration of this build.</summary>
/// <param name="Schema">Which.</param>
/// <param name="Ring">Its ring.</param>
/// <param name="Last">The last migration it has; null where nobody wrote its version down.</param>
/// <param name="Missing">How many it lacks.</param>
public sealed record FleetLaggard(string Schema, int Ring, string? Last, int Missing)
{
    /// <summary>The database that it is in; null for the first one.</summary>
    public string? Database { get; init; }
}

/// <summary>A run, as the database knows it.</summary>
/// <param name="Id">Which.</param>
/// <param name="Kind"><c>migrate</c>, <c>retry</c>, <c>down</c> or <c>task</c>.</param>
/// <param name="AskedBy">By whom: <c>user@host</c>.</param>
/// <param name="Target">The last migration that schemas shall have; a task's name.</param>
/// <param name="Total">How many schemas had to be brought there, or to do the task, when it began.</param>
/// <param name="Migrated">How many it has brought there, or have done the task.</param>
/// <param name="Failed">How many it failed on.</param>
/// <param name="Ring">The ring it is in.</param>
/// <param name="StartedAt">When it began.</param>
/// <param name="HeartbeatAt">Its last sign of life.</param>
/// <param name="EndedAt">When it ended.</param>
/// <param name="Halt">Who has asked it to halt, and why.</param>
/// <param name="Outcome"><c>running</c>; <c>silent</c> when its heartbeat has stopped; else how it ended, see
/// <see cref="RunRow.Outcome"/>.</param>
public sealed record FleetRunStatus(
    Guid Id, string Kind, string AskedBy, string Target, int Total, int Migrated, int Failed, int? Ring,
    DateTimeOffset StartedAt, DateTimeOffset HeartbeatAt, DateTimeOffset? EndedAt, string? Halt, string Outcome)
{
    /// <summary>The database that it runs over; null for the first one.</summary>
    public string? Database { get; init; }
}

/// <summary>The result of <see cref="FleetMigrator.HaltAllAsync"/>.</summary>
/// <param name="Runs">How many runs were asked to end.</param>
/// <param name="Unreached">The databases that didn't answer, by name: their runs go on.</param>
public sealed record FleetHalt(int Runs, IReadOnlyList<string> Unreached);

/// <summary>The work of a run on schemas that are alike.</summary>
/// <param name="Ring">Their ring.</param>
/// <param name="Last">The last migration they have; null where nobody wrote their version down: their histories tell
/// when they are migrated.</param>
/// <param name="Steps">The migrations that would be applied or taken back, in order.</param>
/// <param name="Schemas">Which schemas.</param>
public sealed record PlannedGroup(
    int Ring, string? Last, IReadOnlyList<PlannedStep> Steps, IReadOnlyList<SchemaName> Schemas);

/// <summary>One migration of a plan.</summary>
/// <param name="Migration">Its id.</param>
/// <param name="Late">Older than one that the schemas have already: merged late.</param>
/// <param name="OutsideTransaction">It can't run in a transaction and is applied by itself.</param>
/// <param name="BreaksOlderBuilds">See <see cref="BreaksOlderBuildsAttribute"/>.</param>
public sealed record PlannedStep(string Migration, bool Late, bool OutsideTransaction, bool BreaksOlderBuilds);
