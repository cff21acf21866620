using System.Net.Http.Json;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Xunit;

namespace Tests.Integration.Invoicing;

/// <summary>Who looks whether a contact is there and then adds it isn't alone.</summary>
public sealed class UniqueContactsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Invoices_written_at_once_for_a_new_contact_share_it()
    {
        var customer = await app.NewCustomerAsync();

        var written = await Task.WhenAll(Enumerable.Range(1, 30).Select(async number =>
        {
            using var answer = await customer.Http.PostAsJsonAsync("/invoices", TestCustomer.Invoice(number), Ct);
            return answer.IsSuccessStatusCode;
        }));

        Assert.All(written, Assert.True);
        await using var db = app.Invoicing.Create(customer.Tenant);
        var contact = await db.Contacts.SingleAsync(Ct);
        Assert.Equal(30, await db.Invoices.CountAsync(invoice => invoice.ContactId == contact.Id, Ct));
    }

    [Theory]
    [InlineData("ada@example.com")]
    [InlineData(null)]
    public async Task The_migration_makes_equal_contacts_one_and_keeps_their_invoices(string? email)
    {
        var customer = await app.NewCustomerAsync();
        await using var db = app.AsOwner(customer.Tenant);
        await db.GetService<IMigrator>().MigrateAsync("GrantApiRole", Ct);
        for (var number = 0; number < 3; number++)
        {
            db.Invoices.Add(new Invoice
            {
                Contact = new() { Name = "Ada", Email = email },
                CurrencyCode = "EUR",
                IssuedOn = new(2026, 1, 1),
                DueOn = new(2026, 2, 1),
                Lines = [new() { Position = 1, Description = "Work", Quantity = 1, UnitPrice = 1, Total = 1 }],
            });
            await db.SaveChangesAsync(Ct);
        }

        db.Contacts.Add(new() { Name = "Ada", Email = "another@example.com" });
        await db.SaveChangesAsync(Ct);
        var oldest = await db.Contacts.Where(c => c.Email == email).OrderBy(c => c.Id).Select(c => c.Id).FirstAsync(Ct);

        await db.GetService<IMigrator>().MigrateAsync(cancellationToken: Ct);

        db.ChangeTracker.Clear();
        Assert.Equal(2, await db.Contacts.CountAsync(Ct));
        Assert.Equal(3, await db.Invoices.CountAsync(invoice => invoice.ContactId == oldest, Ct));
    }
}
