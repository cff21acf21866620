namespace Tenancy.Sql;

/// <summary>
/// The expressions of a definition: defaults, checks, generated columns, indexes, partitions, conditions. The grammar
/// reads each, so that what they call is known as it is in a query.
/// </summary>
internal sealed partial class StatementReader
{
    private bool IsRoutine => _kind is "function" or "procedure";

    /// <returns>Whether there was one, or something that has one.</returns>
    private bool ReadExpressionInDefinition()
    {
        if (!IsDefinition && _verb != "copy" || _verb is "grant" or "revoke" || Previous().Is('.'))
        {
            return false;
        }

        return Current().Kind switch
        {
            LexemeKind.Sign => ReadExpressionAtSign(),
            LexemeKind.Word => ReadExpressionAtWord(Current().Text),
            _ => false,
        };
    }

    private bool ReadExpressionAtSign()
    {
        if (_kind == "operator" && _frame.Expects == Expecting.Target && IsOperatorSign(Current()))
        {
            // An operator without a schema. One with a schema is read as a name.
            SkipOperatorSigns();
            AddUse(new(NameRole.Write, null, "operator"));
            _frame.Expects = Expecting.AfterTarget;
            return true;
        }

        if (Current().Is('=') && Depth > 0 && _kind is "aggregate" or "operator" or "type"
            && IsFunctionOption(Previous()) && Next(1) is { IsIdentifier: true } function && !function.Is("none"))
        {
            _at++;
            ReadFunctionsName();
            return true;
        }

        if (Current().Is('=') && IsRoutine && Depth > 0)
        {
            // FUNCTION name (argument type = expression).
            _at++;
            ReadExpression();
            return true;
        }

        if (!Current().Is('('))
        {
            return false;
        }

        if (Previous().Is("as") && At(_at - 2).Is("always"))
        {
            InParentheses(ReadExpression);
            return true;
        }

        if (_verb == "create" && _kind == "index" && Depth == 0 && _frame.Expects == Expecting.AfterTarget)
        {
            InParentheses(() => Listed(ReadIndexElement));
            _frame.Expects = Expecting.Expression;
            return true;
        }

        return false;
    }

    private bool ReadExpressionAtWord(string word)
    {
        switch (word)
        {
            case "default":
                return ReadDefault();
            case "check" when Next(1).Is('('):
            case "using" when Next(1).Is('(') && _kind == "policy":
            case "when" when Next(1).Is('(') && _kind == "trigger":
                _at++;
                InParentheses(ReadExpression);
                return true;
            case "using" when _verb == "alter" && _kind == "table" && Depth == 0 && !Next(1).Is("index"):
            case "where" when _verb == "copy" || _kind is "index" or "table":
            case "return" when _verb == "create" && IsRoutine && Depth == 0:
                _at++;
                ReadExpression();
                return true;
            case "on" when _verb == "create" && _kind == "statistics" && Depth == 0:
                _at++;
                Listed(ReadExpression);
                return true;
            case "exclude" when _kind == "table" && (Next(1).Is('(') || Next(1).Is("using")):
                ReadExclusion();
                return true;
            case "partition" when _verb == "create" && Next(1).Is("by"):
                _at += 2;
                NeedLabel();
                InParentheses(() => Listed(ReadIndexElement));
                return true;
            case "values" when Previous().Is("for"):
                ReadPartitionBounds();
                return true;
            case "execute" when _kind == "trigger" && (Next(1).Is("function") || Next(1).Is("procedure")):
                _at += 2;
                ReadFunctionsName();
                return true;
            case "support" when IsRoutine && Depth == 0 && Next(1).IsIdentifier:
                _at++;
                ReadFunctionsName();
                return true;
            default:
                return false;
        }
    }

    /// <summary>Of CREATE AGGREGATE, OPERATOR and TYPE: what the server calls by itself.</summary>
    private static bool IsFunctionOption(Lexeme option) => option is { IsIdentifier: true,
        Text: "sfunc" or "sfunc1" or "finalfunc" or "combinefunc" or "serialfunc" or "deserialfunc" or "msfunc"
            or "minvfunc" or "mfinalfunc" or "function" or "procedure" or "restrict" or "join" or "input" or "output"
            or "receive" or "send" or "typmod_in" or "typmod_out" or "analyze" or "subscript" or "canonical"
            or "subtype_diff" };

    /// <summary>A function that the server will call with arguments that nobody sees here.</summary>
    private void ReadFunctionsName()
    {
        var (schema, name) = ReadQualified(NeedLabel());
        _rules.RefuseCall(name, _at);
        AddUse(new(NameRole.Call, schema, name));
    }

    /// <summary>
    /// DEFAULT expression. In DROP DEFAULT, ON DELETE SET DEFAULT, BY DEFAULT AS IDENTITY and PARTITION OF ... DEFAULT
    /// none follows.
    /// </summary>
    private bool ReadDefault()
    {
        if (Previous().Is("by") || Previous().Is("set") && At(_at - 3).Is("on"))
        {
            return false;
        }

        _at++;
        if (StartsOperand(Current()) && !(Current().Is("partition") && Next(1).Is("by")))
        {
            ReadExpression();
        }

        return true;
    }

    /// <summary>A column, a call or an expression, with a collation, an operator class, an order.</summary>
    private void ReadIndexElement()
    {
        ReadExpression();
        if (KeyWords.IsName(Current()) && !Current().Is("nulls"))
        {
            ReadOther();
            if (Current().Is('('))
            {
                // The operator class's parameters: (siglen = 32).
                InParentheses(() => Listed(ReadExpression));
            }
        }

        _ = TakeAny("asc", "desc");
        if (Take("nulls"))
        {
            _ = TakeAny("first", "last");
        }
    }

    /// <summary>EXCLUDE [USING method] (element WITH operator, ...).</summary>
    private void ReadExclusion()
    {
        Need("exclude");
        if (Take("using"))
        {
            NeedLabel();
        }

        InParentheses(() => Listed(() =>
        {
            ReadIndexElement();
            Need("with");
            ReadOperator();
        }));
    }

    /// <summary>FOR VALUES IN (...), FROM (...) TO (...); WITH (MODULUS ...) has none.</summary>
    private void ReadPartitionBounds()
    {
        Need("values");
        if (TakeAny("in", "from"))
        {
            InParentheses(() => Listed(ReadExpression));
        }

        if (Take("to"))
        {
            InParentheses(() => Listed(ReadExpression));
        }
    }
}
