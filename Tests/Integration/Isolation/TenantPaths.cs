// Names put into raw SQL are what is tried here.
#pragma warning disable EF1002

using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Isolation;

/// <summary>
/// Every way by which a tenant context reaches the server. Each does one thing, to rows whose ids are the same in every
/// customer, so that a statement in the wrong schema would find something there. Docs/isolation.md lists them.
/// </summary>
internal static class TenantPaths
{
    public static readonly Guid ContactId = new("0196f0a0-0000-7000-8000-000000000001");
    public static readonly Guid InvoiceId = new("0196f0a0-0000-7000-8000-000000000002");

    private static readonly Func<InvoicingContext, Guid, Task<Contact?>> Compiled =
        EF.CompileAsyncQuery((InvoicingContext db, Guid id) => db.Contacts.SingleOrDefault(c => c.Id == id));

    private static readonly Func<InvoicingContext, IEnumerable<string>> CompiledSync =
        EF.CompileQuery((InvoicingContext db) => db.Contacts.OrderBy(c => c.Id).Select(c => c.Name));

    private static readonly string Table = $"\"{TenantPlaceholder.Schema}\".contacts";

    /// <summary>What only reads; each gives the names it saw.</summary>
    public static readonly Dictionary<string, Func<InvoicingContext, Task<IEnumerable<string>>>> Reads = new()
    {
        ["LINQ"] = async db => await db.Contacts.Select(c => c.Name).ToListAsync(),
        ["LINQ, sync"] = db => Task.FromResult<IEnumerable<string>>([.. db.Contacts.Select(c => c.Name)]),
        ["LINQ, streamed"] = async db =>
        {
            var names = new List<string>();
            await foreach (var contact in db.Contacts.AsAsyncEnumerable())
            {
                names.Add(contact.Name);
            }

            return names;
        },
        ["LINQ, aggregate"] = async db => [(await db.Contacts.MaxAsync(c => c.Name))!],
        ["LINQ, collection parameter"] = async db =>
            await db.Contacts.Where(c => new[] { ContactId, InvoiceId }.Contains(c.Id)).Select(c => c.Name)
                .ToListAsync(),
        ["join with shared data"] = async db => await (
            from invoice in db.Invoices join currency in db.Currencies on invoice.CurrencyCode equals currency.Code select invoice.Contact.Name).ToListAsync(),
        ["Include"] = async db => Named(await db.Invoices.Include(i => i.Contact).Include(i => i.Lines).ToListAsync()),
        ["Include, split query"] = async db =>
            Named(await db.Invoices.Include(i => i.Contact).Include(i => i.Lines).AsSplitQuery().ToListAsync()),
        ["Include, split query, sync"] = db =>
            Task.FromResult(Named([.. db.Invoices.Include(i => i.Contact).Include(i => i.Lines).AsSplitQuery()])),
        ["explicit loading"] = async db =>
        {
            var invoice = new Invoice { Id = InvoiceId, ContactId = ContactId, Contact = null!, CurrencyCode = "EUR" };
            db.Attach(invoice);
            await db.Entry(invoice).Collection(i => i.Lines).LoadAsync();
            return invoice.Lines.Select(line => line.Description);
        },
        ["Find"] = async db => [(await db.Contacts.FindAsync(ContactId))!.Name],
        ["Reload"] = async db =>
        {
            var contact = new Contact { Id = ContactId, Name = "stale" };
            db.Attach(contact);
            await db.Entry(contact).ReloadAsync();
            return [contact.Name];
        },
        ["compiled query"] = async db => [(await Compiled(db, ContactId))!.Name],
        ["compiled query, sync"] = db => Task.FromResult<IEnumerable<string>>([.. CompiledSync(db)]),
        ["FromSql"] = async db =>
            await db.Contacts.FromSqlRaw($"SELECT * FROM {Table}").Select(c => c.Name).ToListAsync(),
        ["FromSql, composed"] = async db =>
            await db.Contacts.FromSql($"SELECT * FROM \"__Tenant__\".contacts WHERE id = {ContactId}")
                .Where(c => c.Name != "").OrderBy(c => c.Name).Select(c => c.Name).ToListAsync(),
        ["SqlQuery"] = async db =>
            await db.Database.SqlQueryRaw<string>($"SELECT name AS \"Value\" FROM {Table}").ToListAsync(),
        ["SqlQuery, sync"] = db =>
            Task.FromResult<IEnumerable<string>>(
                [.. db.Database.SqlQueryRaw<string>($"SELECT name AS \"Value\" FROM {Table}")]),
        ["CreateTenantCommand"] = async db =>
        {
            await db.Database.OpenConnectionAsync();
            await using var command = db.CreateTenantCommand($"SELECT name FROM {Table}");
            return [(string)(await command.ExecuteScalarAsync())!];
        },
        ["CreateDbCommand"] = async db =>
        {
            await using var command = db.Contacts.Select(c => c.Name).CreateDbCommand();
            await db.Database.OpenConnectionAsync();
            return [(string)(await command.ExecuteScalarAsync())!];
        },
        ["inside a transaction"] = async db =>
        {
            await using var transaction = await db.Database.BeginTransactionAsync();
            return await db.Contacts.Select(c => c.Name).ToListAsync();
        },
    };

    /// <summary>What writes.</summary>
    public static readonly Dictionary<string, Func<InvoicingContext, Task>> Writes = new()
    {
        ["SaveChanges, insert"] = db => Added(db).SaveChangesAsync(),
        ["SaveChanges, insert, sync"] = db => Task.FromResult(Added(db).SaveChanges()),
        ["SaveChanges, batch"] = db =>
        {
            db.Contacts.AddRange(Enumerable.Range(0, 60).Select(n => new Contact { Name = $"one of many {n}" }));
            return db.SaveChangesAsync();
        },
        ["SaveChanges, update"] = db =>
        {
            var contact = new Contact { Id = ContactId, Name = "before" };
            db.Attach(contact);
            contact.Name = "after";
            return db.SaveChangesAsync();
        },
        ["SaveChanges, delete"] = db =>
        {
            db.Remove(new Invoice { Id = InvoiceId, ContactId = ContactId, Contact = null!, CurrencyCode = "EUR" })
                .Property(i => i.Version).OriginalValue = VersionOf(db);
            return db.SaveChangesAsync();
        },
        ["ExecuteUpdate"] = db =>
            db.Contacts.ExecuteUpdateAsync(set => set.SetProperty(c => c.Email, "changed@example.com")),
        ["ExecuteUpdate, sync"] = db =>
            Task.FromResult(db.Contacts.ExecuteUpdate(set => set.SetProperty(c => c.Email, "changed@example.com"))),
        ["ExecuteDelete"] = db => db.InvoiceLines.ExecuteDeleteAsync(),
        ["ExecuteDelete, sync"] = db => Task.FromResult(db.InvoiceLines.ExecuteDelete()),
        ["ExecuteSql"] = db => db.Database.ExecuteSqlAsync($"UPDATE \"__Tenant__\".contacts SET email = {"changed"}"),
        ["ExecuteSql, sync"] = db =>
            Task.FromResult(db.Database.ExecuteSqlRaw($"UPDATE {Table} SET email = 'changed'")),
        ["transaction with savepoints"] = async db =>
        {
            await using var transaction = await db.Database.BeginTransactionAsync();
            await Added(db).SaveChangesAsync();
            await transaction.CreateSavepointAsync("before");
            // Refused by the invoices' foreign key.
            await Assert.ThrowsAsync<PostgresException>(() => db.Contacts.ExecuteDeleteAsync());
            await transaction.RollbackToSavepointAsync("before");
            await transaction.CommitAsync();
        },
        ["CreateTenantCommand in a transaction"] = async db =>
        {
            await using var transaction = await db.Database.BeginTransactionAsync();
            await using var command = db.CreateTenantCommand($"UPDATE {Table} SET email = 'changed'");
            await command.ExecuteNonQueryAsync();
            await transaction.CommitAsync();
        },
        ["binary COPY"] = async db =>
        {
            await db.Database.OpenConnectionAsync();
            var connection = (NpgsqlConnection)db.Database.GetDbConnection();
            await using var copy = await connection.BeginBinaryImportAsync(
                $"COPY {db.Tenant().Schema.Qualify("contacts")} (id, name, created_at) FROM STDIN (FORMAT BINARY)");
            await copy.WriteRowAsync(CancellationToken.None, Guid.CreateVersion7(), "copied", DateTime.UtcNow);
            await copy.CompleteAsync();
        },
    };

    /// <summary>What reaches the server and neither reads nor writes a customer's rows.</summary>
    public static readonly Dictionary<string, Func<InvoicingContext, Task>> Others = new()
    {
        ["OpenConnection"] = db => db.Database.OpenConnectionAsync(),
        ["OpenConnection, sync"] = db => Do(db.Database.OpenConnection),
        ["BeginTransaction"] = db => db.Database.BeginTransactionAsync(),
        ["BeginTransaction, sync"] = db => Do(() => db.Database.BeginTransaction()),
        ["Migrate"] = db => db.Database.MigrateAsync(),
        ["Migrate, sync"] = db => Do(db.Database.Migrate),
        ["GetAppliedMigrations"] = db => db.Database.GetAppliedMigrationsAsync(),
        ["ToQueryString"] = db => Do(() => db.Contacts.ToQueryString()),
    };

    private static InvoicingContext Added(InvoicingContext db)
    {
        db.Contacts.Add(new Contact { Name = "added" });
        return db;
    }

    private static IEnumerable<string> Named(List<Invoice> invoices) =>
        invoices.SelectMany(i => i.Lines.Select(line => line.Description).Append(i.Contact.Name));

    private static uint VersionOf(InvoicingContext db) =>
        db.Invoices.AsNoTracking().Where(i => i.Id == InvoiceId).Select(i => i.Version).Single();

    private static Task Do(Action action)
    {
        action();
        return Task.CompletedTask;
    }
}
