using CsCheck;

namespace Tests.Integration.Sql;

/// <summary>
/// Statements over the objects of <see cref="TwinDatabases"/> that put the placeholder, and its characters, next to and
/// inside everything that PostgreSQL's lexer knows. <see cref="Valid"/> mostly mean something; <see cref="Any"/> are
/// broken in places, too.
/// </summary>
internal static class SqlSoup
{
    private const string T = "\"__Tenant__\"";

    /// <summary>Between two tokens; all of it parts them.</summary>
    private static readonly Gen<string> Gap = Gen.OneOf(
        " ", "\n", "\t", "\f", "\r\n", " \r", "/**/", "/***/", "/*/ */", "/* ' */", "/* \" /* $$ */ */", "/*--*/",
        "--\n", "-- ' \" $$ /*\n", "--\r",
        $"/* {T} */", $"/* /* {T} */ {T}.words */", $" -- {T}\n", $"--{T}.f('\r\n", "/* */ -- */\n");

    /// <summary>Beside an operator, where nothing is needed.</summary>
    private static readonly Gen<string> Maybe = Gen.Frequency((3, Gen.Const("")), (1, Gap));

    /// <summary>White space with a line break: what follows in quotes goes on with the same literal.</summary>
    private static readonly Gen<string> Continued = Gen.OneOf(
        "\n", " \n ", "\r\n", "\t\r", "--\n", " -- ' no end\n", "\n-- \"\n\f", $"-- {T}\n\n--'\n", "\n--\n--\n");

    private static readonly Gen<string> Piece = Gen.OneOf(
        "a", T, T, "__Tenant__", $"{T}.words", $"{T}.answer()", "\"", "--", "/*", "*/", " ", "\n", "\r", "\f", "\v",
        "é", "\u00a0", "\u3000", "😀", "E", "U&", "$1", "$", "$a$", "$$", ";", "(", ":x", "@x", "1");

    /// <summary>A constant of type text, in one of its forms.</summary>
    private static readonly Gen<string> Literal = Gen.Frequency(
        (4, Parts("'", Gen.OneOf(Piece, Gen.OneOf("''", "\\", "\\''", "''''")))),
        (4, Parts("E'",
            Gen.OneOf(Piece,
                Gen.OneOf("''", "\\'", "\\\\", "\\\"", "\\n", "\\047", "\\42", "\\x27", "\\x22", "\\u0027",
                    "\\U00000022", "\\\n")))),
        (1, Parts("e'", Gen.OneOf(Piece, Gen.OneOf("\\'", "\\\\")))),
        (2, Parts("U&'", Gen.OneOf(Piece, Gen.OneOf("''", "\\0022", "\\+000027", "\\\\")))),
        (1, Gen.Select(Parts("u&'", Gen.OneOf(Piece, Gen.OneOf("''", "!0022", "!+000027", "!!", "\\"))), Gap,
            (text, gap) => $"{text}{gap}UESCAPE '!'")),
        (1, Parts("N'", Gen.OneOf(Piece, Gen.OneOf("''", "\\")))),
        (1, Gen.Select(Parts("B'", Gen.OneOf("0", "1", "01")), text => $"({text})::text")),
        (1, Gen.Select(Parts("x'", Gen.OneOf("0", "f", "E")), text => $"({text})::text")),
        (4, Gen.Select(Gen.OneOf("", "a", "_b1", "é", "__Tenant__", "E"),
            Gen.OneOf(Piece, Gen.OneOf("'", "\\", "$b$", "$a", "$é$", "$1$")).Array[0, 5], Dollars)));

    private static readonly Gen<string> Number = Gen.OneOf(
        "1", "2.5", ".5", "3.", "1e2", "1.e1", "1E+2", ".5e-1", "007");

    /// <summary>A name that an expression is given and asked by: quoted, escaped, with dollars, not ASCII.</summary>
    private static readonly Gen<string> Name = Gen.OneOf(
        T, "\"a\"\"__Tenant__\"\"b\"", "\"x__Tenant__\"", "\"__Tenant__x\"", "\"__tenant__\"", "__Tenant__",
        "U&\"a\\0022b\"", "\"'\"", "\"--\"", "\"/*\"", "\"$$\"",
        "tag$a$", "größe", "é$1", "\u00a0", "_$$", "E", "u", "n", "\"E\"", "x1$");

    private static readonly Gen<string> Expression = Gen.Recursive<string>((depth,
        self) => depth > 2 ? Gen.OneOf(Literal, Leaf()) : Gen.Frequency(
            (3, Literal),
            (3, Leaf()),
            (3, Gen.Select(self, Maybe, Maybe, self, (a, before, after, b) => $"({a}{before}||{after}{b})")),
            (2, Gen.Select(self, Maybe, Maybe, (a, before, after) => $"{T}{before}.{after}shout({a})")),
            (1, Gen.Select(self, self, Maybe, (a, b, gap) => $"({a} OPERATOR({T}.<+>){gap}{b})")),
            (1, Gen.Select(self, self, (a, b) => $"(ARRAY[{a},{b}])::text")),
            (2, Gen.Select(self, Name, Gap, (a, name, gap) => $"(SELECT {name} FROM(SELECT {a} AS{gap}{name})q)")),
            (1, Gen.Select(self, Name, (a, name) => $"(SELECT q.{name}||{T}.answer() FROM(SELECT {a} AS {name})q)"))));

    /// <summary>Statements that mostly succeed.</summary>
    public static readonly Gen<string> Valid = Gen.Frequency(
        (4, Gen.Select(Expression.Array[1, 3], Gap, (list, gap) => $"SELECT{gap}{string.Join(',', list)}")),
        (2, Gen.Select(Expression, Gap, Gap, (e, a, b) => $"SELECT id,word,{e}{a}FROM{b}{T}.words")),
        (1, Gen.Select(Expression, Maybe,
            (e, gap) => $"SELECT {T}.words.word FROM {T}{gap}.words,{T}.numbers WHERE n={T}.words.id AND word<>{e}")),
        (1, Gen.Select(
            Expression, Gap, (e, gap) => $"WITH {T} AS(SELECT {e} AS x)SELECT x,word FROM {T},{T}{gap}.words")),
        (1, Gen.Select(
            Expression, Gap, (e, gap) => $"INSERT INTO{gap}{T}.words VALUES(9,{e})RETURNING word,{T}.answer()")),
        (1, Gen.Select(
            Expression, Maybe, (e, gap) => $"UPDATE{gap}{T}.words SET word={e}WHERE id>{T}.one()RETURNING*")),
        (1, Gen.Select(Expression, Gap, (e, gap) => $"DELETE FROM{gap}{T}.words w WHERE word<{e} RETURNING w.*")),
        (1, Gen.Select(Expression, Maybe, (e, gap) => $"VALUES{gap}({e},{T}.one()),('',2)")),
        (1, Gen.Select(Gap, gap => $"TABLE{gap}{T}.words")));

    private static readonly Gen<string> Scrap = Gen.Frequency(
        (6, Gen.OneOf("'", "\"", "\\", "-", "--", "/", "/*", "*/", "*", "$", "$$", "$a$", "\n", " ", "E", "E'", "U&'",
            "U&", "u&\"", "N'", "b'", "x'", "1", "1e5", "0x1F", "$1", ".", ",", ";", "::", ":", "<", "|", "(", ")", "é",
            "\v", "a", "UESCAPE '!'")),
        (2, Gen.Const(T)), (2, Gap), (2, Literal), (1, Name), (1, Number), (1, Expression));

    /// <summary>
    /// Statements of which some are only a heap of tokens, and others were valid before they were tampered with.
    /// </summary>
    public static readonly Gen<string> Any = Gen.Frequency(
        (5, Valid),
        (3, Gen.Select(Valid, Gen.Select(Gen.Int[0, 400], Gen.Int[0, 2], Scrap).Array[1, 3], Tampered)),
        (2, Gen.Select(Scrap.Array[1, 12], scraps => "SELECT " + string.Concat(scraps))));

    private static Gen<string> Leaf() => Gen.Frequency(
        (2, Gen.Const($"{T}.answer()")),
        (1, Gen.Const($"(SELECT string_agg(word,',' ORDER BY id)FROM {T}.words)")),
        (1, Gen.Select(Maybe, Maybe, Maybe, (a, b, c) => $"'ok'{a}::{b}{T}{c}.mood::text")),
        (1, Gen.Const($"CAST('{T}' AS {T}.mood)::text")),
        (1, Gen.Select(Gen.OneOf("$1", "$3"), Maybe, (parameter, gap) => $"({parameter}{gap}||{T}.answer())")),
        (1, Gen.Select(Number, number => $"({number})::text")),
        (3, Gen.Select(Number, Maybe,
            Gen.OneOf("<", ">", "-", "+", "*", "/", "%", "- -", "+-", "*-", "/ -", "-/**/-", "-/*'*/+", "<--\"\n",
                "<=--'\n-", "=", "<>", "::numeric-", "*+"), Maybe,
            (number, before, sign, after) => $"({number} {before}{sign}{after}{T}.one())::text")));

    private static Gen<string> Parts(string prefix, Gen<string> pieces) =>
        Gen.Select(pieces.Array[0, 5], Gen.Select(Continued, pieces.Array[0, 3]).Array[0, 2], (first, more) =>
            prefix + string.Concat(first) + "'" +
                string.Concat(more.Select(part => part.Item1 + "'" + string.Concat(part.Item2) + "'")));

    private static string Dollars(string tag, string[] body)
    {
        var quote = $"${tag}$";
        var text = string.Concat(body);
        return quote + (text + "$").Replace(quote, "", StringComparison.Ordinal).TrimEnd('$')
            .Replace(quote, "", StringComparison.Ordinal) + quote;
    }

    private static string Tampered(string text, (int At, int Cut, string Scrap)[] changes)
    {
        foreach (var (place, cut, scrap) in changes)
        {
            var at = place % (text.Length + 1);
            text = text[..at] + scrap + text[Math.Min(text.Length, at + cut)..];
        }

        // Half a surrogate pair reaches no server.
        return string.Concat(text.EnumerateRunes());
    }
}
