namespace Tenancy.Sql;

/// <summary>
/// Expressions (gram.y, a_expr): operands and operators in turn. Which operator binds closer doesn't matter to the
/// guard; what matters is where the expression ends, and what it calls. What is written here as an expression and
/// isn't one for PostgreSQL is refused by the server.
/// </summary>
internal sealed partial class StatementReader
{
    private const string OperatorSigns = "+-*/<>=~!@#%^&|`?";

    private void ReadExpression()
    {
        Enter();
        do
        {
            SkipOperators();
            ReadOperand();
            while (ReadSuffix())
            {
            }
        }
        while (TakeOperator());
        _level--;
    }

    /// <summary>The operators before an operand: - + x, OPERATOR(schema.-) x.</summary>
    private void SkipOperators()
    {
        while (true)
        {
            if (IsOperatorSign(Current()))
            {
                _at++;
            }
            else if (IsNamedOperator())
            {
                _at++;
                InParentheses(ReadOperatorName);
            }
            else
            {
                return;
            }
        }
    }

    /// <summary>OPERATOR(+), OPERATOR(schema.+); not a function of that name.</summary>
    private bool IsNamedOperator()
    {
        if (!Current().Is("operator") || !Next(1).Is('('))
        {
            return false;
        }

        var at = 2;
        while (Next(at).IsIdentifier && Next(at + 1).Is('.'))
        {
            at += 2;
        }

        return IsOperatorSign(Next(at));
    }

    private void SkipOperatorSigns()
    {
        while (IsOperatorSign(Current()))
        {
            _at++;
        }
    }

    private static bool IsOperatorSign(Lexeme lexeme) =>
        lexeme.Kind == LexemeKind.Sign && OperatorSigns.Contains(lexeme.Text[0], StringComparison.Ordinal);

    /// <summary>An operator that another operand follows.</summary>
    private bool TakeOperator()
    {
        if (IsOperatorSign(Current()))
        {
            return true;
        }

        if (Current().Kind != LexemeKind.Word)
        {
            // WHERE a <@name: Npgsql's parameter, or the operator <@ and a name.
            return false;
        }

        if (IsNamedOperator())
        {
            _at++;
            InParentheses(ReadOperatorName);
            return true;
        }

        var words = OperatorWords();
        if (words == 0 || !StartsOperand(Next(words)))
        {
            // SELECT a AND FROM t: a label.
            return false;
        }

        _at += words;
        return true;
    }

    /// <returns>How many words stand here for an operator between two operands; 0 for none.</returns>
    private int OperatorWords()
    {
        var not = Current().Is("not") ? 1 : 0;
        var words = Next(not) switch
        {
            { Kind: not LexemeKind.Word } => 0,
            { Text: "between" } => Next(not + 1).Is("symmetric") || Next(not + 1).Is("asymmetric") ? 2 : 1,
            { Text: "in" or "like" or "ilike" } => 1,
            { Text: "similar" } when Next(not + 1).Is("to") => 2,
            { Text: "and" or "or" or "escape" or "overlaps" or "uescape" } when not == 0 => 1,
            { Text: "at" } when not == 0 && Next(1).Is("time") && Next(2).Is("zone") => 3,
            { Text: "is" } when not == 0 => DistinctFrom(Next(1).Is("not") ? 2 : 1),
            _ => 0,
        };
        return words == 0 ? 0 : not + words;
    }

    private int DistinctFrom(int at) => Next(at).Is("distinct") && Next(at + 1).Is("from") ? at + 2 : 0;

    private static bool StartsOperand(Lexeme lexeme) => lexeme.Kind switch
    {
        LexemeKind.Literal or LexemeKind.Number or LexemeKind.Parameter or LexemeKind.Quoted => true,
        LexemeKind.Sign => lexeme.Is('(') || IsOperatorSign(lexeme),
        LexemeKind.Word => !KeyWords.Reserved.Contains(lexeme.Text) || ReservedOperands.Contains(lexeme.Text),
        _ => false,
    };

    /// <summary>
    /// Reads what may follow an operand and needs none behind it: IS NULL, COLLATE, ::type, [1], .field.
    /// </summary>
    private bool ReadSuffix()
    {
        var current = Current();
        return current.Kind switch
        {
            LexemeKind.Sign => ReadSuffixSign(current.Text[0]),
            LexemeKind.Word => ReadSuffixWord(current.Text),
            _ => false,
        };
    }

    private bool ReadSuffixSign(char sign)
    {
        switch (sign)
        {
            case '[':
                ReadSubscript();
                return true;
            case '.':
                _at++;
                if (!Take('*'))
                {
                    // (x).f calls the function f of x, if x has no such field.
                    AddPossibleCall(NeedLabel());
                }

                return true;
            case ':' when Next(1).Is(':'):
                _at += 2;
                ReadType();
                return true;
            default:
                return false;
        }
    }

    private bool ReadSuffixWord(string word)
    {
        switch (word)
        {
            case "is":
                return ReadIs();
            case "isnull" or "notnull":
                _at++;
                return true;
            case "collate" when KeyWords.IsName(Next(1)):
                _at++;
                ReadOther();
                return true;
            case "at" when Next(1).Is("local"):
                _at += 2;
                return true;
            default:
                return false;
        }
    }

    /// <summary>IS [NOT] NULL, TRUE, JSON OBJECT WITH UNIQUE KEYS, NFC NORMALIZED; not IS DISTINCT FROM.</summary>
    private bool ReadIs()
    {
        var at = Next(1).Is("not") ? 2 : 1;
        switch (Next(at))
        {
            case { Kind: LexemeKind.Word,
                Text: "null" or "true" or "false" or "unknown" or "document" or "normalized" }:
                _at += at + 1;
                return true;
            case { Kind: LexemeKind.Word, Text: "nfc" or "nfd" or "nfkc" or "nfkd" } when Next(at + 1).Is("normalized"):
                _at += at + 2;
                return true;
            case { Kind: LexemeKind.Word, Text: "json" }:
                _at += at + 1;
                _ = TakeAny("value", "array", "object", "scalar");
                ReadUniqueKeys();
                return true;
            default:
                return false;
        }
    }

    private void ReadUniqueKeys()
    {
        if (Take("with", "unique") || Take("without", "unique"))
        {
            _ = Take("keys");
        }
    }

    /// <summary>[1], [1:2], [:], in each place an expression.</summary>
    private void ReadSubscript()
    {
        Need('[');
        Enter();
        while (!Take(']'))
        {
            // Of [1:x], :x is read as one.
            if (!Take(':'))
            {
                ReadExpression();
            }
        }

        _level--;
    }

    /// <summary>OPERATOR(schema.+), without its parentheses; ORDER BY x USING schema.+ has none.</summary>
    private void ReadOperatorName()
    {
        var first = Current().IsIdentifier ? Current().Text : null;
        while (Current().IsIdentifier)
        {
            _at++;
            Need('.');
        }

        if (!IsOperatorSign(Current()))
        {
            Unexplained("an operator");
        }

        SkipOperatorSigns();
        if (first is not null)
        {
            AddUse(new(NameRole.Use, first, "operator"));
        }
    }

    private void ReadOperator()
    {
        if (Take("operator"))
        {
            InParentheses(ReadOperatorName);
        }
        else
        {
            ReadOperatorName();
        }
    }

    /// <summary>A collation or an operator class.</summary>
    private void ReadOther()
    {
        var (schema, name) = ReadQualified(NeedLabel());
        AddUse(new(NameRole.Use, schema, name));
    }
}
