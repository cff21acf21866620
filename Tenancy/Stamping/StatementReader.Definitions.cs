namespace Tenancy.Stamping;

/// <summary>What is particular to statements that make, alter, drop, describe and maintain objects.</summary>
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
