#pragma warning disable EF1001 // What EF itself uses instead is internal by name.

using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Update;
using Microsoft.EntityFrameworkCore.Update.Internal;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Tenancy.Queries;
using Xunit;

namespace Tests.Integration.Queries;

/// <summary>A single command isn't sorted; what is sent to the server is what EF sends, in its order.</summary>
public sealed class SingleCommandPreparerTests(App app)
{
    private static readonly Guid Ada = new("00000000-0000-0000-0000-0000000000ad");
    private static readonly Guid Grace = new("00000000-0000-0000-0000-0000000000ac");
    private static readonly Guid Billed = new("00000000-0000-0000-0000-0000000000b1");

    [Theory]
    [InlineData("nothing", 0)]
    [InlineData("a row added", 1)]
    [InlineData("a row changed", 1)]
    [InlineData("a row removed", 1)]
    [InlineData("an invoice before its lines, and after its contact", 4)]
    [InlineData("lines removed before their invoice", 2)]
    [InlineData("a line moved to where another was", 2)]
    public async Task What_is_saved_goes_out_as_EF_sends_it(string what, int statements)
    {
        var acme = (await app.NewCustomerAsync()).Tenant;
        await using (var db = Open(acme, efs: false, _ => { }))
        {
            var ada = Contact(Ada);
            db.AddRange(Invoice(Billed, ada), Contact(Grace));
            await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        }

        var ours = await SentAsync(acme, what, efs: false);
        Assert.Equal(await SentAsync(acme, what, efs: true), ours);
        Assert.Equal(statements,
            ours.SelectMany(command => command.Split(";\n"))
                .Count(statement => statement.Contains(acme.Schema.Value, StringComparison.Ordinal)));
    }

    private async Task<List<string>> SentAsync(Tenant tenant, string what, bool efs)
    {
        var sent = new List<string>();
        await using var db = Open(tenant, efs, sent.Add);
        await using var undone = await db.Database.BeginTransactionAsync(TestContext.Current.CancellationToken);
        var contacts = await db.Contacts.ToDictionaryAsync(
            contact => contact.Id, TestContext.Current.CancellationToken);
        var invoice = await db.Invoices.Include(i => i.Lines).SingleAsync(TestContext.Current.CancellationToken);
        switch (what)
        {
            case "a row added": db.Add(Contact(new("00000000-0000-0000-0000-0000000000ab"))); break;
            case "a row changed": contacts[Ada].Email = "ada@example.com"; break;
            case "a row removed": db.Remove(contacts[Grace]); break;
            case "an invoice before its lines, and after its contact": db.Add(
                Invoice(new("00000000-0000-0000-0000-0000000000b2"),
                    Contact(new("00000000-0000-0000-0000-0000000000ab")))); break;
            case "lines removed before their invoice": db.Remove(invoice); break;
            case "a line moved to where another was":
                db.Remove(invoice.Lines.Single());
                db.Add(Line(new("00000000-0000-0000-0000-00000000001f"), 1, Billed));
                break;
        }

        sent.Clear();
        await db.SaveChangesAsync(TestContext.Current.CancellationToken);
        return sent;
    }

    private InvoicingContext Open(Tenant tenant, bool efs, Action<string> sent)
    {
        var options = new DbContextOptionsBuilder<InvoicingContext>();
        options.UseNpgsql(app.Services.GetRequiredService<NpgsqlDataSource>()).UseTenancy(new() { EfOptimizations = !efs })
            .EnableSensitiveDataLogging()
            .LogTo((id, _) => id == RelationalEventId.CommandExecuting,
                data => sent(((CommandEventData)data).Command.CommandText
                    + string.Join(", ",
                        ((CommandEventData)data).Command.Parameters.Cast<NpgsqlParameter>()
                            .Select(parameter => $"{parameter.ParameterName}={parameter.Value}"))));
        var db = new InvoicingContext(options.Options).For(tenant);
        Assert.Equal(
            efs ? typeof(CommandBatchPreparer) : typeof(SingleCommandPreparer), db.GetService<ICommandBatchPreparer>().GetType());
        return db;
    }

    private static Contact Contact(Guid id) => new() { Id = id, Name = "Ada Moreau" };

    private static InvoiceLine Line(Guid id, int position, Guid invoice) =>
        new() { Id = id, InvoiceId = invoice, Position = position, Description = "Work", Quantity = 1, UnitPrice = 2,
            Total = 2 };

    private static Invoice Invoice(Guid id, Contact contact)
    {
        var invoice = new Invoice { Id = id, Contact = contact, ContactId = contact.Id, CurrencyCode = "EUR",
            IssuedOn = new(2026, 1, 1), DueOn = new(2026, 2, 1) };
        var bytes = id.ToByteArray();
        bytes[^2]++;
        invoice.Lines.Add(Line(new(bytes), 1, id));
        if (id != Billed)
        {
            bytes[^2]++;
            invoice.Lines.Add(Line(new(bytes), 2, id));
        }

        return invoice;
    }
}
