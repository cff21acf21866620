using System.ComponentModel.DataAnnotations;
using Data.Invoicing;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Api.Invoicing;

/// <summary>Which invoices a list has, and in which order.</summary>
public sealed class InvoiceFilter
{
    /// <summary>Part of the contact's name, or the invoice's number.</summary>
    [FromQuery(Name = "search"), StringLength(Data.Invoicing.Contact.LongestName)]
    public string? Search { get; init; }

    /// <summary>Only invoices that stand so today: <c>open</c>, <c>overdue</c> or <c>paid</c>.</summary>
    [FromQuery(Name = "status"),
        RegularExpression("^(open|overdue|paid)$", ErrorMessage = "Use open, overdue or paid.")]
    public string? Status { get; init; }

    /// <summary>Only those issued on that day or later.</summary>
    [FromQuery(Name = "issuedFrom")]
    public DateOnly? IssuedFrom { get; init; }

    /// <summary>Only those issued on that day or earlier.</summary>
    [FromQuery(Name = "issuedTo")]
    public DateOnly? IssuedTo { get; init; }

    /// <summary>Only those due on that day or later.</summary>
    [FromQuery(Name = "dueFrom")]
    public DateOnly? DueFrom { get; init; }

    /// <summary>Only those due on that day or earlier.</summary>
    [FromQuery(Name = "dueTo")]
    public DateOnly? DueTo { get; init; }

    /// <summary>Only invoices in this currency, e.g. <c>EUR</c>.</summary>
    [FromQuery(Name = "currency"),
        RegularExpression(@"^[A-Z]{3}\z", ErrorMessage = "Use a currency's three letters, e.g. EUR.")]
    public string? Currency { get; init; }

    /// <summary>Only those that go to this contact.</summary>
    [FromQuery(Name = "contact")]
    public Guid? Contact { get; init; }

    /// <summary>Only those with this number or a higher one: what an import wrote.</summary>
    [FromQuery(Name = "numberFrom")]
    public int? NumberFrom { get; init; }

    /// <summary>Only those with this number or a lower one.</summary>
    [FromQuery(Name = "numberTo")]
    public int? NumberTo { get; init; }

    /// <summary>
    /// The order: <c>newest</c> first (the default), <c>oldest</c> first, or by the day on which they are due,
    /// <c>dueFirst</c> or <c>dueLast</c>.
    /// </summary>
    [FromQuery(Name = "sort"), RegularExpression("^(newest|oldest|dueFirst|dueLast)$",
        ErrorMessage = "Use newest, oldest, dueFirst or dueLast.")]
    public string? Sort { get; init; }

    internal IQueryable<Invoice> Of(IQueryable<Invoice> invoices, DateOnly today)
    {
        if (!string.IsNullOrWhiteSpace(Search))
        {
            var text = Search.Trim();
            var pattern = Searching.Pattern(text);
            invoices = int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out var number)
                ? invoices.Where(i => i.Number == number
                    || EF.Functions.ILike(i.Contact.Name, pattern, Searching.Escape))
                : invoices.Where(i => EF.Functions.ILike(i.Contact.Name, pattern, Searching.Escape));
        }

        invoices = Status switch
        {
            "paid" => invoices.Where(i => i.PaidOn != null),
            "overdue" => invoices.Where(i => i.PaidOn == null && i.DueOn < today),
            "open" => invoices.Where(i => i.PaidOn == null && i.DueOn >= today),
            _ => invoices,
        };
        if (!string.IsNullOrEmpty(Currency))
        {
            invoices = invoices.Where(i => i.CurrencyCode == Currency);
        }

        if (Contact is { } contact)
        {
            invoices = invoices.Where(i => i.ContactId == contact);
        }

        return Between(invoices);
    }

    private IQueryable<Invoice> Between(IQueryable<Invoice> invoices)
    {
        if (IssuedFrom is { } issuedFrom)
        {
            invoices = invoices.Where(i => i.IssuedOn >= issuedFrom);
        }

        if (IssuedTo is { } issuedTo)
        {
            invoices = invoices.Where(i => i.IssuedOn <= issuedTo);
        }

        if (DueFrom is { } dueFrom)
        {
            invoices = invoices.Where(i => i.DueOn >= dueFrom);
        }

        if (DueTo is { } dueTo)
        {
            invoices = invoices.Where(i => i.DueOn <= dueTo);
        }

        if (NumberFrom is { } numberFrom)
        {
            invoices = invoices.Where(i => i.Number >= numberFrom);
        }

        if (NumberTo is { } numberTo)
        {
            invoices = invoices.Where(i => i.Number <= numberTo);
        }

        return invoices;
    }

    /// <summary>The order, by its name. Numbers have an index, and no two invoices have the same.</summary>
    internal Keyset<Invoice, InvoiceSummary> Order() => Orders[string.IsNullOrEmpty(Sort) ? "newest" : Sort];

    private static readonly Dictionary<string, Keyset<Invoice, InvoiceSummary>> Orders = new[]
    {
        Keyset<Invoice, InvoiceSummary>.ById("newest", i => i.Number, item => item.Number, descending: true),
        Keyset<Invoice, InvoiceSummary>.ById("oldest", i => i.Number, item => item.Number),
        Keyset<Invoice, InvoiceSummary>.By(
            "dueFirst", i => i.DueOn, item => item.DueOn, i => i.Number, item => item.Number),
        Keyset<Invoice, InvoiceSummary>.By(
            "dueLast", i => i.DueOn, item => item.DueOn, i => i.Number, item => item.Number, descending: true),
    }.ToDictionary(order => order.Name);
}
