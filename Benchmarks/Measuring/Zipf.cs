namespace Benchmarks.Measuring;

/// <summary>
/// An order in which few tenants are asked for often and most seldom, as with real customers: the second half as often
/// as the first, the tenth a tenth as often. Always the same for a seed.
/// </summary>
internal sealed class Zipf
{
    private readonly double[] _upTo;
    private readonly int[] _places;
    private readonly Random _random;

    public Zipf(int places, int seed)
    {
        _random = new(seed);
        _upTo = new double[places];
        var sum = 0.0;
        for (var rank = 0; rank < places; rank++)
        {
            _upTo[rank] = sum += 1.0 / (rank + 1);
        }

        // The busy ones are anywhere among the others, and the same ones for every seed.
        _places = [.. Enumerable.Range(0, places)];
        new Random(1).Shuffle(_places);
    }

    public int Next()
    {
        var at = Array.BinarySearch(_upTo, _random.NextDouble() * _upTo[^1]);
        return _places[Math.Min(at < 0 ? ~at : at, _places.Length - 1)];
    }
}
