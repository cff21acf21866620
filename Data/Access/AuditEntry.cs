namespace Data.Access;

/// <summary>What an operator did in a customer's name. Rows are added and never changed.</summary>
public sealed class AuditEntry
{
    /// <summary>The longest reason, characters.</summary>
    public const int LongestReason = 500;

    /// <summary>The longest operator's name that is kept, characters.</summary>
    public const int LongestOperator = 200;

    /// <summary>The longest path that is kept, characters.</summary>
    public const int LongestPath = 500;

    public long Id { get; private set; }

    public DateTimeOffset At { get; init; }

    /// <summary><c>started</c>: a token was made. <c>used</c>: a request came with it.</summary>
    public required string Kind { get; init; }

    /// <summary>The token; all its uses have the same.</summary>
    public Guid Impersonation { get; init; }

    /// <summary>Who acts.</summary>
    public required string Operator { get; init; }

    /// <summary>For which customer. It may be gone since.</summary>
    public Guid CustomerId { get; init; }

    /// <summary>The customer's slug then.</summary>
    public required string Slug { get; init; }

    /// <summary>Why, in the operator's words.</summary>
    public required string Reason { get; init; }

    /// <summary>The request's method.</summary>
    public required string Method { get; init; }

    /// <summary>The request's path, without its query.</summary>
    public required string Path { get; init; }

    /// <summary>The request's trace.</summary>
    public string? TraceId { get; init; }
}
