namespace Tenancy.Sql;

/// <summary>SELECT, VALUES, TABLE, WITH and set operations, as in PostgreSQL's grammar (gram.y, SelectStmt).</summary>
internal sealed partial class StatementReader
{
    private bool StartsQuery(int ahead = 0) =>
        Next(ahead).Is("select") || Next(ahead).Is("with") || Next(ahead).Is("table")
            || Next(ahead).Is("values") && Next(ahead + 1).Is('(');

    private bool StartsWrite(int ahead = 0) => Next(ahead) is { Kind: LexemeKind.Word,
        Text: "insert" or "update" or "delete" or "merge" };

    /// <summary>A query or a statement that writes rows, with its common table expressions.</summary>
    private void ReadQueryOrWrite()
    {
        Enter();
        var outer = _commonTables.Count;
        if (Current().Is("with"))
        {
            ReadWith();
        }

        if (StartsWrite())
        {
            ReadWrite();
        }
        else
        {
            ReadQueryBody();
        }

        ForgetDownTo(outer);
        _level--;
    }

    private void ReadQuery()
    {
        Enter();
        var outer = _commonTables.Count;
        if (Current().Is("with"))
        {
            ReadWith();
        }

        ReadQueryBody();
        ForgetDownTo(outer);
        _level--;
    }

    private void ReadQueryBody()
    {
        ReadQueryTerm();
        ReadRestOfQuery();
    }

    /// <summary>Set operations, ORDER BY, LIMIT and locks.</summary>
    private void ReadRestOfQuery()
    {
        while (TakeAny("union", "intersect", "except"))
        {
            _ = TakeAny("all", "distinct");
            ReadQueryTerm();
        }

        while (true)
        {
            if (Take("order", "by"))
            {
                Listed(ReadSort);
            }
            else if (Take("limit"))
            {
                if (!Take("all"))
                {
                    ReadExpression();
                }
            }
            else if (Take("offset"))
            {
                ReadExpression();
                _ = TakeAny("row", "rows");
            }
            else if (Take("fetch"))
            {
                ReadFetch();
            }
            else if (Take("for"))
            {
                ReadLock();
            }
            else
            {
                return;
            }
        }
    }

    private bool GoesOnAsQuery() => Current() is { Kind: LexemeKind.Word,
        Text: "union" or "intersect" or "except" or "order" or "limit" or "offset" or "fetch" or "for" };

    private void ReadFetch()
    {
        if (!TakeAny("first", "next"))
        {
            Unexplained("FIRST or NEXT");
        }

        if (!TakeAny("row", "rows"))
        {
            ReadExpression();
            if (!TakeAny("row", "rows"))
            {
                Unexplained("ROWS");
            }
        }

        if (!Take("only") && !Take("with", "ties"))
        {
            Unexplained("ONLY or WITH TIES");
        }
    }

    private void ReadLock()
    {
        if (Take("read", "only"))
        {
            return;
        }

        _ = Take("no", "key") || Take("key");
        if (!TakeAny("update", "share"))
        {
            Unexplained("UPDATE or SHARE");
        }

        if (Take("of"))
        {
            Listed(() => NeedName());
        }

        _ = Take("nowait") || Take("skip", "locked");
    }

    private void ReadSort()
    {
        ReadExpression();
        if (Take("using"))
        {
            ReadOperator();
        }
        else
        {
            _ = TakeAny("asc", "desc");
        }

        _ = Take("nulls", "first") || Take("nulls", "last");
    }

    private void ReadQueryTerm()
    {
        if (Current().Is('('))
        {
            InParentheses(ReadQuery);
        }
        else if (Take("values"))
        {
            Listed(() => InParentheses(() => Listed(ReadExpression)));
        }
        else if (Take("table"))
        {
            ReadRelation(NameRole.Read);
        }
        else
        {
            Need("select");
            ReadSelect();
        }
    }

    private void ReadSelect()
    {
        ReadDistinct();
        if (StartsOperand(Current()))
        {
            Listed(ReadTarget);
        }

        if (Take("into"))
        {
            ReadInto();
        }

        if (Take("from"))
        {
            Listed(ReadTableReference);
        }

        if (Take("where"))
        {
            ReadExpression();
        }

        if (Take("group", "by"))
        {
            _ = TakeAny("all", "distinct");
            Listed(ReadGrouping);
        }

        if (Take("having"))
        {
            ReadExpression();
        }

        if (Take("window"))
        {
            Listed(() =>
            {
                NeedName();
                Need("as");
                ReadWindow();
            });
        }
    }

    private void ReadDistinct()
    {
        if (!Take("distinct"))
        {
            _ = Take("all");
        }
        else if (Take("on"))
        {
            InParentheses(() => Listed(ReadExpression));
        }
    }

    private void ReadTarget()
    {
        if (Take('*'))
        {
            return;
        }

        ReadExpression();
        if (Take("as"))
        {
            NeedLabel();
        }
        else if (KeyWords.IsBareLabel(Current()))
        {
            _at++;
        }
    }

    private void ReadInto()
    {
        _rules.RefuseTemporary(_at);
        _ = Take("unlogged");
        _ = Take("table");
        ReadRelation(NameRole.Write);
    }

    private void ReadGrouping()
    {
        if (Take("grouping", "sets"))
        {
            InParentheses(() => Listed(ReadGrouping));
        }
        else if (Current() is { Kind: LexemeKind.Word, Text: "rollup" or "cube" } && Next(1).Is('('))
        {
            _at++;
            InParentheses(() => Listed(ReadExpression));
        }
        else if (Current().Is('(') && Next(1).Is(')'))
        {
            _at += 2;
        }
        else
        {
            ReadExpression();
        }
    }
}
