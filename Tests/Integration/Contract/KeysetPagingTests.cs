using System.Net.Http.Json;
using System.Text.Json.Nodes;
using CsCheck;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Xunit;

namespace Tests.Integration.Contract;

/// <summary>A list that is read page by page, each from where the one before ended.</summary>
public sealed class KeysetPagingTests(App app)
{
    /// <summary>Only a collation puts them into an order.</summary>
    private static readonly string[] Names =
        ["Ada", "ada", "Ádám", "Zoë", "🦊", "\"", "\\", "李", "a b", new('ß', 200)];

    private static readonly DateOnly Day = new(2026, 11, 23);

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_pages_of_invoices_are_the_list_in_every_order()
    {
        var acme = await app.NewCustomerAsync();
        await Gen.Select(Gen.Int[0, 5].Array[0, 40], Gen.Int[1, 12]).SampleAsync(async (days, size) =>
        {
            await using var db = app.Invoicing.Create(acme.Tenant);
            await db.Invoices.ExecuteDeleteAsync(Ct);
            var contact = new Contact { Name = Guid.NewGuid().ToString() };
            db.Invoices.AddRange(days.Select(day => Invoice(contact, day)));
            await db.SaveChangesAsync(Ct);
            foreach (var (sort, sorted) in new (string, IQueryable<Invoice>)[]
            {
                ("newest", db.Invoices.OrderByDescending(i => i.Number)),
                ("oldest", db.Invoices.OrderBy(i => i.Number)),
                ("dueFirst", db.Invoices.OrderBy(i => i.DueOn).ThenBy(i => i.Number)),
                ("dueLast", db.Invoices.OrderByDescending(i => i.DueOn).ThenByDescending(i => i.Number)),
            })
            {
                Assert.Equal(await sorted.Select(i => i.Id).ToListAsync(Ct),
                    await WalkAsync(acme, $"/invoices?sort={sort}&pageSize={size}"));
            }
        }, iter: TestDepth.Of(15, 200), threads: 1);
    }

    [Fact]
    public async Task The_pages_of_contacts_are_the_list_in_every_order()
    {
        var acme = await app.NewCustomerAsync();
        var name = Gen.Int[0, Names.Length - 1].Select(at => Names[at]);
        await Gen.Select(name.Array[0, 40], Gen.Int[1, 12]).SampleAsync(async (names, size) =>
        {
            await using var db = app.Invoicing.Create(acme.Tenant);
            await db.Contacts.ExecuteDeleteAsync(Ct);
            // Every fourth has no address, and the others share three.
            db.Contacts.AddRange(names.Select((one, at) => (Name: one, Email: at % 4)).DistinctBy(one =>
                one.Email == 0 ? (object)Guid.NewGuid() : one).Select(one => new Contact
                {
                    Name = one.Name, Email = one.Email == 0 ? null : $"{one.Email}@example.com",
                }));
            await db.SaveChangesAsync(Ct);

            foreach (var (sort, sorted) in new (string, IQueryable<Contact>)[]
            {
                ("", db.Contacts.OrderBy(c => c.Name).ThenBy(c => c.Id)),
                ("-name", db.Contacts.OrderByDescending(c => c.Name).ThenByDescending(c => c.Id)),
                ("email", db.Contacts.OrderBy(c => c.Email).ThenBy(c => c.Id)),
                ("-email", db.Contacts.OrderByDescending(c => c.Email).ThenByDescending(c => c.Id)),
            })
            {
                Assert.Equal(await sorted.Select(c => c.Id).ToListAsync(Ct),
                    await WalkAsync(acme, $"/customers/{acme.Tenant.Slug}/contacts?sort={sort}&pageSize={size}"));
            }
        }, iter: TestDepth.Of(15, 200), threads: 1);
    }

    [Fact]
    public async Task Rows_that_come_and_go_between_pages_lead_to_no_duplicate_and_no_gap()
    {
        var acme = await app.NewCustomerAsync();
        foreach (var sort in new[] { "newest", "oldest", "dueFirst", "dueLast" })
        {
            await using var db = app.Invoicing.Create(acme.Tenant);
            await db.Invoices.ExecuteDeleteAsync(Ct);
            var contact = new Contact { Name = sort };
            var all = Enumerable.Range(0, 30).Select(n => Invoice(contact, n % 4)).ToList();
            db.AddRange(all);
            await db.SaveChangesAsync(Ct);
            var random = new Random(TestSeed.Say());
            var gone = new HashSet<Guid>();

            var read = await WalkAsync(acme, $"/invoices?sort={sort}&pageSize=4", async last =>
            {
                // The last row read goes, too: the next page begins where it was.
                foreach (var id in all.Select(i => i.Id).Where(_ => random.Next(10) == 0).Append(last))
                {
                    gone.Add(id);
                    await db.Invoices.Where(i => i.Id == id).ExecuteDeleteAsync(Ct);
                }

                db.Add(Invoice(contact, random.Next(4)));
                await db.SaveChangesAsync(Ct);
            });

            Assert.Equal(read.Count, read.Distinct().Count());
            Assert.Superset(all.Select(i => i.Id).Except(gone).ToHashSet(), read.ToHashSet());
        }
    }

    [Fact]
    public async Task A_numbered_page_says_what_comes_after_it()
    {
        var acme = await app.NewCustomerAsync();
        foreach (var amount in new[] { 1m, 2m, 3m, 4m, 5m })
        {
            await acme.CreateInvoiceAsync(amount);
        }

        var second = await PageAsync(acme, "/invoices?page=2&pageSize=2");
        var third = await PageAsync(acme, $"/invoices?pageSize=2&after={second["next"]}");

        Assert.Equal((2, 5), ((int)second["page"]!, (int)second["total"]!));
        Assert.Equal([1], third["items"]!.AsArray().Select(one => (int)one!["number"]!));
        Assert.Equal((null, null, null), ((int?)third["page"], (int?)third["total"], (string?)third["next"]));
        Assert.Null((string?)(await PageAsync(acme, "/invoices?page=1&pageSize=5"))["next"]);
    }

    /// <summary>The ids of all pages, one after the other.</summary>
    private static async Task<List<Guid>> WalkAsync(
        TestCustomer customer, string path, Func<Guid, Task>? between = null)
    {
        var ids = new List<Guid>();
        for (string? after = ""; after is not null;)
        {
            var page = await PageAsync(customer, path + after);
            ids.AddRange(page["items"]!.AsArray().Select(one => (Guid)one!["id"]!));
            after = (string?)page["next"] is { } next ? $"&after={next}" : null;
            if (after is not null && between is not null)
            {
                await between(ids[^1]);
            }
        }

        return ids;
    }

    internal static async Task<JsonObject> PageAsync(TestCustomer customer, string path) =>
        (await customer.Http.GetFromJsonAsync<JsonObject>(path, Ct))!;

    private static Invoice Invoice(Contact contact, int day) => new()
    {
        Contact = contact, CurrencyCode = "EUR", IssuedOn = Day, DueOn = Day.AddDays(day),
    };
}
