using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Data.Customers.Migrations
{
    /// <summary>
    /// Runs that can be watched, versions that every build can read, and the indexes by which both ask the ledger.
    /// </summary>
    public partial class FleetRuns : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_schemas_version_schema",
                schema: "tenancy",
                table: "schemas");

            migrationBuilder.DropCheckConstraint(
                name: "ck_schemas_state",
                schema: "tenancy",
                table: "schemas");

            migrationBuilder.AlterColumn<int>(
                name: "ring",
                schema: "tenancy",
                table: "schemas",
                type: "integer",
                nullable: false,
                defaultValue: 1,
                oldClrType: typeof(int),
                oldType: "integer",
                oldDefaultValue: 0);

            migrationBuilder.AlterColumn<string>(
                name: "schema",
                schema: "tenancy",
                table: "schemas",
                type: "character varying(63)",
                maxLength: 63,
                nullable: false,
                collation: "C",
                oldClrType: typeof(string),
                oldType: "character varying(63)",
                oldMaxLength: 63);

            migrationBuilder.AddColumn<double>(
                name: "migrated_in_ms",
                schema: "tenancy",
                table: "schemas",
                type: "double precision",
                nullable: true);

            migrationBuilder.AddColumn<string>(
                name: "unfinished",
                schema: "tenancy",
                table: "schemas",
                type: "character varying(150)",
                maxLength: 150,
                nullable: true);

            migrationBuilder.CreateTable(
                name: "runs",
                schema: "tenancy",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<string>(type: "character varying(16)", maxLength: 16, nullable: false),
                    asked_by = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: false),
                    target = table.Column<string>(type: "character varying(150)", maxLength: 150, nullable: false),
                    total = table.Column<int>(type: "integer", nullable: false),
                    migrated = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    failed = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    ring = table.Column<int>(type: "integer", nullable: true),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "clock_timestamp()"),
                    heartbeat_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "clock_timestamp()"),
                    halt = table.Column<string>(type: "text", nullable: true),
                    ended_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    outcome = table.Column<string>(type: "character varying(16)", maxLength: 16, nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_runs", x => x.id);
                    table.CheckConstraint("ck_runs_outcome", "outcome IN ('done', 'halted', 'cancelled', 'broken', 'lost') AND (outcome IS NULL) = (ended_at IS NULL)");
                });

            migrationBuilder.CreateTable(
                name: "versions",
                schema: "tenancy",
                columns: table => new
                {
                    version = table.Column<string>(type: "character varying(32)", maxLength: 32, nullable: false),
                    migrations = table.Column<string[]>(type: "text[]", nullable: false),
                    breaking = table.Column<string[]>(type: "text[]", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_versions", x => x.version);
                });

            migrationBuilder.CreateIndex(
                name: "ix_schemas_ring_schema",
                schema: "tenancy",
                table: "schemas",
                columns: new[] { "ring", "schema" },
                filter: "state IN ('ready', 'failed', 'suspended', 'spare')");

            migrationBuilder.CreateIndex(
                name: "ix_schemas_version",
                schema: "tenancy",
                table: "schemas",
                column: "version",
                filter: "state IN ('ready', 'failed', 'suspended', 'spare')");

            migrationBuilder.AddCheckConstraint(
                name: "ck_schemas_state",
                schema: "tenancy",
                table: "schemas",
                sql: "state IN ('provisioning', 'ready', 'failed', 'suspended', 'archived', 'dropping', 'spare')");

            migrationBuilder.CreateIndex(
                name: "ix_runs_live",
                schema: "tenancy",
                table: "runs",
                column: "heartbeat_at",
                filter: "ended_at IS NULL");

            // Until now no run looked at rings, and all customers were in the first: that one is for those who are put
            // there.
            migrationBuilder.Sql("""
                UPDATE public.customers SET ring = 1 WHERE ring = 0;
                UPDATE tenancy.schemas SET ring = 1 WHERE ring = 0;
                """);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "runs",
                schema: "tenancy");

            migrationBuilder.DropTable(
                name: "versions",
                schema: "tenancy");

            migrationBuilder.DropIndex(
                name: "ix_schemas_ring_schema",
                schema: "tenancy",
                table: "schemas");

            migrationBuilder.DropIndex(
                name: "ix_schemas_version",
                schema: "tenancy",
                table: "schemas");

            migrationBuilder.DropCheckConstraint(
                name: "ck_schemas_state",
                schema: "tenancy",
                table: "schemas");

            migrationBuilder.DropColumn(
                name: "migrated_in_ms",
                schema: "tenancy",
                table: "schemas");

            migrationBuilder.DropColumn(
                name: "unfinished",
                schema: "tenancy",
                table: "schemas");

            migrationBuilder.AlterColumn<int>(
                name: "ring",
                schema: "tenancy",
                table: "schemas",
                type: "integer",
                nullable: false,
                defaultValue: 0,
                oldClrType: typeof(int),
                oldType: "integer",
                oldDefaultValue: 1);

            migrationBuilder.AlterColumn<string>(
                name: "schema",
                schema: "tenancy",
                table: "schemas",
                type: "character varying(63)",
                maxLength: 63,
                nullable: false,
                oldClrType: typeof(string),
                oldType: "character varying(63)",
                oldMaxLength: 63,
                oldCollation: "C");

            migrationBuilder.CreateIndex(
                name: "ix_schemas_version_schema",
                schema: "tenancy",
                table: "schemas",
                columns: new[] { "version", "schema" });

            migrationBuilder.AddCheckConstraint(
                name: "ck_schemas_state",
                schema: "tenancy",
                table: "schemas",
                sql: "state IN ('provisioning', 'ready', 'failed', 'suspended', 'archived', 'dropping')");
        }
    }
}
