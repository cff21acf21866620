using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

#pragma warning disable CA1814 // Prefer jagged arrays over multidimensional

namespace Data.Customers.Migrations
{
    /// <inheritdoc />
    public partial class Initial : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.EnsureSchema(
                name: "public");

            migrationBuilder.EnsureSchema(
                name: "tenancy");

            migrationBuilder.CreateTable(
                name: "currencies",
                schema: "public",
                columns: table => new
                {
                    code = table.Column<string>(type: "character varying(3)", maxLength: 3, nullable: false),
                    name = table.Column<string>(type: "character varying(60)", maxLength: 60, nullable: false),
                    decimals = table.Column<int>(type: "integer", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_currencies", x => x.code);
                });

            migrationBuilder.CreateTable(
                name: "customers",
                schema: "public",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    slug = table.Column<string>(type: "character varying(40)", maxLength: 40, nullable: false),
                    name = table.Column<string>(type: "character varying(200)", maxLength: 200, nullable: false),
                    schema = table.Column<string>(type: "character varying(63)", maxLength: 63, nullable: false),
                    status = table.Column<string>(type: "character varying(16)", maxLength: 16, nullable: false),
                    ring = table.Column<int>(type: "integer", nullable: false),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    suspended_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    archived_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_customers", x => x.id);
                    table.CheckConstraint("ck_customers_status", "status IN ('active', 'suspended', 'archived')");
                });

            migrationBuilder.CreateTable(
                name: "schemas",
                schema: "tenancy",
                columns: table => new
                {
                    schema = table.Column<string>(type: "character varying(63)", maxLength: 63, nullable: false),
                    state = table.Column<string>(type: "character varying(16)", maxLength: 16, nullable: false),
                    version = table.Column<string>(type: "character varying(32)", maxLength: 32, nullable: false, defaultValue: ""),
                    ring = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    attempts = table.Column<int>(type: "integer", nullable: false, defaultValue: 0),
                    last_error = table.Column<string>(type: "text", nullable: true),
                    created_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false, defaultValueSql: "now()"),
                    migrated_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true),
                    failed_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: true)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_schemas", x => x.schema);
                    table.CheckConstraint("ck_schemas_state", "state IN ('provisioning', 'ready', 'failed', 'suspended', 'archived', 'dropping')");
                });

            migrationBuilder.InsertData(
                schema: "public",
                table: "currencies",
                columns: new[] { "code", "decimals", "name" },
                values: new object[,]
                {
                    { "CHF", 2, "Swiss franc" },
                    { "DKK", 2, "Danish krone" },
                    { "EUR", 2, "Euro" },
                    { "GBP", 2, "Pound sterling" },
                    { "JPY", 0, "Yen" },
                    { "KWD", 3, "Kuwaiti dinar" },
                    { "NOK", 2, "Norwegian krone" },
                    { "SEK", 2, "Swedish krona" },
                    { "USD", 2, "US dollar" }
                });

            migrationBuilder.CreateIndex(
                name: "ix_customers_schema",
                schema: "public",
                table: "customers",
                column: "schema",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_customers_slug",
                schema: "public",
                table: "customers",
                column: "slug",
                unique: true);

            migrationBuilder.CreateIndex(
                name: "ix_schemas_version_schema",
                schema: "tenancy",
                table: "schemas",
                columns: new[] { "version", "schema" });
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "currencies",
                schema: "public");

            migrationBuilder.DropTable(
                name: "customers",
                schema: "public");

            migrationBuilder.DropTable(
                name: "schemas",
                schema: "tenancy");
        }
    }
}
