using Xunit;
using static Tests.Unit.Analyzers.AnalyzedCode;

namespace Tests.Unit.Analyzers;

/// <summary>TEN003.</summary>
public sealed class LiteralSchemaTests
{
    [Fact]
    public Task A_tenant_model_names_no_schema() => CheckAsync(
        """
        public class SalesContext(DbContextOptions<SalesContext> options) : DbContext(options)
        {
            public DbSet<Lead> Leads => Set<Lead>();

            protected override void OnModelCreating(ModelBuilder model)
            {
                model.HasDefaultSchema({|TEN003:"sales"|});
                model.Entity<Deal>().ToTable("deals", {|TEN003:"sales"|});
                model.Entity<Deal>().ToTable("deals", {|TEN003:"sales"|}, table => table.HasComment("One."));
                model.HasSequence<int>("numbers", {|TEN003:"sales"|});
            }
        }

        public class Deal { public int Id { get; set; } }

        [{|TEN003:System.ComponentModel.DataAnnotations.Schema.Table("leads", Schema = "sales")|}]
        public class Lead { public int Id { get; set; } }

        public class Code
        {
            public void Register(TenancyBuilder tenancy) => tenancy.AddContext<SalesContext>();
        }
        """);

    [Fact]
    public Task An_entitys_configuration_is_a_part_of_its_model() => CheckAsync(Shop +
        """
        public class RegistryContext(DbContextOptions<RegistryContext> options) : DbContext(options)
        {
            public DbSet<Member> Members => Set<Member>();
        }

        public class Member { public int Id { get; set; } }

        public class OrderMap : IEntityTypeConfiguration<Order>
        {
            public void Configure(Microsoft.EntityFrameworkCore.Metadata.Builders.EntityTypeBuilder<Order> order)
            {
                order.ToTable("orders", {|TEN003:"sales"|});
                order.Property(o => o.Id).UseHiLo("numbers", {|TEN003:"sales"|});
            }
        }

        public class MemberMap : IEntityTypeConfiguration<Member>
        {
            public void Configure(Microsoft.EntityFrameworkCore.Metadata.Builders.EntityTypeBuilder<Member> member) =>
                member.ToTable("members", "registry");
        }
        """);

    [Fact]
    public Task The_placeholder_shared_tables_and_replaced_schemas_are_no_warning() => CheckAsync(Shop +
        """
        public class OrderingContext(DbContextOptions<OrderingContext> options) : DbContext(options)
        {
            protected override void OnModelCreating(ModelBuilder model)
            {
                model.HasDefaultSchema("ordering");
                model.Entity<Order>().ToTable("orders", TenantPlaceholder.Schema);
            }
        }

        public class RegistryContext(DbContextOptions<RegistryContext> options) : DbContext(options)
        {
            protected override void OnModelCreating(ModelBuilder model) => model.HasDefaultSchema("registry");
        }

        public class Code
        {
            public void Register(TenancyBuilder tenancy) =>
                tenancy.AddContext<OrderingContext>(context => context.ReplaceSchema("ordering"));
        }
        """);
}
