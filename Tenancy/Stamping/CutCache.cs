using System.Collections.Concurrent;

namespace Tenancy.Stamping;

/// <summary>
/// The cuts of the commands seen lately, by their text. Bounded: an application has some hundred texts; what would
/// outgrow the bound is text with constants in it, and such a cut is not worth keeping.
/// </summary>
internal sealed class CutCache
{
    /// <summary>The process's: every context, and whoever stamps without one.</summary>
    public static CutCache Shared { get; } = new();

    private const int MostCuts = 4096;
    private const int LongestText = 64 * 1024;

    private readonly ConcurrentDictionary<string, StatementCut> _cuts = new(StringComparer.Ordinal);
    private int _count;

    public StatementCut Cut(string text)
    {
        if (_cuts.TryGetValue(text, out var known))
        {
            return known;
        }

        var cut = StatementCut.Of(text);
        if (text.Length <= LongestText && _cuts.TryAdd(text, cut) && Interlocked.Increment(ref _count) > MostCuts)
        {
            // Starting over costs one cut for each text in use, about a microsecond: no bookkeeping of ages could be
            // cheaper.
            _cuts.Clear();
            Interlocked.Exchange(ref _count, 0);
        }

        return cut;
    }
}
