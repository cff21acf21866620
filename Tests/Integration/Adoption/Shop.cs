using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Npgsql.EntityFrameworkCore.PostgreSQL.Metadata;

namespace Tests.Integration.Adoption;

/// <summary>An application from before it had tenants: its tables are in a schema of their own.</summary>
public sealed class OrderingContext(DbContextOptions<OrderingContext> options) : DbContext(options)
{
    public const string Schema = "ordering";

    public DbSet<Order> Orders => Set<Order>();

    protected override void OnModelCreating(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema(Schema);
        modelBuilder.Entity<Order>(order =>
        {
            order.ToTable("orders");
            order.HasMany(o => o.Lines).WithOne().HasForeignKey(line => line.OrderId);
        });
        // Some name the schema once more.
        modelBuilder.Entity<OrderLine>().ToTable("order_lines", Schema);
    }
}

public sealed class Order
{
    public int Id { get; init; }

    public string Buyer { get; set; } = "";

    public List<OrderLine> Lines { get; } = [];
}

public sealed class OrderLine
{
    public Guid Id { get; init; }

    public int OrderId { get; init; }

    public string Product { get; set; } = "";
}

/// <summary>A second context of the same application, which names no schema and has a service of its own.</summary>
public sealed class TicketsContext(DbContextOptions<TicketsContext> options, ActingUser user) : DbContext(options)
{
    public DbSet<Ticket> Tickets => Set<Ticket>();

    public ActingUser User => user;

    protected override void OnModelCreating(ModelBuilder modelBuilder) =>
        modelBuilder.Entity<Ticket>().ToTable("tickets");
}

public sealed class Ticket
{
    public Guid Id { get; init; }

    public string Title { get; set; } = "";

    public string WrittenBy { get; set; } = "";
}

/// <summary>Of one scope.</summary>
public sealed class ActingUser
{
    public string Name { get; set; } = "nobody";
}

[DbContext(typeof(OrderingContext))]
[Migration("20250101000000_Orders")]
public sealed class Orders : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.EnsureSchema(OrderingContext.Schema);
        migrationBuilder.CreateTable("orders", schema: OrderingContext.Schema, columns: table => new
        {
            Id = table.Column<int>(nullable: false).Annotation(
                "Npgsql:ValueGenerationStrategy", NpgsqlValueGenerationStrategy.IdentityByDefaultColumn),
            Buyer = table.Column<string>(nullable: false),
        }, constraints: table => table.PrimaryKey("PK_orders", order => order.Id));
    }

    protected override void Down(MigrationBuilder migrationBuilder) =>
        migrationBuilder.DropTable("orders", OrderingContext.Schema);

    protected override void BuildTargetModel(ModelBuilder modelBuilder) =>
        modelBuilder.HasDefaultSchema(OrderingContext.Schema);
}

[DbContext(typeof(OrderingContext))]
[Migration("20250301000000_Lines")]
public sealed class Lines : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.CreateTable("order_lines", schema: OrderingContext.Schema, columns: table => new
        {
            Id = table.Column<Guid>(nullable: false),
            OrderId = table.Column<int>(nullable: false),
            Product = table.Column<string>(nullable: false),
        }, constraints: table =>
        {
            table.PrimaryKey("PK_order_lines", line => line.Id);
            table.ForeignKey("FK_order_lines_orders", line => line.OrderId, principalSchema: OrderingContext.Schema,
                principalTable: "orders", principalColumn: "Id", onDelete: ReferentialAction.Cascade);
        });
        migrationBuilder.CreateIndex("IX_order_lines_OrderId", "order_lines", "OrderId", OrderingContext.Schema);
        migrationBuilder.Sql(
            """
            UPDATE ordering.orders SET "Buyer" = 'ordering.orders' WHERE "Buyer" = '';
            CREATE FUNCTION "ordering".lines_of(wanted integer) RETURNS bigint LANGUAGE sql
                AS $$ SELECT count(*) FROM ordering.order_lines WHERE "OrderId" = wanted $$;
            COMMENT ON SCHEMA ordering IS 'of the ordering service';
            """);
    }

    // As many do.
    protected override void Down(MigrationBuilder migrationBuilder) => throw new NotSupportedException();

    protected override void BuildTargetModel(ModelBuilder modelBuilder) =>
        modelBuilder.HasDefaultSchema(OrderingContext.Schema);
}

[DbContext(typeof(OrderingContext))]
public sealed class OrderingSnapshot : ModelSnapshot
{
    protected override void BuildModel(ModelBuilder modelBuilder)
    {
        modelBuilder.HasDefaultSchema(OrderingContext.Schema).HasAnnotation("Relational:MaxIdentifierLength", 63);
        modelBuilder.Entity(typeof(Order).FullName!, order =>
        {
            order.Property<int>(nameof(Order.Id)).ValueGeneratedOnAdd().HasColumnType("integer")
                .UseIdentityByDefaultColumn();
            order.Property<string>(nameof(Order.Buyer)).IsRequired().HasColumnType("text");
            order.HasKey(nameof(Order.Id));
            order.ToTable("orders", OrderingContext.Schema);
        });
        modelBuilder.Entity(typeof(OrderLine).FullName!, line =>
        {
            line.Property<Guid>(nameof(OrderLine.Id)).ValueGeneratedOnAdd().HasColumnType("uuid");
            line.Property<int>(nameof(OrderLine.OrderId)).HasColumnType("integer");
            line.Property<string>(nameof(OrderLine.Product)).IsRequired().HasColumnType("text");
            line.HasKey(nameof(OrderLine.Id));
            line.HasIndex(nameof(OrderLine.OrderId));
            line.ToTable("order_lines", OrderingContext.Schema);
            line.HasOne(typeof(Order).FullName!, null).WithMany(nameof(Order.Lines))
                .HasForeignKey(nameof(OrderLine.OrderId)).OnDelete(DeleteBehavior.Cascade).IsRequired();
        });
    }
}

[DbContext(typeof(TicketsContext))]
[Migration("20250201000000_Tickets")]
public sealed class TicketsMigration : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.CreateTable("tickets", table => new
        {
            Id = table.Column<Guid>(nullable: false),
            Title = table.Column<string>(nullable: false),
            WrittenBy = table.Column<string>(nullable: false),
        }, constraints: table => table.PrimaryKey("PK_tickets", ticket => ticket.Id));

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropTable("tickets");
}
