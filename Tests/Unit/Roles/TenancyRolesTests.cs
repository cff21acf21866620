using Microsoft.EntityFrameworkCore.Migrations;
using Microsoft.EntityFrameworkCore.Migrations.Operations;
using Tenancy;
using Tenancy.Sql;
using Xunit;

namespace Tests.Unit.Roles;

public sealed class TenancyRolesTests
{
    [Theory]
    [InlineData("")]
    [InlineData("Api")]
    [InlineData("tenancy-api")]
    [InlineData("api\"; DROP ROLE postgres; --")]
    [InlineData("api'")]
    [InlineData("api\n")]
    [InlineData("pg_read_all_data")]
    [InlineData("public")]
    [InlineData("none")]
    public void A_name_that_is_more_than_a_role_reaches_no_migration(string role)
    {
        var migration = new MigrationBuilder("Npgsql");

        Assert.Throws<FormatException>(() => migration.CreateTenancyRole(role));
        Assert.Throws<FormatException>(() => migration.DropTenancyRole(role));
        Assert.Throws<FormatException>(() => migration.GrantTenantSchema(role));
        Assert.Throws<FormatException>(() => migration.RevokeTenantSchema(role));
        Assert.Empty(migration.Operations);
    }

    [Fact]
    public void Every_grant_names_the_tenants_schema_where_the_stamp_finds_it()
    {
        var migration = new MigrationBuilder("Npgsql");
        migration.GrantTenantSchema("tenancy_api", "Own\"History");
        migration.RevokeTenantSchema("tenancy_api");

        var acme = SchemaName.Parse("customer_acme");
        var statements = migration.Operations.Cast<SqlOperation>().Select(operation => SqlTemplate.Of(operation.Sql))
            .ToList();

        Assert.All(
            statements, statement => Assert.True(statement.NamesTenant && statement.PlaceholderInLiteral is null));
        Assert.All(statements,
            statement => Assert.Contains("\"customer_acme\"", statement.Rewrite(acme), StringComparison.Ordinal));
        Assert.Contains(statements,
            statement => statement.Rewrite(acme)
                == "REVOKE ALL ON \"customer_acme\".\"Own\"\"History\" FROM \"tenancy_api\";");
    }
}
