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
            customer.HasIndex(c => c.Slug).IsUnique();
            customer.HasIndex(c => c.Schema).IsUnique();
        });
        modelBuilder.UseSnakeCaseNames();
    }
}
