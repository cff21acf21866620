using System.Globalization;
using System.Text;
using Tenancy.Sql;

namespace Tenancy.Fleet;

/// <summary>
/// Many statements as one: <c>DO</c> with <c>EXECUTE</c>. In PostgreSQL's extended protocol, which is the only one that
/// Npgsql speaks, each statement is parsed, bound, described and executed by messages of its own, and for DDL on small
/// tables that is a good part of its price.
/// </summary>
internal static class DoBlock
{
    /// <summary>
    /// A text that Npgsql would cut elsewhere than PostgreSQL does: it takes the semicolons of a function's BEGIN
    /// ATOMIC body for the ends of statements. Such a function is made in a block of its own, which isn't cut. Only the
    /// function: a table that is made in a block stays on the coordinator of a Citus cluster.
    /// </summary>
    /// <param name="statements">Without parameters. Most have no such body, and are left alone.</param>
    public static string WhereCutWrongly(string statements)
    {
        var text = new StringBuilder(statements);
        foreach (var (start, end) in AtomicBodies(statements).AsEnumerable().Reverse())
        {
            text.Remove(start, end - start).Insert(start, Of(statements[start..end]));
        }

        return text.ToString();
    }

    /// <summary>Whether a function with such a body is made.</summary>
    public static bool HasAtomicBody(string statements) => AtomicBodies(statements).Count > 0;

    /// <summary>The statements that make such functions, without the semicolon behind.</summary>
    private static List<(int Start, int End)> AtomicBodies(string statements)
    {
        var found = new List<(int, int)>();
        if (!statements.Contains("ATOMIC", StringComparison.OrdinalIgnoreCase))
        {
            return found;
        }

        var (statement, create, begin, atomic, depth) = (-1, false, false, false, 0);
        var tokens = new SqlTokens(statements);
        while (tokens.Next(out var kind, out var start, out var end))
        {
            var text = statements.AsSpan(start, end - start);
            if (kind == SqlToken.Comment || Lexeme.IsSpace(text[0]))
            {
                continue;
            }

            if (depth == 0 && text is ";")
            {
                if (atomic)
                {
                    found.Add((statement, start));
                }

                (statement, atomic) = (-1, false);
                continue;
            }

            var word = kind == SqlToken.Other ? text : default;
            if (statement < 0)
            {
                (statement, create) = (start, IsWord(word, "create"));
            }

            if (create && depth == 0 && begin && IsWord(word, "atomic"))
            {
                (atomic, depth) = (true, 1);
            }
            else if (depth > 0)
            {
                // A CASE has an END of its own; both are reserved words.
                depth += IsWord(word, "case") ? 1 : IsWord(word, "end") ? -1 : 0;
            }

            begin = IsWord(word, "begin");
        }

        if (atomic)
        {
            found.Add((statement, statements.Length));
        }

        return found;
    }

    private static bool IsWord(ReadOnlySpan<char> text, string word) =>
        text.Equals(word, StringComparison.OrdinalIgnoreCase);

    public static string Of(string statements) => $"DO {Quote($"BEGIN EXECUTE {Quote(statements)}; END")}";

    private static string Quote(string text)
    {
        var tag = "$statements$";
        for (var number = 1; text.Contains(tag, StringComparison.Ordinal); number++)
        {
            tag = string.Create(CultureInfo.InvariantCulture, $"$statements{number}$");
        }

        return $"{tag}{text}{tag}";
    }
}
