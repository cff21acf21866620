using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Data.Invoicing.Migrations
{
    /// <summary>
    /// One contact of a name and an address. Equal ones, which invoices written at once had made, become the oldest.
    /// </summary>
    public partial class UniqueContacts : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.Sql("""
                UPDATE "__Tenant__".invoices AS i SET contact_id = equal.oldest
                FROM (SELECT id, first_value(id) OVER (PARTITION BY name, email ORDER BY id) AS oldest
                      FROM "__Tenant__".contacts) AS equal
                WHERE i.contact_id = equal.id AND equal.id <> equal.oldest;
                DELETE FROM "__Tenant__".contacts AS c
                USING (SELECT id, first_value(id) OVER (PARTITION BY name, email ORDER BY id) AS oldest
                       FROM "__Tenant__".contacts) AS equal
                WHERE c.id = equal.id AND equal.id <> equal.oldest;
                """);

            migrationBuilder.DropIndex(
                name: "ix_contacts_name",
                schema: "__Tenant__",
                table: "contacts");

            migrationBuilder.CreateIndex(
                name: "ix_contacts_name_email",
                schema: "__Tenant__",
                table: "contacts",
                columns: new[] { "name", "email" },
                unique: true);
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropIndex(
                name: "ix_contacts_name_email",
                schema: "__Tenant__",
                table: "contacts");

            migrationBuilder.CreateIndex(
                name: "ix_contacts_name",
                schema: "__Tenant__",
                table: "contacts",
                column: "name");
        }
    }
}
