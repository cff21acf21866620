using Tenancy;
using Xunit;

namespace Tests.Unit.Citus;

public sealed class TenantNodeTests
{
    [Theory]
    [InlineData("worker-1:5432", "worker-1", 5432)]
    [InlineData("10.0.0.7:1", "10.0.0.7", 1)]
    [InlineData("[::1]:65535", "::1", 65535)]
    public void A_node_is_a_host_and_a_port(string text, string host, int port)
    {
        var node = TenantNode.Parse(text);

        Assert.Equal((host, port), (node.Host, node.Port));
        Assert.Equal(text, $"{node}");
    }

    [Theory]
    [InlineData("")]
    [InlineData("worker-1")]
    [InlineData(":5432")]
    [InlineData("worker-1:")]
    [InlineData("worker-1:0")]
    [InlineData("worker-1:65536")]
    [InlineData("worker-1:-1")]
    [InlineData("worker-1: 5432")]
    [InlineData("::1:5432")]
    [InlineData("[::1:5432")]
    public void Anything_else_is_refused_with_an_example(string text) => Assert.Contains(
        "write HOST:PORT", Assert.Throws<FormatException>(() => TenantNode.Parse(text)).Message, StringComparison.Ordinal);
}
