namespace Tenancy.Stamping;

/// <summary>What a lexeme is, as far as the guard cares.</summary>
internal enum LexemeKind
{
    /// <summary>A key word or a bare identifier; its text is in lower case, as PostgreSQL reads it.</summary>
    Word,

    /// <summary>An identifier in quotes; its text is what they mean.</summary>
    Quoted,

    /// <summary>A constant.</summary>
    Literal,

    /// <summary>One character of an operator, a number, a parameter or punctuation.</summary>
    Sign,
}

/// <summary>A piece of SQL that means something: no white space, no comment.</summary>
internal readonly record struct Lexeme(LexemeKind Kind, string Text)
{
    public bool IsIdentifier => Kind is LexemeKind.Word or LexemeKind.Quoted;

    public bool Is(char sign) => Kind == LexemeKind.Sign && Text[0] == sign;

    public bool Is(string word) => Kind == LexemeKind.Word && Text == word;

    public static List<Lexeme> Of(string sql)
    {
        var lexemes = new List<Lexeme>();
        var tokens = new SqlTokens(sql);
        var afterDigit = false;
        while (tokens.Next(out var kind, out var start, out var end))
        {
            var text = sql.AsSpan(start, end - start);
            var digit = kind == SqlToken.Other && char.IsAsciiDigit(text[0]);
            switch (kind)
            {
                case SqlToken.Comment:
                    break;
                case SqlToken.Literal:
                    lexemes.Add(new(LexemeKind.Literal, text.ToString()));
                    break;
                case SqlToken.QuotedIdentifier:
                    lexemes.Add(new(LexemeKind.Quoted, Unquoted(text)));
                    break;
                case SqlToken.Other when text.Length > 1 && text[^1] == '"':
                    throw new CommandRefusedException(
                        CommandRule.HiddenSql,
                        $"The identifier {text} is written in escapes (U&\"...\"), which the guard doesn't read: " +
                        "write the name in plain quotes.");
                case SqlToken.Other when IsWordStart(text[0]):
                    // The e5 of 1e5 is no word.
                    if (!afterDigit)
                    {
                        lexemes.Add(new(LexemeKind.Word, Lower(text)));
                    }

                    break;
                default:
                    if (!IsSpace(text[0]))
                    {
                        lexemes.Add(new(LexemeKind.Sign, text.ToString()));
                    }

                    break;
            }

            afterDigit = digit;
        }

        return lexemes;
    }

    /// <summary>One that is never closed is left as it is: the server refuses it.</summary>
    private static string Unquoted(ReadOnlySpan<char> identifier) =>
        identifier[1..Math.Max(1, identifier.Length - 1)].ToString().Replace("\"\"", "\"", StringComparison.Ordinal);

    private static bool IsWordStart(char c) => char.IsAsciiLetter(c) || c == '_' || c >= '\u0080';

    private static bool IsSpace(char c) => c is ' ' or '\t' or '\n' or '\r' or '\f' or '\v';

    /// <summary>
    /// ASCII only, as PostgreSQL folds in a database whose encoding has more than one byte per character.
    /// </summary>
    private static string Lower(ReadOnlySpan<char> word) => string.Create(word.Length, word, static (lower, word) =>
    {
        for (var i = 0; i < word.Length; i++)
        {
            lower[i] = char.ToLowerInvariant(word[i]) is var folded && word[i] < '\u0080' ? folded : word[i];
        }
    });
}
