using System.Text.RegularExpressions;

namespace Tenancy.Sql;

/// <summary>The kinds of lexemes that the guard tells apart.</summary>
internal enum LexemeKind
{
    /// <summary>None: the text is over.</summary>
    End,

    /// <summary>A key word or a bare identifier; its text is in lower case, as PostgreSQL reads it.</summary>
    Word,

    /// <summary>An identifier in quotes; its text is what they mean.</summary>
    Quoted,

    /// <summary>A constant.</summary>
    Literal,

    /// <summary>A number.</summary>
    Number,

    /// <summary><c>$1</c>, <c>@name</c> or <c>:name</c>, with its sign.</summary>
    Parameter,

    /// <summary>One character of an operator or of punctuation.</summary>
    Sign,
}

/// <summary>A piece of SQL that means something: no white space, no comment.</summary>
internal readonly partial record struct Lexeme(LexemeKind Kind, string Text)
{
    public bool IsIdentifier => Kind is LexemeKind.Word or LexemeKind.Quoted;

    public bool Is(char sign) => Kind == LexemeKind.Sign && Text[0] == sign;

    public bool Is(string word) => Kind == LexemeKind.Word && Text == word;

    /// <exception cref="CommandRefusedException">PostgreSQL's lexical rules don't explain the text.</exception>
    public static List<Lexeme> Of(string sql)
    {
        if (sql.Contains('\0', StringComparison.Ordinal))
        {
            throw NotSql("It has a character of code zero, where the server stops reading");
        }

        // A piece and the space before it have some six characters.
        var lexemes = new List<Lexeme>(sql.Length / 6 + 4);
        var tokens = new SqlTokens(sql);
        while (tokens.Next(out var kind, out var start, out var end))
        {
            Add(lexemes, kind, sql, start, end);
        }

        return tokens.Unterminated
            ? throw NotSql("A constant, an identifier in quotes or a comment is never closed")
            : lexemes;
    }

    public static CommandRefusedException NotSql(string why) => new(
        CommandRule.UnknownSyntax,
        $"The guard can't read this statement as PostgreSQL's SQL, and what it can't read it refuses. {why}.");

    private static void Add(List<Lexeme> lexemes, SqlToken kind, string sql, int start, int end)
    {
        var text = sql.AsSpan(start, end - start);
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
            case SqlToken.Other when text[0] == '$' && text.Length > 1:
                lexemes.Add(new(LexemeKind.Parameter, text.ToString()));
                break;
            case SqlToken.Other when (IsWordStart(text[0]) || char.IsAsciiDigit(text[0])) && IsParameter(sql, start):
                // Npgsql takes the name for a parameter's, whatever word it is.
                lexemes[^1] = new(LexemeKind.Parameter, $"{sql[start - 1]}{Lower(text)}");
                break;
            case SqlToken.Other when IsWordStart(text[0]):
                lexemes.Add(new(LexemeKind.Word, Lower(text)));
                break;
            case SqlToken.Other when char.IsAsciiDigit(text[^1]) || char.IsAsciiDigit(text[0]):
                lexemes.Add(!text.ContainsAnyExceptInRange('0', '9') || Numbers().IsMatch(text)
                    ? new(LexemeKind.Number, text.ToString())
                    : throw NotSql($"'{text}' is no number"));
                break;
            case SqlToken.Other when !IsSpace(text[0]):
                lexemes.Add(new(LexemeKind.Sign, text.ToString()));
                break;
        }
    }

    /// <summary>After @ or :, but not after @@ and ::.</summary>
    private static bool IsParameter(string sql, int start) =>
        start > 0 && sql[start - 1] is '@' or ':' && (start == 1 || sql[start - 2] != sql[start - 1]);

    [GeneratedRegex(
        @"^(0[xX](_?[0-9a-fA-F])+|0[oO](_?[0-7])+|0[bB](_?[01])+" +
        @"|([0-9](_?[0-9])*\.?([0-9](_?[0-9])*)?|\.[0-9](_?[0-9])*)([eE][+-]?[0-9](_?[0-9])*)?)\z",
        RegexOptions.ExplicitCapture)]
    private static partial Regex Numbers();

    /// <summary>One that is never closed is left as it is: the server refuses it.</summary>
    private static string Unquoted(ReadOnlySpan<char> identifier) =>
        identifier[1..Math.Max(1, identifier.Length - 1)].ToString().Replace("\"\"", "\"", StringComparison.Ordinal);

    private static bool IsWordStart(char c) => char.IsAsciiLetter(c) || c == '_' || c >= '\u0080';

    /// <summary>PostgreSQL's white space; the spaces of other scripts are letters to it.</summary>
    public static bool IsSpace(char c) => c is ' ' or '\t' or '\n' or '\r' or '\f' or '\v';

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
