using Microsoft.EntityFrameworkCore.Migrations;
using Tenancy;

#nullable disable

namespace Data.Customers.Migrations
{
    /// <summary>
    /// The role that reads what all customers share, and reaches no customer's schema. Each customer's own role is a
    /// member of it, where customers have roles (<see cref="TenancyOptions.TenantRoles"/>).
    /// </summary>
    public partial class SharedRole : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTenancyRole("tenancy_shared");
            migrationBuilder.Sql("""
                GRANT USAGE ON SCHEMA public TO "tenancy_shared";
                GRANT SELECT ON public.currencies TO "tenancy_shared";
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""
                REVOKE ALL ON public.currencies FROM "tenancy_shared";
                REVOKE ALL ON SCHEMA public FROM "tenancy_shared";
                """);
            migrationBuilder.DropTenancyRole("tenancy_shared");
        }
    }
}
