using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Data.Customers.Migrations
{
    /// <inheritdoc />
    public partial class DroppedTenants : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropCheckConstraint(
                name: "ck_schemas_state",
                schema: "tenancy",
                table: "schemas");

            migrationBuilder.AddColumn<DateTimeOffset>(
                name: "drop_after",
                schema: "tenancy",
                table: "schemas",
                type: "timestamp with time zone",
                nullable: true);

            migrationBuilder.CreateIndex(
                name: "ix_schemas_drop_after",
                schema: "tenancy",
                table: "schemas",
                column: "drop_after",
                filter: "state IN ('dropping', 'dropped') AND drop_after IS NOT NULL");

            migrationBuilder.AddCheckConstraint(
                name: "ck_schemas_state",
                schema: "tenancy",
                table: "schemas",
                sql: "state IN ('provisioning', 'ready', 'failed', 'suspended', 'archived', 'dropping', 'spare', 'dropped')");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_schemas_drop_after",
                schema: "tenancy",
                table: "schemas");

            migrationBuilder.DropCheckConstraint(
                name: "ck_schemas_state",
                schema: "tenancy",
                table: "schemas");

            migrationBuilder.DropColumn(
                name: "drop_after",
                schema: "tenancy",
                table: "schemas");

            migrationBuilder.AddCheckConstraint(
                name: "ck_schemas_state",
                schema: "tenancy",
                table: "schemas",
                sql: "state IN ('provisioning', 'ready', 'failed', 'suspended', 'archived', 'dropping', 'spare')");
        }
    }
}
