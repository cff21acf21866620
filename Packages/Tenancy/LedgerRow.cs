namespace Tenancy;

/// <summary>
/// One schema in the ledger: a row of <c>tenancy.schemas</c>. A row outlives its schema, because a schema's name is
/// never used again.
/// </summary>
public sealed class LedgerRow
{
    /// <summary>
    /// Default ring: 1. Ring 0 goes first; it holds only the tenants that were put there.
    /// </summary>
    public const int UsualRing = 1;

    /// <summary>The schema's name; the key.</summary>
    public required string Schema { get; init; }

    /// <summary>The schema's state.</summary>
    public SchemaState State { get; private set; }

    /// <summary>See <see cref="CompiledMigrations.Fingerprint"/>; empty as long as nothing is known.</summary>
    public string Version { get; private set; } = "";

    /// <summary>The schema's ring; 0 goes first. Default: <see cref="UsualRing"/>.</summary>
    public int Ring { get; private set; }

    /// <summary>Failed migrations since the last that succeeded.</summary>
    public int Attempts { get; private set; }

    /// <summary>The last failed migration's error; null after one that succeeded.</summary>
    public string? LastError { get; private set; }

    /// <summary>
    /// The migration that was begun outside a transaction and hasn't been seen to end: null but for the time it takes,
    /// unless it was interrupted or failed.
    /// </summary>
    public string? Unfinished { get; private set; }

    /// <summary>When the row was made.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When the version last changed.</summary>
    public DateTimeOffset? MigratedAt { get; private set; }

    /// <summary>
    /// How long that took, milliseconds: the time of its transaction, divided by the number of schemas in it.
    /// </summary>
    public double? MigratedInMs { get; private set; }

    /// <summary>When a migration last failed.</summary>
    public DateTimeOffset? FailedAt { get; private set; }

    /// <summary>
    /// When the schema may be removed, see <see cref="TenantRemoval"/>; null where nobody asked for it, or all of it is
    /// gone.
    /// </summary>
    public DateTimeOffset? DropAfter { get; private set; }
}

/// <summary>
/// A version that a schema has or had: a row of <c>tenancy.versions</c>. It tells a build which migrations a version it
/// never heard of consists of.
/// </summary>
public sealed class VersionRow
{
    /// <summary>See <see cref="CompiledMigrations.Fingerprint"/>; the key.</summary>
    public required string Version { get; init; }

    /// <summary>The ids of its migrations.</summary>
    public string[] Migrations { get; private set; } = [];

    /// <summary>Those of them that carry <see cref="BreaksOlderBuildsAttribute"/>.</summary>
    public string[] Breaking { get; private set; } = [];
}

/// <summary>One process' run over the fleet: a row of <c>tenancy.runs</c>.</summary>
public sealed class RunRow
{
    /// <summary>The key; uuid v7, so in the order of their start.</summary>
    public Guid Id { get; init; }

    /// <summary>The kind of run: <c>migrate</c>, <c>retry</c>, <c>down</c> or <c>task</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The user who started it: <c>user@host</c>.</summary>
    public required string AskedBy { get; init; }

    /// <summary>
    /// The last migration that schemas shall have, e.g. <c>20261123101500_Initial</c>; empty for none.
    /// </summary>
    public required string Target { get; init; }

    /// <summary>The schemas that were pending at the start.</summary>
    public int Total { get; private set; }

    /// <summary>The schemas that this process has migrated.</summary>
    public int Migrated { get; private set; }

    /// <summary>The schemas that failed.</summary>
    public int Failed { get; private set; }

    /// <summary>The ring that the run is in.</summary>
    public int? Ring { get; private set; }

    /// <summary>The start of the run.</summary>
    public DateTimeOffset StartedAt { get; private set; }

    /// <summary>
    /// Its last sign of life, every two seconds. A run that hasn't ended and whose heartbeat is older than 15 seconds
    /// is dead.
    /// </summary>
    public DateTimeOffset HeartbeatAt { get; private set; }

    /// <summary>The request to end after the groups in hand: who asked, and why. Null without one.</summary>
    public string? Halt { get; private set; }

    /// <summary>The end of the run; null while it runs.</summary>
    public DateTimeOffset? EndedAt { get; private set; }

    /// <summary>
    /// How it ended: <c>done</c>, <c>halted</c>, <c>cancelled</c>, <c>broken</c> (the database failed) or <c>lost</c>
    /// (it never said).
    /// </summary>
    public string? Outcome { get; private set; }
}
