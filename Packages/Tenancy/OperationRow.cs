namespace Tenancy;

/// <summary>What somebody asked for and takes long: a row of <c>tenancy.operations</c>.</summary>
public sealed class OperationRow
{
    /// <summary>The key; uuid v7, so in the order of the requests.</summary>
    public Guid Id { get; init; }

    /// <summary>What is done, e.g. <c>export</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>The tenant's slug when it was asked for; null for what concerns no single tenant.</summary>
    public string? Slug { get; init; }

    /// <summary>Who asked.</summary>
    public required string AskedBy { get; init; }

    /// <summary>What the kind needs to know, a JSON object.</summary>
    public required string Arguments { get; init; }

    /// <summary><c>queued</c>, <c>running</c>, <c>done</c>, <c>failed</c> or <c>cancelled</c>.</summary>
    public string State { get; private set; } = "queued";

    /// <summary>The progress; its unit is the kind's: rows, or schemas.</summary>
    public long Done { get; private set; }

    /// <summary>What <see cref="Done"/> will be at the end; null where nobody knows.</summary>
    public long? Total { get; private set; }

    /// <summary>The result, a JSON object; null until the end.</summary>
    public string? Result { get; private set; }

    /// <summary>Why it failed.</summary>
    public string? Error { get; private set; }

    /// <summary>How many processes have begun it; more than one after a crash.</summary>
    public int Attempts { get; private set; }

    /// <summary>Who has asked to cancel it; null while nobody has.</summary>
    public string? Cancel { get; private set; }

    /// <summary>When it was asked for.</summary>
    public DateTimeOffset CreatedAt { get; private set; }

    /// <summary>When its last attempt began.</summary>
    public DateTimeOffset? StartedAt { get; private set; }

    /// <summary>Its last sign of life, every two seconds.</summary>
    public DateTimeOffset? HeartbeatAt { get; private set; }

    /// <summary>When it ended; null while it is queued or running.</summary>
    public DateTimeOffset? EndedAt { get; private set; }
}

/// <summary>A part of the file that an operation reads or has written: a row of
/// <c>tenancy.operation_files</c>.</summary>
public sealed class OperationFileRow
{
    /// <summary>Whose; the key, with the part.</summary>
    public Guid Operation { get; init; }

    /// <summary>The part's place in the file, from 0.</summary>
    public int Part { get; init; }

    /// <summary>At most a megabyte.</summary>
    public byte[] Bytes { get; init; } = [];
}
