using Microsoft.Extensions.Diagnostics.HealthChecks;
using Tenancy.Hosting.Sources;
using Xunit;

namespace Tests.Integration.Citus;

/// <summary>What the AppHost does to make a cluster of its containers, on a real cluster whose nodes are
/// strangers.</summary>
public sealed class MoveNodesTests
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task The_AppHosts_check_registers_the_nodes_once_and_is_healthy_then()
    {
        await using var cluster = await MoveCluster.CreateAsync(registers: false);
        var nodes = cluster.Nodes.Select(node => (node.Host, node.Port)).ToList();

        var without = await CheckAsync([nodes[1], ("127.0.0.1", 1)]);
        Assert.Equal(HealthStatus.Unhealthy, without.Status);
        Assert.StartsWith("The cluster isn't complete yet: ", without.Description, StringComparison.Ordinal);
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync([.. nodes.Skip(1)])).Status);
        Assert.Equal(HealthStatus.Healthy, (await CheckAsync([.. nodes.Skip(1)])).Status);

        Assert.Equal(3L, await cluster.ScalarAsync("SELECT count(*) FROM pg_dist_node WHERE isactive"));

        Task<HealthCheckResult> CheckAsync(IReadOnlyList<(string, int)> workers) => new NodesCheck(
            _ => ValueTask.FromResult<string?>(cluster.ConnectionString), nodes[0], workers)
            .CheckHealthAsync(new(), Ct);
    }
}
