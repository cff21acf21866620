using Data.Invoicing;
using Tenancy;

namespace Tests.Integration.Isolation;

/// <summary>Rows that say whose they are: each of their texts starts with the customer's slug.</summary>
internal static class Rows
{
    public static string Text(Tenant tenant, string text) => $"{tenant.Slug}|{text}";

    public static bool IsOf(Tenant tenant, string? text) =>
        text is not null && text.StartsWith($"{tenant.Slug}|", StringComparison.Ordinal);

    public static Contact Contact(Books.Entry entry, string state) => new() { Name = entry.Name, Email = state };

    public static Invoice Invoice(Tenant tenant, Contact contact) => new()
    {
        Contact = contact,
        CurrencyCode = "EUR",
        IssuedOn = new(2026, 11, 23),
        DueOn = new(2026, 12, 23),
        Lines =
        [
            new() { Position = 1, Description = Text(tenant, "one"), Quantity = 1, UnitPrice = 2, Total = 2 },
            new() { Position = 2, Description = Text(tenant, "two"), Quantity = 2, UnitPrice = 2, Total = 4 },
        ],
    };
}
