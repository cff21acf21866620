using Microsoft.EntityFrameworkCore.Migrations;
using Tenancy;

#nullable disable

namespace Data.Invoicing.Migrations
{
    /// <summary>
    /// Lets the role that serves customers at this one's rows; the shared migration ApiRole makes it.
    /// </summary>
    public partial class GrantApiRole : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.GrantTenantSchema("tenancy_api");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.RevokeTenantSchema("tenancy_api");
        }
    }
}
