using System.Text;

namespace Tenancy.Sql;

/// <summary>Text that stands in a literal and is SQL or PL/pgSQL: a routine's body, or what EXECUTE runs.</summary>
internal static class BodyText
{
    /// <summary>The literal's value.</summary>
    /// <param name="literal">With its quotes.</param>
    /// <returns>Null where it isn't <c>'...'</c>, in one piece, or <c>$tag$...$tag$</c>.</returns>
    public static string? Of(string literal)
    {
        if (literal[0] == '$')
        {
            var tag = literal.IndexOf('$', 1) + 1;
            return literal[tag..^tag];
        }

        var inside = literal.Length > 1 && literal[0] == '\'' ? literal[1..^1] : null;
        // A quote that isn't doubled ends the first piece of a literal that goes on after a line break.
        var plain = inside?.Replace("''", "", StringComparison.Ordinal);
        return plain is null || plain.Contains('\'', StringComparison.Ordinal)
            ? null
            : inside!.Replace("''", "'", StringComparison.Ordinal);
    }

    /// <summary>
    /// Where in a text the bodies of CREATE FUNCTION, CREATE PROCEDURE and DO begin, quotes included. They are SQL, so
    /// they are rewritten, unlike other literals.
    /// </summary>
    public static HashSet<int> Starts(string text)
    {
        var starts = new HashSet<int>();
        var head = new List<string>(4);
        var depth = 0;
        var last = "";
        var tokens = new SqlTokens(text);
        while (tokens.Next(out var kind, out var start, out var end))
        {
            var token = text.AsSpan(start, end - start);
            if (kind == SqlToken.Comment || kind == SqlToken.Other && Lexeme.IsSpace(token[0]))
            {
                continue;
            }

            if (kind == SqlToken.Literal && depth == 0
                && (last == "as" && MakesRoutine(head) || last != "language" && head is ["do", ..]))
            {
                starts.Add(start);
            }

            last = kind == SqlToken.Other ? token.ToString().ToLowerInvariant() : "";
            depth += last switch { "(" => 1, ")" => -1, _ => 0 };
            if (last == ";" && depth == 0)
            {
                head.Clear();
            }
            else if (head.Count < 4)
            {
                head.Add(last);
            }
        }

        return starts;
    }

    private static bool MakesRoutine(List<string> head) =>
        head is ["create", "function" or "procedure", ..] or ["create", "or", "replace", "function" or "procedure"];

    /// <summary>
    /// The text that <c>format</c> makes, as far as it decides what the text names: an identifier stands for each
    /// <c>%I</c>, a literal for each <c>%L</c>. The schema of a trigger's own table is the tenant's.
    /// </summary>
    /// <param name="format">The first argument's value.</param>
    /// <param name="arguments">The text of each other one, in lower case.</param>
    /// <returns>Null where it has another place: what <c>%s</c> puts in isn't known.</returns>
    public static string? OfFormat(string format, IReadOnlyList<string> arguments)
    {
        var made = new StringBuilder(format.Length);
        var argument = 0;
        for (var at = 0; at < format.Length; at++)
        {
            if (format[at] != '%')
            {
                made.Append(format[at]);
                continue;
            }

            switch (++at < format.Length ? format[at] : '\0')
            {
                case '%':
                    made.Append('%');
                    break;
                case 'I':
                    var own = argument < arguments.Count && arguments[argument] == "tg_table_schema";
                    made.Append(own ? $"\"{TenantPlaceholder.Schema}\"" : "\"%I\"");
                    argument++;
                    break;
                case 'L':
                    made.Append("'%L'");
                    argument++;
                    break;
                default:
                    return null;
            }
        }

        return made.ToString();
    }
}
