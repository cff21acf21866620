namespace Tenancy.Sql;

/// <summary>INSERT, UPDATE, DELETE and MERGE.</summary>
internal sealed partial class StatementReader
{
    private void ReadWrite()
    {
        if (Take("insert"))
        {
            Need("into");
            ReadInsert();
        }
        else if (Take("update"))
        {
            ReadTargetTable();
            Need("set");
            Listed(ReadAssignment);
            if (Take("from"))
            {
                Listed(ReadTableReference);
            }

            ReadWhere();
            ReadReturning();
        }
        else if (Take("delete"))
        {
            Need("from");
            ReadTargetTable();
            if (Take("using"))
            {
                Listed(ReadTableReference);
            }

            ReadWhere();
            ReadReturning();
        }
        else
        {
            Need("merge");
            Need("into");
            ReadMerge();
        }
    }

    private void ReadTargetTable()
    {
        ReadRelation(NameRole.Write);
        // SET right after the table is the key word, though it may be a name.
        if (Take("as") || KeyWords.IsName(Current()) && !Current().Is("set"))
        {
            _aliases.Add(NeedName());
        }
    }

    private void ReadWhere()
    {
        if (!Take("where"))
        {
            return;
        }

        if (Take("current", "of"))
        {
            NeedName();
        }
        else
        {
            ReadExpression();
        }
    }

    private void ReadReturning()
    {
        if (!Take("returning"))
        {
            return;
        }

        // RETURNING WITH (OLD AS o, NEW AS n): PostgreSQL 18.
        if (Take("with"))
        {
            InParentheses(() => Listed(() =>
            {
                _ = TakeAny("old", "new");
                Need("as");
                _aliases.Add(NeedName());
            }));
        }

        Listed(ReadTarget);
    }

    private void ReadAssignment()
    {
        if (Current().Is('('))
        {
            InParentheses(() => Listed(ReadColumn));
        }
        else
        {
            ReadColumn();
        }

        Need('=');
        ReadExpression();
    }

    /// <summary>A column that is written: name, name.field, name[1].</summary>
    private void ReadColumn()
    {
        NeedName();
        while (true)
        {
            if (Take('.'))
            {
                NeedLabel();
            }
            else if (Current().Is('['))
            {
                ReadSubscript();
            }
            else
            {
                return;
            }
        }
    }

    private void ReadInsert()
    {
        ReadRelationName(NameRole.Write);
        if (Take("as"))
        {
            _aliases.Add(NeedName());
        }

        if (Current().Is('(') && !StartsQuery(1) && !Next(1).Is('('))
        {
            InParentheses(() => Listed(ReadColumn));
        }

        ReadOverriding();
        if (!Take("default", "values"))
        {
            ReadQuery();
        }

        if (Take("on", "conflict"))
        {
            ReadConflict();
        }

        ReadReturning();
    }

    private void ReadOverriding()
    {
        if (Take("overriding"))
        {
            _ = TakeAny("user", "system");
            Need("value");
        }
    }

    private void ReadConflict()
    {
        if (Take("on", "constraint"))
        {
            NeedName();
        }
        else if (Current().Is('('))
        {
            InParentheses(() => Listed(ReadIndexColumn));
            if (Take("where"))
            {
                ReadExpression();
            }
        }

        Need("do");
        if (Take("nothing"))
        {
            return;
        }

        Need("update");
        Need("set");
        Listed(ReadAssignment);
        if (Take("where"))
        {
            ReadExpression();
        }
    }

    private void ReadIndexColumn()
    {
        ReadExpression();
        if (Current().IsIdentifier && !Current().Is("asc") && !Current().Is("desc") && !Current().Is("nulls"))
        {
            ReadOther();
        }

        _ = TakeAny("asc", "desc");
        _ = Take("nulls", "first") || Take("nulls", "last");
    }

    private void ReadMerge()
    {
        ReadTargetTable();
        Need("using");
        ReadTableReference();
        Need("on");
        ReadExpression();
        do
        {
            Need("when");
            ReadWhen();
        }
        while (Current().Is("when"));
        ReadReturning();
    }

    private void ReadWhen()
    {
        _ = Take("not");
        Need("matched");
        if (Take("by"))
        {
            _ = TakeAny("source", "target");
        }

        if (Take("and"))
        {
            ReadExpression();
        }

        Need("then");
        if (Take("do", "nothing") || Take("delete"))
        {
            return;
        }

        if (Take("update"))
        {
            Need("set");
            Listed(ReadAssignment);
            return;
        }

        Need("insert");
        if (Current().Is('('))
        {
            InParentheses(() => Listed(ReadColumn));
        }

        ReadOverriding();
        if (!Take("default", "values"))
        {
            Need("values");
            InParentheses(() => Listed(ReadExpression));
        }
    }
}
