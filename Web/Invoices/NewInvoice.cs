using System.Globalization;
using Web.Contacts;
using Web.Shell;

namespace Web.Invoices;

/// <summary>
/// What is entered to write an invoice, new or anew. Shaped like the request, so that the API's objections find their
/// fields.
/// </summary>
public sealed class NewInvoice : IForm
{
    public ContactForm Contact { get; init; } = new();

    /// <summary>The code, or null as long as none is chosen.</summary>
    public string? Currency { get; set; }

    public DateTime? IssuedOn { get; set; }

    public DateTime? DueOn { get; set; }

    public List<NewLine> Lines { get; init; } = [new()];

    /// <summary>A form that says what the invoice says.</summary>
    public static NewInvoice Of(Invoice invoice) => new()
    {
        Contact = ContactForm.Of(invoice.Contact),
        Currency = invoice.Currency.Code,
        IssuedOn = invoice.IssuedOn.ToDateTime(default),
        DueOn = invoice.DueOn.ToDateTime(default),
        Lines = [.. invoice.Lines.Select(line => new NewLine
        {
            Description = line.Description, Quantity = Plain(line.Quantity), UnitPrice = Plain(line.UnitPrice),
        })],
    };

    public IEnumerable<FieldError> Check()
    {
        foreach (var error in Contact.Check("contact.", "Enter who the invoice is for."))
        {
            yield return error;
        }

        if (string.IsNullOrEmpty(Currency))
        {
            yield return new("currency", "Choose a currency.");
        }

        if (IssuedOn is null)
        {
            yield return new("issuedOn", "Enter a date.");
        }

        if (DueOn is null)
        {
            yield return new("dueOn", "Enter a date.");
        }
        else if (DueOn < IssuedOn)
        {
            yield return new("dueOn", "Not before the day of issue.");
        }

        foreach (var error in Lines.SelectMany((line, index) => line.Check($"lines[{index}].")))
        {
            yield return error;
        }
    }

    /// <summary>
    /// The sum of the lines, each rounded to the currency's decimals. The API's figure counts: this one is for the eye.
    /// </summary>
    public decimal Total(int decimals) => Lines.Sum(line => line.Total(decimals));

    /// <summary>The request's body.</summary>
    public object ToWire() => new
    {
        Contact = Contact.ToWire(),
        Currency,
        IssuedOn = Date(IssuedOn),
        DueOn = Date(DueOn),
        Lines = Lines.Select(line => new { Description = line.Description.Trim(), line.Quantity, line.UnitPrice }),
    };

    /// <summary>Without the zeros that a database keeps: 2.5, not 2.500.</summary>
    private static decimal Plain(decimal figure) => figure / 1.0000000000000000000000000000m;

    private static string? Date(DateTime? date) => date?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}

public sealed class NewLine
{
    private const decimal MostOfOne = 99_999_999;
    private const decimal HighestPrice = 9_999_999;

    public string Description { get; set; } = "";

    public decimal? Quantity { get; set; } = 1;

    public decimal? UnitPrice { get; set; }

    public decimal Total(int decimals) =>
        Math.Round((Quantity ?? 0) * (UnitPrice ?? 0), decimals, MidpointRounding.AwayFromZero);

    public IEnumerable<FieldError> Check(string path)
    {
        if (string.IsNullOrWhiteSpace(Description))
        {
            yield return new(path + "description", "Enter what is invoiced.");
        }

        if (Quantity is not > 0)
        {
            yield return new(path + "quantity", "More than 0.");
        }
        else if (Quantity > MostOfOne)
        {
            yield return new(path + "quantity", $"At most {MostOfOne:N0}.");
        }
        else if (HasMoreDecimals(Quantity.Value, 3))
        {
            yield return new(path + "quantity", "At most 3 decimals.");
        }

        if (UnitPrice is null)
        {
            yield return new(path + "unitPrice", "Enter a price.");
        }
        else if (UnitPrice is < 0 or > HighestPrice)
        {
            yield return new(path + "unitPrice", $"From 0 to {HighestPrice:N0}.");
        }
        else if (HasMoreDecimals(UnitPrice.Value, 4))
        {
            yield return new(path + "unitPrice", "At most 4 decimals.");
        }
    }

    private static bool HasMoreDecimals(decimal value, int decimals) => value != Math.Round(value, decimals);
}
