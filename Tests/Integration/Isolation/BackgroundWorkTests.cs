using System.Threading.Channels;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Tenancy;
using Xunit;

namespace Tests.Integration.Isolation;

/// <summary>
/// The example of docs/background-work.md: the tenant travels through a channel as a value, one lease per item.
/// </summary>
public sealed class BackgroundWorkTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Work_from_a_queue_is_done_for_the_tenant_that_travels_with_it()
    {
        const int Tenants = 5, Each = 20, Workers = 3;
        await using var services = new ServiceCollection()
            .AddTenancy<InvoicingContext>(options =>
                options.ConnectionString = app.ConnectionString + ";Maximum Pool Size=2").BuildServiceProvider();
        var leases = services.GetRequiredService<TenantContextFactory<InvoicingContext>>();
        var queue = Channel.CreateUnbounded<Reminder>();
        var reminders = new List<Reminder>();
        for (var i = 0; i < Tenants; i++)
        {
            var tenant = (await app.NewCustomerAsync()).Tenant;
            await using var db = leases.Create(tenant);
            var invoices = Enumerable.Range(0, Each)
                .Select(number => new Invoice
                {
                    Contact = new() { Name = $"{tenant.Slug} {number}" },
                    CurrencyCode = "EUR",
                }).ToList();
            db.AddRange(invoices);
            await db.SaveChangesAsync(Ct);
            reminders.AddRange(invoices.Select(invoice => new Reminder(tenant, invoice.Id)));
        }

        // The tenants' work mixed, for several workers.
        foreach (var reminder in reminders.OrderBy(reminder => reminder.InvoiceId.GetHashCode()))
        {
            queue.Writer.TryWrite(reminder);
        }

        queue.Writer.Complete();
        var workers = Enumerable.Range(0, Workers).Select(_ => new ReminderWorker(queue, leases)).ToList();
        await Task.WhenAll(workers.Select(async worker =>
        {
            await worker.StartAsync(Ct);
            await worker.ExecuteTask!;
        }));

        foreach (var tenant in reminders.Select(reminder => reminder.Tenant).Distinct())
        {
            await using var db = leases.Create(tenant);
            var contacts = await db.Contacts.ToListAsync(Ct);
            Assert.Equal(Each, contacts.Count);
            Assert.All(contacts, contact =>
            {
                Assert.StartsWith($"{tenant.Slug} ", contact.Name, StringComparison.Ordinal);
                Assert.Equal($"reminded for {tenant.Slug}", contact.Email);
            });
        }
    }

    /// <summary>What is to be done, and for whom.</summary>
    private sealed record Reminder(Tenant Tenant, Guid InvoiceId);

    private sealed class ReminderWorker(
        Channel<Reminder> queue, TenantContextFactory<InvoicingContext> leases) : BackgroundService
    {
        protected override async Task ExecuteAsync(CancellationToken stoppingToken)
        {
            await foreach (var reminder in queue.Reader.ReadAllAsync(stoppingToken))
            {
                // One lease per item: disposed of, the context has forgotten this tenant before the next item's is
                // leased.
                await using var db = leases.Create(reminder.Tenant);
                await RemindAsync(db, reminder.InvoiceId, stoppingToken);
            }
        }

        private static async Task RemindAsync(InvoicingContext db, Guid invoiceId, CancellationToken ct)
        {
            // Found in this tenant's schema only: single, or the test fails.
            var invoice = await db.Invoices.Include(i => i.Contact).SingleAsync(i => i.Id == invoiceId, ct);
            invoice.Contact.Email = $"reminded for {db.Tenant().Slug}";
            await db.SaveChangesAsync(ct);
        }
    }
}
