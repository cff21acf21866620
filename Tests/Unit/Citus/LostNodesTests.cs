using Npgsql;
using Tenancy;
using Xunit;

namespace Tests.Unit.Citus;

public sealed class LostNodesTests
{
    [Theory]
    [InlineData("08006")]
    [InlineData("08000")]
    [InlineData("57P01")]
    public void A_node_that_the_coordinator_can_not_reach_is_that_tenants_failure(string code)
    {
        var error = Said(code, "ERROR");

        Assert.True(error.IsLostNode());
        Assert.True(error.IsTheSchemasOwn());
        Assert.False(error.IsAbsence());
    }

    [Fact]
    public void A_node_that_goes_away_during_a_change_has_no_code_and_is_known_by_Citus_words()
    {
        Assert.True(new PostgresException(
            "failure on connection marked as essential: node2:5432", "ERROR", "ERROR", "XX000").IsLostNode());
        Assert.False(new PostgresException("cache lookup failed", "ERROR", "ERROR", "XX000").IsLostNode());
    }

    [Theory]
    [InlineData("08006", "FATAL")]
    [InlineData("57P01", "FATAL")]
    [InlineData("57P03", "FATAL")]
    // A pooler's, of a client that doesn't keep to the protocol.
    [InlineData("08P01", "ERROR")]
    public void A_server_that_ends_the_session_is_everybodys(string code, string severity)
    {
        var error = Said(code, severity);

        Assert.False(error.IsLostNode());
        Assert.False(error.IsTheSchemasOwn());
        Assert.True(error.IsAbsence());
    }

    [Fact]
    public void An_internal_error_is_the_schemas_own_on_Citus_alone()
    {
        var refused = Said("XX000", "ERROR");

        Assert.True(refused.IsTheSchemasOwn(onCitus: true));
        Assert.False(refused.IsTheSchemasOwn(onCitus: false));
    }

    private static PostgresException Said(string code, string severity) => new("words", severity, severity, code);
}
