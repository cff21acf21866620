namespace Tenancy;

/// <summary>One task of one schema: a row of <c>tenancy.tasks</c>, made by the task's first attempt there.</summary>
public sealed class TaskRow
{
    /// <summary>The longest name of a task, characters.</summary>
    public const int LongestName = 100;

    /// <summary>The task's name; the key, with the schema.</summary>
    public required string Task { get; init; }

    /// <summary>The schema's name.</summary>
    public required string Schema { get; init; }

    /// <summary>When it was done, in the transaction that did it; null while it isn't.</summary>
    public DateTimeOffset? DoneAt { get; private set; }

    /// <summary>Failed attempts since the last one that succeeded.</summary>
    public int Attempts { get; private set; }

    /// <summary>The last failed attempt's error; null after one that succeeded.</summary>
    public string? LastError { get; private set; }

    /// <summary>When it last failed.</summary>
    public DateTimeOffset? FailedAt { get; private set; }
}
