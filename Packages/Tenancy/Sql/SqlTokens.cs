namespace Tenancy.Sql;

/// <summary>The kinds of tokens that the rewriter tells apart.</summary>
internal enum SqlToken
{
    /// <summary>Key words, bare identifiers, numbers, operators, parameters, white space.</summary>
    Other,

    /// <summary>
    /// An identifier in quotes, e.g. <c>"__Tenant__"</c>; <c>U&amp;"..."</c> is <see cref="Other"/>: nobody writes the
    /// placeholder so.
    /// </summary>
    QuotedIdentifier,

    /// <summary>
    /// A constant: <c>'...'</c>, <c>E'...'</c>, <c>U&amp;'...'</c>, <c>B'...'</c>, <c>X'...'</c>, <c>$tag$...$tag$</c>.
    /// </summary>
    Literal,

    /// <summary><c>-- ...</c> or <c>/* ... */</c>, which nests.</summary>
    Comment,
}

/// <summary>
/// Splits SQL by PostgreSQL's lexical rules (its manual, chapter "Lexical Structure";
/// <c>standard_conforming_strings</c> on, the default since 9.1). An unterminated token runs to the end of the text:
/// the server will refuse it.
/// </summary>
internal ref struct SqlTokens(ReadOnlySpan<char> sql)
{
    private readonly ReadOnlySpan<char> _sql = sql;
    private int _at;

    /// <summary>Whether a constant, an identifier or a comment ran to the end of the text without its end.</summary>
    public bool Unterminated { get; private set; }

    public bool Next(out SqlToken kind, out int start, out int end)
    {
        start = _at;
        if (_at >= _sql.Length)
        {
            kind = default;
            end = _at;
            return false;
        }

        kind = Read();
        end = _at;
        return true;
    }

    private SqlToken Read()
    {
        var c = _sql[_at];
        switch (c)
        {
            case '\'':
                return Text(escapes: false);
            case '"':
                Quoted('"', escapes: false);
                return SqlToken.QuotedIdentifier;
            case '-' when Peek(1) == '-':
                var rest = _sql[_at..].IndexOfAny('\n', '\r');
                _at = rest < 0 ? _sql.Length : _at + rest;
                return SqlToken.Comment;
            case '/' when Peek(1) == '*':
                return BlockComment();
            case '$':
                return Dollar();
            case '.' when Peek(1) == '.':
                // PL/pgSQL's: of 1..2, the second dot isn't the number's.
                _at += 2;
                return SqlToken.Other;
        }

        if (IsIdentifierStart(c))
        {
            return Word();
        }

        return char.IsAsciiDigit(c) || (c == '.' && char.IsAsciiDigit(Peek(1))) ? Number() : Single();
    }

    private SqlToken Single()
    {
        _at++;
        return SqlToken.Other;
    }

    /// <summary>
    /// Takes the letters of 1e5 and 0x1F (other letters after a digit are an error since PostgreSQL 15), the fraction
    /// and the exponent's sign, but no dollar, unlike a word: 1e5$$a$$ is a number and a constant.
    /// </summary>
    private SqlToken Number()
    {
        Digits();
        // 1..2 is a range of PL/pgSQL's, not 1. and .2.
        if (Peek(0) == '.' && Peek(1) != '.')
        {
            _at++;
            Digits();
        }

        if (Peek(0) is '+' or '-' && _sql[_at - 1] is 'e' or 'E' && char.IsAsciiDigit(Peek(1)))
        {
            _at++;
            Digits();
        }

        return SqlToken.Other;
    }

    private void Digits()
    {
        while (_at < _sql.Length && (IsIdentifierStart(_sql[_at]) || char.IsAsciiDigit(_sql[_at])))
        {
            _at++;
        }
    }

    /// <summary>A word, unless it is the prefix of a constant: E'...', B'...', X'...', N'...', U&amp;'...'.</summary>
    private SqlToken Word()
    {
        var start = _at;
        // A dollar inside a word belongs to it: tag$body$ opens no dollar quote.
        while (_at < _sql.Length && (IsIdentifierStart(_sql[_at]) || char.IsAsciiDigit(_sql[_at]) || _sql[_at] == '$'))
        {
            _at++;
        }

        if (_at - start != 1)
        {
            return SqlToken.Other;
        }

        switch (char.ToLowerInvariant(_sql[start]))
        {
            case 'e' when Peek(0) == '\'':
                return Text(escapes: true);
            case 'b' or 'x' or 'n' when Peek(0) == '\'':
                return Text(escapes: false);
            case 'u' when Peek(0) == '&' && Peek(1) == '\'':
                _at++;
                return Text(escapes: false);
            case 'u' when Peek(0) == '&' && Peek(1) == '"':
                _at++;
                Quoted('"', escapes: false);
                return SqlToken.Other;
            default:
                return SqlToken.Other;
        }
    }

    /// <summary>
    /// A constant in quotes. After white space with a line break, comments included, another quote goes on with the
    /// SAME constant, under the same rules for backslashes: E'a' (line break) 'it\'s' is one.
    /// </summary>
    private SqlToken Text(bool escapes)
    {
        do
        {
            Quoted('\'', escapes);
        }
        while (Continues());

        return SqlToken.Literal;
    }

    private void Quoted(char quote, bool escapes)
    {
        _at++;
        while (_at < _sql.Length)
        {
            var c = _sql[_at++];
            if (escapes && c == '\\' && _at < _sql.Length)
            {
                _at++;
            }
            else if (c == quote && Peek(0) != quote)
            {
                return;
            }
            else if (c == quote)
            {
                _at++;
            }
        }

        Unterminated = true;
    }

    private bool Continues()
    {
        var at = _at;
        var newLine = false;
        while (at < _sql.Length)
        {
            var c = _sql[at];
            if (c is '\n' or '\r')
            {
                newLine = true;
                at++;
            }
            else if (c is ' ' or '\t' or '\f' or '\v')
            {
                at++;
            }
            else if (c == '-' && at + 1 < _sql.Length && _sql[at + 1] == '-')
            {
                var end = _sql[at..].IndexOfAny('\n', '\r');
                if (end < 0)
                {
                    return false;
                }

                at += end;
            }
            else if (newLine && c == '\'')
            {
                _at = at;
                return true;
            }
            else
            {
                return false;
            }
        }

        return false;
    }

    private SqlToken BlockComment()
    {
        var depth = 0;
        while (_at < _sql.Length)
        {
            if (_sql[_at] == '/' && Peek(1) == '*')
            {
                depth++;
                _at += 2;
            }
            else if (_sql[_at] == '*' && Peek(1) == '/')
            {
                depth--;
                _at += 2;
                if (depth == 0)
                {
                    return SqlToken.Comment;
                }
            }
            else
            {
                _at++;
            }
        }

        Unterminated = true;
        return SqlToken.Comment;
    }

    /// <summary>$$...$$ or $tag$...$tag$; else a parameter ($1) or a lone dollar.</summary>
    private SqlToken Dollar()
    {
        var tag = _at + 1;
        if (char.IsAsciiDigit(Peek(1)))
        {
            // Not a number after a dollar: of $1.x, the dot isn't the number's.
            while (tag < _sql.Length && char.IsAsciiDigit(_sql[tag]))
            {
                tag++;
            }

            _at = tag;
            return SqlToken.Other;
        }

        while (tag < _sql.Length && (IsIdentifierStart(_sql[tag]) || (tag > _at + 1 && char.IsAsciiDigit(_sql[tag]))))
        {
            tag++;
        }

        if (tag >= _sql.Length || _sql[tag] != '$')
        {
            _at++;
            return SqlToken.Other;
        }

        var opening = _sql[_at..(tag + 1)];
        var body = tag + 1;
        var closing = _sql[body..].IndexOf(opening, StringComparison.Ordinal);
        Unterminated |= closing < 0;
        _at = closing < 0 ? _sql.Length : body + closing + opening.Length;
        return SqlToken.Literal;
    }

    private readonly char Peek(int ahead) => _at + ahead < _sql.Length ? _sql[_at + ahead] : '\0';

    private static bool IsIdentifierStart(char c) => char.IsAsciiLetter(c) || c == '_' || c >= '\u0080';
}
