using Microsoft.EntityFrameworkCore.Migrations;
using Tenancy;

#nullable disable

namespace Data.Customers.Migrations
{
    /// <summary>
    /// The role that serves customers: it reads what they share, and each customer's own migrations let it at that
    /// one's rows. Registry, ledger and histories are the owner's alone.
    /// </summary>
    public partial class ApiRole : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTenancyRole("tenancy_api");
            migrationBuilder.Sql("""
                GRANT USAGE ON SCHEMA public TO "tenancy_api";
                GRANT SELECT ON public.currencies TO "tenancy_api";
                """);

            // Up to PostgreSQL 14 everybody may create tables in public, where a name without a schema would find them.
            migrationBuilder.Sql("REVOKE CREATE ON SCHEMA public FROM PUBLIC;");
            // A temporary table stays in the session, which goes from customer to customer, and hides tables of its
            // name.
            migrationBuilder.Sql("""
                DO $temporary$
                BEGIN
                    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
                END
                $temporary$;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            // What PUBLIC had is not given back: nothing here needs it, and nobody knows what it had.
            migrationBuilder.Sql("""
                REVOKE ALL ON public.currencies FROM "tenancy_api";
                REVOKE ALL ON SCHEMA public FROM "tenancy_api";
                """);
            migrationBuilder.DropTenancyRole("tenancy_api");
        }
    }
}
