using Microsoft.EntityFrameworkCore.Migrations;
using Tenancy;

#nullable disable

namespace Data.Customers.Migrations
{
    /// <summary>
    /// The role that reads who the customers are and which version their schemas have: an API finds a request's
    /// customer by it. It reaches no customer's schema, and the role that serves customers isn't a member of it.
    /// </summary>
    public partial class RegistryRole : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTenancyRole("tenancy_registry");
            migrationBuilder.Sql("""
                GRANT USAGE ON SCHEMA public, tenancy TO "tenancy_registry";
                GRANT SELECT ON public.customers, public.currencies, public."__EFMigrationsHistory", tenancy.schemas, tenancy.versions, tenancy.runs TO "tenancy_registry";
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""
                REVOKE ALL ON public.customers, public.currencies, public."__EFMigrationsHistory", tenancy.schemas, tenancy.versions, tenancy.runs FROM "tenancy_registry";
                REVOKE ALL ON SCHEMA public, tenancy FROM "tenancy_registry";
                """);
            migrationBuilder.DropTenancyRole("tenancy_registry");
        }
    }
}
