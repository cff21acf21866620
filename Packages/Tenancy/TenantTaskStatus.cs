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
    DateTimeOffset? FailedAt);
