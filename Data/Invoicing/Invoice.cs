namespace Data.Invoicing;

/// <summary>
/// An invoice of one customer. A change of a line touches its invoice, so <see cref="Version"/> guards both.
/// </summary>
public sealed class Invoice
{
    public Guid Id { get; init; }

    /// <summary>Counted up per customer by its own schema's identity; a rolled-back invoice leaves a gap.</summary>
    public int Number { get; private set; }

    public Guid ContactId { get; set; }

    public required Contact Contact { get; set; }

    /// <summary>A code of the shared <c>currencies</c>, joined without a foreign key.</summary>
    public required string CurrencyCode { get; set; }

    public DateOnly IssuedOn { get; set; }

    public DateOnly DueOn { get; set; }

    public DateOnly? PaidOn { get; set; }

    public DateTimeOffset CreatedAt { get; init; }

    /// <summary>PostgreSQL's <c>xmin</c>: changes with every update of the row.</summary>
    public uint Version { get; private set; }

    public List<InvoiceLine> Lines { get; init; } = [];
}

/// <summary>A line of an invoice.</summary>
public sealed class InvoiceLine
{
    public const int LongestDescription = 500;

    public Guid Id { get; init; }

    public Guid InvoiceId { get; init; }

    /// <summary>1 is the first.</summary>
    public int Position { get; init; }

    public required string Description { get; set; }

    /// <summary>Up to three decimals.</summary>
    public decimal Quantity { get; init; }

    public decimal UnitPrice { get; init; }

    /// <summary>
    /// Quantity times unit price, rounded to the currency's decimals, half away from zero; kept as it was invoiced.
    /// </summary>
    public decimal Total { get; init; }

    public static decimal TotalOf(decimal quantity, decimal unitPrice, int decimals) =>
        Math.Round(quantity * unitPrice, decimals, MidpointRounding.AwayFromZero);
}
