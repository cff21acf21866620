using Tenancy.Sql;
using Xunit;

namespace Tests.Unit.Sql;

/// <summary>Database spans have the same name for all tenants.</summary>
public sealed class StatementSummaryTests
{
    [Theory]
    [InlineData("SELECT i.id FROM \"customer_acme\".invoices AS i WHERE i.id = $1", "SELECT invoices")]
    [InlineData("select count(*)::int\nFROM (\n SELECT 1 FROM \"customer_acme\".\"Order Lines\" AS o\n) AS q",
        "SELECT Order Lines")]
    [InlineData("SELECT EXISTS (SELECT FROM tenancy.schemas WHERE version < $1)", "SELECT schemas")]
    [InlineData(
        "SELECT extract(epoch FROM now()), a IS DISTINCT FROM b FROM customer_acme.invoices", "SELECT invoices")]
    [InlineData("SELECT asked FROM unnest($1) AS asked", "SELECT")]
    [InlineData("SELECT 1", "SELECT")]
    [InlineData(
        "SELECT s.id, (SELECT sum(l.total) FROM \"c\".invoice_lines AS l) FROM (SELECT i.id FROM " +
        "\"c\".invoices AS i) AS s", "SELECT invoices")]
    [InlineData("SELECT (SELECT count(*) FROM \"c\".lines), (SELECT 1 FROM \"c\".contacts)", "SELECT lines")]
    [InlineData(
        "SELECT q.*, 0 FROM (\nSELECT i.id FROM \"c\".invoices AS i\n) AS q\nUNION ALL\nSELECT q.*, 1 FROM " +
        "(\nSELECT 1) AS q", "SELECT invoices")]
    [InlineData("WITH r AS (UPDATE public.customers SET ring = $2 WHERE x) UPDATE tenancy.schemas SET ring = $2",
        "UPDATE customers")]
    [InlineData(
        "WITH RECURSIVE v AS ((SELECT version FROM tenancy.schemas LIMIT 1)) SELECT version FROM v", "SELECT schemas")]
    [InlineData("INSERT INTO \"customer_acme\".invoices (id) VALUES (';')", "INSERT invoices")]
    [InlineData("UPDATE ONLY \"customer_acme\".invoices SET paid_on = $1", "UPDATE invoices")]
    [InlineData("DELETE FROM \"customer_acme\".invoices", "DELETE invoices")]
    [InlineData("COPY \"customer_acme\".invoice_lines (id) FROM STDIN (FORMAT BINARY)", "COPY invoice_lines")]
    [InlineData("COPY (SELECT * FROM \"customer_acme\".invoices) TO STDOUT", "COPY invoices")]
    [InlineData("LOCK TABLE \"customer_acme\".\"__EFMigrationsHistory\", \"b\".c IN SHARE ROW EXCLUSIVE MODE",
        "LOCK __EFMigrationsHistory")]
    [InlineData("CREATE TABLE IF NOT EXISTS \"customer_acme\".contacts (id uuid)", "CREATE TABLE contacts")]
    [InlineData("CREATE UNIQUE INDEX ix ON \"customer_acme\".contacts (id)", "CREATE INDEX")]
    [InlineData("CREATE SCHEMA \"customer_acme\"", "CREATE SCHEMA")]
    [InlineData("ALTER SCHEMA spare_1 RENAME TO \"customer_acme\"", "ALTER SCHEMA")]
    [InlineData("GRANT USAGE ON SCHEMA \"customer_acme\" TO api", "GRANT")]
    [InlineData("DO $a$BEGIN EXECUTE 'CREATE TABLE customer_acme.x ()'; END$a$", "DO")]
    [InlineData("-- customer_acme\n/* customer_acme */ TRUNCATE \"customer_acme\".contacts", "TRUNCATE contacts")]
    [InlineData("", "SQL")]
    [InlineData("'customer_acme'", "SQL")]
    public void It_names_the_operation_and_the_table_and_no_schema(string sql, string name) =>
        Assert.Equal(name, StatementSummary.Of(sql).Name);

    [Fact]
    public void Several_statements_are_named_once_each_and_three_of_them_at_most()
    {
        const string Invoice = "INSERT INTO \"c\".invoices VALUES (1);\n";
        const string Line = "INSERT INTO \"c\".lines VALUES (1);\n";

        var saved = StatementSummary.Of(Invoice + Line + Line);
        var script = StatementSummary.Of(
            Invoice + "CREATE SCHEMA c; CREATE TABLE c.a (); CREATE TABLE c.b (); CREATE TABLE c.d ()");

        Assert.Equal(new("INSERT invoices; INSERT lines", "BATCH INSERT", null, "c"), saved);
        Assert.Equal(new("INSERT invoices; CREATE SCHEMA; CREATE TABLE a; ...", "BATCH", null, null), script);
        Assert.Equal(new("INSERT lines", "INSERT", "lines", "c"), StatementSummary.Of(Line + Line));
    }

    [Fact]
    public void A_batch_is_named_like_one_text_of_many_statements() =>
        Assert.Equal("SET; SELECT schemas",
            StatementSummary.Of(
                ["SET LOCAL lock_timeout = 1", "SET LOCAL statement_timeout = 0",
                    "SELECT schema FROM tenancy.schemas"]).Name);

    [Fact]
    public void The_schema_is_told_apart_from_the_table() =>
        Assert.Equal(("SELECT", "invoices", "customer_acme"),
            StatementSummary.Of("SELECT 1 FROM \"customer_acme\".invoices") is var found
                ? (found.Operation, found.Table, found.Schema)
                : default);
}
