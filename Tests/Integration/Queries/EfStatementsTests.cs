// EF translates what is called in a query: no culture of the process counts.
#pragma warning disable CA1304, CA1305, CA1311

using System.Data.Common;
using System.Text.RegularExpressions;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Diagnostics;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Tenancy;
using Tenancy.Sql;
using Tests.Integration.Migrations;
using Tests.Oracle;
using Xunit;

namespace Tests.Integration.Queries;

/// <summary>
/// What EF generates, beside PostgreSQL's own parser: the guard lets it pass, and sees each name of the parse tree.
/// Nothing reaches a server.
/// </summary>
public sealed partial class EfStatementsTests
{
    private static readonly Tenant Acme = new(Guid.NewGuid(), "acme", SchemaName.Parse("customer_acme"));
    private static readonly AllowList Shared = new(["public.currencies"], ["public"], []);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_name_in_what_EF_generates_is_seen_and_the_guard_lets_it_pass()
    {
        var statements = Queries().Concat(await WritesAsync()).Concat(OfMigrations()).ToList();
        using var parser = await PostgresParser.StartAsync(Ct);
        // The guard keeps no name of the tenant's own: under another schema's name it has to see them all. It refuses
        // another's search_path and another's sequence before it looks.
        var elsewhere = statements.Where(sql => !sql.Contains("search_path", StringComparison.Ordinal)
                && !sql.Contains("nextval", StringComparison.Ordinal))
            .Select(sql => sql.Replace(TenantPlaceholder.Schema, "elsewhere", StringComparison.Ordinal)).ToList();
        // Npgsql numbers the parameters before PostgreSQL sees them; their names may be key words.
        var trees = await parser.ParseAsync([.. elsewhere.Select(sql => Parameter().Replace(sql, "$$1"))], Ct);

        Assert.All(statements, sql => SqlTemplate.Of(sql).Guard(Shared, inMigration: true));
        Assert.All(elsewhere.Zip(trees), one =>
        {
            Assert.True(one.Second is not null, $"PostgreSQL can't parse: {one.First}");
            Assert.Empty(SeenNames.Missing(one.Second, StatementReader.Names(one.First, inMigration: true)));
        });
        Assert.InRange(statements.Count, 100, int.MaxValue);
    }

    private static IEnumerable<string> Queries()
    {
        using var services = Services(new());
        using var db = services.GetRequiredService<TenantContextFactory<InvoicingContext>>().Create(Acme);
        return [.. Shapes(db).Select(query => Placed(query.ToQueryString().Split("\n\nThis LINQ query")[0]))];
    }

    private static IEnumerable<IQueryable> Shapes(InvoicingContext db)
    {
        var (from, select, ids) = (DateOnly.FromDayNumber(1), "x", new[] { Guid.NewGuid(), Guid.NewGuid() });
        var (contacts, invoices, lines) = (db.Contacts, db.Invoices, db.InvoiceLines);
        yield return contacts;
        yield return contacts.Where(c => c.Name == select && c.Email != null).OrderBy(c => c.Name).Skip(3).Take(5);
        yield return contacts.Where(c => ids.Contains(c.Id));
        yield return contacts.Where(c => !new[] { "a", "b" }.Contains(c.Name) || c.Name.StartsWith(select));
        yield return contacts.Where(c => EF.Functions.ILike(c.Name, select) && c.Name.Length > 3);
        yield return contacts.Select(c => new { c.Name, Upper = c.Name.ToUpper(), Part = c.Name.Substring(1, 2) });
        yield return contacts.Select(c => c.Email ?? c.Name).Distinct();
        yield return contacts.GroupBy(c => c.Name.Substring(0, 1)).Select(g => new { g.Key, Count = g.Count() })
            .Where(g => g.Count > 1).OrderByDescending(g => g.Count);
        yield return contacts.Where(c => invoices.Any(i => i.ContactId == c.Id));
        yield return contacts.Where(c => invoices.All(i => i.ContactId != c.Id || i.PaidOn != null));
        yield return contacts.Select(c => invoices.Count(i => i.ContactId == c.Id));
        yield return contacts.Select(
            c => new { c, Last = invoices.Where(i => i.ContactId == c.Id).Max(i => (DateOnly?)i.DueOn) });
        yield return contacts.Concat(contacts.Where(c => c.Email == null));
        yield return contacts.Select(c => c.Id).Union(invoices.Select(i => i.ContactId));
        yield return contacts.Select(c => c.Id).Except(invoices.Select(i => i.ContactId));
        yield return contacts.Select(c => c.Id).Intersect(invoices.Select(i => i.ContactId));
        yield return contacts.FromSqlRaw("SELECT * FROM \"__Tenant__\".contacts").Where(c => c.Name != "");
        yield return contacts.TagWith("a tag; with 'quotes'").Where(c => c.CreatedAt < DateTimeOffset.UtcNow);
        yield return contacts.Where(
            c => c.CreatedAt.AddDays(3).Year == 2020 && c.CreatedAt.DayOfWeek == DayOfWeek.Monday);
        yield return contacts.OrderBy(c => EF.Functions.Random()).ThenBy(c => EF.Functions.Collate(c.Name, "C"));
        yield return contacts.SelectMany(c => invoices.Where(i => i.ContactId == c.Id).OrderBy(i => i.DueOn).Take(2));
        yield return contacts.SelectMany(
            c => invoices.Where(i => i.ContactId == c.Id).DefaultIfEmpty(),
            (c, i) => new { c.Name, Number = (int?)i!.Number });
        yield return contacts.GroupJoin(
            invoices, c => c.Id, i => i.ContactId, (c, all) => new { c.Name, Count = all.Count() });
        yield return contacts.LeftJoin(invoices, c => c.Id, i => i.ContactId, (c, i) => new { c.Name, i!.DueOn });
        yield return invoices.Where(i => i.DueOn >= from && i.Contact.Name == select);
        yield return invoices.Include(i => i.Lines).Include(i => i.Contact);
        yield return invoices.Include(i => i.Lines.Where(l => l.Total > 5).OrderBy(l => l.Position).Take(3));
        yield return invoices.AsSplitQuery().Include(i => i.Lines);
        yield return invoices.Join(
            db.Currencies, i => i.CurrencyCode, c => c.Code, (i, c) => new { i.Number, c.Decimals });
        yield return invoices.Select(i => new { i.Id, Sum = i.Lines.Sum(l => l.Quantity * l.UnitPrice) });
        yield return invoices.Select(i => new { i.Id, First = i.Lines.OrderBy(l => l.Position).FirstOrDefault() });
        yield return invoices.Where(i => i.Lines.Average(l => l.Total) > 10 || i.Lines.Count == 0);
        yield return invoices.GroupBy(i => new { i.CurrencyCode, i.DueOn.Year })
            .Select(g => new
            {
                g.Key, Open = g.Count(i => i.PaidOn == null), Names = string.Join(", ", g.Select(i => i.Contact.Name)),
            });
        yield return invoices.Select(i => i.PaidOn == null ? i.DueOn < from ? "late" : "open" : "paid");
        yield return invoices.Where(i => i.DueOn.AddMonths(1) > from)
            .Select(i => i.DueOn.DayNumber - i.IssuedOn.DayNumber);
        yield return invoices.OrderBy(i => i.Contact.Name).ThenByDescending(i => i.Number).Select(i => i.Contact.Email);
        yield return lines.GroupBy(l => l.InvoiceId).Select(
            g => new { g.Key, Max = g.Max(l => l.Total), Top = g.OrderByDescending(l => l.Total).First() });
        yield return lines.Where(l => Math.Round(l.Quantity, 1) > 2 && Math.Abs(l.UnitPrice) < 5 && l.Total % 2 == 0);
        yield return lines.Select(l => new { l.Id, Text = l.Description + ": " + l.Total.ToString() });
        yield return lines.Where(l => invoices.Where(i => i.PaidOn != null).Select(i => i.Id).Contains(l.InvoiceId));
        yield return db.Database.SqlQuery<int>(
            $"SELECT count(*)::int AS \"Value\" FROM \"__Tenant__\".contacts WHERE name = {select}").Where(n => n > 1);
        yield return db.Currencies.Where(c => c.Decimals > 0).Select(c => c.Code);
    }

    private static async Task<IEnumerable<string>> WritesAsync()
    {
        var heard = new Heard();
        await using var services = Services(heard);
        var contexts = services.GetRequiredService<TenantContextFactory<InvoicingContext>>();
        await using var bulk = contexts.Create(Acme);
        await bulk.Contacts.Where(c => c.Name == "x").ExecuteDeleteAsync(Ct);
        await bulk.Contacts.Where(c => bulk.Invoices.Any(i => i.ContactId == c.Id)).ExecuteUpdateAsync(
            set => set.SetProperty(c => c.Email, c => c.Name + "@example.com").SetProperty(c => c.Name, "y"), Ct);
        await bulk.Invoices.Where(i => i.Contact.Name == "x").ExecuteUpdateAsync(
            set => set.SetProperty(i => i.PaidOn, i => bulk.Invoices.Max(other => other.DueOn)), Ct);
        await bulk.InvoiceLines.OrderBy(l => l.Total).Take(3).ExecuteDeleteAsync(Ct);
        await bulk.Database.ExecuteSqlAsync(
            $"UPDATE \"__Tenant__\".contacts SET name = {"x"} WHERE id = {Guid.NewGuid()}", Ct);
        foreach (var state in new[] { EntityState.Added, EntityState.Modified, EntityState.Deleted })
        {
            // Three of one number can't be sorted by the unique index.
            foreach (var count in state is EntityState.Modified ? new[] { 1 } : [1, 3])
            {
                await using var db = contexts.Create(Acme);
                db.Database.AutoTransactionBehavior = AutoTransactionBehavior.Never;
                for (var number = 0; number < count; number++)
                {
                    var contact = new Contact { Id = Guid.CreateVersion7(), Name = "x" };
                    var invoice = new Invoice { Id = Guid.CreateVersion7(), Contact = contact, CurrencyCode = "EUR" };
                    db.Entry(contact).State = state;
                    db.Entry(invoice).State = state;
                }

                await Assert.ThrowsAnyAsync<Exception>(() => db.SaveChangesAsync(Ct));
            }
        }

        Assert.Equal(10, heard.Texts.Count);
        return heard.Texts.Select(Placed);
    }

    /// <summary>
    /// But for the statement that sets a seeded key's sequence: the library writes it, behind the guard.
    /// </summary>
    private static IEnumerable<string> OfMigrations() => Operations.All().Where(one => one.Refusal is null)
        .Select(one => Placed(OperationsTests.Compiled("20260102000000_Second", one.Do).Up.Script(Acme.Schema)))
        .Where(script => !script.Contains("setval(", StringComparison.Ordinal));

    /// <summary>As the guard reads it: with the placeholder in the schema's place.</summary>
    private static string Placed(string sql) =>
        sql.Replace($"\"{Acme.Schema}\"", $"\"{TenantPlaceholder.Schema}\"", StringComparison.Ordinal);

    private static ServiceProvider Services(Heard heard) => new ServiceCollection()
        .AddLogging(logging => logging.ClearProviders())
        .AddTenancy<InvoicingContext>(
            options => options.ConnectionString = "Host=nowhere",
            options => options.AddInterceptors(heard, new Closed()))
        .BuildServiceProvider();

    [GeneratedRegex(@"@\w+")]
    private static partial Regex Parameter();

    private sealed class Closed : DbConnectionInterceptor
    {
        public override ValueTask<InterceptionResult> ConnectionOpeningAsync(
            DbConnection connection, ConnectionEventData eventData, InterceptionResult result,
            CancellationToken cancellationToken = default) => new(InterceptionResult.Suppress());
    }

    private sealed class Heard : DbCommandInterceptor
    {
        public List<string> Texts { get; } = [];

        public override ValueTask<InterceptionResult<int>> NonQueryExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<int> result,
            CancellationToken cancellationToken = default)
        {
            Texts.Add(command.CommandText);
            return new(InterceptionResult<int>.SuppressWithResult(0));
        }

        public override ValueTask<InterceptionResult<DbDataReader>> ReaderExecutingAsync(
            DbCommand command, CommandEventData eventData, InterceptionResult<DbDataReader> result,
            CancellationToken cancellationToken = default)
        {
            Texts.Add(command.CommandText);
            throw new InvalidOperationException("Heard.");
        }
    }
}
