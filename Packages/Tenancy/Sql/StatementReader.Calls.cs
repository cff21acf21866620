namespace Tenancy.Sql;

/// <summary>Columns, calls, and types before their constants.</summary>
internal sealed partial class StatementReader
{
    /// <summary>A column, a call, or a type before its constant.</summary>
    private void ReadNamed()
    {
        var start = _at;
        var first = Current();
        var parts = 1;
        _at++;
        while (Current().Is('.'))
        {
            _at++;
            parts++;
            if (Take('*'))
            {
                AddColumn(start, parts);
                return;
            }

            NeedLabel();
        }

        if (Current().Is('('))
        {
            ReadCall(start, parts);
        }
        else if (Current().Kind == LexemeKind.Literal || parts == 1 && IsTypeOfTwoWords(first))
        {
            _at = start;
            ReadType();
            if (Current().Kind != LexemeKind.Literal)
            {
                Unexplained("a constant after the type");
            }

            _at++;
        }
        else if (parts == 1 && !KeyWords.IsName(first))
        {
            _at = start;
            Unexplained("an expression");
        }
        else
        {
            AddColumn(start, parts);
        }
    }

    private bool IsTypeOfTwoWords(Lexeme first) => first.Kind == LexemeKind.Word && first.Text switch
    {
        "double" => Current().Is("precision"),
        "national" => Current().Is("character") || Current().Is("char"),
        "bit" or "char" or "character" or "nchar" => Current().Is("varying"),
        "time" or "timestamp" => (Current().Is("with") || Current().Is("without")) && Next(1).Is("time"),
        _ => false,
    };

    /// <summary>alias.column, schema.table.column, database.schema.table.column.</summary>
    private void AddColumn(int start, int parts)
    {
        if (parts == 1)
        {
            return;
        }

        var first = _sql[start].Text;
        var second = _sql[start + 2].Text;
        switch (parts)
        {
            case 2:
                _qualified.Add(new(NameRole.Use, first, second));
                break;
            case 3:
                AddUse(new(NameRole.Use, first, second));
                break;
            default:
                AddUse(new(NameRole.Use, second, _sql[start + 4].Text));
                break;
        }

        // alias.f calls the function f, if the alias is of a function's rows.
        var last = _sql[start + 2 * (parts - 1)];
        if (last.IsIdentifier)
        {
            AddPossibleCall(last.Text);
        }
    }

    private void ReadCall(int start, int parts)
    {
        var name = _sql[start + 2 * (parts - 1)].Text;
        var schema = parts == 1 ? null : _sql[start + 2 * (parts - 2)].Text;
        if (schema is null or "pg_catalog" && SkipOwnSequence(name))
        {
            while (Take(','))
            {
                ReadExpression();
            }

            Need(')');
            ReadAfterCall();
            return;
        }

        _rules.RefuseCall(name, _at);
        var word = parts == 1 && _sql[start].Kind == LexemeKind.Word ? name : "";
        ReadArguments(word);
        if (word is "time" or "timestamp")
        {
            ReadTimeZone();
        }

        if (Current().Kind == LexemeKind.Literal)
        {
            // numeric(3, 1) '1.5', timestamp(3) with time zone '...'.
            AddUse(new(NameRole.Type, schema, name));
            _at++;
            ReadIntervalFields();
            return;
        }

        AddUse(new(NameRole.Call, schema, name));
        ReadAfterCall();
    }

    /// <summary>
    /// Skips a first argument that is the name of a sequence of the tenant's, in a literal and nothing more, or that as
    /// regclass.
    /// </summary>
    private bool SkipOwnSequence(string function)
    {
        if (!TenantSequence.IsTakenBy(function) || !Current().Is('(')
            || Next(1) is not { Kind: LexemeKind.Literal, Text: var literal } || !TenantSequence.Is(literal))
        {
            return false;
        }

        var after = 2;
        if (Next(after).Is(':') && Next(after + 1).Is(':'))
        {
            after += Next(after + 2).Is("pg_catalog") && Next(after + 3).Is('.') ? 5 : 3;
            if (!Next(after - 1).Is("regclass"))
            {
                return false;
            }
        }

        if (!Next(after).Is(')') && !(function == "setval" && Next(after).Is(',')))
        {
            return false;
        }

        _at += after;
        return true;
    }

    /// <summary>WITHIN GROUP (ORDER BY ...) FILTER (WHERE ...) OVER (...).</summary>
    private void ReadAfterCall()
    {
        if (Take("within", "group"))
        {
            InParentheses(() =>
            {
                Need("order");
                Need("by");
                Listed(ReadSort);
            });
        }

        if (Current().Is("filter") && Next(1).Is('('))
        {
            _at++;
            InParentheses(() =>
            {
                Need("where");
                ReadExpression();
            });
        }

        if (!Take("over"))
        {
            return;
        }

        if (Current().Is('('))
        {
            ReadWindow();
        }
        else
        {
            NeedName();
        }
    }
}
