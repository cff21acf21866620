using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Data.Customers.Migrations
{
    /// <summary>The database that has a customer's schema; null for the first one.</summary>
    public partial class TenantDatabase : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.AddColumn<string>(
                name: "database",
                schema: "public",
                table: "customers",
                type: "character varying(63)",
                maxLength: 63,
                nullable: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropColumn(
                name: "database",
                schema: "public",
                table: "customers");
        }
    }
}
