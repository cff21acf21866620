using System.Globalization;
using Web.Fleet;
using Xunit;

namespace Tests.Unit.Web;

public sealed class FleetFiguresTests
{
    private static readonly DateTimeOffset Noon = new(2026, 11, 23, 12, 0, 0, TimeSpan.Zero);

    public FleetFiguresTests() => CultureInfo.CurrentCulture = CultureInfo.GetCultureInfo("en-US");

    [Theory]
    [InlineData(40, 18, 2, 10, "Ring 1. 18 of 40 done, 2 failed. 2 per second, about 10 seconds left.")]
    [InlineData(40, 0, 0, 10, "Ring 1. 0 of 40 done.")]
    [InlineData(40, 5, 0, 0, "Ring 1. 5 of 40 done.")]
    [InlineData(40, 40, 0, 10, "Ring 1. 40 of 40 done. 4 per second, almost done.")]
    [InlineData(1_000, 1, 0, 60, "Ring 1. 1 of 1,000 done. 1 per minute, about 999 minutes left.")]
    public void A_run_says_how_fast_it_is_and_how_long_it_will_take(
        int total, int migrated, int failed, int seconds, string words) =>
            Assert.Equal(words, RunWords.Progress(new(Guid.Empty, "migrate", "job@host", "", total, migrated, failed, 1,
                Noon, Noon.AddSeconds(seconds), null, null, "running")));

    [Theory]
    [InlineData(40, 0, "Done")]
    [InlineData(38, 2, "Done, some failed")]
    [InlineData(0, 40, "All failed")]
    public void A_run_that_has_ended_says_how_many_failed(int migrated, int failed, string words) =>
        Assert.Equal(words, RunWords.Outcome(new(Guid.Empty, "migrate", "job@host", "", 40, migrated, failed, 1,
            Noon, Noon, Noon, null, "done")));

    [Fact]
    public void Migrations_of_a_newer_build_come_first_and_belong_to_no_row_that_can_be_taken_back()
    {
        var fleet = Fleet(Group("a", "ahead", unknown: ["3_newer"]), Group("b", "current"),
            Group("c", "behind", missing: ["2_second"]));

        var rows = FleetFigures.Matrix(fleet, [new("1_first", false, false), new("2_second", false, false)]);

        Assert.Equal([("3_newer", false, 1), ("2_second", true, 2), ("1_first", true, 3)],
            rows.Select(row => (row.Id, row.Migration is not null, row.Has)));
    }

    [Fact]
    public void Many_versions_are_a_chart_of_the_largest_and_the_rest()
    {
        var fleet = Fleet([.. Enumerable.Range(1, 9).Select(number =>
            Group($"v{number}", number == 1 ? "current" : "behind", schemas: number))]);

        var figures = FleetFigures.ByVersion(fleet);

        Assert.Equal([1, 9, 8, 7, 6, 5, 9], figures.Select(figure => figure.Number));
        Assert.Equal("3 further versions", figures[^1].Label);
    }

    private static FleetStatus Fleet(params FleetGroup[] groups) => new("", groups, [], []);

    private static FleetGroup Group(
        string version, string standing, int schemas = 1, string[]? missing = null, string[]? unknown = null) =>
            new(1, "ready", version, standing, version, missing ?? [], unknown ?? [], schemas, true);
}
