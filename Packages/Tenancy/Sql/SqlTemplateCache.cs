using System.Collections.Concurrent;

namespace Tenancy.Sql;

/// <summary>
/// The templates of the commands seen lately, by their text. Bounded in number and in bytes: an application has some
/// hundred texts of some hundred characters; what would outgrow the bounds is text with constants in it, and such a
/// template isn't worth keeping.
/// </summary>
internal sealed class SqlTemplateCache
{
    /// <summary>The process's: every context, and whoever rewrites without one.</summary>
    public static SqlTemplateCache Shared { get; } = new();

    private const int MostCuts = 4096;
    private const int LongestText = 64 * 1024;

    /// <summary>Of all texts together: 16 MiB.</summary>
    private const long MostCharacters = 8 * 1024 * 1024;

    private readonly ConcurrentDictionary<string, SqlTemplate> _templates = new(StringComparer.Ordinal);
    private int _count;
    private long _characters;

    /// <summary>How many templates are kept, and how many characters their texts have.</summary>
    public (int Count, long Characters) Kept => (_templates.Count, Interlocked.Read(ref _characters));

    public SqlTemplate Of(string text)
    {
        if (_templates.TryGetValue(text, out var known))
        {
            return known;
        }

        var template = SqlTemplate.Of(text);
        if (text.Length <= LongestText && _templates.TryAdd(text, template)
            && (Interlocked.Increment(ref _count) > MostCuts
                | Interlocked.Add(ref _characters, text.Length) > MostCharacters))
        {
            // Starting over costs one cut for each text in use, about a microsecond: no bookkeeping of ages could be
            // cheaper.
            _templates.Clear();
            Interlocked.Exchange(ref _count, 0);
            Interlocked.Exchange(ref _characters, 0);
        }

        return template;
    }
}
