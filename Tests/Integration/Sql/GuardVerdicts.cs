using System.Text.RegularExpressions;
using Tenancy;
using Tenancy.Sql;
using Xunit;

namespace Tests.Integration.Sql;

/// <summary>
/// The guard's verdicts on statements, beside what the server says of them: what touches more than a tenant may has to
/// be refused, and what doesn't has to pass, but for the forms listed here.
/// </summary>
internal sealed partial class GuardVerdicts
{
    private static readonly AllowList Shared = new(["public.shared"], ["public"], []);

    private int _all;
    private int _valid;
    private int _allowed;

    public void Compare(string sql, Touched touched)
    {
        _all++;
        if (!touched.IsValid)
        {
            return;
        }

        _valid++;
        var refusal = RefusalOf(sql);
        Assert.True(touched.IsAllowed || refusal is not null, $"Let through, though it would touch {touched}: {sql}");
        if (touched.IsAllowed)
        {
            _allowed++;
            Assert.True(refusal is null || IsRightAnyway(refusal.Rule, sql, touched),
                $"Refused without need: {refusal?.Message} {sql} (touches {touched})");
        }
    }

    /// <summary>
    /// Or the test would prove nothing. The server takes three of four statements, and a tenant may run half of those
    /// or more; the limits are further off, so that chance doesn't reach them in sixty.
    /// </summary>
    public void AssertTheyProveSomething()
    {
        Assert.InRange(_valid, _all * 2 / 5, _all);
        Assert.InRange(_allowed, _valid / 5, _valid - _valid / 20);
    }

    public static CommandRefusedException? RefusalOf(string sql)
    {
        try
        {
            SqlTemplate.Of(sql).Guard(Shared);
            return null;
        }
        catch (CommandRefusedException refusal)
        {
            return refusal;
        }
    }

    /// <summary>Statements that happen to touch nothing of another's, and are refused all the same.</summary>
    private static bool IsRightAnyway(CommandRule rule, string sql, Touched touched)
    {
        var text = Unread().Replace(sql, " ");
        return rule switch
        {
            // It names the other schema, and only found nothing to do (IF NOT EXISTS, REVOKE of what nobody had) or
            // left no trace (COPY = other.configuration).
            CommandRule.ForeignSchema => Another().IsMatch(text) || (IsIdle(text) && Undeclared().IsMatch(text)),
            // search_path found the shared table for a name without a schema; the guard doesn't rely on it.
            CommandRule.MissingSchema => touched.What.Contains("read public.shared") || IsIdle(text),
            // As above; or a lock that no reader notices, or a trigger on behalf of a shared table.
            CommandRule.SharedTableIsReadOnly => IsIdle(text) || Harmless().IsMatch(text),
            // search_path found public's function; the guard doesn't rely on it.
            CommandRule.ServerObject => BareCall().IsMatch(text),
            // It took no effect because it was so already.
            CommandRule.GlobalObject => Global().IsMatch(text),
            _ => false,
        };
    }

    private static bool IsIdle(string text) => Idle().IsMatch(text);

    [GeneratedRegex(@"/\*.*?\*/|'[^']*'|\$\$.*?\$\$", RegexOptions.Singleline)]
    private static partial Regex Unread();

    // other.n is a column of the table other; a.n after OWNED BY is one of a table that is named without a schema, and
    // not looked up if the sequence exists.
    [GeneratedRegex(@"\bother""?\s*\.\s*""?(?!(id|n|t)\b)|SCHEMA\b[^;]*\b(other|public)\b|\bOWNED BY (a|b|shared)\b",
        RegexOptions.IgnoreCase)]
    private static partial Regex Another();

    [GeneratedRegex(@"(?<!\.\s*)\b(t?f\(|add\b)", RegexOptions.IgnoreCase)]
    private static partial Regex BareCall();

    [GeneratedRegex(@"\bpublic""?\s*\.\s*""?(?!shared\b)", RegexOptions.IgnoreCase)]
    private static partial Regex Undeclared();

    [GeneratedRegex(@"\bIF (NOT )?EXISTS\b|\bREVOKE\b|\bSET SCHEMA public\b", RegexOptions.IgnoreCase)]
    private static partial Regex Idle();

    [GeneratedRegex(
        @"\bLOCK\b.*\bIN ACCESS SHARE MODE|\bCONSTRAINT TRIGGER\b.*\bFROM public\b", RegexOptions.IgnoreCase)]
    private static partial Regex Harmless();

    [GeneratedRegex(@"^\s*(.*; )?(GRANT|REVOKE) tests_|\bCOMMENT ON (ROLE|LANGUAGE)\b", RegexOptions.IgnoreCase)]
    private static partial Regex Global();
}
