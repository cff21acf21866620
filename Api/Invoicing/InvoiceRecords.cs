using System.ComponentModel.DataAnnotations;
using Api.Contract;
using Data.Customers;
using Data.Invoicing;

namespace Api.Invoicing;

/// <summary>Where an invoice stands today.</summary>
public enum InvoiceStatus
{
    Open,
    Overdue,
    Paid,
}

/// <summary>An invoice in a list.</summary>
public sealed record InvoiceSummary(
    Guid Id, int Number, string Contact, string Currency, int Decimals, DateOnly IssuedOn, DateOnly DueOn,
    InvoiceStatus Status, decimal Total);

/// <summary>An invoice with its lines and total.</summary>
public sealed record InvoiceView(
    Guid Id, int Number, ContactView Contact, Customers.CurrencyView Currency, DateOnly IssuedOn, DateOnly DueOn,
    DateOnly? PaidOn,
    InvoiceStatus Status, decimal Total, IReadOnlyList<InvoiceLineView> Lines)
{
    internal static InvoiceView Of(Invoice i, Currency currency, DateOnly today) => new(
        i.Id, i.Number, new(i.Contact.Id, i.Contact.Name, i.Contact.Email),
        new(currency.Code, currency.Name, currency.Decimals),
        i.IssuedOn, i.DueOn, i.PaidOn,
        i.PaidOn is not null ? InvoiceStatus.Paid : i.DueOn < today ? InvoiceStatus.Overdue : InvoiceStatus.Open,
        i.Lines.Sum(line => line.Total),
        [.. i.Lines.OrderBy(l => l.Position)
            .Select(l => new InvoiceLineView(l.Id, l.Position, l.Description, l.Quantity, l.UnitPrice, l.Total))]);
}

/// <summary>Who an invoice goes to.</summary>
public sealed record ContactView(Guid Id, string Name, string? Email);

/// <summary>A line of an invoice; money in the invoice's currency.</summary>
public sealed record InvoiceLineView(
    Guid Id, int Position, string Description, decimal Quantity, decimal UnitPrice, decimal Total);

/// <summary>An invoice to be written.</summary>
public sealed record NewInvoice(
    [property: Required(ErrorMessage = "Say who the invoice goes to.")] NewContact? Contact,
    [property: Required(ErrorMessage = "Name a currency."),
        RegularExpression(@"^[A-Z]{3}\z", ErrorMessage = "Use a currency's three letters, e.g. EUR.")] string? Currency,
    [property: Required(ErrorMessage = "Say when the invoice is issued, e.g. 2026-11-23.")] DateOnly? IssuedOn,
    [property: Required(ErrorMessage = "Say when the invoice is due, e.g. 2026-12-23."),
        NotBefore(nameof(NewInvoice.IssuedOn), ErrorMessage = "An invoice can't be due before it is issued.")]
    DateOnly? DueOn,
    [property: Required(ErrorMessage = "An invoice has lines."),
        MinLength(1, ErrorMessage = "An invoice has at least one line."),
        MaxLength(500, ErrorMessage = "An invoice has at most 500 lines.")] IReadOnlyList<NewInvoiceLine?>? Lines)
    : IValidatableObject
{
    /// <inheritdoc/>
    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        for (var i = 0; i < Lines?.Count; i++)
        {
            if (Lines[i] is null)
            {
                yield return new("A line can't be null.", [$"Lines[{i}]"]);
            }
        }
    }

    internal static string UnknownCurrency(string? code) => $"There is no currency '{code}' here.";

    /// <summary>
    /// Writes it over an invoice that there is, without its lines. To be called when it is validated.
    /// </summary>
    internal void WriteTo(Invoice invoice, Contact contact, Currency currency)
    {
        (invoice.Contact, invoice.ContactId, invoice.CurrencyCode) = (contact, contact.Id, currency.Code);
        (invoice.IssuedOn, invoice.DueOn) = (IssuedOn!.Value, DueOn!.Value);
    }

    /// <summary>Its lines, for an invoice. To be called when it is validated.</summary>
    internal IEnumerable<InvoiceLine> LinesOf(Guid invoice, Currency currency) =>
        Lines!.Select((line, index) => line!.ToLine(invoice, index + 1, currency));

    /// <summary>
    /// What is stored of it. To be called when it is validated: nothing that is required is missing then.
    /// </summary>
    internal Invoice ToInvoice(Contact contact, Currency currency, DateTimeOffset createdAt, DateOnly? paidOn = null)
    {
        var id = Guid.CreateVersion7();
        return new()
        {
            Id = id,
            ContactId = contact.Id,
            Contact = contact,
            CurrencyCode = currency.Code,
            IssuedOn = IssuedOn!.Value,
            DueOn = DueOn!.Value,
            PaidOn = paidOn,
            CreatedAt = createdAt,
            Lines = [.. LinesOf(id, currency)],
        };
    }
}

/// <summary>Who an invoice goes to: the contact of that name and address, or a new one.</summary>
public sealed record NewContact(
    [property: Required(ErrorMessage = "Say who the invoice goes to."), StringLength(Contact.LongestName),
        PlainText] string? Name,
    [property: EmailAddress(ErrorMessage = "That is no e-mail address."),
        StringLength(Contact.LongestEmail)] string? Email = null)
{
    /// <summary>By what a contact is found again.</summary>
    internal (string Name, string? Email) Known() =>
        (Name!.Trim(), string.IsNullOrWhiteSpace(Email) ? null : Email.Trim());

    internal Contact ToContact(DateTimeOffset createdAt)
    {
        var (name, email) = Known();
        return new() { Id = Guid.CreateVersion7(), Name = name, Email = email, CreatedAt = createdAt };
    }
}

/// <summary>A line to be written. Quantity has up to three decimals, the unit price up to four.</summary>
public sealed record NewInvoiceLine(
    [property: Required(ErrorMessage = "Say what the line is for."),
        StringLength(InvoiceLine.LongestDescription),
        PlainText(AllowLines = true)] string? Description,
    [property: Required(ErrorMessage = "Say how much."),
        Range(typeof(decimal), "0.001", "99999999", ParseLimitsInInvariantCulture = true,
            ErrorMessage = "The quantity has to be more than zero, 99,999,999 at most."),
        Decimals(3, ErrorMessage = "The quantity has three decimals at most.")] decimal? Quantity,
    [property: Required(ErrorMessage = "Say what one costs."),
        Range(typeof(decimal), "0", "9999999", ParseLimitsInInvariantCulture = true,
            ErrorMessage = "The unit price has to be from 0 to 9,999,999."),
        Decimals(4, ErrorMessage = "The unit price has four decimals at most.")] decimal? UnitPrice)
{
    internal InvoiceLine ToLine(Guid invoice, int position, Currency currency) => new()
    {
        Id = Guid.CreateVersion7(),
        InvoiceId = invoice,
        Position = position,
        Description = Description!.Trim(),
        Quantity = Quantity!.Value,
        UnitPrice = UnitPrice!.Value,
        Total = InvoiceLine.TotalOf(Quantity.Value, UnitPrice.Value, currency.Decimals),
    };
}
