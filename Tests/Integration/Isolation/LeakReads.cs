using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Tenancy;

namespace Tests.Integration.Isolation;

/// <summary>Every way to read through a tenant's context, each row looked at.</summary>
internal sealed class LeakReads(LeakRun run, InvoicingContext db, Tenant tenant, Random random, CancellationToken ct)
{
    private const int Most = 20;

    private static readonly Func<InvoicingContext, string, IAsyncEnumerable<Contact>> Compiled = EF.CompileAsyncQuery(
        (InvoicingContext db,
            string like) => db.Contacts.Where(c => EF.Functions.Like(c.Name, like)).OrderBy(c => c.Id).Take(Most));

    private int _rows;

    public async Task OneAsync()
    {
        _rows = 0;
        var way = random.Next(11);
        await (way switch
        {
            0 => TrackedAsync(),
            1 => UntrackedAsync(),
            2 => IncludedAsync(split: false),
            3 => IncludedAsync(split: true),
            4 => FromSqlAsync(),
            5 => SqlQueryAsync(),
            6 => CompiledAsync(),
            7 => JoinedAsync(),
            8 => ByHandAsync(),
            9 => StreamedAsync(),
            _ => Task.Run(Synchronous, ct),
        });
        if (_rows == 0)
        {
            // Every customer has rows from the beginning, which nobody deletes.
            run.Strangers.Add($"{tenant.Slug} read nothing (way {way})");
        }
    }

    public void Look(string? text)
    {
        _rows++;
        if (!Rows.IsOf(tenant, text))
        {
            run.Strangers.Add($"{tenant.Slug} read '{text}'");
        }
    }

    private async Task TrackedAsync()
    {
        foreach (var contact in await db.Contacts.OrderByDescending(c => c.Id).Take(Most).ToListAsync(ct))
        {
            Look(contact.Name);
        }
    }

    private async Task UntrackedAsync()
    {
        foreach (var name in await db.Contacts.AsNoTracking().OrderBy(c => c.Name).Select(c => c.Name).Take(Most)
            .ToListAsync(ct))
        {
            Look(name);
        }
    }

    private async Task IncludedAsync(bool split)
    {
        var invoices = db.Invoices.AsNoTracking().Include(i => i.Contact).Include(i => i.Lines)
            .OrderByDescending(i => i.Id).Take(5);
        foreach (var invoice in await (split ? invoices.AsSplitQuery() : invoices.AsSingleQuery()).ToListAsync(ct))
        {
            Look(invoice.Contact.Name);
            invoice.Lines.ForEach(line => Look(line.Description));
        }
    }

    private async Task FromSqlAsync()
    {
        foreach (var contact in await db.Contacts.FromSql(
            $"SELECT * FROM \"__Tenant__\".contacts WHERE name <> {"\"__Tenant__\""} ORDER BY id LIMIT {Most}")
                .ToListAsync(ct))
        {
            Look(contact.Name);
        }
    }

    private async Task SqlQueryAsync()
    {
        foreach (var text in await db.Database.SqlQuery<string>(
            $"SELECT description AS \"Value\" FROM \"__Tenant__\".invoice_lines /* \"__Tenant__\" */ LIMIT {Most}")
                .ToListAsync(ct))
        {
            Look(text);
        }
    }

    private async Task CompiledAsync()
    {
        await foreach (var contact in Compiled(db, "%|%").WithCancellation(ct))
        {
            Look(contact.Name);
        }
    }

    private async Task JoinedAsync()
    {
        var names =
            from invoice in db.Invoices
            join currency in db.Currencies on invoice.CurrencyCode equals currency.Code
            where invoice.Lines.Sum(line => line.Total) > 0
            orderby invoice.Number descending
            select invoice.Contact.Name;
        foreach (var name in await names.Take(Most).ToListAsync(ct))
        {
            Look(name);
        }
    }

    /// <summary>What bypasses EF takes the schema from the tenant, and shares the context's connection.</summary>
    private async Task ByHandAsync()
    {
        await db.Database.OpenConnectionAsync(ct);
        try
        {
            await using var command = db.Database.GetDbConnection().CreateCommand();
            command.Transaction = db.Database.CurrentTransaction?.GetDbTransaction();
            command.CommandText = $"SELECT name FROM {tenant.Schema.Qualify("contacts")} ORDER BY id LIMIT {Most}";
            await using var rows = await command.ExecuteReaderAsync(ct);
            while (await rows.ReadAsync(ct))
            {
                Look(rows.GetString(0));
            }
        }
        finally
        {
            await db.Database.CloseConnectionAsync();
        }
    }

    private async Task StreamedAsync()
    {
        await foreach (var contact in db.Contacts.OrderByDescending(c => c.Id).Take(Most).AsAsyncEnumerable()
            .WithCancellation(ct))
        {
            Look(contact.Name);
            await Task.Yield();
        }
    }

    private void Synchronous()
    {
        foreach (var contact in db.Contacts.OrderBy(c => c.Id).Take(Most).ToList())
        {
            Look(contact.Name);
        }
    }
}
