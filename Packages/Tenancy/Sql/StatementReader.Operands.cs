using System.Collections.Frozen;

namespace Tenancy.Sql;

/// <summary>Reads operands (gram.y, c_expr): constants, columns, calls, CASE, subqueries.</summary>
internal sealed partial class StatementReader
{
    /// <summary>The reserved words that an operand may begin with.</summary>
    private static readonly FrozenSet<string> ReservedOperands = FrozenSet.Create(
        StringComparer.Ordinal,
        "all", "any", "array", "case", "cast", "current_catalog", "current_date", "current_role", "current_time",
        "current_timestamp", "current_user", "default", "false", "localtime", "localtimestamp", "not", "null",
        "session_user", "some", "system_user", "true", "user");

    private void ReadOperand()
    {
        var current = Current();
        switch (current.Kind)
        {
            case LexemeKind.Literal or LexemeKind.Number:
                _at++;
                return;
            case LexemeKind.Parameter:
                ReadParameter(current.Text);
                return;
            case LexemeKind.Sign when current.Is('('):
                ReadParenthesized();
                return;
            case LexemeKind.Quoted:
                ReadNamed();
                return;
            case LexemeKind.Word:
                ReadWordOperand(current.Text);
                return;
            default:
                Unexplained("an expression");
                return;
        }
    }

    /// <summary>@name, unless Npgsql knows no such parameter: then it is the operator @ and a name, or :name.</summary>
    private void ReadParameter(string text)
    {
        if (text[0] == '$' || !(Next(1).Is('(') || Next(1).Is('.') || Next(1).Kind == LexemeKind.Literal))
        {
            _at++;
            return;
        }

        // Only here is a lexeme changed, and it is read once.
        _sql[_at] = new(LexemeKind.Word, text[1..]);
        ReadOperand();
    }

    private void ReadWordOperand(string word)
    {
        switch (word)
        {
            case "case":
                ReadCase();
                return;
            case "not":
                _at++;
                SkipOperators();
                ReadOperandInside();
                return;
            case "array" when Next(1).Is('['):
                _at++;
                ReadArray();
                return;
            case "array" or "any" or "some" or "all" or "cast" or "exists" or "row" when Next(1).Is('('):
                _at++;
                ReadArguments(word);
                return;
            case "current_time" or "current_timestamp" or "localtime" or "localtimestamp":
                _at++;
                if (Current().Is('('))
                {
                    ReadArguments(word);
                }

                return;
            case "collation" when Next(1).Is("for") && Next(2).Is('('):
                _at += 2;
                ReadArguments(word);
                return;
            case "current_schema" when !Next(1).Is('('):
                _at++;
                return;
            case "interval":
                ReadInterval();
                return;
        }

        if (!KeyWords.Reserved.Contains(word))
        {
            ReadNamed();
        }
        else if (ReservedOperands.Contains(word))
        {
            _at++;
        }
        else
        {
            Unexplained("an expression");
        }
    }

    /// <summary>NOT NOT NOT x is deep only in its words.</summary>
    private void ReadOperandInside()
    {
        Enter();
        ReadOperand();
        _level--;
    }

    private void ReadCase()
    {
        Need("case");
        Enter();
        if (!Current().Is("when"))
        {
            ReadExpression();
        }

        do
        {
            Need("when");
            ReadExpression();
            Need("then");
            ReadExpression();
        }
        while (Current().Is("when"));

        if (Take("else"))
        {
            ReadExpression();
        }

        Need("end");
        _level--;
    }

    /// <summary>[1, 2], [[1], [2]], [].</summary>
    private void ReadArray()
    {
        Need('[');
        Enter();
        if (!Current().Is(']'))
        {
            Listed(() =>
            {
                if (Current().Is('['))
                {
                    ReadArray();
                }
                else
                {
                    ReadExpression();
                }
            });
        }

        Need(']');
        _level--;
    }

    /// <summary>(query), (expression), (row, row), and a query in parentheses of its own.</summary>
    private void ReadParenthesized()
    {
        Need('(');
        Enter();
        if (StartsQuery())
        {
            ReadQuery();
        }
        else if (Current().Is('('))
        {
            ReadParenthesized();
            if (GoesOnAsQuery())
            {
                ReadRestOfQuery();
            }
            else
            {
                ReadRestOfExpressions();
            }
        }
        else if (!Current().Is(')'))
        {
            Listed(ReadExpression);
        }

        Need(')');
        _level--;
    }

    /// <summary>After the first operand of an expression in parentheses.</summary>
    private void ReadRestOfExpressions()
    {
        while (ReadSuffix())
        {
        }

        if (TakeOperator())
        {
            ReadExpression();
        }

        if (Take(','))
        {
            Listed(ReadExpression);
        }
    }

    /// <summary>INTERVAL '1' DAY TO SECOND(3), INTERVAL(3) '1'; or else a column.</summary>
    private void ReadInterval()
    {
        if (Next(1).Kind == LexemeKind.Literal)
        {
            _at += 2;
            ReadIntervalFields();
        }
        else
        {
            ReadNamed();
        }
    }

    private void ReadIntervalFields()
    {
        while (TakeAny("year", "month", "day", "hour", "minute", "second"))
        {
            if (Current().Is('('))
            {
                InParentheses(ReadExpression);
            }

            if (!Take("to"))
            {
                return;
            }
        }
    }
}
