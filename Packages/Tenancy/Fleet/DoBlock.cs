using System.Globalization;
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
    /// ATOMIC body for the ends of statements. As one statement it isn't cut.
    /// </summary>
    /// <param name="statements">Without parameters. Most have no such body, and are left alone.</param>
    public static string WhereCutWrongly(string statements) =>
        HasAtomicBody(statements) ? Of(statements) : statements;

    /// <summary>Whether a function with such a body is made.</summary>
    public static bool HasAtomicBody(string statements)
    {
        if (!statements.Contains("ATOMIC", StringComparison.OrdinalIgnoreCase))
        {
            return false;
        }

        var sql = Lexeme.Of(statements);
        var create = false;
        for (var at = 0; at + 1 < sql.Count; at++)
        {
            create = at == 0 || sql[at - 1].Is(';') ? sql[at].Is("create") : create;
            if (create && sql[at].Is("begin") && sql[at + 1].Is("atomic"))
            {
                return true;
            }
        }

        return false;
    }

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
