namespace Tenancy.Sql;

/// <summary>XMLTABLE and JSON_TABLE.</summary>
internal sealed partial class StatementReader
{
    private void ReadXmlTable()
    {
        Need("xmltable");
        InParentheses(() =>
        {
            if (Take("xmlnamespaces"))
            {
                ReadArguments("xmlnamespaces");
                Need(',');
            }

            ReadExpression();
            Need("passing");
            _ = Take("by", "ref") || Take("by", "value");
            ReadExpression();
            _ = Take("by", "ref") || Take("by", "value");
            Need("columns");
            Listed(ReadXmlColumn);
        });
    }

    private void ReadXmlColumn()
    {
        NeedName();
        if (Take("for", "ordinality"))
        {
            return;
        }

        ReadType();
        while (!Current().Is(',') && !Current().Is(')'))
        {
            if (TakeAny("path", "default"))
            {
                ReadExpression();
            }
            else if (!Take("not", "null"))
            {
                Need("null");
            }
        }
    }

    private void ReadJsonTable()
    {
        Need("json_table");
        InParentheses(() =>
        {
            ReadExpression();
            ReadJsonFormat();
            Need(',');
            ReadExpression();
            ReadJsonPathName();
            if (Take("passing"))
            {
                Listed(ReadJsonArgument);
            }

            Need("columns");
            InParentheses(() => Listed(ReadJsonColumn));
            ReadJsonWords();
        });
    }

    private void ReadJsonPathName()
    {
        if (Take("as"))
        {
            NeedName();
        }
    }

    private void ReadJsonFormat()
    {
        if (Take("format", "json") && Take("encoding"))
        {
            NeedName();
        }
    }

    private void ReadJsonArgument()
    {
        ReadExpression();
        ReadJsonFormat();
        Need("as");
        NeedLabel();
    }

    private void ReadJsonColumn()
    {
        if (Current().Is("nested") && (Next(1).Is("path") || Next(1).Kind == LexemeKind.Literal))
        {
            _at++;
            _ = Take("path");
            _at++;
            ReadJsonPathName();
            Need("columns");
            InParentheses(() => Listed(ReadJsonColumn));
            return;
        }

        NeedName();
        if (!Take("for", "ordinality"))
        {
            ReadType();
            ReadJsonWords();
        }
    }

    /// <summary>FORMAT JSON, EXISTS, PATH, wrappers, quotes, and what happens on empty and on error.</summary>
    private void ReadJsonWords()
    {
        while (!Current().Is(',') && !Current().Is(')'))
        {
            if (Take("default"))
            {
                ReadExpression();
            }
            else if (Current().Kind == LexemeKind.Literal
                || Current() is { Kind: LexemeKind.Word, Text: "exists" or "path" or "true" or "false" }
                || Current().Kind == LexemeKind.Word && ArgumentWords.Contains(Current().Text))
            {
                _at++;
            }
            else
            {
                Unexplained("',' or ')'");
            }
        }
    }
}
