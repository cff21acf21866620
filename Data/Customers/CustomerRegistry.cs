using System.Diagnostics;
using Data.Invoicing;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Storage;
using Npgsql;
using Tenancy;

namespace Data.Customers;

/// <summary>The slug belongs to another customer.</summary>
public sealed class SlugTakenException(string slug, Exception? inner = null)
    : Exception($"The slug '{slug}' is taken by another customer: choose a different one.", inner)
{
    public string Slug { get; } = slug;
}

/// <summary>Creates customers and finds them.</summary>
public sealed class CustomerRegistry(
    CustomersContext db, SchemaProvisioner provisioner, Tenants tenants, TenancyOptions tenancy, TimeProvider time)
{
    /// <summary>Span: a customer is created; attribute <see cref="TenancyTelemetry.Tenant"/>.</summary>
    public const string CreateCustomer = "create customer";

    /// <summary>
    /// Creates a customer at run time: its row, its schema with all migrations, its ledger row, in one transaction. It
    /// exists completely afterwards, or not at all.
    /// </summary>
    /// <param name="slug">See <see cref="CustomerSlug"/>.</param>
    /// <param name="name">For people.</param>
    /// <param name="id">The new customer's id; null for any. With it, a caller that repeats the call can tell whose the
    /// slug is.</param>
    /// <param name="firstData">Written in the same transaction, by a context that serves the new customer.</param>
    /// <param name="ct">Ends the work; nothing of it stays.</param>
    /// <exception cref="FormatException">The slug can't be a customer's.</exception>
    /// <exception cref="SlugTakenException">It is another's.</exception>
    public async Task<Customer> CreateAsync(
        string slug, string name, Func<InvoicingContext, Task>? firstData = null, Guid? id = null,
        CancellationToken ct = default)
    {
        if (!CustomerSlug.IsValid(slug))
        {
            throw new FormatException($"'{slug}' can't be a customer's slug: use {CustomerSlug.Rule}.");
        }

        using var span = TenancyTelemetry.StartFor(slug, CreateCustomer);
        try
        {
            return await AddAsync(id ?? Guid.CreateVersion7(), slug, name, firstData, ct);
        }
        catch (Exception e) when (e is not SlugTakenException)
        {
            span?.SetStatus(ActivityStatusCode.Error, e.Message);
            throw;
        }
    }

    private async Task<Customer> AddAsync(
        Guid id, string slug, string name, Func<InvoicingContext, Task>? firstData, CancellationToken ct)
    {
        // Asked first, before a transaction waits for one that may add the same; the constraint decides when two ask at
        // once.
        if (await db.Customers.AnyAsync(c => c.Slug == slug, ct))
        {
            throw new SlugTakenException(slug);
        }

        await provisioner.PrepareAsync(ct);
        Customer? customer = null;
        await using var transaction = await db.Database.BeginTransactionAsync(ct);
        var underlying = (NpgsqlTransaction)transaction.GetDbTransaction();
        // Who comes second for a slug waits here for the first one's transaction, before any table is made.
        await provisioner.ProvisionAsync(underlying, CustomerSlug.WantedSchema(slug), reserved: async schema =>
        {
            customer = new Customer { Id = id, Slug = slug, Name = name, Schema = schema.Value,
                CreatedAt = time.GetUtcNow() };
            await AddAsync(customer, ct);
        }, ct: ct);
        if (firstData is not null)
        {
            await using var first = InvoicingContext.On(underlying, customer!.AsTenant(), tenancy);
            await firstData(first);
        }

        await transaction.CommitAsync(ct);
        return customer!;
    }

    /// <summary>The same in another database than the first: see <see cref="Tenants.CreateInAsync"/>.</summary>
    /// <param name="database">One of <see cref="TenancyOptions.Databases"/>.</param>
    /// <param name="slug">See <see cref="CustomerSlug"/>.</param>
    /// <param name="name">For people.</param>
    /// <param name="id">The new customer's id; null for any.</param>
    /// <param name="ct">Ends the work.</param>
    /// <exception cref="ArgumentException">There is no such database.</exception>
    /// <exception cref="SlugTakenException">The slug is another customer's.</exception>
    public async Task CreateInAsync(
        string database, string slug, string name, Guid? id = null, CancellationToken ct = default)
    {
        using var span = TenancyTelemetry.StartFor(slug, CreateCustomer);
        try
        {
            await tenants.CreateInAsync(database, slug, name, id, ct);
        }
        catch (TenantSlugTakenException e)
        {
            throw new SlugTakenException(slug, e);
        }
    }

    /// <summary>
    /// For <see cref="TenancyOptions.FindTenant"/>: the customer with the state of its schema, in one query.
    /// </summary>
    public static async Task<TenantListing?> FindTenantAsync(CustomersContext db, string slug, CancellationToken ct)
    {
        var found =
            from customer in db.Customers.AsNoTracking()
            where customer.Slug == slug
            join row in db.Ledger on customer.Schema equals row.Schema into rows
            from row in rows.DefaultIfEmpty()
            select new CustomerWithSchema(customer, (SchemaState?)row.State, row.Version);
        return (await found.SingleOrDefaultAsync(ct))?.Listing;
    }

    /// <summary>
    /// SQL, because EF doesn't know ON CONFLICT: a constraint's refusal would be an error in the server's log, in EF's
    /// and in the request's trace.
    /// </summary>
    private async Task AddAsync(Customer customer, CancellationToken ct)
    {
        var added = await db.Database.ExecuteSqlAsync(
            $"""
            INSERT INTO public.customers (id, slug, name, schema, status, ring, created_at)
            VALUES ({customer.Id}, {customer.Slug}, {customer.Name}, {customer.Schema}, 'active', {customer.Ring}, {customer.CreatedAt})
            ON CONFLICT DO NOTHING
            """, ct);
        if (added == 0)
        {
            throw new SlugTakenException(customer.Slug);
        }
    }
}

/// <summary>A customer, and what the ledger says of its schema.</summary>
/// <param name="Customer">As the registry has it.</param>
/// <param name="State">The schema's; null where the ledger doesn't know it.</param>
/// <param name="Version">The schema's; null likewise.</param>
internal sealed record CustomerWithSchema(Customer Customer, SchemaState? State, string? Version)
{
    /// <summary>For <see cref="TenantDirectory.AvailabilityOf"/>.</summary>
    /// <remarks>
    /// A customer whose schema the ledger doesn't know is not served: nobody can say what it would be served from.
    /// </remarks>
    public TenantListing Listing => new(
        Customer.AsTenant(),
        Customer.Status switch
        {
            CustomerStatus.Active => State ?? SchemaState.Provisioning,
            CustomerStatus.Suspended => SchemaState.Suspended,
            _ => SchemaState.Archived,
        },
        Version ?? "");
}
