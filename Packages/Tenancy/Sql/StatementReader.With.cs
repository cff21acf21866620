namespace Tenancy.Sql;

/// <summary>Common table expressions.</summary>
internal sealed partial class StatementReader
{
    private void ReadWith()
    {
        Need("with");
        if (Take("recursive"))
        {
            KnowRecursive();
        }

        Listed(() =>
        {
            var name = NeedName();
            if (Current().Is('('))
            {
                InParentheses(() => Listed(() => NeedName()));
            }

            Need("as");
            _ = Take("materialized") || Take("not", "materialized");
            InParentheses(ReadQueryOrWrite);
            ReadSearchAndCycle();
            // Not before its own body is over: in there, the name is still a table's.
            Know(name);
        });
    }

    private void ReadSearchAndCycle()
    {
        if (Take("search"))
        {
            _ = TakeAny("depth", "breadth");
            Need("first");
            Need("by");
            Listed(() => NeedName());
            Need("set");
            NeedName();
        }

        if (!Take("cycle"))
        {
            return;
        }

        Listed(() => NeedName());
        Need("set");
        NeedName();
        if (Take("to"))
        {
            ReadExpression();
            Need("default");
            ReadExpression();
        }

        Need("using");
        NeedName();
    }

    /// <summary>In WITH RECURSIVE each knows all, those after it too.</summary>
    private void KnowRecursive()
    {
        var at = _at;
        while (BodyOf(at) is { } body)
        {
            Know(At(at).Text);
            at = AfterCycle(AfterSearch(_rules.Closing(body) + 1));
            if (!At(at).Is(','))
            {
                return;
            }

            at++;
        }
    }

    /// <summary>SEARCH DEPTH FIRST BY a, b SET c.</summary>
    private int AfterSearch(int at) => At(at).Is("search") && At(at + 1).IsIdentifier && At(at + 2).Is("first")
        && At(at + 3).Is("by")
            ? AfterSet(at + 4)
            : at;

    /// <summary>CYCLE a, b SET c TO constant DEFAULT constant USING d.</summary>
    private int AfterCycle(int at)
    {
        if (!At(at).Is("cycle"))
        {
            return at;
        }

        at = AfterSet(at + 1);
        if (At(at).Is("to"))
        {
            at = Find("using", Find("default", at));
        }

        return at + 2;
    }

    /// <summary>a, b SET c.</summary>
    private int AfterSet(int at)
    {
        while (At(at).IsIdentifier && At(at + 1).Is(','))
        {
            at += 2;
        }

        return at + 3;
    }

    private int Find(string word, int at)
    {
        while (at < _sql.Count && !At(at).Is(word) && !At(at).Is(';'))
        {
            at = _rules.Closing(at) + 1;
        }

        return at;
    }

    /// <returns>Where the parentheses of name (columns) AS [NOT] MATERIALIZED (...) open.</returns>
    private int? BodyOf(int name)
    {
        if (!At(name).IsIdentifier)
        {
            return null;
        }

        var at = At(name + 1).Is('(') ? _rules.Closing(name + 1) + 1 : name + 1;
        if (!At(at).Is("as"))
        {
            return null;
        }

        at++;
        while (At(at).Is("not") || At(at).Is("materialized"))
        {
            at++;
        }

        return At(at).Is('(') ? at : null;
    }
}
