namespace Benchmarks.Measuring;

/// <summary>
/// Values that rivals got in rounds, in each of which they ran side by side: a ratio of two of the same round is hardly
/// touched by what else the machine did. A slow rival may sit out rounds.
/// </summary>
internal sealed class Turns
{
    private readonly Dictionary<string, SortedDictionary<int, double>> _values = [];

    /// <summary>
    /// The order turns from round to round, and runs backwards in every second: nobody always runs behind the same
    /// rival.
    /// </summary>
    public static IReadOnlyList<T> Order<T>(IReadOnlyList<T> rivals, int round)
    {
        var turned = Enumerable.Range(0, rivals.Count)
            .Select(place => rivals[(place + Math.Abs(round)) % rivals.Count]);
        return [.. round % 2 == 0 ? turned : turned.Reverse()];
    }

    public void Add(string rival, int round, double value) =>
        (_values.TryGetValue(rival, out var values) ? values : _values[rival] = [])[round] = value;

    /// <summary>In the order of the rounds.</summary>
    public IReadOnlyCollection<double> Values(string rival) => _values[rival].Values;

    public double Median(string rival) => Statistics.Median(Values(rival));

    /// <summary>Of the rounds in which both ran.</summary>
    public Estimate Ratio(string measured, string reference)
    {
        var rounds = _values[measured].Keys.Intersect(_values[reference].Keys).ToArray();
        return Statistics.Estimate(
            Statistics.Ratios([.. rounds.Select(round => _values[measured][round])],
                [.. rounds.Select(round => _values[reference][round])]));
    }
}
