using System.Globalization;
using Web.Shell;

namespace Web.Invoices;

/// <summary>
/// What is entered to create an invoice. Shaped like the request, so that the API's objections find their fields.
/// </summary>
public sealed class NewInvoice : IForm
{
    public NewContact Contact { get; } = new();

    /// <summary>The code, or null as long as none is chosen.</summary>
    public string? Currency { get; set; }

    public DateTime? IssuedOn { get; set; }

    public DateTime? DueOn { get; set; }

    public List<NewLine> Lines { get; } = [new()];

    public IEnumerable<FieldError> Check()
    {
        if (string.IsNullOrWhiteSpace(Contact.Name))
        {
            yield return new("contact.name", "Enter who the invoice is for.");
        }

        if (!string.IsNullOrWhiteSpace(Contact.Email) && !IsAddress(Contact.Email.Trim()))
        {
            yield return new("contact.email", "Enter an address like name@example.com, or nothing.");
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
        Contact = new { Name = Contact.Name.Trim(),
            Email = string.IsNullOrWhiteSpace(Contact.Email) ? null : Contact.Email.Trim() },
        Currency,
        IssuedOn = Date(IssuedOn),
        DueOn = Date(DueOn),
        Lines = Lines.Select(line => new { Description = line.Description.Trim(), line.Quantity, line.UnitPrice }),
    };

    /// <summary>As much as can be told without sending mail: one @ with something before and after it.</summary>
    private static bool IsAddress(string email) => email.Split('@') is [{ Length: > 0 }, { Length: > 0 }];

    private static string? Date(DateTime? date) => date?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture);
}

public sealed class NewContact
{
    public string Name { get; set; } = "";

    public string? Email { get; set; }
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
