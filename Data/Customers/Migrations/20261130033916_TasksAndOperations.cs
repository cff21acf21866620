using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Data.Customers.Migrations
{
    /// <inheritdoc />
    public partial class TasksAndOperations : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "operations",
                schema: "tenancy",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    kind = table.Column<string>(type: "character varying(32)", maxLength: 32, nullable: false),
                    slug = table.Column<string>(type: "character varying(63)", maxLength: 63, nullable: true),
                    asked_by = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: false),
                    arguments = table.Column<string>(type: "jsonb", nullable: false),
                    state = table.Column<string>(type: "character varying(16)", maxLength: 16, nullable: false, defaultValue: "queued"),
                    done = table.Column<long>(type: "bigint", nullable: false, defaultValue: 0L),
                    total = table.Column<long>(type: "bigint", nullable: true),
                    result = table.Column<string>(type: "jsonb", nullable: true),
                    error = table.Column<string>(type: "text", nullable: true),
                    attempts = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    cancel = table.Column<string>(type: "text", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "clock_timestamp()"),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    heartbeat_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    ended_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_operations", x => x.id);
                    table.CheckConstraint("ck_operations_state", "state IN ('queued', 'running', 'done', 'failed', 'cancelled') AND (state IN ('queued', 'running')) = (ended_at IS NULL)");
                });

            migrationBuilder.CreateTable(
                name: "tasks",
                schema: "tenancy",
                columns: table => new
                {
                    task = table.Column<string>(type: "character varying(100)", maxLength: 100, nullable: false),
                    schema = table.Column<string>(type: "character varying(63)", maxLength: 63, nullable: false, collation: "C"),
                    done_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    attempts = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    last_error = table.Column<string>(type: "text", nullable: true),
                    failed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_tasks", x => new { x.task, x.schema });
                });

            migrationBuilder.CreateTable(
                name: "operation_files",
                schema: "tenancy",
                columns: table => new
                {
                    operation = table.Column<Guid>(type: "uuid", nullable: false),
                    part = table.Column<int>(type: "integer", nullable: false),
                    bytes = table.Column<byte[]>(type: "bytea", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_operation_files", x => new { x.operation, x.part });
                    table.ForeignKey(
                        name: "fk_operation_files_operation",
                        column: x => x.operation,
                        principalSchema: "tenancy",
                        principalTable: "operations",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_operations_ended_at",
                schema: "tenancy",
                table: "operations",
                column: "ended_at");

            migrationBuilder.CreateIndex(
                name: "ix_operations_live",
                schema: "tenancy",
                table: "operations",
                column: "id",
                filter: "ended_at IS NULL");

            migrationBuilder.CreateIndex(
                name: "ix_operations_slug",
                schema: "tenancy",
                table: "operations",
                columns: new[] { "slug", "id" });
            // The API shows both. The files hold customers' rows, which this login doesn't see.
            migrationBuilder.Sql("GRANT SELECT ON tenancy.tasks, tenancy.operations TO \"tenancy_registry\";");
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "operation_files",
                schema: "tenancy");

            migrationBuilder.DropTable(
                name: "tasks",
                schema: "tenancy");

            migrationBuilder.DropTable(
                name: "operations",
                schema: "tenancy");
        }
    }
}
