using Data.Customers;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Logging;
using Tenancy;

namespace MigrationService;

/// <summary>Three customers with invoices, so that the first `dotnet run` has something to show.</summary>
internal sealed partial class DemoCustomers(
    CustomersContext shared, CustomerRegistry registry, TimeProvider time, ILogger<DemoCustomers> log)
{
    private static readonly (string Slug, string Name, string Currency, int Decimals)[] Customers =
    [
        ("acme", "Acme Corporation", "EUR", 2),
        ("globex", "Globex GmbH", "CHF", 2),
        ("initech", "Initech KK", "JPY", 0),
    ];

    private static readonly (string Contact, string Email)[] Contacts =
    [
        ("Ada Moreau", "ada.moreau@example.com"),
        ("Jonas Lindqvist", "jonas.lindqvist@example.com"),
        ("Mika Tanaka", "mika.tanaka@example.com"),
    ];

    private static readonly (string Description, decimal Quantity, decimal UnitPrice)[] Work =
    [
        ("Discovery workshop", 1, 1850), ("Implementation, days", 6.5m, 960), ("Support, hours", 12, 110),
        ("Hosting, months", 3, 240),
        ("Data migration, days", 2, 1040), ("Training, half days", 3, 520), ("Licence, seats", 25, 18),
        ("Design review", 1, 780),
    ];

    /// <summary>Does nothing once there is any customer: whoever deleted a demo customer doesn't get it back.</summary>
    public async Task AddOnFirstRunAsync(CancellationToken ct)
    {
        if (!await shared.Customers.AnyAsync(ct) && await AddAsync(ct) is { Count: > 0 } added)
        {
            LogAdded(log, string.Join(", ", added));
        }
    }

    /// <summary>Adds those that don't exist.</summary>
    /// <returns>The slugs of those that it added.</returns>
    public async Task<IReadOnlyList<string>> AddAsync(CancellationToken ct)
    {
        var added = new List<string>();
        foreach (var (slug, name, currency, decimals) in Customers)
        {
            using var scope = log.BeginTenantScope(slug);
            try
            {
                await registry.CreateAsync(
                    slug, name, context => AddInvoicesAsync(context, slug, currency, decimals, ct), ct: ct);
                added.Add(slug);
            }
            catch (SlugTakenException)
            {
                // It exists, or another replica of the job has just added it.
            }
        }

        return added;
    }

    private async Task AddInvoicesAsync(
        InvoicingContext context, string slug, string currency, int decimals, CancellationToken ct)
    {
        // The same every time, different from customer to customer.
        var random = new Random(slug.Sum(letter => letter));
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        var contacts = Contacts.Select(c =>
            new Contact { Name = c.Contact, Email = c.Email, CreatedAt = time.GetUtcNow() }).ToList();
        for (var age = 11; age >= 0; age--)
        {
            var issued = today.AddDays(-12 * age);
            var due = issued.AddDays(30);
            context.Invoices.Add(new Invoice
            {
                Contact = contacts[age % contacts.Count],
                CurrencyCode = currency,
                IssuedOn = issued,
                DueOn = due,
                PaidOn = age > 3 && age != 5 ? due.AddDays(-random.Next(1, 20)) : null,
                CreatedAt = time.GetUtcNow(),
                Lines =
                [
                    .. random.GetItems(Work, random.Next(1, 5)).Select((work, index) => new InvoiceLine
                    {
                        Position = index + 1,
                        Description = work.Description,
                        Quantity = work.Quantity,
                        UnitPrice = work.UnitPrice,
                        Total = InvoiceLine.TotalOf(work.Quantity, work.UnitPrice, decimals),
                    }),
                ],
            });
            // One by one, so that numbers follow the dates.
            await context.SaveChangesAsync(ct);
        }
    }

    [LoggerMessage(LogLevel.Information, "First run in Development: added the demo customers {Slugs}, with invoices.")]
    private static partial void LogAdded(ILogger log, string slugs);
}
