using Benchmarks.Measuring;
using Xunit;

namespace Tests.Unit.Benchmarks;

public sealed class WalkTests
{
    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(10)]
    [InlineData(1000)]
    public void Every_lap_meets_each_tenant_once(int tenants)
    {
        var walk = new Walk(tenants, start: 3);

        for (var lap = 0; lap < 3; lap++)
        {
            var met = Enumerable.Range(0, tenants).Select(_ => walk.Next()).ToList();
            Assert.Equal(Enumerable.Range(0, tenants), met.Order());
        }
    }

    [Fact]
    public void Each_connection_of_the_pool_meets_each_tenant_although_the_pool_s_size_divides_their_number()
    {
        const int tenants = 1000, connections = 8;
        var walk = new Walk(tenants, start: 0);
        var met = Enumerable.Range(0, connections).Select(_ => new HashSet<int>()).ToList();

        for (var request = 0; request < connections * tenants; request++)
        {
            met[request % connections].Add(walk.Next());
        }

        Assert.All(met, one => Assert.Equal(tenants, one.Count));
    }
}
