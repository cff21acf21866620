using System.Globalization;
using System.Text.RegularExpressions;

namespace Tests.Oracle;

/// <summary>
/// Statements drawn at random from the grammar in <c>statements.grammar</c>: PostgreSQL's SELECT, INSERT, UPDATE,
/// DELETE and MERGE with all their constructs. Counts how often each alternative was taken.
/// </summary>
internal sealed partial class SqlGrammar
{
    private const int MostLevels = 12;

    private readonly Dictionary<string, List<Alternative>> _rules = new(StringComparer.Ordinal);

    public SqlGrammar(string text)
    {
        var joined = string.Join('\n', text.Split('\n').Where(line => !line.StartsWith('#')))
            .Replace("\n  |", " |", StringComparison.Ordinal);
        foreach (var line in joined.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            var equals = line.IndexOf(" = ", StringComparison.Ordinal);
            var tokens = Tokens().Matches(line[(equals + 3)..]).Select(match => match.Value).ToList();
            var at = 0;
            _rules[line[..equals]] = Alternatives(tokens, ref at, line[..equals]);
        }

        Measure();
    }

    /// <summary>The alternatives that were never taken.</summary>
    public IEnumerable<string> Unused => _rules.SelectMany(rule => rule.Value
        .Where(alternative => alternative.Taken == 0).Select(alternative => $"{rule.Key} = {alternative.Text}"));

    public string Draw(Random random, Func<string, string> word)
    {
        var sql = new List<string>();
        Expand(new Term("text", TermKind.Rule, null), random, word, sql, 0);
        return string.Join(' ', sql);
    }

    private void Expand(Term term, Random random, Func<string, string> word, List<string> sql, int level)
    {
        switch (term.Kind)
        {
            case TermKind.Word:
                sql.Add(term.Text);
                return;
            case TermKind.Drawn:
                sql.Add(word(term.Text));
                return;
            case TermKind.Rule:
                var alternative = Choose(_rules[term.Text], random, level);
                alternative.Taken++;
                alternative.Terms.ForEach(part => Expand(part, random, word, sql, level + 1));
                return;
        }

        // In the depth, only what has to be there.
        var deep = level > MostLevels;
        var times = term.Kind switch
        {
            TermKind.Optional => deep ? 0 : random.Next(2),
            TermKind.Repeated => deep ? 0 : random.Next(3),
            _ => deep ? 1 : 1 + Math.Max(0, random.Next(5) - 2),
        };
        for (var i = 0; i < times; i++)
        {
            if (i > 0 && term.Kind == TermKind.Listed)
            {
                sql.Add(",");
            }

            Choose(term.Inner!, random, level).Terms.ForEach(part => Expand(part, random, word, sql, level + 1));
        }
    }

    private static Alternative Choose(List<Alternative> of, Random random, int level)
    {
        if (level > MostLevels)
        {
            var least = of.Min(alternative => alternative.Height);
            of = [.. of.Where(alternative => alternative.Height == least)];
        }

        // Loops, because a million statements are drawn. What never was taken comes first, often.
        var weights = 0;
        foreach (var alternative in of)
        {
            if (alternative.Taken == 0 && random.Next(2) == 0)
            {
                return alternative;
            }

            weights += alternative.Weight;
        }

        var drawn = random.Next(weights);
        foreach (var alternative in of)
        {
            if ((drawn -= alternative.Weight) < 0)
            {
                return alternative;
            }
        }

        return of[^1];
    }

    private static List<Alternative> Alternatives(List<string> tokens, ref int at, string name)
    {
        var all = new List<Alternative> { new() };
        while (at < tokens.Count && tokens[at] is not ("]" or "}" or ">"))
        {
            var token = tokens[at++];
            if (token == "|")
            {
                all.Add(new());
                continue;
            }

            all[^1].Text += $"{token} ";
            if (token.EndsWith('*') && token.Length > 1 && char.IsAsciiDigit(token[0]))
            {
                all[^1].Weight = int.Parse(token[..^1], CultureInfo.InvariantCulture);
                continue;
            }

            if (token is "[" or "{" or "<")
            {
                var inner = Alternatives(tokens, ref at, name);
                at++;
                all[^1].Terms.Add(new("", token switch
                {
                    "[" => TermKind.Optional,
                    "{" => TermKind.Repeated,
                    _ => TermKind.Listed,
                }, inner));
                all[^1].Text += string.Join("| ", inner.Select(part => part.Text));
                continue;
            }

            all[^1].Terms.Add(token[0] switch
            {
                '\'' => new(token[1..^1], TermKind.Word, null),
                '%' => new(token[1..], TermKind.Drawn, null),
                _ when char.IsAsciiLetterLower(token[0]) => new(token, TermKind.Rule, null),
                _ => new(token, TermKind.Word, null),
            });
        }

        return all;
    }

    /// <summary>How deep each alternative has to go, so that an end is found.</summary>
    private void Measure()
    {
        var changed = true;
        while (changed)
        {
            changed = false;
            foreach (var alternative in _rules.Values.SelectMany(rule => rule))
            {
                var height = alternative.Terms.Select(HeightOf).DefaultIfEmpty(0).Max();
                changed |= height < alternative.Height;
                alternative.Height = Math.Min(height, alternative.Height);
            }
        }
    }

    private int HeightOf(Term term) => term.Kind switch
    {
        TermKind.Rule => Least(_rules[term.Text]),
        TermKind.Listed => InnerHeight(term.Inner!),
        _ => 0,
    };

    private int InnerHeight(List<Alternative> inner)
    {
        foreach (var alternative in inner)
        {
            alternative.Height = alternative.Terms.Select(HeightOf).DefaultIfEmpty(0).Max();
        }

        return Least(inner);
    }

    private static int Least(List<Alternative> of) =>
        of.Min(alternative => alternative.Height) is var least and < Unknown ? least + 1 : Unknown;

    [GeneratedRegex(@"'[^']*'|\d+\*|%?[A-Za-z_0-9]+|[|\[\]{}<>]")]
    private static partial Regex Tokens();

    private const int Unknown = 1_000_000;

    private enum TermKind
    {
        Word,
        Drawn,
        Rule,
        Optional,
        Repeated,
        Listed,
    }

    private sealed record Term(string Text, TermKind Kind, List<Alternative>? Inner);

    private sealed class Alternative
    {
        public List<Term> Terms { get; } = [];

        public string Text { get; set; } = "";

        public int Weight { get; set; } = 1;

        public int Height { get; set; } = Unknown;

        public int Taken { get; set; }
    }
}
