namespace Tenancy.Sql;

/// <summary>The names of a definition: what it is about, and what its expressions name.</summary>
internal sealed partial class StatementReader
{
    private void ReadName(Lexeme first)
    {
        var start = _at;
        var previous = Previous();
        var parts = 1;
        while (Next(1).Is('.') && (Next(2).IsIdentifier || Next(2).Is('*')))
        {
            parts++;
            _at += 2;
        }

        var last = _sql[_at].Text;
        _at++;
        if (parts == 1 && first.Kind == LexemeKind.Word && !Current().Is('.') && ReadKeyWord(first.Text, previous))
        {
            return;
        }

        // A schema, or an operator's: OPERATOR(x.+). Of three parts the first names a database, and after a table's
        // name in an expression the last one its column.
        var schema = parts > 1 || Current().Is('.') ? first.Text : null;
        var name = parts == 3 ? _sql[start + 2].Text : last;
        if (parts == 3 && _frame.Expects == Expecting.Target && _kind != "column")
        {
            (schema, name) = (_sql[start + 2].Text, last);
        }

        AddName(start, new(_frame.Role, schema, name), last);
    }

    private void AddName(int start, NameUse named, string last)
    {
        switch (_frame.Expects)
        {
            case Expecting.Target:
                AddUse(named);
                _frame.Role = NameRole.Write;
                if (HasColumns)
                {
                    _aliases.Add(last);
                }

                _frame.Expects = Expecting.AfterTarget;
                break;
            case Expecting.Schema:
                AddUse(new(
                    NameRole.Schema,
                    last == TenantPlaceholder.Schema && named.Schema is null ? last : null,
                    last));
                _frame.Expects = Expecting.AfterSchema;
                break;
            case Expecting.AfterSchema when named.Schema is null:
                _frame.Expects = Expecting.AfterTarget;
                break;
            default:
                AddInExpression(start, named, last);
                break;
        }
    }

    private void AddInExpression(int start, NameUse named, string last)
    {
        var call = Current().Is('(');
        if (call)
        {
            _rules.RefuseCall(last, _at);
        }

        if (call || named.Schema is not null)
        {
            AddPossibleCall(last);
        }

        if (named.Schema is null)
        {
            return;
        }

        // A call is never an alias's column, nor is a type or an operator.
        if (call)
        {
            AddUse(named with { Role = NameRole.Call });
        }
        else if (!IsTypeOrOperator(start))
        {
            _qualified.Add(named with { Role = NameRole.Use });
        }
        else
        {
            AddUse(named with { Role = NameRole.Use });
        }
    }

    private bool Expect(Expecting what)
    {
        _frame.Expects = what;
        return true;
    }
}
