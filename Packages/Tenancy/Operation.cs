using System.Text.Json.Nodes;

namespace Tenancy;

/// <summary>How far an operation is.</summary>
public enum OperationState
{
    /// <summary>It waits for a process that runs it.</summary>
    Queued,

    /// <summary>A process runs it, or did until it died: another one then begins it again.</summary>
    Running,

    /// <summary>It is done; the result says what came of it.</summary>
    Done,

    /// <summary>It failed; the error says why.</summary>
    Failed,

    /// <summary>It was cancelled. What it had done in finished transactions stays.</summary>
    Cancelled,
}

/// <summary>What somebody asked for and takes long: a row of <c>tenancy.operations</c>.</summary>
/// <param name="Id">uuid v7, so in the order of the requests.</param>
/// <param name="Kind">What is done, see <see cref="OperationKinds"/>.</param>
/// <param name="Slug">The tenant's slug when it was asked for; null for what concerns no single tenant.</param>
/// <param name="AskedBy">Who asked.</param>
/// <param name="State">How far it is.</param>
/// <param name="Done">The progress: bytes of a file, or schemas.</param>
/// <param name="Total">What <paramref name="Done"/> will be at the end; null where nobody knows.</param>
/// <param name="Result">What came of it; null until then.</param>
/// <param name="Error">Why it failed; null otherwise.</param>
/// <param name="Cancel">Who has asked to cancel it; null while nobody has.</param>
/// <param name="Attempts">How many processes have begun it; more than one after a crash.</param>
/// <param name="CreatedAt">When it was asked for.</param>
/// <param name="StartedAt">When its last attempt began.</param>
/// <param name="EndedAt">When it ended; null until then.</param>
public sealed record Operation(
    Guid Id, string Kind, string? Slug, string AskedBy, OperationState State, long Done, long? Total,
    JsonObject? Result, string? Error, string? Cancel, int Attempts, DateTimeOffset CreatedAt,
    DateTimeOffset? StartedAt, DateTimeOffset? EndedAt)
{
    /// <summary>Whether it has ended, however.</summary>
    public bool IsOver => State is not (OperationState.Queued or OperationState.Running);
}

/// <summary>Which operations a list has: the newest first.</summary>
public sealed record OperationQuery
{
    /// <summary>Only those of the tenant that had this slug; null for all.</summary>
    public string? Slug { get; init; }

    /// <summary>Only those of that kind; null for all.</summary>
    public string? Kind { get; init; }

    /// <summary>Only those in that state; null for all.</summary>
    public OperationState? State { get; init; }

    /// <summary>Only those that were asked for before this one: the last of the page before.</summary>
    public Guid? Before { get; init; }

    /// <summary>At most so many; 1 to 1,000. Default 50.</summary>
    public int Limit { get; init; } = 50;
}

/// <summary>The kinds that the library has. An application may add its own, see <see cref="OperationKind"/>.</summary>
public static class OperationKinds
{
    /// <summary>Exports a tenant, see <see cref="TenantTransfer.ExportAsync"/>. It has the file.</summary>
    public const string Export = "export";

    /// <summary>
    /// Makes a tenant from an export. Arguments: <c>name</c>, for people; null for the slug; and <c>database</c>, one
    /// of <see cref="TenancyOptions.Databases"/>; null for the first one.
    /// </summary>
    public const string Import = "import";

    /// <summary>
    /// Clones a tenant. Arguments: <c>newSlug</c>, <c>name</c>, and <c>database</c>: one of
    /// <see cref="TenancyOptions.Databases"/>, or <see cref="TenancyOptions.FirstDatabase"/>; null for the original's.
    /// </summary>
    public const string Clone = "clone";

    /// <summary>
    /// Moves a tenant. Arguments, one of both: <c>database</c>, one of <see cref="TenancyOptions.Databases"/> or
    /// <see cref="TenancyOptions.FirstDatabase"/>, see <see cref="TenantDatabaseMove.MoveAsync"/>; or <c>node</c>, as
    /// <see cref="TenantNode.Parse"/> reads it, see <see cref="TenantMove.MoveAsync"/>.
    /// </summary>
    public const string Move = "move";

    /// <summary>Removes the tenants whose time is over, see <see cref="TenantRemoval.ReconcileAsync"/>.</summary>
    public const string Reconcile = "reconcile";

    /// <summary>
    /// Migrates tenants. Arguments, all optional: <c>ring</c>, <c>slugs</c>, and <c>database</c>: one of
    /// <see cref="TenancyOptions.Databases"/>, or <see cref="TenancyOptions.FirstDatabase"/>; without it, all.
    /// </summary>
    public const string Migrate = "migrate";

    /// <summary>Migrates those that failed. The same arguments.</summary>
    public const string Retry = "retry";

    /// <summary>
    /// Takes migrations back, see <see cref="FleetPlan.Down"/>. Arguments: <c>to</c>, the migration that stays applied;
    /// and, optional, <c>ring</c>, <c>slugs</c> and <c>database</c>.
    /// </summary>
    public const string Down = "down";

    /// <summary>
    /// Does a registered <see cref="TenantTask"/> for the tenants that haven't done it. Arguments: <c>task</c>, its
    /// name; and, optional, <c>onlyFailed</c>, <c>ring</c>, <c>slugs</c> and <c>database</c>.
    /// </summary>
    public const string Task = "task";

    /// <summary>
    /// Compares the schemas with the migrations. Arguments, both optional: <c>slugs</c>, and <c>database</c>.
    /// </summary>
    public const string Verify = "verify";
}
