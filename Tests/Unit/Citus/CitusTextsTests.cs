using Tenancy;
using Tenancy.Citus;
using Tenancy.Fleet;
using Xunit;

namespace Tests.Unit.Citus;

public sealed class CitusTextsTests
{
    private const string Atomic =
        "CREATE FUNCTION s.f(a int) RETURNS int LANGUAGE sql " +
        "BEGIN ATOMIC SELECT CASE WHEN a > 0 THEN 1 END; SELECT 2; END";

    [Fact]
    public void A_schema_is_placed_by_a_setting_of_its_own_transaction()
    {
        Assert.Equal(
            "SET LOCAL citus.enable_schema_based_sharding TO on;\nCREATE SCHEMA \"customer_acme\";\n",
            NewSchemaSql.Create(SchemaName.Parse("customer_acme").Quoted));
    }

    [Fact]
    public void Only_the_function_that_Npgsql_would_cut_is_made_in_a_block()
    {
        var text = DoBlock.WhereCutWrongly($"CREATE TABLE s.a (x int);\n{Atomic};\nCREATE TABLE s.b (x int);");

        Assert.Equal($"CREATE TABLE s.a (x int);\n{DoBlock.Of(Atomic)};\nCREATE TABLE s.b (x int);", text);
    }

    [Theory]
    [InlineData("CREATE TABLE s.atomic (x int); SELECT 1")]
    [InlineData("BEGIN; SELECT atomic FROM s.a; END")]
    [InlineData("SELECT 'BEGIN ATOMIC SELECT 1; END'")]
    public void What_has_no_such_function_is_left_as_it_is(string text) =>
        Assert.Equal(text, DoBlock.WhereCutWrongly(text));

    [Fact]
    public void A_function_without_a_semicolon_behind_it_ends_with_the_text() =>
        Assert.Equal($"SELECT 1; {DoBlock.Of(Atomic)}", DoBlock.WhereCutWrongly($"SELECT 1; {Atomic}"));

    [Theory]
    [InlineData(97, 16, 3)]
    [InlineData(297, 16, 9)]
    [InlineData(20, 16, 1)]
    public void Workers_leave_half_of_the_smallest_nodes_connections_to_others(
        int connections, int pool, int workers) => Assert.Equal(workers, new CitusLimits(0, connections, pool).Workers);

    [Theory]
    [InlineData("plain", "'plain'")]
    [InlineData(@"it's \", @"'it\'s \\'")]
    public void A_password_is_quoted_by_libpqs_rules(string password, string quoted) =>
        Assert.Equal(quoted, NodeLogin.Quoted(password));

    [Fact]
    public void A_repair_says_what_was_brought_or_why_not()
    {
        var schema = SchemaName.Parse("customer_acme");

        Assert.Equal("customer_acme: a, b moved from the coordinator to a node.",
            $"{new PlacementMend(schema, ["a", "b"], null)}");
        Assert.Equal("The schema customer_acme can't move from the coordinator to a node: it has a trigger.",
            $"{new PlacementMend(schema, [], "it has a trigger")}");
    }
}
