using Tenancy.Sql;

namespace Tenancy.Citus;

/// <summary>Walks through a statement's words. What it doesn't know it steps over: the guard has read them.</summary>
internal sealed class WordReader(IReadOnlyList<Lexeme> words)
{
    private int _at;

    public Lexeme Current => At(0);

    /// <summary>What follows, in a list of its own.</summary>
    public IReadOnlyList<Lexeme> Rest => [.. words.Skip(_at)];

    public Lexeme At(int ahead) => _at + ahead < words.Count ? words[_at + ahead] : default;

    /// <summary>Steps over these words, if all of them follow.</summary>
    public bool Take(params ReadOnlySpan<string> sequence)
    {
        for (var ahead = 0; ahead < sequence.Length; ahead++)
        {
            if (!At(ahead).Is(sequence[ahead]))
            {
                return false;
            }
        }

        _at += sequence.Length;
        return true;
    }

    /// <summary>Steps over any of these words, as long as there are some.</summary>
    public void Skip(params ReadOnlySpan<string> any)
    {
        while (Current.Kind == LexemeKind.Word && any.Contains(Current.Text))
        {
            _at++;
        }
    }

    /// <summary>Whether one of these words follows.</summary>
    public bool IsAny(params ReadOnlySpan<string> any) =>
        Current.Kind == LexemeKind.Word && any.Contains(Current.Text);

    /// <summary>The last part of a name: <c>x</c> of <c>"__Tenant__".x</c>. Null where none follows.</summary>
    public string? TakeName()
    {
        while (Current.Is('('))
        {
            // ONLY (x)
            _at++;
        }

        if (!Current.IsIdentifier)
        {
            return null;
        }

        while (At(1).Is('.') && At(2).IsIdentifier)
        {
            _at += 2;
        }

        var name = Current.Text;
        _at++;
        while (Current.Is('*') || Current.Is(')'))
        {
            _at++;
        }

        return name;
    }

    /// <summary>The list in the parentheses that open here; what follows them is next. Empty where none do.</summary>
    public IReadOnlyList<IReadOnlyList<Lexeme>> TakeList()
    {
        if (!Current.Is('('))
        {
            return [];
        }

        var inside = new List<Lexeme>();
        var depth = 0;
        do
        {
            depth += Depth(Current);
            inside.Add(Current);
            _at++;
        }
        while (depth > 0 && _at < words.Count);
        return Listed(inside[1..^1]);
    }

    /// <summary>Cuts at the commas that stand in no parentheses.</summary>
    public static IReadOnlyList<IReadOnlyList<Lexeme>> Listed(IReadOnlyList<Lexeme> words)
    {
        var parts = new List<IReadOnlyList<Lexeme>>();
        var part = new List<Lexeme>();
        var depth = 0;
        foreach (var word in words)
        {
            depth += Depth(word);
            if (depth == 0 && word.Is(','))
            {
                parts.Add(part);
                part = [];
            }
            else
            {
                part.Add(word);
            }
        }

        return part.Count > 0 ? [.. parts, part] : parts;
    }

    /// <summary>The words that stand in no parentheses or brackets, each with its place.</summary>
    public static IEnumerable<(Lexeme Word, int At)> Outside(IReadOnlyList<Lexeme> words)
    {
        var depth = 0;
        for (var at = 0; at < words.Count; at++)
        {
            depth += Depth(words[at]);
            if (depth == 0)
            {
                yield return (words[at], at);
            }
        }
    }

    /// <summary>Whether these words follow each other, in no parentheses.</summary>
    public static bool Has(IReadOnlyList<Lexeme> words, params string[] sequence) =>
        Outside(words).Any(start => sequence.Index().All(wanted =>
            start.At + wanted.Index < words.Count && words[start.At + wanted.Index].Is(wanted.Item)));

    /// <summary>Whether a function of that name is called, wherever.</summary>
    public static bool Calls(IReadOnlyList<Lexeme> words, string function) =>
        words.Index().Any(word => word.Item.IsIdentifier && word.Item.Text == function
            && word.Index + 1 < words.Count && words[word.Index + 1].Is('('));

    private static int Depth(Lexeme word) =>
        word.Is('(') || word.Is('[') ? 1 : word.Is(')') || word.Is(']') ? -1 : 0;
}
