using Data.Invoicing;
using Data.Invoicing.Migrations;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;
using Tenancy;

namespace Benchmarks.Migration;

/// <summary>
/// The migration that all rivals apply on top of the sample's: the library and the floor as the text that EF's
/// generator makes of it, EF itself from this class. It derives from the sample's last one for its target model, which
/// is that of the whole context, as EF's tools would have written it here.
/// </summary>
[DbContext(typeof(InvoicingContext))]
[Migration(Id)]
internal sealed class AddReference : GrantApiRole
{
    public const string Id = "20270104090000_AddReference";
    public const string Table = "invoices";
    public const string Column = "reference";
    public const string Index = "ix_invoice_lines_total";

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<string>(
            Column, Table, "character varying(64)", maxLength: 64, nullable: true, schema: TenantPlaceholder.Schema);
        migrationBuilder.CreateIndex(Index, "invoice_lines", "total", TenantPlaceholder.Schema);
    }
}

/// <summary>The sample's: every MigrateAsync compares the context with it.</summary>
[DbContext(typeof(InvoicingContext))]
internal sealed class Snapshot : InvoicingContextModelSnapshot;
