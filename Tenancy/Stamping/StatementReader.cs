namespace Tenancy.Stamping;

/// <summary>
/// Finds, in a command of one or more statements, every name that decides where it goes. It is no parser: it knows by
/// the key words where a table's name is expected, what is an alias's or a common table expression's, and what else has
/// a qualifier. In doubt a name counts as one that the guard has to allow, so what is read wrongly is refused, not let
/// through.
/// </summary>
internal sealed partial class StatementReader
{
    private readonly List<Lexeme> _sql;
    private readonly SessionRules _rules;
    private readonly Stack<Frame> _frames = new();
    private readonly List<NameUse> _names = [];
    private readonly List<NameUse> _qualified = [];
    private readonly HashSet<string> _aliases = [];
    private Frame _frame = new(null);
    private string _verb = "";
    private string _kind = "";
    private int _at;

    private StatementReader(string sql)
    {
        _sql = Lexeme.Of(sql);
        _rules = new(_sql);
    }

    /// <exception cref="CommandRefusedException">The command does what no tenant's command may, whatever it
    /// names.</exception>
    public static NameUse[] Names(string sql)
    {
        var reader = new StatementReader(sql);
        reader.Read();
        return [.. reader._names.Distinct()];
    }

    private void Read()
    {
        BeginStatement();
        while (_at < _sql.Count)
        {
            var lexeme = _sql[_at];
            if (lexeme.IsIdentifier && !Previous().Is('.'))
            {
                ReadName(lexeme);
            }
            else
            {
                ReadSign(lexeme);
            }
        }

        EndStatement();
    }

    private void BeginStatement()
    {
        _frames.Clear();
        _frame = new(null);
        _verb = _rules.Verb(ref _at);
        _kind = _verb is "alter" or "create" or "drop" or "comment" ? _rules.Kind(_at) : "";
        if (_kind == "default")
        {
            // ALTER DEFAULT PRIVILEGES IN SCHEMA ... reads on like a GRANT.
            _verb = "grant";
        }

        _frame.ListsTargets = _verb is "truncate" or "lock" or "drop" or "vacuum" or "analyze";
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

    private void EndStatement()
    {
        if (_frames.Count == 0 && _frame.Expects is Expecting.Target or Expecting.Schema)
        {
            throw SessionRules.NamesNothing(_verb);
        }

        // x.y in an expression is a column of the alias x; or else x is a schema.
        _names.AddRange(_qualified.Where(name => !_aliases.Contains(name.Schema!) && !IsBuiltInAlias(name.Schema!)));
        _qualified.Clear();
        _aliases.Clear();
    }

    /// <summary>Of ON CONFLICT and of RETURNING; in an expression no table is read by them.</summary>
    private static bool IsBuiltInAlias(string name) => name is "excluded" or "new" or "old";

    private void ReadSign(Lexeme sign)
    {
        switch (sign.Kind == LexemeKind.Sign ? sign.Text[0] : '\0')
        {
            case ';':
                EndStatement();
                _at++;
                BeginStatement();
                return;
            case '(':
                Open();
                break;
            case ')':
                Close();
                break;
            case ',':
                _frame.Expects = _frame.Expects switch
                {
                    Expecting.AfterTable or Expecting.JoinCondition => Expecting.Table,
                    Expecting.AfterTarget when _frame.ListsTargets => Expecting.Target,
                    Expecting.AfterSchema => Expecting.Schema,
                    Expecting.AfterCommonTable => Expecting.CommonTable,
                    var other => other,
                };
                break;
        }

        _at++;
    }

    private void Open()
    {
        var inner = new Frame(_frame);
        switch (_frame.Expects)
        {
            case Expecting.Table:
                // A subquery, or a join in parentheses.
                inner.Expects = Expecting.Table;
                _frame.Expects = Expecting.AfterTable;
                break;
            case Expecting.Target when Previous().Is("only") || Previous().Is("inherits"):
                // ONLY (table) is ONLY table.
                (inner.Expects, inner.Role, inner.ListsTargets) = (
                    Expecting.Target, _frame.Role, Previous().Is("inherits"));
                (_frame.Expects, _frame.Role) = (Expecting.AfterTarget, NameRole.Write);
                break;
            case Expecting.Target when _verb == "copy" && _frames.Count == 0:
                // COPY (query) TO.
                _frame.Expects = Expecting.AfterTarget;
                break;
            case Expecting.CommonTableBody:
                inner.IsCommonTable = true;
                _frame.Expects = Expecting.AfterCommonTable;
                break;
        }

        _frames.Push(_frame);
        _frame = inner;
    }

    private void Close()
    {
        if (!_frames.TryPop(out var outer))
        {
            return;
        }

        if (_frame.IsCommonTable && outer.CommonTable is { } name)
        {
            // Not before its own body is over: in there, the name is still a table's.
            outer.CommonTables.Add(name);
        }

        _frame = outer;
    }

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
        // Not in CREATE VIEW x AS SELECT.
        var isAlias = previous.Is("as") && _frame.Expects is Expecting.AfterTable or Expecting.AfterTarget
            && _verb != "create";
        if (parts == 1 && first.Kind == LexemeKind.Word && !isAlias && !Current().Is('.')
            && ReadKeyWord(first.Text, previous))
        {
            return;
        }

        var call = Current().Is('(');
        if (call)
        {
            _rules.RefuseCall(last, _at);
        }

        // A schema, or an operator's: OPERATOR(x.+). More than three parts would name a database first.
        var schema = parts > 1 || Current().Is('.') ? first.Text : null;
        var name = parts == 3 ? _sql[start + 2].Text : last;
        switch (_frame.Expects)
        {
            case Expecting.Table when call:
                Add(NameRole.Use, schema, name);
                _aliases.Add(last);
                _frame.Expects = Expecting.AfterTable;
                break;
            case Expecting.Table:
                if (schema is not null || !_frame.Knows(name))
                {
                    Add(NameRole.Read, schema, name);
                }

                _aliases.Add(last);
                _frame.Expects = Expecting.AfterTable;
                break;
            case Expecting.Target:
                Add(_frame.Role, schema, name);
                _frame.Role = NameRole.Write;
                if (HasColumns)
                {
                    _aliases.Add(last);
                }

                _frame.Expects = Expecting.AfterTarget;
                break;
            case Expecting.Schema:
                _names.Add(
                    new(NameRole.Schema, last == TenantPlaceholder.Schema && schema is null ? last : null, last));
                _frame.Expects = Expecting.AfterSchema;
                break;
            case Expecting.AfterSchema when schema is null:
                _frame.Expects = Expecting.AfterTarget;
                break;
            case Expecting.CommonTable:
                _frame.CommonTable = last;
                _frame.Expects = Expecting.AfterCommonTable;
                break;
            case Expecting.AfterTable:
            case Expecting.AfterTarget when !IsDefinition:
                if (schema is null)
                {
                    _aliases.Add(last);
                    break;
                }

                goto default;
            default:
                if (schema is not null)
                {
                    // A call is never an alias's column, nor is a type or an operator.
                    (call || IsTypeOrOperator(start) ? _names : _qualified).Add(new(NameRole.Use, schema, name));
                }

                break;
        }

        void Add(NameRole role, string? inSchema, string what) => _names.Add(new(role, inSchema, what));
    }

    private bool Expect(Expecting what)
    {
        _frame.Expects = what;
        return true;
    }

    private Lexeme Previous() => _at > 0 ? _sql[_at - 1] : default;

    private Lexeme Current() => Next(0);

    private Lexeme Next(int ahead) => At(_at + ahead);

    private Lexeme At(int at) => at >= 0 && at < _sql.Count ? _sql[at] : default;
}
