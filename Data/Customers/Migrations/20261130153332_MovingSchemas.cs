using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Data.Customers.Migrations
{
    /// <inheritdoc />
    public partial class MovingSchemas : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_schemas_state",
                schema: "tenancy",
                table: "schemas");

            migrationBuilder.AddCheckConstraint(
                name: "ck_schemas_state",
                schema: "tenancy",
                table: "schemas",
                sql: "state IN ('provisioning', 'ready', 'failed', 'suspended', 'archived', 'dropping', 'spare', 'dropped', 'moving')");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_schemas_state",
                schema: "tenancy",
                table: "schemas");

            migrationBuilder.AddCheckConstraint(
                name: "ck_schemas_state",
                schema: "tenancy",
                table: "schemas",
                sql: "state IN ('provisioning', 'ready', 'failed', 'suspended', 'archived', 'dropping', 'spare', 'dropped')");
        }
    }
}
