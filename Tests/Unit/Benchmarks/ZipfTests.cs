using Benchmarks.Measuring;
using Xunit;

namespace Tests.Unit.Benchmarks;

public sealed class ZipfTests
{
    [Fact]
    public void The_busiest_is_asked_for_twice_as_often_as_the_second_and_ten_times_as_often_as_the_tenth()
    {
        var zipf = new Zipf(places: 1000, seed: 7);

        var counts = Enumerable.Range(0, 200_000).CountBy(_ => zipf.Next()).Select(place => place.Value).OrderDescending()
            .ToList();

        Assert.Equal(2, (double)counts[0] / counts[1], 0.1);
        Assert.Equal(10, (double)counts[0] / counts[9], 0.7);
        Assert.All(Enumerable.Range(0, 1000).Select(_ => zipf.Next()), place => Assert.InRange(place, 0, 999));
    }

    [Fact]
    public void The_busy_ones_are_the_same_for_every_seed()
    {
        Assert.Equal(Busiest(1), Busiest(2));

        static int Busiest(int seed)
        {
            var zipf = new Zipf(places: 100, seed);
            return Enumerable.Range(0, 5000).Select(_ => zipf.Next()).CountBy(place => place)
                .MaxBy(place => place.Value).Key;
        }
    }
}
