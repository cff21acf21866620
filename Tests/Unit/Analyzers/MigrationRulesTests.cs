using Xunit;
using static Tests.Unit.Analyzers.AnalyzedCode;

namespace Tests.Unit.Analyzers;

/// <summary>TEN005 and TEN006.</summary>
public sealed class MigrationRulesTests
{
    [Fact]
    public Task A_command_outside_the_transaction_is_alone() => CheckAsync(Shop +
        """
        [DbContext(typeof(ShopContext))]
        [Migration("20260101000000_First")]
        public class First : Migration
        {
            protected override void Up(MigrationBuilder migrationBuilder)
            {
                migrationBuilder.CreateTable("a", table => new { Id = table.Column<int>() });
                {|TEN005:migrationBuilder.Sql("CREATE INDEX CONCURRENTLY i ON \"__Tenant__\".a (id)", suppressTransaction: true)|};
                {|TEN005:migrationBuilder.CreateIndex("i", "a", "Id", TenantPlaceholder.Schema)|}
                    .Annotation("Npgsql:CreatedConcurrently", true);
            }

            protected override void Down(MigrationBuilder migrationBuilder) =>
                migrationBuilder.Sql("DROP INDEX CONCURRENTLY \"__Tenant__\".i", suppressTransaction: true);
        }

        [DbContext(typeof(ShopContext))]
        [Migration("20260101000000_Second")]
        public class Second : Migration
        {
            protected override void Up(MigrationBuilder migrationBuilder)
            {
                migrationBuilder.Sql("SELECT 1", suppressTransaction: false);
                migrationBuilder.CreateIndex("i", "a", "Id").Annotation("Npgsql:IndexMethod", "gin");
            }
        }
        """);

    [Fact]
    public Task What_takes_something_away_says_that_it_breaks_older_builds() => CheckAsync(Shop +
        """
        [DbContext(typeof(ShopContext))]
        [Migration("20260101000000_First")]
        public class First : Migration
        {
            protected override void Up(MigrationBuilder migrationBuilder)
            {
                {|TEN006:migrationBuilder.DropColumn("name", "a")|};
                {|TEN006:migrationBuilder.DropTable("b")|};
                {|TEN006:migrationBuilder.RenameColumn("name", "a", "title")|};
                {|TEN006:migrationBuilder.RenameTable("a", newName: "c")|};
                {|TEN006:migrationBuilder.RenameSequence("a", newName: "c")|};
                migrationBuilder.RenameIndex("i", "j");
                migrationBuilder.AddColumn<int>("x", "a");
            }

            protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("c");
        }

        [BreaksOlderBuilds]
        [DbContext(typeof(ShopContext))]
        [Migration("20260101000000_Second")]
        public class Second : Migration
        {
            protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("b");
        }
        """);

    [Fact]
    public Task Shared_migrations_are_no_ones_business() => CheckAsync(Shop +
        """
        public class Registry(DbContextOptions<Registry> options) : DbContext(options);

        [DbContext(typeof(Registry))]
        [Migration("20260101000000_Other")]
        public class Other : Migration
        {
            protected override void Up(MigrationBuilder migrationBuilder)
            {
                migrationBuilder.DropTable("b");
                migrationBuilder.Sql("VACUUM", suppressTransaction: true);
            }
        }
        """);

    /// <summary>An application that becomes multi-tenant keeps them as they are.</summary>
    [Fact]
    public Task Migrations_from_before_the_tenants_break_no_build() => CheckAsync(
        """
        public class OrderingContext(DbContextOptions<OrderingContext> options) : DbContext(options)
        {
            protected override void OnModelCreating(ModelBuilder model) => model.HasDefaultSchema("ordering");
        }

        public class TicketsContext(DbContextOptions<TicketsContext> options) : DbContext(options);

        public class Code
        {
            public void Register(TenancyBuilder tenancy) => tenancy
                .AddContext<OrderingContext>(context => context.ReplaceSchema("ordering")).AddContext<TicketsContext>();
        }

        [DbContext(typeof(OrderingContext))]
        [Migration("20240101000000_First")]
        public class First : Migration
        {
            protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("b", "ordering");
        }

        [DbContext(typeof(TicketsContext))]
        [Migration("20240101000000_Second")]
        public class Second : Migration
        {
            protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("b");
        }

        [DbContext(typeof(TicketsContext))]
        [Migration("20260101000000_Third")]
        public class Third : Migration
        {
            protected override void Up(MigrationBuilder migrationBuilder) =>
                {|TEN006:migrationBuilder.DropTable("c", "__Tenant__")|};
        }
        """);

    [Fact]
    public Task A_migration_in_another_assembly_than_its_context_is_known_by_the_placeholder() => CheckAsync(
        """
        public class Elsewhere(DbContextOptions<Elsewhere> options) : DbContext(options);

        [DbContext(typeof(Elsewhere))]
        [Migration("20260101000000_First")]
        public class First : Migration
        {
            protected override void Up(MigrationBuilder migrationBuilder) =>
                {|TEN006:migrationBuilder.DropTable("b", "__Tenant__")|};
        }
        """);
}
