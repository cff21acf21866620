using System.Globalization;
using Web.Shell;

namespace Web.Invoices;

/// <summary>
/// Which invoices a list has, and in which order. It stands in the page's address by the API's own names, so that back,
/// reload and a link work. What somebody typed into the address goes to the API, which says what is wrong with it.
/// </summary>
public sealed record InvoiceFilter
{
    /// <summary>Part of the contact's name, or the invoice's number.</summary>
    public string? Search { get; init; }

    /// <summary><c>open</c>, <c>overdue</c> or <c>paid</c>; null for all.</summary>
    public string? Status { get; init; }

    /// <summary>A currency's code.</summary>
    public string? Currency { get; init; }

    /// <summary>A contact's id.</summary>
    public string? Contact { get; init; }

    public string? IssuedFrom { get; init; }

    public string? IssuedTo { get; init; }

    public string? DueFrom { get; init; }

    public string? DueTo { get; init; }

    public string? NumberFrom { get; init; }

    public string? NumberTo { get; init; }

    /// <summary><c>newest</c>, <c>oldest</c>, <c>dueFirst</c> or <c>dueLast</c>; null for the newest first.</summary>
    public string? Sort { get; init; }

    /// <summary>From 1.</summary>
    public int Page { get; init; } = 1;

    /// <summary>Whether it leaves invoices out.</summary>
    public bool IsNarrow => this with { Sort = null, Page = 1 } != new InvoiceFilter();

    /// <summary>The address of a customer's list.</summary>
    public string Address(string slug) => Parameters() is { Length: > 0 } query
        ? $"/customers/{slug}/invoices?{query}"
        : $"/customers/{slug}/invoices";

    /// <summary>The query of an address, without its question mark; empty for all invoices.</summary>
    public string Parameters() => string.Join('&', new (string Name, string? Value)[]
    {
        // A blank at the end stays: somebody types on.
        ("search", string.IsNullOrWhiteSpace(Search) ? null : Search),
        ("status", Status), ("currency", Currency), ("contact", Contact),
        ("issuedFrom", IssuedFrom), ("issuedTo", IssuedTo), ("dueFrom", DueFrom), ("dueTo", DueTo),
        ("numberFrom", NumberFrom), ("numberTo", NumberTo), ("sort", Sort),
        ("page", Page == 1 ? null : Page.ToString(CultureInfo.InvariantCulture)),
    }.Where(one => !string.IsNullOrEmpty(one.Value)).Select(one => $"{one.Name}={Uri.EscapeDataString(one.Value!)}"));

    /// <summary>
    /// What leaves invoices out beside the search, the status and the days of issue, and the list without it.
    /// </summary>
    /// <param name="contact">The contact's name, where it is known.</param>
    public IEnumerable<(string Words, InvoiceFilter Without)> Narrowings(string? contact)
    {
        if (!string.IsNullOrEmpty(Currency))
        {
            yield return ($"In {Currency}", this with { Currency = null, Page = 1 });
        }

        if (!string.IsNullOrEmpty(Contact))
        {
            yield return ($"For {contact ?? "one contact"}", this with { Contact = null, Page = 1 });
        }

        if (Range("Due", DueFrom, DueTo, Day) is { } due)
        {
            yield return (due, this with { DueFrom = null, DueTo = null, Page = 1 });
        }

        if (Range("Numbers", NumberFrom, NumberTo, number => $"#{number}") is { } numbers)
        {
            yield return (numbers, this with { NumberFrom = null, NumberTo = null, Page = 1 });
        }
    }

    private static string? Range(string what, string? from, string? to, Func<string, string> show) =>
        (string.IsNullOrEmpty(from), string.IsNullOrEmpty(to)) switch
        {
            (true, true) => null,
            (false, true) => $"{what} from {show(from!)}",
            (true, false) => $"{what} until {show(to!)}",
            _ => from == to ? $"{what} {show(from!)}" : $"{what} {show(from!)} to {show(to!)}",
        };

    private static string Day(string text) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day)
            ? Words.Date(day)
            : text;
}
