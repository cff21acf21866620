namespace Tenancy.Sql;

/// <summary>The FROM list: relations, functions, subqueries and joins (gram.y, table_ref).</summary>
internal sealed partial class StatementReader
{
    private void ReadTableReference()
    {
        ReadTable();
        while (StartsJoin())
        {
            ReadJoin();
        }
    }

    private bool StartsJoin() => Current() is { Kind: LexemeKind.Word,
        Text: "join" or "inner" or "left" or "right" or "full" or "cross" or "natural" };

    private void ReadJoin()
    {
        Enter();
        var unconditional = TakeAny("cross", "natural");
        if (!Take("inner") && TakeAny("left", "right", "full"))
        {
            _ = Take("outer");
        }

        Need("join");
        ReadTable();
        if (!unconditional)
        {
            // a JOIN b JOIN c ON ... ON ...: the first condition is the inner join's.
            while (StartsJoin())
            {
                ReadJoin();
            }

            ReadJoinCondition();
        }

        _level--;
    }

    private void ReadJoinCondition()
    {
        if (Take("on"))
        {
            ReadExpression();
            return;
        }

        Need("using");
        InParentheses(() => Listed(() => NeedName()));
        if (Take("as"))
        {
            _aliases.Add(NeedName());
        }
    }

    private void ReadTable()
    {
        if (Current().Is('('))
        {
            if (ReadTableInParentheses())
            {
                ReadAlias();
            }
            else if (Current().Is("as") || KeyWords.IsName(Current()))
            {
                // An alias of a join in parentheses.
                ReadAlias();
            }

            return;
        }

        if (Take("lateral") && Current().Is('('))
        {
            InParentheses(ReadQuery);
            ReadAlias();
            return;
        }

        if (Take("rows", "from"))
        {
            InParentheses(() => Listed(ReadTableFunction));
            ReadAfterFunction();
        }
        else if (Current().Is("xmltable") && Next(1).Is('('))
        {
            ReadXmlTable();
            ReadAlias();
        }
        else if (Current().Is("json_table") && Next(1).Is('('))
        {
            ReadJsonTable();
            ReadAlias();
        }
        else if (IsFunction())
        {
            ReadTableFunction();
            ReadAfterFunction();
        }
        else
        {
            ReadRelation(NameRole.Read);
            ReadAlias();
            ReadSample();
        }
    }

    /// <returns>True for a subquery, false for a join.</returns>
    private bool ReadTableInParentheses()
    {
        Need('(');
        Enter();
        var query = StartsQuery();
        if (query)
        {
            ReadQuery();
        }
        else if (Current().Is('('))
        {
            query = ReadTableInParentheses();
            if (query && GoesOnAsQuery())
            {
                ReadRestOfQuery();
            }
            else if (!query || !Current().Is(')'))
            {
                query = false;
                ReadAlias();
                ReadJoins();
            }
        }
        else
        {
            ReadTable();
            ReadJoins();
        }

        Need(')');
        _level--;
        return query;
    }

    private void ReadJoins()
    {
        while (StartsJoin())
        {
            ReadJoin();
        }
    }

    /// <summary>ONLY name, ONLY (name), name *.</summary>
    /// <returns>The name without its schema.</returns>
    private string ReadRelation(NameRole role)
    {
        var only = Take("only");
        if (only && Current().Is('('))
        {
            var inner = "";
            InParentheses(() => inner = ReadRelationName(role));
            return inner;
        }

        var name = ReadRelationName(role);
        _ = !only && Take('*');
        return name;
    }

    private string ReadRelationName(NameRole role)
    {
        var (schema, name) = ReadQualified(NeedName());
        if (role != NameRole.Read || schema is not null || !Knows(name))
        {
            AddUse(new(role, schema, name));
        }

        _aliases.Add(name);
        return name;
    }

    /// <summary>.b or .b.c after the first part. Where there are three, the first names the database.</summary>
    private (string? Schema, string Name) ReadQualified(string first)
    {
        if (!Take('.'))
        {
            return (null, first);
        }

        var second = NeedLabel();
        return Take('.') ? (second, NeedLabel()) : (first, second);
    }

    private bool IsFunction()
    {
        if (!Current().IsIdentifier)
        {
            return false;
        }

        if (Current().Kind == LexemeKind.Word
            && (KeyWords.Reserved.Contains(Current().Text) || Current().Is("current_schema")))
        {
            // FROM current_date, FROM CAST(x AS type).
            return Current().Text is "cast" or "user" or "localtime" or "localtimestamp" or "session_user"
                or "system_user" || Current().Text.StartsWith("current_", StringComparison.Ordinal);
        }

        var ahead = 1;
        while (Next(ahead).Is('.') && Next(ahead + 1).IsIdentifier && ahead < 6)
        {
            ahead += 2;
        }

        return Next(ahead).Is('(') || ahead == 1 && Current().Is("collation") && Next(1).Is("for");
    }

    private void ReadTableFunction()
    {
        var at = _at;
        ReadOperand();
        while (At(at + 1).Is('.'))
        {
            at += 2;
        }

        if (At(at).IsIdentifier)
        {
            _aliases.Add(At(at).Text);
        }

        if (Current().Is("as") && Next(1).Is('('))
        {
            _at++;
            ReadColumns();
        }
    }

    private void ReadAfterFunction()
    {
        _ = Take("with", "ordinality");
        if (Take("as"))
        {
            if (Current().Is('('))
            {
                ReadColumns();
                return;
            }
        }
        else if (!KeyWords.IsName(Current()))
        {
            return;
        }

        _aliases.Add(NeedName());
        if (Current().Is('('))
        {
            ReadColumns();
        }
    }

    /// <summary>(name, ...) or (name type, ...).</summary>
    private void ReadColumns() => InParentheses(() => Listed(() =>
    {
        NeedName();
        if (Current().Is(',') || Current().Is(')'))
        {
            return;
        }

        ReadType();
        if (Take("collate"))
        {
            ReadOther();
        }
    }));

    private void ReadAlias()
    {
        if (!Take("as") && !KeyWords.IsName(Current()))
        {
            return;
        }

        _aliases.Add(NeedName());
        if (Current().Is('('))
        {
            InParentheses(() => Listed(() => NeedName()));
        }
    }

    private void ReadSample()
    {
        if (!Take("tablesample"))
        {
            return;
        }

        var (schema, name) = ReadQualified(NeedLabel());
        AddUse(new(NameRole.Use, schema, name));
        InParentheses(() => Listed(ReadExpression));
        if (Take("repeatable"))
        {
            InParentheses(ReadExpression);
        }
    }
}
