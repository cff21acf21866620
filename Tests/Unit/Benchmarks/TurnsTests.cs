using Benchmarks.Measuring;
using Xunit;

namespace Tests.Unit.Benchmarks;

public sealed class TurnsTests
{
    [Fact]
    public void Each_rival_comes_first_as_often_as_the_others()
    {
        var firsts = Enumerable.Range(0, 12).Select(round => Turns.Order(["a", "b", "c"], round)[0]).ToList();

        Assert.All(["a", "b", "c"], rival => Assert.Equal(4, firsts.Count(first => first == rival)));
    }

    [Fact]
    public void A_ratio_is_made_of_the_rounds_in_which_both_ran()
    {
        var turns = new Turns();
        for (var round = 0; round < 4; round++)
        {
            turns.Add("fast", round, round == 1 ? 1000 : 2);
            if (round % 2 == 0)
            {
                turns.Add("slow", round, 6);
            }
        }

        Assert.Equal(3, turns.Ratio("slow", "fast").Median);
    }
}
