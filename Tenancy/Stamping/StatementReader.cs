namespace Tenancy.Stamping;

/// <summary>
/// Finds, in a command of one or more statements, every name that decides where it goes. It is no parser: it knows by the key words where
/// a table's name is expected, what is an alias's or a common table expression's, and what else has a qualifier. In doubt a name counts
/// as one that the guard has to allow, so what is read wrongly is refused, not let through.
/// </summary>
internal sealed class StatementReader
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
    private bool _listsTargets;
    private int _at;

    private StatementReader(string sql)
    {
        _sql = Lexeme.Of(sql);
        _rules = new(_sql);
    }

    private enum Expecting
    {
        Expression,
        Table,
        AfterTable,
        JoinCondition,
        Target,
        AfterTarget,
        Schema,
        CommonTable,
        AfterCommonTable,
        CommonTableBody,
    }

    /// <exception cref="CommandRefusedException">The command does what no tenant's command may, whatever it names.</exception>
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

        _listsTargets = _verb is "truncate" or "lock" or "drop" or "vacuum" or "analyze";
        // Of these, the table's name follows at once.
        if (_verb is "truncate" or "lock" or "analyze" or "vacuum" or "cluster" or "reindex" or "refresh" or "copy")
        {
            _frame.Expects = _verb == "copy" && !_rules.CopiesIn(_at) ? Expecting.Table : Expecting.Target;
            _at++;
        }
    }

    private void EndStatement()
    {
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
                    Expecting.AfterTarget when _listsTargets => Expecting.Target,
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
        var isAlias = previous.Is("as") && _frame.Expects is Expecting.AfterTable or Expecting.AfterTarget && _verb != "create";
        if (parts == 1 && first.Kind == LexemeKind.Word && !isAlias && !Current().Is('.') && ReadKeyWord(first.Text, previous))
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
                _aliases.Add(last);
                _frame.Expects = Expecting.AfterTarget;
                break;
            case Expecting.Schema:
                _names.Add(new(NameRole.Schema, last == TenantPlaceholder.Schema && schema is null ? last : null, last));
                _frame.Expects = Expecting.AfterTarget;
                break;
            case Expecting.CommonTable:
                _frame.CommonTable = last;
                if (_frame.IsRecursive)
                {
                    _frame.CommonTables.Add(last);
                }

                _frame.Expects = Expecting.AfterCommonTable;
                break;
            case Expecting.AfterTable or Expecting.AfterTarget when schema is null:
                _aliases.Add(last);
                break;
            default:
                if (schema is not null)
                {
                    // A call is never an alias's column.
                    (call ? _names : _qualified).Add(new(NameRole.Use, schema, name));
                }

                break;
        }

        void Add(NameRole role, string? inSchema, string what) => _names.Add(new(role, inSchema, what));
    }

    /// <returns>False where the word is a name.</returns>
    private bool ReadKeyWord(string word, Lexeme previous)
    {
        switch (word)
        {
            case "select" when _verb is not ("grant" or "revoke"):
                _frame.HasQuery = true;
                return Expect(Expecting.Expression);
            case "from" when _frame.HasQuery && !IsDistinctFrom(previous):
                var deletes = _frame.Deletes;
                _frame.Deletes = false;
                return Expect(deletes ? Expecting.Target : Expecting.Table);
            case "from":
                return true;
            case "join":
                return Expect(Expecting.Table);
            case "table" when _verb is "create" or "alter" or "drop" or "comment" or "truncate" or "lock" or "grant" or "revoke" || previous.Is("into"):
                return _frame.Expects == Expecting.Target || _frames.Count > 0 || _kind != "table" || Expect(Expecting.Target);
            case "table":
                _frame.HasQuery = true;
                return Expect(Expecting.Table);
            case "only" or "lateral" when _frame.Expects is Expecting.Table or Expecting.Target:
                return true;
            case "rows" when _frame.Expects == Expecting.Table && Current().Is("from"):
                _at++;
                return true;
            case "if" when Current().Is("not") || Current().Is("exists"):
            case "not" or "exists" when previous.Is("if") || previous.Is("not"):
            case "concurrently" when _frame.Expects == Expecting.Target:
            case "index" or "materialized" or "view" or "verbose" or "full" when _frame.Expects == Expecting.Target && _verb is "reindex" or "refresh" or "cluster" or "vacuum":
                return true;
            case "on" when IsDefinition && _frames.Count == 0 && _frame.Expects is Expecting.Expression or Expecting.AfterTarget:
                return ReadOn();
            case "on":
                return Expect(_frame.Expects == Expecting.AfterTable ? Expecting.JoinCondition : Expecting.Expression);
            case "using" when _frame.UsingNamesTable:
                _frame.UsingNamesTable = false;
                return Expect(Expecting.Table);
            case "using":
                return _frame.Expects != Expecting.AfterTable || Expect(Expecting.JoinCondition);
            case "where" or "group" or "having" or "window" or "order" or "limit" or "offset" or "fetch" or "for" or "union" or "intersect" or "except" or "returning" or "when":
                return Expect(Expecting.Expression);
            case "values" when _frame.Expects != Expecting.Target && (_frame.Expects != Expecting.Table || previous.Is('(')):
                return Expect(Expecting.Expression);
            case "set" when Current().Is("schema") && _verb == "alter":
                _at++;
                return Expect(Expecting.Schema);
            case "set" when _frame.Updates && _frame.Expects == Expecting.AfterTarget:
                _frame.Updates = false;
                return Expect(Expecting.Expression);
            case "into":
                _rules.RefuseTemporary(_at);
                return Expect(Expecting.Target);
            case "insert" when IsStatementStart(previous):
                return Expect(Expecting.Expression);
            case "update" when IsStatementStart(previous):
                _frame.HasQuery = _frame.Updates = true;
                return Expect(Expecting.Target);
            case "delete" when IsStatementStart(previous):
                _frame.HasQuery = _frame.Deletes = _frame.UsingNamesTable = true;
                return true;
            case "merge" when IsStatementStart(previous):
                _frame.HasQuery = _frame.UsingNamesTable = true;
                return true;
            case "with" when StartsCommonTables():
                _frame.IsRecursive = Current().Is("recursive");
                _at += _frame.IsRecursive ? 1 : 0;
                return Expect(Expecting.CommonTable);
            case "references":
                _frame.Role = NameRole.Reference;
                return Expect(Expecting.Target);
            case "inherits" when IsDefinition && Current().Is('('):
                return Expect(Expecting.Table);
            case "like" when _verb == "create" && (previous.Is('(') || previous.Is(',')):
                _frame.Role = NameRole.Read;
                return Expect(Expecting.Target);
            case "schema" when _kind == "schema" || _verb is "grant" or "revoke" || previous.Is("in"):
                return _frame.Expects == Expecting.Schema || Expect(Expecting.Schema);
            case "view" or "sequence" or "index" or "type" or "domain" or "function" or "procedure" or "routine" or "aggregate" or "collation" or "statistics" or "column"
                when IsDefinition && _frames.Count == 0 && _frame.Expects == Expecting.Expression && _kind == word:
                // An index has its table's schema and is named without one.
                return word == "index" && _verb == "create" || Expect(Expecting.Target);
            case "partition" when _verb == "alter" && (previous.Is("attach") || previous.Is("detach")):
                return Expect(Expecting.Target);
            case "of" when _verb == "create" && previous.Is("partition"):
                return Expect(Expecting.Target);
            case "as" or "and" or "or" or "in" or "is" or "cross" or "left" or "right" or "inner" or "outer" or "full" or "natural" or "tablesample" or "default" or "all" or "distinct":
                if (word == "as" && _frame.Expects == Expecting.AfterCommonTable)
                {
                    _frame.Expects = Expecting.CommonTableBody;
                }

                return true;
            case "not" or "materialized" when _frame.Expects == Expecting.CommonTableBody:
                return true;
            default:
                return false;
        }
    }

    private bool IsDefinition => _verb is "create" or "alter" or "drop" or "comment" or "grant" or "revoke";

    /// <summary>CREATE INDEX, TRIGGER, POLICY ... ON table; GRANT ... ON [kind] name; COMMENT ON kind name.</summary>
    private bool ReadOn()
    {
        if (_verb is "grant" or "revoke" && Current() is { Kind: LexemeKind.Word, Text: "all" or "tables" or "sequences" or "functions" or "routines" or "types" })
        {
            // ALL TABLES IN SCHEMA name, or default privileges ON TABLES: the schema's name is what counts.
            return true;
        }

        if (_verb is "grant" or "revoke" && Current() is { Kind: LexemeKind.Word, Text: "table" or "sequence" or "function" or "procedure" or "routine" or "type" or "domain" } && Next(1).IsIdentifier)
        {
            _at++;
        }

        _listsTargets = _verb is "grant" or "revoke";
        return _verb is "grant" or "revoke" && Current().Is("schema")
            || _verb == "comment" && Current().Is(_kind) && _kind is not ("constraint" or "trigger" or "policy" or "rule")
            || _verb == "comment" && Current().Is(_kind) && SkipObject()
            || Expect(Expecting.Target);
    }

    private bool SkipObject()
    {
        // COMMENT ON CONSTRAINT name ON table: the second ON is the one that counts.
        _at += 2;
        return true;
    }

    private bool StartsCommonTables()
    {
        var at = Current().Is("recursive") ? 1 : 0;
        return Next(at).IsIdentifier
            && (Next(at + 1).Is('(') || Next(at + 1).Is("as") && (Next(at + 2).Is('(') || Next(at + 2).Is("not") || Next(at + 2).Is("materialized")));
    }

    private bool IsDistinctFrom(Lexeme previous) => previous.Is("distinct") && _at >= 3 && (_sql[_at - 3].Is("is") || _sql[_at - 3].Is("not"));

    /// <summary>Not FOR UPDATE, ON DELETE, DO UPDATE, BEFORE INSERT OR UPDATE, THEN DELETE, GRANT SELECT, UPDATE.</summary>
    private bool IsStatementStart(Lexeme previous) => _verb is not ("grant" or "revoke") && _frame.Expects is not (Expecting.Table or Expecting.Target)
        && previous is not { Kind: LexemeKind.Word, Text: "for" or "key" or "on" or "do" or "then" or "before" or "after" or "or" or "of" };

    private bool Expect(Expecting what)
    {
        _frame.Expects = what;
        return true;
    }

    private Lexeme Previous() => _at > 0 ? _sql[_at - 1] : default;

    private Lexeme Current() => Next(0);

    private Lexeme Next(int ahead) => _at + ahead < _sql.Count ? _sql[_at + ahead] : default;

    /// <summary>What is known inside one pair of parentheses.</summary>
    private sealed class Frame(Frame? outer)
    {
        public Expecting Expects { get; set; }

        public NameRole Role { get; set; } = NameRole.Write;

        public bool HasQuery { get; set; }

        public bool Updates { get; set; }

        public bool Deletes { get; set; }

        public bool UsingNamesTable { get; set; }

        public bool IsRecursive { get; set; }

        public bool IsCommonTable { get; set; }

        public string? CommonTable { get; set; }

        public HashSet<string> CommonTables { get; } = [];

        public bool Knows(string name) => CommonTables.Contains(name) || outer?.Knows(name) == true;
    }
}
