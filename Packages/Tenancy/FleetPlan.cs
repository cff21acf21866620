namespace Tenancy;

/// <summary>
/// The plan of a run. A task's run (<see cref="TenantTasks"/>) has it too: a schema is then a tenant's, "migrated" is
/// "done", a group is one tenant, and <see cref="To"/> and <see cref="Down"/> are refused.
/// </summary>
public sealed record FleetPlan
{
    /// <summary>
    /// Up to which migration, by id or name; default all that the build has. Schemas that are further stay there.
    /// </summary>
    public string? To { get; init; }

    /// <summary>
    /// Take migrations back instead, down to <see cref="To"/>, which is then required and stays applied ("0": take all
    /// back). Builds that have more than the schema answer its tenant with "being upgraded" until the schema has them
    /// again.
    /// </summary>
    public bool Down { get; init; }

    /// <summary>Only these schemas; default all.</summary>
    public IReadOnlyList<SchemaName>? Only { get; init; }

    /// <summary>Only this ring; default all, one after the other.</summary>
    public int? Ring { get; init; }

    /// <summary>Who asked for it, in <c>tenancy.runs</c>. Default: the process's user, <c>user@host</c>.</summary>
    public string? AskedBy { get; init; }

    /// <summary>Only schemas whose last migration failed. Default false.</summary>
    public bool OnlyFailed { get; init; }

    /// <summary>
    /// How many groups are migrated at the same time, each over one connection. Default: as many as this process has
    /// processors, but at least 2 and at most 4. A run uses this many connections and one for its heartbeat, and as
    /// many again while it applies a migration that can't run in a transaction.
    /// </summary>
    /// <remarks>
    /// What limits it is the server's processors, of which SQL says nothing: where the job shares them, more workers
    /// only wait for each other, and each has a backend that has to learn the catalog (<c>migration</c> in Benchmarks:
    /// 4 on two processors take 1.08 times the time of 2). A larger server that isn't busy otherwise takes more.
    /// </remarks>
    public int Workers { get; init; } = Math.Clamp(Environment.ProcessorCount, 2, 4);

    /// <summary>
    /// How many schemas share a transaction and a round trip, at most. Default 50; fewer where <see cref="GroupTime"/>
    /// is too short for them, or the server's lock table too small.
    /// </summary>
    public int Group { get; init; } = 50;

    /// <summary>
    /// How long a group's transaction should last. The first migration's locks are held until the last one is done. The
    /// group size starts at one and follows the worker's recent migration times. Default: 100 ms.
    /// </summary>
    public TimeSpan GroupTime { get; init; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How long a statement waits for a lock that live traffic holds before it gives way and is tried again. Default 5
    /// s.
    /// </summary>
    public TimeSpan LockTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>The limit of a statement's time. Default null: no limit.</summary>
    public TimeSpan? StatementTimeout { get; init; }

    /// <summary>
    /// How often a schema is tried when someone is in the way (a lock, a deadlock) before that counts as its failure.
    /// Default 4.
    /// </summary>
    public int Attempts { get; init; } = 4;

    /// <summary>
    /// How long a run goes on trying to reach a server that is gone or restarting before it gives up. Default 30 s.
    /// </summary>
    public TimeSpan Patience { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>How many schemas of ring 0 may fail before the run halts. Default 0.</summary>
    public int FailuresInRingZero { get; init; }

    /// <summary>
    /// Which share of the schemas of a later ring may fail before the run halts; one always may. Default 0.01.
    /// </summary>
    public double FailureShareLater { get; init; } = 0.01;

    /// <summary>
    /// Go on with the others of a ring however many fail. What failed too often in one ring still keeps the next ring
    /// from starting. Default false: the run halts as soon as more than the allowed number has failed.
    /// </summary>
    public bool Isolate { get; init; }

    /// <summary>How many schemas of a ring may fail.</summary>
    /// <param name="ring">Which.</param>
    /// <param name="size">How many it has.</param>
    internal int AllowedFailures(int ring, int size) =>
        ring == 0 ? FailuresInRingZero : Math.Max(1, (int)(FailureShareLater * size));
}

/// <summary>The outcome of a run.</summary>
public enum FleetOutcome
{
    /// <summary>The run is done; some schemas may have failed.</summary>
    Done,

    /// <summary>
    /// Too many failed in a ring, or someone asked it to stop (<c>tenancy.runs.halt</c>); what was migrated stays.
    /// </summary>
    Halted,

    /// <summary>The caller's token stopped it after the groups in hand.</summary>
    Cancelled,
}

/// <summary>The result of a run, of migrations or of a task.</summary>
/// <param name="Migrated">Schemas brought to the target, or tenants that have done the task, by this run.</param>
/// <param name="Failed">Schemas that stayed where they were, and why.</param>
/// <param name="Elapsed">How long it took.</param>
/// <param name="Outcome">How it ended.</param>
/// <param name="Reason">Why it was halted; null otherwise.</param>
/// <param name="Run">Its row in <c>tenancy.runs</c>; null when there was nothing to do.</param>
public sealed record FleetReport(
    int Migrated, IReadOnlyList<FailedSchema> Failed, TimeSpan Elapsed, FleetOutcome Outcome = FleetOutcome.Done,
    string? Reason = null, Guid? Run = null)
{
    /// <summary>Both together: another database's run after this one.</summary>
    internal FleetReport With(FleetReport other) => new(
        Migrated + other.Migrated, [.. Failed, .. other.Failed], Elapsed + other.Elapsed,
        Outcome == FleetOutcome.Done ? other.Outcome : Outcome, Reason ?? other.Reason, Run ?? other.Run);
}

/// <summary>
/// A schema that could not be migrated. Its transaction was rolled back: it is at the version it had.
/// </summary>
/// <param name="Schema">Which.</param>
/// <param name="Error">What the server said, with the migration's id in front.</param>
public sealed record FailedSchema(SchemaName Schema, string Error);

/// <summary>The progress of a run.</summary>
/// <param name="Ring">In which ring.</param>
/// <param name="Total">How many schemas it had to migrate when it began, in all rings.</param>
/// <param name="Migrated">How many it has.</param>
/// <param name="Failed">How many failed.</param>
public sealed record FleetProgress(int Ring, int Total, int Migrated, int Failed);
