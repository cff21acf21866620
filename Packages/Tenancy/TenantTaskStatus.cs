namespace Tenancy;

/// <summary>How far a task is.</summary>
/// <param name="Name">The task's.</param>
/// <param name="IsRegistered">Whether this build has it. A task from a SQL file isn't registered.</param>
/// <param name="Done">How many tenants have done it.</param>
/// <param name="Failed">How many have not, and failed at their last attempt.</param>
/// <param name="Left">How many have neither done it nor failed.</param>
/// <param name="FailedSchema">Whose attempt failed last; null where none has.</param>
/// <param name="LastError">What that attempt said.</param>
/// <param name="FailedAt">When that was.</param>
public sealed record TenantTaskStatus(
    string Name, bool IsRegistered, int Done, int Failed, int Left, string? FailedSchema, string? LastError,
    DateTimeOffset? FailedAt)
{
    /// <summary>
    /// The same by database, the first one first; empty where there is one. See
    /// <see cref="TenantTasks.StatusOfAllAsync"/>.
    /// </summary>
    public IReadOnlyList<TenantTaskInDatabase> Databases { get; init; } = [];
}

/// <summary>How far a task is in one of several databases.</summary>
/// <param name="Name">The database's, see <see cref="TenancyOptions.Databases"/>; null for the first one.</param>
/// <param name="Error">Why the database didn't answer: its tenants aren't counted then. Else null.</param>
/// <param name="Done">How many of its tenants have done it.</param>
/// <param name="Failed">How many have not, and failed at their last attempt.</param>
/// <param name="Left">How many have neither done it nor failed.</param>
/// <param name="FailedSchema">Whose attempt failed last; null where none has.</param>
/// <param name="LastError">What that attempt said.</param>
/// <param name="FailedAt">When that was.</param>
public sealed record TenantTaskInDatabase(
    string? Name, string? Error, int Done, int Failed, int Left, string? FailedSchema, string? LastError,
    DateTimeOffset? FailedAt);

/// <summary>A tenant that a task visits, and its attempts.</summary>
/// <param name="Database">The tenant's database; null for the first one.</param>
/// <param name="Schema">The tenant's schema.</param>
/// <param name="DoneAt">When it was done; null until then.</param>
/// <param name="Attempts">Failed attempts since the last one that succeeded.</param>
/// <param name="LastError">What the last attempt said when it failed; null otherwise.</param>
/// <param name="FailedAt">When an attempt failed last; null for never.</param>
public sealed record TenantTaskAttempt(
    string? Database, string Schema, DateTimeOffset? DoneAt, int Attempts, string? LastError,
    DateTimeOffset? FailedAt);
