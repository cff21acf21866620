namespace Data.Invoicing;

/// <summary>What a customer has chosen for itself. One row, or none as long as nothing was chosen.</summary>
public sealed class Settings
{
    /// <summary>The id of the only row.</summary>
    public const int OnlyRow = 1;

    public int Id { get; init; } = OnlyRow;

    /// <summary>The currency that new invoices begin with; null for none.</summary>
    public string? CurrencyCode { get; set; }
}
