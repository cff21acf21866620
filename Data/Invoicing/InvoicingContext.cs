using Data.Customers;
using Microsoft.EntityFrameworkCore;
using Npgsql;
using Tenancy;

namespace Data.Invoicing;

/// <summary>What one customer stores, in its own schema; shared reference data is joined from <c>public</c>.</summary>
public sealed class InvoicingContext(DbContextOptions<InvoicingContext> options) : DbContext(options)
{
    public DbSet<Contact> Contacts => Set<Contact>();

    public DbSet<Invoice> Invoices => Set<Invoice>();

    public DbSet<InvoiceLine> InvoiceLines => Set<InvoiceLine>();

    public DbSet<Currency> Currencies => Set<Currency>();

    public DbSet<IdempotencyKey> IdempotencyKeys => Set<IdempotencyKey>();

    public DbSet<Settings> Settings => Set<Settings>();

    /// <summary>A context inside somebody's transaction, not pooled: for what has to commit with it.</summary>
    internal static InvoicingContext On(NpgsqlTransaction transaction, Tenant tenant, TenancyOptions tenancy)
    {
        var options = new DbContextOptionsBuilder<InvoicingContext>();
        options.UseNpgsql(transaction.Connection!).UseTenancy(tenancy);
        var context = new InvoicingContext(options.Options).For(tenant);
        context.Database.UseTransaction(transaction);
        return context;
    }

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
        Currency.Map(modelBuilder, ownedByThisModel: false);
        modelBuilder.Entity<Contact>(contact =>
        {
            contact.ToTable("contacts");
            contact.Property(c => c.Name).HasMaxLength(Contact.LongestName);
            contact.Property(c => c.Email).HasMaxLength(Contact.LongestEmail);
            // A contact is found again by both, and two requests that look at once would both add it. Without an
            // address two may have the same name.
            contact.HasIndex(c => new { c.Name, c.Email }).IsUnique();
        });
        modelBuilder.Entity<Invoice>(invoice =>
        {
            invoice.ToTable("invoices", table => table.HasCheckConstraint("ck_invoices_due_on", "due_on >= issued_on"));
            invoice.Property(i => i.Number).UseIdentityAlwaysColumn();
            invoice.HasIndex(i => i.Number).IsUnique();
            invoice.Property(i => i.CurrencyCode).HasMaxLength(3);
            invoice.Property(i => i.Version).HasColumnName("xmin").IsRowVersion();
            invoice.HasOne(i => i.Contact).WithMany().HasForeignKey(i => i.ContactId).OnDelete(DeleteBehavior.Restrict);
            invoice.HasMany(i => i.Lines).WithOne().HasForeignKey(l => l.InvoiceId);
            invoice.HasIndex(i => i.DueOn).HasFilter("paid_on IS NULL");
        });
        modelBuilder.Entity<InvoiceLine>(line =>
        {
            line.ToTable(
                "invoice_lines", table => table.HasCheckConstraint("ck_invoice_lines_quantity", "quantity > 0"));
            line.Property(l => l.Description).HasMaxLength(InvoiceLine.LongestDescription);
            line.Property(l => l.Quantity).HasPrecision(15, 3);
            line.Property(l => l.UnitPrice).HasPrecision(19, 4);
            line.Property(l => l.Total).HasPrecision(19, 4);
            line.HasIndex(l => new { l.InvoiceId, l.Position }).IsUnique();
        });
        modelBuilder.Entity<IdempotencyKey>(key =>
        {
            key.ToTable("idempotency_keys");
            key.HasKey(k => k.Key);
            key.Property(k => k.Key).HasMaxLength(IdempotencyKey.LongestKey);
            key.Property(k => k.Headers).HasColumnType("jsonb");
            key.HasIndex(k => k.CreatedAt);
        });
        modelBuilder.Entity<Settings>(settings =>
        {
            settings.ToTable("settings", table => table.HasCheckConstraint("ck_settings_id", "id = 1"));
            settings.Property(s => s.Id).ValueGeneratedNever();
            settings.Property(s => s.CurrencyCode).HasMaxLength(3);
        });
        modelBuilder.UseSnakeCaseNames();
    }
}
