// These migrations are the ones that are refused.
#pragma warning disable TEN001, TEN005

using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Tenancy;
using Tenancy.Migrations;
using Xunit;

namespace Tests.Integration.Fleet;

public sealed class CompilingMigrationsTests
{
    [Fact]
    public void The_placeholder_inside_a_literal_is_an_error_that_names_migration_and_line()
    {
        var error = Assert.Throws<TenantMigrationException>(() => MigrationCompiler.Compile(With<LiteralContext>));

        Assert.Contains("20260101000000_Literal", error.Message, StringComparison.Ordinal);
        Assert.Contains("Line 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_command_that_cannot_run_in_a_transaction_has_its_migration_for_itself()
    {
        var alone = Assert.Single(MigrationCompiler.Compile(With<SuppressedContext>).Migrations);
        var shared = Assert.Throws<TenantMigrationException>(() =>
            MigrationCompiler.Compile(With<SharedSuppressedContext>));

        Assert.True(alone.Up.OutsideTransaction);
        Assert.Contains("20260101000000_SharedSuppressed has 2 commands", shared.Message, StringComparison.Ordinal);
        Assert.Contains("CREATE INDEX CONCURRENTLY", shared.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_migration_that_leaves_the_tenants_schema_is_an_error_too()
    {
        var error = Assert.Throws<TenantMigrationException>(() => MigrationCompiler.Compile(With<ForeignContext>));

        Assert.Contains("20260101000000_Foreign", error.Message, StringComparison.Ordinal);
        Assert.Contains("customer_globex", error.Message, StringComparison.Ordinal);
    }

    private static TContext With<TContext>() where TContext : DbContext
    {
        var options = new DbContextOptionsBuilder<TContext>();
        options.UseNpgsql().UseTenancy();
        return (TContext)Activator.CreateInstance(typeof(TContext), options.Options)!;
    }
}

internal sealed class LiteralContext(DbContextOptions<LiteralContext> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) =>
        modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
}

internal sealed class SuppressedContext(DbContextOptions<SuppressedContext> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) =>
        modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
}

[DbContext(typeof(LiteralContext)), Migration("20260101000000_Literal")]
internal sealed class Literal : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.Sql("SELECT\n '\"__Tenant__\".a'::regclass;");
}

internal sealed class SharedSuppressedContext(DbContextOptions<SharedSuppressedContext> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) =>
        modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
}

[DbContext(typeof(SharedSuppressedContext)), Migration("20260101000000_SharedSuppressed")]
internal sealed class SharedSuppressed : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<int>("y", "a", schema: TenantPlaceholder.Schema, nullable: true);
        migrationBuilder.Sql("CREATE INDEX CONCURRENTLY i ON \"__Tenant__\".a (y);", suppressTransaction: true);
    }
}

[DbContext(typeof(SuppressedContext)), Migration("20260101000000_Suppressed")]
internal sealed class Suppressed : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.Sql("CREATE INDEX CONCURRENTLY i ON \"__Tenant__\".a (x);", suppressTransaction: true);
}

internal sealed class ForeignContext(DbContextOptions<ForeignContext> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) =>
        modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
}

[DbContext(typeof(ForeignContext)), Migration("20260101000000_Foreign")]
internal sealed class Foreign : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.Sql("INSERT INTO \"__Tenant__\".a SELECT * FROM customer_globex.a;");
}
