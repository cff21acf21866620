using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Tenancy;

namespace Benchmarks.Migration;

/// <summary>
/// A tenant context that has one migration, on top of the sample's. It maps nothing and has no snapshot, so EF has nothing to compare at each MigrateAsync, which an
/// application's has: EF is at its best.
/// </summary>
internal sealed class LaterContext(DbContextOptions<LaterContext> options) : DbContext(options)
{
    protected override void OnModelCreating(ModelBuilder modelBuilder) => modelBuilder.HasDefaultSchema(TenantPlaceholder.Schema);
}

/// <summary>The migration that all rivals apply: the library and the floor as the text that EF's generator makes of it, EF itself.</summary>
[DbContext(typeof(LaterContext))]
[Migration(Id)]
internal sealed class AddReference : Microsoft.EntityFrameworkCore.Migrations.Migration
{
    public const string Id = "20270104090000_AddReference";
    public const string Table = "invoices";
    public const string Column = "reference";
    public const string Index = "ix_invoice_lines_total";

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<string>(Column, Table, "character varying(64)", maxLength: 64, nullable: true, schema: TenantPlaceholder.Schema);
        migrationBuilder.CreateIndex(Index, "invoice_lines", "total", TenantPlaceholder.Schema);
    }
}
