namespace Tenancy.Stamping;

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
            at = _rules.Closing(body) + 1;
            // After its SEARCH and CYCLE, whose commas no name with a body follows.
            while (at < _sql.Count && !(At(at).Is(',') && BodyOf(at + 1) is not null))
            {
                if (!IsOfSearchOrCycle(At(at)))
                {
                    return;
                }

                at = _rules.Closing(at) + 1;
            }

            at++;
        }
    }

    private static bool IsOfSearchOrCycle(Lexeme lexeme) => lexeme.Is(',') || lexeme.Is('(') || lexeme.Kind
        is LexemeKind.Quoted or LexemeKind.Literal or LexemeKind.Number
            || lexeme.Kind == LexemeKind.Word && lexeme.Text is not ("select" or "insert" or "update" or "delete"
                or "merge" or "table");

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
