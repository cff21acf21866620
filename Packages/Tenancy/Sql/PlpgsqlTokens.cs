using System.Text;

namespace Tenancy.Sql;

/// <summary>A piece of a PL/pgSQL body that means something, and where it stands.</summary>
/// <param name="Kind">What it is.</param>
/// <param name="Text">A word in lower case, a quoted identifier without its quotes, anything else as it is.</param>
/// <param name="Start">Its first character.</param>
/// <param name="End">After its last one.</param>
internal readonly record struct PlpgsqlToken(LexemeKind Kind, string Text, int Start, int End)
{
    public bool IsIdentifier => Kind is LexemeKind.Word or LexemeKind.Quoted;

    public bool Is(char sign) => Kind == LexemeKind.Sign && Text[0] == sign;

    public bool Is(string word) => Kind == LexemeKind.Word && Text == word;
}

/// <summary>
/// The body's pieces. PL/pgSQL has SQL's lexical rules, but no client's parameters: <c>:=</c> assigns, and in
/// <c>a[1:n]</c> the n is a variable.
/// </summary>
internal sealed class PlpgsqlTokens
{
    private readonly string _body;
    private readonly List<PlpgsqlToken> _all = [];

    /// <exception cref="CommandRefusedException">PostgreSQL's lexical rules don't explain the text.</exception>
    public PlpgsqlTokens(string body)
    {
        _body = body;
        var tokens = new SqlTokens(body);
        while (tokens.Next(out var kind, out var start, out var end))
        {
            var text = body.AsSpan(start, end - start);
            if (kind != SqlToken.Comment && !(kind == SqlToken.Other && Lexeme.IsSpace(text[0])))
            {
                // One at a time, so that no sign before a word makes it a parameter.
                var lexeme = Lexeme.Of(text.ToString());
                _all.Add(new(lexeme[0].Kind, lexeme[0].Text, start, end));
            }
        }

        if (tokens.Unterminated)
        {
            throw Lexeme.NotSql("A constant, an identifier in quotes or a comment in the body is never closed");
        }
    }

    public int Count => _all.Count;

    public PlpgsqlToken this[int at] => at >= 0 && at < _all.Count ? _all[at] : default;

    /// <summary>The body's text from one piece up to another, which isn't in it, as SQL.</summary>
    public string Text(int from, int to)
    {
        if (from >= to)
        {
            return "";
        }

        var text = new StringBuilder();
        for (var at = from; at < to; at++)
        {
            text.Append(_body, _all[at].Start, _all[at].End - _all[at].Start);
            // The client takes :n and @n for parameters; here they are none.
            var sign = _all[at].Is(':') || _all[at].Is('@');
            if (at + 1 < to && (sign && this[at + 1].IsIdentifier || _all[at].End < _all[at + 1].Start))
            {
                text.Append(' ');
            }
        }

        return text.ToString();
    }
}
