using Data.Customers;

namespace Data.Access;

/// <summary>
/// A key by which a program says who it is: an operator's, or a customer's. The secret isn't stored, only its hash.
/// </summary>
public sealed class ApiKey
{
    /// <summary>The longest name, characters.</summary>
    public const int LongestName = 100;

    /// <summary>The part of the key's text that finds it; see <see cref="ApiKeyText"/>.</summary>
    public required string Id { get; init; }

    /// <summary>Whose key it is; null for an operator's.</summary>
    public Guid? CustomerId { get; init; }

    /// <summary>The customer. A customer's keys end with it.</summary>
    public Customer? Customer { get; init; }

    /// <summary>What it is for, in its owner's words.</summary>
    public required string Name { get; init; }

    /// <summary>SHA-256 of the secret. A secret of 256 random bits needs no slow hash.</summary>
    public required byte[] Hash { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>When it was last used, to the minute; null for never.</summary>
    public DateTimeOffset? LastUsedAt { get; init; }

    /// <summary>From then on it is refused; null while it isn't.</summary>
    public DateTimeOffset? RevokedAt { get; init; }
}
