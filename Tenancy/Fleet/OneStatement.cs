using System.Globalization;

namespace Tenancy;

/// <summary>
/// Many statements as one: <c>DO</c> with <c>EXECUTE</c>. In PostgreSQL's extended protocol, which is the only one that
/// Npgsql speaks, each statement is parsed, bound, described and executed by messages of its own, and for DDL on small
/// tables that is a good part of its price.
/// </summary>
internal static class OneStatement
{
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
