using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Tenancy.Migrations;
using Xunit;

namespace Tests.Unit.Tenants;

/// <summary>A migration may derive from another one, whose attributes it inherits beside its own.</summary>
public sealed class DerivedMigrationTests
{
    [Fact]
    public void Each_class_has_its_own_id() =>
        Assert.Equal(["20260101000000_First", "20260201000000_Second"],
            MigrationCompiler.Ids(typeof(DerivingContext)).Keys);

    internal sealed class DerivingContext(DbContextOptions<DerivingContext> options) : DbContext(options);

    [DbContext(typeof(DerivingContext))]
    [Migration("20260101000000_First")]
    internal class First : Migration
    {
        protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("SELECT 1");
    }

    [DbContext(typeof(DerivingContext))]
    [Migration("20260201000000_Second")]
    internal sealed class Second : First;
}
