using Microsoft.EntityFrameworkCore.Migrations;
using Tenancy;

#nullable disable

namespace Data.Customers.Migrations
{
    /// <inheritdoc />
    public partial class NotifyTenantChanges : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) =>
            migrationBuilder.NotifyTenantChanges("public.customers");

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) =>
            migrationBuilder.StopNotifyingTenantChanges("public.customers");
    }
}
