using Api;
using CsCheck;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Xunit;

namespace Tests.Integration.Queries;

/// <summary>What an order makes of a query: rows after a row, by values that are parameters, along an index.</summary>
public sealed class KeysetTests(App app)
{
    private static readonly string?[] Emails = [null, "a@example.com", "b@example.com", "B@example.com"];

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Keys_that_are_null_have_their_place_in_both_directions()
    {
        var acme = await app.NewCustomerAsync();
        var email = Gen.Int[0, Emails.Length - 1].Select(at => Emails[at]);
        await Gen.Select(email.Array[0, 30], Gen.Int[1, 7]).SampleAsync(async (emails, size) =>
        {
            await using var db = app.Invoicing.Create(acme.Tenant);
            await db.Contacts.ExecuteDeleteAsync(Ct);
            db.AddRange(emails.Select(one => new Contact { Name = Guid.NewGuid().ToString(), Email = one }));
            await db.SaveChangesAsync(Ct);
            foreach (var descending in new[] { false, true })
            {
                var order = Keyset<Contact, Contact>.By(
                    "email", c => c.Email, c => c.Email, c => c.Id, c => c.Id, descending, isNullable: true);
                var expected = await (descending
                    ? db.Contacts.OrderByDescending(c => c.Email).ThenByDescending(c => c.Id)
                    : db.Contacts.OrderBy(c => c.Email).ThenBy(c => c.Id)).Select(c => c.Id).ToListAsync(Ct);
                var rows = db.Contacts.AsNoTracking();
                var read = await order.Sort(rows).Take(size).ToListAsync(Ct);
                while (read.Count < expected.Count)
                {
                    var rest = order.After(rows, order.CursorOf(read[^1]))!;
                    var page = await order.Sort(rest).Take(size).ToListAsync(Ct);
                    Assert.NotEmpty(page);
                    read.AddRange(page);
                }

                Assert.Equal(expected, read.Select(c => c.Id));
            }
        }, iter: TestDepth.Of(15, 200), threads: 1);
    }

    [Fact]
    public async Task The_cursors_values_are_parameters_of_one_comparison()
    {
        var acme = await app.NewCustomerAsync();
        await using var db = app.Invoicing.Create(acme.Tenant);
        var byName = Keyset<Contact, Contact>.By("name", c => c.Name, c => c.Name, c => c.Id, c => c.Id);
        var at = byName.CursorOf(new() { Name = "Ada" });

        var sql = byName.Sort(byName.After(db.Contacts, at)!).ToQueryString();

        Assert.Matches(@"WHERE \(c\.name, c\.id\) > \(@\w+, @\w+\)\s+ORDER BY c\.name, c\.id", sql);
    }

    [Fact]
    public async Task A_page_in_the_middle_of_the_newest_is_read_along_the_index()
    {
        var acme = await app.NewCustomerAsync();
        var (contacts, invoices) = (acme.Tenant.Schema.Qualify("contacts"), acme.Tenant.Schema.Qualify("invoices"));
        await using var source = NpgsqlDataSource.Create(app.ConnectionString);
        await using var fill = source.CreateCommand(
            $"""
            INSERT INTO {contacts} (id, name, created_at) VALUES (gen_random_uuid(), 'Ada', now());
            INSERT INTO {invoices} (id, contact_id, currency_code, issued_on, due_on, created_at)
            SELECT gen_random_uuid(), c.id, 'EUR', '2026-11-23', '2026-12-23', now()
            FROM {contacts} AS c, generate_series(1, 5000);
            ANALYZE {invoices};
            """);
        await fill.ExecuteNonQueryAsync(Ct);
        await using var db = app.Invoicing.Create(acme.Tenant);
        var newest = Keyset<Invoice, int>.ById("newest", i => i.Number, number => number, descending: true);

        var page = newest.Sort(newest.After(db.Invoices, newest.CursorOf(2500))!).Select(i => i.Id).Take(25);

        await using var explain = source.CreateCommand("EXPLAIN " + string.Join('\n',
            page.ToQueryString().Split('\n').Where(line => !line.StartsWith("--", StringComparison.Ordinal)))
            .Replace("@Value", "2500", StringComparison.Ordinal).Replace("@p", "25", StringComparison.Ordinal));
        var plan = "";
        await using var lines = await explain.ExecuteReaderAsync(Ct);
        while (await lines.ReadAsync(Ct))
        {
            plan += lines.GetString(0) + "\n";
        }

        Assert.Contains("Index Scan Backward using ix_invoices_number", plan, StringComparison.Ordinal);
        Assert.Contains("Index Cond: (number < 2500)", plan, StringComparison.Ordinal);
        Assert.DoesNotContain("Sort", plan, StringComparison.Ordinal);
    }
}
