namespace Data.Invoicing;

/// <summary>Somebody whom a customer sends invoices to.</summary>
public sealed class Contact
{
    public const int LongestName = 200;
    public const int LongestEmail = 254;

    public Guid Id { get; init; }

    public required string Name { get; set; }

    public string? Email { get; set; }

    public DateTimeOffset CreatedAt { get; init; }
}
