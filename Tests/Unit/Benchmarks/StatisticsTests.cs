using Benchmarks.Measuring;
using Xunit;

namespace Tests.Unit.Benchmarks;

public sealed class StatisticsTests
{
    [Theory]
    [InlineData(new double[] { 7 }, 7)]
    [InlineData(new double[] { 3, 1, 2 }, 2)]
    [InlineData(new double[] { 4, 1, 3, 2 }, 2.5)]
    [InlineData(new double[] { 1, 1, 1, 1000 }, 1)]
    public void The_median_is_the_middle_one_or_between_the_two(double[] values, double median) =>
        Assert.Equal(median, Statistics.Median(values));

    [Fact]
    public void A_percentile_is_interpolated_between_its_neighbours()
    {
        double[] values = [.. Enumerable.Range(0, 101).Select(number => (double)number)];

        Assert.Equal(99, Statistics.Percentile(values, 0.99), 9);
        Assert.Equal(1.5, Statistics.Percentile([1, 2], 0.5), 9);
        Assert.Equal(100, Statistics.Percentile(values, 1));
    }

    [Fact]
    public void Of_nothing_there_is_no_median() => Assert.Throws<ArgumentException>(() => Statistics.Median([]));

    // The tables of the sign test: for 15 values the 4th from either end, for 21 the 6th, for 100 the 40th.
    [Theory]
    [InlineData(6, 1)]
    [InlineData(15, 4)]
    [InlineData(21, 6)]
    [InlineData(100, 40)]
    public void The_interval_ends_at_those_values_that_enclose_the_median_in_95_of_100_cases(int count, int end)
    {
        var estimate = Statistics.Estimate(Enumerable.Range(1, count).Reverse().Select(number => (double)number));

        Assert.Equal(end, estimate.Low);
        Assert.Equal(count + 1 - end, estimate.High);
    }

    [Fact]
    public void Five_values_are_too_few_for_an_interval()
    {
        var estimate = Statistics.Estimate([1, 2, 3, 4, 5]);

        Assert.Null(estimate.Low);
        Assert.Equal("3.00", $"{estimate}");
    }

    [Fact]
    public void A_ratio_is_made_within_each_pair_so_that_a_slow_while_cancels_out()
    {
        double[] measured = [110, 1100, 220];
        double[] reference = [100, 1000, 200];

        Assert.All(Statistics.Ratios(measured, reference), ratio => Assert.Equal(1.1, ratio, 9));
        Assert.Throws<ArgumentException>(() => Statistics.Ratios(measured, [100]));
    }

    [Fact]
    public void Twice_as_slow_here_and_twice_as_fast_there_is_equal() =>
        Assert.Equal(1, Statistics.GeometricMean(2, 0.5), 9);
}
