namespace Tenancy.Sql;

/// <summary>
/// Statements that make, alter, drop, describe and maintain objects. In doubt a name counts as one that the guard has
/// to allow, so what is read wrongly is refused, not let through.
/// </summary>
internal sealed partial class StatementReader
{
    /// <summary>
    /// Reserved words that a column's name may follow in an expression. After any other word, x.y isn't a column of x
    /// but a type: y of the schema x.
    /// </summary>
    private static readonly HashSet<string> BeforeColumns =
    [
        "all", "and", "asymmetric", "both", "case", "default", "distinct", "else", "for", "from", "having", "ilike",
        "in", "is", "leading", "like", "limit", "not", "offset", "on", "or", "placing",
        "select", "symmetric", "then", "to", "trailing", "using", "variadic", "when", "where",
    ];

    /// <summary>The same, not reserved: where a column is defined they are its name, and its type follows.</summary>
    private static readonly HashSet<string> BeforeColumnsOrColumns =
        ["between", "by", "content", "document", "escape", "key", "passing", "return", "returning", "set", "value",
            "zone"];

    private void BeginDefinition()
    {
        _kind = _verb is "alter" or "create" or "drop" or "comment" ? _rules.Kind(_at) : "";
        if (_kind == "default")
        {
            // ALTER DEFAULT PRIVILEGES IN SCHEMA ... reads on like a GRANT.
            _verb = "grant";
        }

        _frame.ListsTargets = _verb is "truncate" or "lock" or "drop" or "vacuum" or "analyze" or "analyse";
        // Of these, the table's name follows at once.
        if (_verb == "copy" || IsMaintenance || _verb is "truncate" or "lock")
        {
            // Even where COPY reads: its columns in parentheses would make a function's call of what is expected as a
            // table.
            _frame.Role = _verb == "copy" && !_rules.CopiesIn(_at) ? NameRole.Read : NameRole.Write;
            _frame.Expects = Expecting.Target;
            _at++;
        }
    }

    private void ReadDefinition()
    {
        while (_at < _sql.Count && !Current().Is(';'))
        {
            if (ReadQueryInDefinition() || ReadExpressionInDefinition())
            {
                continue;
            }

            if (Current().IsIdentifier && !Previous().Is('.'))
            {
                ReadName(Current());
            }
            else
            {
                ReadSign(Current());
            }
        }
    }

    /// <summary>
    /// The queries of a definition: after AS, or in parentheses in an expression. SELECT and the set operations are
    /// reserved, so they are no names.
    /// </summary>
    private bool ReadQueryInDefinition()
    {
        var copied = _verb == "copy" && Depth == 0 && _frame.Expects == Expecting.Target;
        if (Current().Is('(') && (copied || StartsQuery(1)))
        {
            if (copied)
            {
                _frame.Expects = Expecting.AfterTarget;
            }

            InParentheses(ReadQueryOrWrite);
            return true;
        }

        var previous = Previous();
        if (previous.Is('.') || _verb is "grant" or "revoke" || previous.Is("for"))
        {
            return false;
        }

        if (Current().Is("union") || Current().Is("intersect") || Current().Is("except"))
        {
            ReadRestOfQuery();
            return true;
        }

        if (Current().Is("select") || previous.Is("as") && StartsQuery())
        {
            ReadQuery();
            return true;
        }

        if (previous.Is("as") && Current().Is("execute"))
        {
            throw SessionRules.Prepared();
        }

        if (Current().Is("begin") && Next(1).Is("atomic") && _verb == "create")
        {
            ReadBody();
            return true;
        }

        return false;
    }

    /// <summary>BEGIN ATOMIC statement; RETURN expression; END: a function's body in SQL.</summary>
    private void ReadBody()
    {
        _at += 2;
        while (!Take("end"))
        {
            if (Take("return"))
            {
                ReadExpression();
            }
            else if (StartsQuery() || StartsWrite() || Current().Is('('))
            {
                ReadQueryOrWrite();
            }
            else if (!Current().Is(';'))
            {
                Unexplained("a statement of the body, or END");
            }

            Need(';');
        }
    }

    private void ReadSign(Lexeme sign)
    {
        switch (sign.Kind == LexemeKind.Sign ? sign.Text[0] : '\0')
        {
            case '(':
                Open();
                break;
            case ')':
                Close();
                break;
            case '.' when Next(1).IsIdentifier:
                // (x).f calls the function f of x, if x has no such field.
                AddPossibleCall(Next(1).Text);
                break;
            case ',':
                _frame.Expects = _frame.Expects switch
                {
                    Expecting.AfterTarget when _frame.ListsTargets => Expecting.Target,
                    Expecting.AfterSchema => Expecting.Schema,
                    var other => other,
                };
                break;
        }

        _at++;
    }

    /// <summary>How many parentheses of the definition are open.</summary>
    private int Depth => _frames?.Count ?? 0;

    private void Open()
    {
        var inner = new Frame();
        if (_frame.Expects == Expecting.Target && (Previous().Is("only") || Previous().Is("inherits")))
        {
            // ONLY (table) is ONLY table.
            (inner.Expects, inner.Role, inner.ListsTargets) = (
                Expecting.Target, _frame.Role, Previous().Is("inherits"));
            (_frame.Expects, _frame.Role) = (Expecting.AfterTarget, NameRole.Write);
        }

        (_frames ??= new()).Push(_frame);
        _frame = inner;
    }

    private void Close()
    {
        if (Depth == 0)
        {
            Unexplained("no ')'");
        }

        _frame = _frames!.Pop();
    }

    private bool IsDefinition => _verb is "create" or "alter" or "drop" or "comment" or "grant" or "revoke";

    private bool IsMaintenance => _verb is "analyze" or "vacuum" or "cluster" or "reindex" or "refresh";

    /// <summary>
    /// Whether expressions of the statement may name columns by the name of what it is about: CHECK (table.x > 0), but
    /// not f(x.y).
    /// </summary>
    private bool HasColumns =>
        !IsDefinition || _verb is "create" or "alter" && _kind is "table" or "index" or "trigger" or "policy";

    /// <summary>
    /// x schema.type, CAST(x AS schema.type), x::schema.type, schema.type 'x', COLLATE schema.x; OPERATOR(schema.+),
    /// USING schema.+.
    /// </summary>
    private bool IsTypeOrOperator(int start) =>
        Current().Kind == LexemeKind.Literal || Current().Is('.') || At(start - 2).Is("operator")
            || At(start - 1) switch
            {
                { Kind: LexemeKind.Quoted } => true,
                { Kind: LexemeKind.Word } word =>
                    !BeforeColumns.Contains(word.Text)
                        && (!BeforeColumnsOrColumns.Contains(word.Text) || StartsColumn(At(start - 2))),
                var sign => sign.Is(':') && At(start - 2).Is(':'),
            };

    private static bool StartsColumn(Lexeme before) =>
        before.Is('(') || before.Is(',')
            || before is { Kind: LexemeKind.Word, Text: "add" or "column" or "attribute" or "exists" };

    /// <summary>CREATE INDEX, TRIGGER, POLICY ... ON table; GRANT ... ON [kind] name; COMMENT ON kind name.</summary>
    private bool ReadOn()
    {
        if (_verb is "grant" or "revoke"
            && Current() is { Kind: LexemeKind.Word,
                Text: "all" or "tables" or "sequences" or "functions" or "routines" or "types" })
        {
            // ALL TABLES IN SCHEMA name, or default privileges ON TABLES: the schema's name is what counts.
            return true;
        }

        if (_verb is "grant" or "revoke"
            && Current() is { Kind: LexemeKind.Word,
                Text: "table" or "sequence" or "function" or "procedure" or "routine" or "type" or "domain" }
                    && Next(1).IsIdentifier)
        {
            _at++;
        }

        if (_verb == "comment" && Current() is { Kind: LexemeKind.Word, Text: "materialized" or "foreign" }
            && Next(1).Is(_kind) || _kind == "constraint" && Current().Is("domain") && Next(1).IsIdentifier)
        {
            _at++;
        }

        _frame.ListsTargets = _verb is "grant" or "revoke";
        return _verb is "grant" or "revoke" && Current().Is("schema")
            || _verb == "comment" && Current().Is(_kind)
                && _kind is not ("constraint" or "trigger" or "policy" or "rule")
            || _verb == "comment" && Current().Is(_kind) && SkipObject()
            || Expect(Expecting.Target);
    }

    private bool SkipObject()
    {
        // COMMENT ON CONSTRAINT name ON table: the second ON is the one that counts.
        _at += 2;
        return true;
    }
}
