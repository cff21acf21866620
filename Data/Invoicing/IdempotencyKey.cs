namespace Data.Invoicing;

/// <summary>
/// A key that a request was sent with, and the response that a repetition gets. Without a response, the first request
/// is being answered, or it ended without an answer.
/// </summary>
public sealed class IdempotencyKey
{
    public const int LongestKey = 255;

    public required string Key { get; init; }

    /// <summary>What was asked for: the method, the route and the route's values.</summary>
    public required string Operation { get; init; }

    /// <summary>SHA-256 of the body's bytes.</summary>
    public required byte[] BodyHash { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public int? Status { get; init; }

    /// <summary>A JSON object: the headers by name.</summary>
    public string? Headers { get; init; }

    public byte[]? Body { get; init; }
}
