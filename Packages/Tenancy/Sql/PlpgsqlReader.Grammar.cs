using System.Diagnostics.CodeAnalysis;

namespace Tenancy.Sql;

/// <summary>The small steps.</summary>
internal sealed partial class PlpgsqlReader
{
    private PlpgsqlToken Current() => _tokens[_at];

    private PlpgsqlToken Previous() => _tokens[_at - 1];

    private PlpgsqlToken Next(int ahead) => _tokens[_at + ahead];

    private void Add(string sql) => _sql.Add(sql);

    private bool Take(string word)
    {
        var taken = Current().Is(word);
        _at += taken ? 1 : 0;
        return taken;
    }

    private bool Take(char sign)
    {
        var taken = Current().Is(sign);
        _at += taken ? 1 : 0;
        return taken;
    }

    private void Need(string word)
    {
        if (!Take(word))
        {
            Unexplained(word.ToUpperInvariant());
        }
    }

    private void Need(char sign)
    {
        if (!Take(sign))
        {
            Unexplained($"'{sign}'");
        }
    }

    private void End() => Need(';');

    private string NeedName()
    {
        if (!Current().IsIdentifier)
        {
            Unexplained("a name");
        }

        return _tokens[_at++].Text;
    }

    private void TakeName()
    {
        if (Current().IsIdentifier)
        {
            _at++;
        }
    }

    private string Bracketed() => Until("]");

    /// <summary>
    /// Goes on to a semicolon, or to one of these words and signs outside of all parentheses, as PL/pgSQL itself does.
    /// </summary>
    /// <returns>The text up to there.</returns>
    private string Until(params ReadOnlySpan<string> ends)
    {
        var from = _at;
        for (var depth = 0; Current().Kind != LexemeKind.End && !Current().Is(';'); _at++)
        {
            if (depth == 0 && Ends(ends))
            {
                break;
            }

            depth += Current().Is('(') || Current().Is('[') ? 1 : Current().Is(')') || Current().Is(']') ? -1 : 0;
        }

        return _tokens.Text(from, _at);
    }

    private bool Ends(ReadOnlySpan<string> ends)
    {
        foreach (var end in ends)
        {
            var kind = char.IsAsciiLetter(end[0]) ? LexemeKind.Word : LexemeKind.Sign;
            if (Current().Kind == kind && Current().Text == end)
            {
                return true;
            }
        }

        return false;
    }

    [DoesNotReturn]
    private void Unexplained(string expected) => throw new CommandRefusedException(
        CommandRule.UnknownSyntax,
        "The guard can't read this body as PL/pgSQL, and what it can't read it refuses. " +
        $"It expects {expected}, and finds {(_at < _tokens.Count ? $"'{Current().Text}'" : "the end")}.");

    private static CommandRefusedException Hidden(string why) => new(CommandRule.HiddenSql, $"{why}.");
}
