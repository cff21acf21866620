namespace Tenancy.Sql;

/// <summary>Windows and their frames (gram.y, window_specification).</summary>
internal sealed partial class StatementReader
{
    /// <summary>(name PARTITION BY ... ORDER BY ... frame).</summary>
    private void ReadWindow() => InParentheses(() =>
    {
        if (KeyWords.IsName(Current()) && !Current().Is("partition") && !IsFrame())
        {
            _at++;
        }

        if (Take("partition", "by"))
        {
            Listed(ReadExpression);
        }

        if (Take("order", "by"))
        {
            Listed(ReadSort);
        }

        if (IsFrame())
        {
            _at++;
            ReadFrame();
        }
    });

    private bool IsFrame() => Current() is { Kind: LexemeKind.Word, Text: "range" or "rows" or "groups" };

    private void ReadFrame()
    {
        if (Take("between"))
        {
            ReadBound();
            Need("and");
        }

        ReadBound();
        if (Take("exclude") && !Take("current", "row") && !Take("no", "others") && !TakeAny("group", "ties"))
        {
            Unexplained("CURRENT ROW, GROUP, TIES or NO OTHERS");
        }
    }

    private void ReadBound()
    {
        if (Take("current", "row"))
        {
            return;
        }

        if (!Current().Is("unbounded") || !(Next(1).Is("preceding") || Next(1).Is("following")))
        {
            ReadExpression();
        }
        else
        {
            _at++;
        }

        if (!TakeAny("preceding", "following"))
        {
            Unexplained("PRECEDING or FOLLOWING");
        }
    }
}
