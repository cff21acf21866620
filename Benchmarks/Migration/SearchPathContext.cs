using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Benchmarks.Migration;

/// <summary>
/// EF without the library: names without a schema, and each customer's schema in a connection string of its own. Its
/// model is empty, so that what it compares at each migration costs nothing.
/// </summary>
internal sealed class SearchPathContext(DbContextOptions<SearchPathContext> options) : DbContext(options);

/// <summary>The same migration as <see cref="AddReference"/>.</summary>
[DbContext(typeof(SearchPathContext))]
[Migration(AddReference.Id)]
internal sealed class AddReferenceBySearchPath : Microsoft.EntityFrameworkCore.Migrations.Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<string>(
            AddReference.Column, AddReference.Table, "character varying(64)", maxLength: 64, nullable: true);
        migrationBuilder.CreateIndex(AddReference.Index, "invoice_lines", "total");
    }
}
