using Data.Access;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
using Tenancy;

namespace Data.Customers;

/// <summary>
/// What all customers share: the registry, the ledger of their schemas, reference data. Schemas <c>public</c> and
/// <c>tenancy</c>.
/// </summary>
public sealed class CustomersContext(DbContextOptions<CustomersContext> options) : DbContext(options)
{
    public DbSet<Customer> Customers => Set<Customer>();

    public DbSet<Currency> Currencies => Set<Currency>();

    public DbSet<ApiKey> ApiKeys => Set<ApiKey>();

    public DbSet<AuditEntry> Audit => Set<AuditEntry>();

    public DbSet<LedgerRow> Ledger => Set<LedgerRow>();

    /// <summary>Even the shared history is named with its schema: nothing here relies on a search_path.</summary>
    internal static void History(NpgsqlDbContextOptionsBuilder options) =>
        options.MigrationsHistoryTable(HistoryRepository.DefaultTableName, "public");

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema("public");
        modelBuilder.AddTenancyLedger();
        Currency.Map(modelBuilder, ownedByThisModel: true);
        modelBuilder.Entity<Customer>(customer =>
        {
            customer.ToTable("customers", table => table.HasCheckConstraint(
                "ck_customers_status", "status IN ('active', 'suspended', 'archived')"));
            customer.Property(c => c.Slug).HasMaxLength(CustomerSlug.Longest);
            customer.Property(c => c.Name).HasMaxLength(Customer.LongestName);
            customer.Property(c => c.Schema).HasMaxLength(63);
            customer.Property(c => c.Status).HasMaxLength(16).HasConversion(
                status => status.ToString().ToLowerInvariant(),
                text => Enum.Parse<CustomerStatus>(text, ignoreCase: true));
            customer.Property(c => c.Database).HasMaxLength(63);
            customer.HasIndex(c => c.Slug).IsUnique();
            customer.HasIndex(c => c.Schema).IsUnique();
        });
        modelBuilder.Entity<ApiKey>(key =>
        {
            key.ToTable("api_keys", table => table.HasCheckConstraint(
                "ck_api_keys_hash", "octet_length(hash) = 32"));
            key.Property(k => k.Id).HasMaxLength(16);
            key.Property(k => k.Name).HasMaxLength(ApiKey.LongestName);
            key.HasOne(k => k.Customer).WithMany().HasForeignKey(k => k.CustomerId).OnDelete(DeleteBehavior.Cascade);
        });
        modelBuilder.Entity<AuditEntry>(entry =>
        {
            entry.ToTable("audit", table => table.HasCheckConstraint("ck_audit_kind", "kind IN ('started', 'used')"));
            entry.Property(e => e.Id).UseIdentityAlwaysColumn();
            entry.Property(e => e.Kind).HasMaxLength(16);
            entry.Property(e => e.Operator).HasMaxLength(AuditEntry.LongestOperator);
            entry.Property(e => e.Slug).HasMaxLength(CustomerSlug.Longest);
            entry.Property(e => e.Reason).HasMaxLength(AuditEntry.LongestReason);
            entry.Property(e => e.Method).HasMaxLength(16);
            entry.Property(e => e.Path).HasMaxLength(AuditEntry.LongestPath);
            entry.Property(e => e.TraceId).HasMaxLength(64);
            entry.HasIndex(e => new { e.CustomerId, e.Id });
        });
        modelBuilder.UseSnakeCaseNames();
    }
}
