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
        using var context = With<LiteralContext>();
        var error = Assert.Throws<InvalidOperationException>(() => MigrationCompiler.Compile(context));

        Assert.Contains("20260101000000_Literal", error.Message, StringComparison.Ordinal);
        Assert.Contains("Line 2", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_command_that_cannot_run_in_a_transaction_is_an_error_too()
    {
        using var context = With<SuppressedContext>();

        Assert.Contains(
            "20260101000000_Suppressed", Assert.Throws<InvalidOperationException>(() => MigrationCompiler.Compile(context)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_migration_that_leaves_the_tenants_schema_is_an_error_too()
    {
        using var context = With<ForeignContext>();
        var error = Assert.Throws<InvalidOperationException>(() => MigrationCompiler.Compile(context));

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
    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
}

internal sealed class SuppressedContext(DbContextOptions<SuppressedContext> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
}

[DbContext(typeof(LiteralContext)), Migration("20260101000000_Literal")]
internal sealed class Literal : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("DO $$ BEGIN\n EXECUTE 'DROP TABLE \"__Tenant__\".a'; END $$;");
}

[DbContext(typeof(SuppressedContext)), Migration("20260101000000_Suppressed")]
internal sealed class Suppressed : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) =>
        migrationBuilder.Sql("CREATE INDEX CONCURRENTLY i ON \"__Tenant__\".a (x);", suppressTransaction: true);
}

internal sealed class ForeignContext(DbContextOptions<ForeignContext> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
}

[DbContext(typeof(ForeignContext)), Migration("20260101000000_Foreign")]
internal sealed class Foreign : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("INSERT INTO \"__Tenant__\".a SELECT * FROM customer_globex.a;");
}
