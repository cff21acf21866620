using System.Text.RegularExpressions;

namespace Tenancy.Sql;

/// <summary>
/// A sequence's name in a literal, as <c>nextval</c> and <c>setval</c> take it: <c>'"__Tenant__"."numbers"'</c>. There,
/// and only if the literal has nothing else in it, the placeholder is a name and no data: it is rewritten.
/// </summary>
internal static partial class TenantSequence
{
    /// <summary>The functions whose first argument it may be.</summary>
    public static bool IsTakenBy(string function) => function is "nextval" or "setval";

    /// <param name="literal">With its quotes.</param>
    public static bool Is(ReadOnlySpan<char> literal) => Whole().IsMatch(literal);

    /// <summary>The text without its calls of <c>nextval</c> on sequences of the tenant's.</summary>
    public static string Without(string sql) => Calls().Replace(sql, "0");

    // No quote of either kind in the name, and no backslash: nothing has to be unescaped to know it.
    private const string Literal = $"'\"{TenantPlaceholder.Schema}\"\\.(\"[^\"'\\\\]+\"|[A-Za-z_][A-Za-z0-9_$]*)'";

    [GeneratedRegex($"^{Literal}\\z")]
    private static partial Regex Whole();

    [GeneratedRegex($@"\bnextval\s*\(\s*{Literal}\s*(::\s*(pg_catalog\s*\.\s*)?regclass\s*)?\)", RegexOptions.IgnoreCase)]
    private static partial Regex Calls();
}
