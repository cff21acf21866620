using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Integration.Isolation;

public sealed class AcrossTenantsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task One_projection_is_answered_for_many_each_with_its_own_rows_in_schema_order()
    {
        var tenants = await TenantsAsync(7);
        // Nobody's turn is lost where there is nothing to find.
        var empty = (await app.NewCustomerAsync()).Tenant;

        var read = await ReadAsync(
            [.. tenants, empty], db => db.Contacts.Select(c => new Row(c.Name, c.Email)), new() { ChunkSize = 3 });

        Assert.Equal(tenants.Append(empty).Select(t => t.Schema).Order(), read.Select(answer => answer.Tenant.Schema));
        Assert.All(read, answer => Assert.Null(answer.Error));
        Assert.All(read.Where(answer => answer.Tenant != empty),
            answer => Assert.Equal(new Row(answer.Tenant.Slug, null), Assert.Single(answer.Rows)));
        Assert.Empty(Assert.Single(read, answer => answer.Tenant == empty).Rows);
    }

    [Fact]
    public async Task Parameters_joins_groups_shared_data_and_anonymous_rows_work_as_for_one()
    {
        var tenants = await TenantsAsync(3);
        var (today, wanted) = (new DateOnly(2026, 11, 24), "EUR");

        var read = await ReadAsync(
            tenants,
            db => from invoice in db.Invoices
                  join currency in db.Currencies on invoice.CurrencyCode equals currency.Code
                  where invoice.CurrencyCode == wanted && invoice.DueOn < today
                  group invoice by currency.Decimals into byDecimals
                  select new { Decimals = byDecimals.Key, Total = byDecimals.Sum(i => i.Lines.Sum(line => line.Total)),
                      Count = byDecimals.Count() });

        Assert.All(read,
            answer => Assert.Equal(
                (2, 120m, 1), Assert.Single(answer.Rows) is var row ? (row.Decimals, row.Total, row.Count) : default));
    }

    [Fact]
    public async Task Only_the_customer_at_fault_is_missing()
    {
        var tenants = await TenantsAsync(8);
        var broken = tenants[5];
        await ExecuteAsync($"ALTER TABLE {broken.Schema.Qualify("contacts")} RENAME COLUMN email TO mail");

        var read = await ReadAsync(
            tenants, db => db.Contacts.Select(c => new Row(c.Name, c.Email)), new() { ChunkSize = 8 });

        var missing = Assert.Single(read, answer => answer.Error is not null);
        Assert.Equal(broken, missing.Tenant);
        Assert.StartsWith("42703: ", missing.Error, StringComparison.Ordinal);
        Assert.Empty(missing.Rows);
        Assert.All(read.Where(answer => answer != missing),
            answer => Assert.Equal(answer.Tenant.Slug, Assert.Single(answer.Rows).Name));
    }

    [Fact]
    public async Task A_scope_that_serves_a_customer_reads_nobody_elses()
    {
        var tenants = await TenantsAsync(2);
        await using var scope = app.Services.CreateAsyncScope();
        var across = scope.ServiceProvider.GetRequiredService<AcrossTenants<InvoicingContext>>();
        scope.ServiceProvider.GetRequiredService<CurrentTenant>().Choose(tenants[0]);

        var refusal = await Assert.ThrowsAsync<InvalidOperationException>(async () =>
        {
            await foreach (var _ in across.ReadAsync(tenants, db => db.Contacts.Select(c => c.Name), ct: Ct))
            {
            }
        });

        Assert.Contains("never reads another's", refusal.Message, StringComparison.Ordinal);
        Assert.Throws<InvalidOperationException>(() =>
            app.Services.GetRequiredService<AcrossTenants<InvoicingContext>>());
    }

    [Fact]
    public async Task Entities_and_collections_are_no_rows()
    {
        var tenants = await TenantsAsync(1);

        await Assert.ThrowsAsync<InvalidOperationException>(() => ReadAsync(tenants, db => db.Contacts));
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            ReadAsync(tenants, db => db.Invoices.Select(i => new { i.Id, i.Contact })));
        await Assert.ThrowsAsync<InvalidOperationException>(() =>
            ReadAsync(tenants, db => db.Invoices.Select(i => new { i.Id, i.Lines })));
    }

    /// <summary>Two customers have an invoice with the same key: EF would take the second for the first.</summary>
    [Fact]
    public async Task What_can_hold_an_entity_is_no_row()
    {
        var tenants = await TenantsAsync(1);

        await RefusedAsync(db => db.Contacts.Select(c => (object)c));
        await RefusedAsync(db => db.Contacts.Select(c => new { Inner = new { c } }));
        await RefusedAsync(db => db.Contacts.Select(c => new { Boxed = (object)c }));
        await RefusedAsync(db => db.Contacts.Select(c => new Tuple<string, Contact>(c.Name, c)));
        await RefusedAsync(db => db.Contacts.Select(c => new Hidden(c)));
        await RefusedAsync(db => db.Contacts.Select(c => new[] { c }));
        await RefusedAsync(db => db.Contacts.Select(c => new Pair<Contact> { First = c }));
        await RefusedAsync(db => db.Invoices.Select(i => new { Ids = i.Lines.Select(l => l.Id).ToArray() }));
        await RefusedAsync(db => db.Invoices.Select(i => i.Lines.Select(l => l.Id).ToArray()));
        await RefusedAsync(db => db.Invoices.Select(i => Described(i.Lines.ToList())));
        await RefusedAsync(db => db.Contacts.AsTracking().Select(c => c.Name));
        await RefusedAsync(db => db.Contacts.AsNoTrackingWithIdentityResolution().Select(c => c.Name));

        async Task RefusedAsync<TRow>(Func<InvoicingContext, IQueryable<TRow>> projection)
        {
            var refusal = await Assert.ThrowsAsync<InvalidOperationException>(() => ReadAsync(tenants, projection));
            Assert.Matches("no row for many tenants|equal keys", refusal.Message);
        }
    }

    [Fact]
    public async Task What_a_projection_calls_gets_each_customers_own_entity()
    {
        var tenants = await TenantsAsync(3);
        var id = Guid.CreateVersion7();
        foreach (var tenant in tenants)
        {
            await ExecuteAsync(
                $"DELETE FROM {tenant.Schema.Qualify("invoice_lines")}; " +
                $"DELETE FROM {tenant.Schema.Qualify("invoices")}; " +
                $"UPDATE {tenant.Schema.Qualify("contacts")} SET id = '{id}'");
        }

        var read = await ReadAsync(tenants, db => db.Contacts.Select(c => NameOf(c)));

        Assert.All(read, answer => Assert.Equal(answer.Tenant.Slug, Assert.Single(answer.Rows)));
    }

    private static string NameOf(Contact contact) => contact.Name;

    private static string Described(IEnumerable<InvoiceLine> lines) => $"{lines.Count()} lines";

    private sealed class Hidden(Contact contact)
    {
        public string Name => contact.Name;
    }

    private struct Pair<T>
    {
        public T First;
    }

    [Fact]
    public async Task The_guard_holds_across_customers_too()
    {
        var tenants = await TenantsAsync(2);

        await Assert.ThrowsAsync<CommandRefusedException>(() =>
            ReadAsync(tenants, db => db.Contacts.FromSqlRaw("SELECT * FROM public.customers").Select(c => c.Name)));
    }

    [Fact]
    public async Task A_context_that_read_for_many_serves_nobody_afterwards()
    {
        var tenants = await TenantsAsync(2);
        await using var services = new ServiceCollection()
            .AddTenancy<InvoicingContext>(options => options.ConnectionString = app.ConnectionString)
            .BuildServiceProvider();
        await using (var scope = services.CreateAsyncScope())
        {
            await foreach (var _ in scope.ServiceProvider.GetRequiredService<AcrossTenants<InvoicingContext>>()
                .ReadAsync(tenants, db => db.Contacts.Select(c => c.Name), ct: Ct))
            {
                // Whoever leaves early leaves nothing running.
                break;
            }
        }

        await using var next = services.GetRequiredService<IDbContextFactory<InvoicingContext>>().CreateDbContext();
        await Assert.ThrowsAsync<NoTenantException>(() => next.Contacts.ToListAsync(Ct));
    }

    private async Task<List<Tenant>> TenantsAsync(int count)
    {
        var tenants = new List<Tenant>();
        for (var i = 0; i < count; i++)
        {
            var customer = await app.NewCustomerAsync();
            await using var db = app.Invoicing.Create(customer.Tenant);
            db.Invoices.Add(new Invoice
            {
                Contact = new() { Name = customer.Tenant.Slug },
                CurrencyCode = "EUR",
                IssuedOn = new(2026, 1, 1),
                DueOn = new(2026, 2, 1),
                Lines = [new() { Position = 1, Description = "Work", Quantity = 1, UnitPrice = 120, Total = 120 }],
            });
            await db.SaveChangesAsync(Ct);
            tenants.Add(customer.Tenant);
        }

        return tenants;
    }

    private async Task<List<TenantRows<TRow>>> ReadAsync<TRow>(
        List<Tenant> tenants, Func<InvoicingContext, IQueryable<TRow>> projection, AcrossTenantsOptions? options = null)
    {
        await using var scope = app.Services.CreateAsyncScope();
        var answers = new List<TenantRows<TRow>>();
        await foreach (var answer in scope.ServiceProvider.GetRequiredService<AcrossTenants<InvoicingContext>>()
            .ReadAsync(tenants, projection, options, Ct))
        {
            answers.Add(answer);
        }

        return answers;
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = app.Services.GetRequiredService<NpgsqlDataSource>().CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private sealed record Row(string Name, string? Email);
}
