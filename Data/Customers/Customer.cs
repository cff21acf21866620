using Tenancy;

namespace Data.Customers;

/// <summary>Whether a customer is served.</summary>
public enum CustomerStatus
{
    Active,
    Suspended,
    Archived,
}

/// <summary>A customer, as the operators know it: the registry's row behind a <see cref="Tenant"/>.</summary>
public sealed class Customer
{
    /// <summary>The longest name, characters.</summary>
    public const int LongestName = 200;

    public Guid Id { get; init; }

    /// <summary>The name in addresses; may change.</summary>
    public required string Slug { get; set; }

    public required string Name { get; set; }

    /// <summary>Never changes and is never used again.</summary>
    public required string Schema { get; init; }

    public CustomerStatus Status { get; set; }

    /// <summary>Which wave of a migration it belongs to; 0 goes first, and only who was put there is in it.</summary>
    public int Ring { get; set; } = LedgerRow.UsualRing;

    /// <summary>The database that has its schema; null for the first one: <see cref="Tenant.Database"/>.</summary>
    public string? Database { get; init; }

    public DateTimeOffset CreatedAt { get; init; }

    public DateTimeOffset? SuspendedAt { get; set; }

    public DateTimeOffset? ArchivedAt { get; set; }

    public Tenant AsTenant() => new(Id, Slug, SchemaName.Parse(Schema)) { Database = Database };
}
