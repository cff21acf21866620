namespace Web.Fleet;

/// <summary>A task that is done once for each customer, and how far it is.</summary>
/// <param name="Name">Its name.</param>
/// <param name="IsRegistered">Whether the API's build has it. A task from a file of SQL isn't registered.</param>
/// <param name="Done">How many customers have done it.</param>
/// <param name="Failed">On how many the last attempt failed.</param>
/// <param name="Left">How many have neither done it nor failed.</param>
/// <param name="FailedSchema">On whom it failed last; null where it never did.</param>
/// <param name="LastError">What that attempt said.</param>
/// <param name="FailedAt">When that was.</param>
public sealed record FleetTask(
    string Name, bool IsRegistered, int Done, int Failed, int Left, string? FailedSchema, string? LastError,
    DateTimeOffset? FailedAt)
{
    /// <summary>The same by database, the first one first; empty where there is one.</summary>
    public IReadOnlyList<FleetTaskShare> Databases { get; init; } = [];

    /// <summary>The databases that were asked; empty where there is one.</summary>
    public IReadOnlyList<FleetDatabase> Asked => [.. Databases.Select(share => share.Database)];

    /// <summary>Whether there is more than one, and so something to choose.</summary>
    public bool HasSeveral => Databases.Count > 1;

    /// <summary>Whether a run would do anything.</summary>
    public bool CanRun => IsRegistered && Failed + Left > 0;

    /// <summary>What is of one database.</summary>
    /// <param name="choice">Its <see cref="FleetDatabase.Choice"/>; null for all.</param>
    public FleetTask In(string? choice) => Databases.FirstOrDefault(share => share.Database.Choice == choice) is { } one
        ? this with
        {
            Done = one.Done, Failed = one.Failed, Left = one.Left, FailedSchema = one.FailedSchema,
            LastError = one.LastError, FailedAt = one.FailedAt,
        }
        : this;
}

/// <summary>How far a task is in one of several databases.</summary>
/// <param name="Name">The database's; null for the first one.</param>
/// <param name="Error">Why it didn't answer; null where it did.</param>
/// <param name="Done">How many of its customers have done it.</param>
/// <param name="Failed">On how many of them the last attempt failed.</param>
/// <param name="Left">How many of them have neither done it nor failed.</param>
/// <param name="FailedSchema">On whom it failed last; null where it never did.</param>
/// <param name="LastError">What that attempt said.</param>
/// <param name="FailedAt">When that was.</param>
public sealed record FleetTaskShare(
    string? Name, string? Error, int Done, int Failed, int Left, string? FailedSchema, string? LastError,
    DateTimeOffset? FailedAt)
{
    public FleetDatabase Database => new(Name, Error);
}

/// <summary>How far a customer is with a task.</summary>
/// <param name="Slug">The customer's name in addresses.</param>
/// <param name="Name">The customer's name in words.</param>
/// <param name="Schema">The customer's schema.</param>
/// <param name="State"><c>done</c>, <c>failed</c> or <c>left</c>.</param>
/// <param name="DoneAt">When it was done; null until then.</param>
/// <param name="Attempts">How many attempts have failed since the last one that succeeded.</param>
/// <param name="LastError">What the last attempt said when it failed; null otherwise.</param>
/// <param name="FailedAt">When an attempt failed last; null for never.</param>
/// <param name="Database">The database that has the customer's schema; null for the first one.</param>
public sealed record TaskCustomer(
    string Slug, string Name, string Schema, string State, DateTimeOffset? DoneAt, int Attempts, string? LastError,
    DateTimeOffset? FailedAt, string? Database = null);
