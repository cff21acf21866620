using Tenancy.Guard;

namespace Tenancy.Sql;

/// <summary>
/// Finds, in a command of one or more statements, every name that decides where it goes. Queries and statements that
/// write rows are read by PostgreSQL's grammar (gram.y), so that the grammar alone says where a table's name stands;
/// what it doesn't explain is refused. Definitions (CREATE, ALTER, DROP, GRANT, ...) are read by their key words, and
/// each query and each expression inside one by the grammar.
/// </summary>
internal sealed partial class StatementReader
{
    private readonly List<Lexeme> _sql;
    private readonly SessionRules _rules;
    private Stack<Frame>? _frames;
    private readonly List<NameUse> _names = [];
    private readonly List<NameUse> _qualified = [];
    private readonly HashSet<string> _aliases = [];
    private Frame _frame = new();
    private string _verb = "";
    private string _kind = "";
    private int _at;

    private readonly BodyScope? _scope;
    private readonly bool _inMigration;
    private readonly List<SqlStatement>? _found;

    private StatementReader(string sql, BodyScope? scope, bool inMigration, List<SqlStatement>? found = null)
    {
        _found = found ?? scope?.Found;
        _sql = Lexeme.Of(sql);
        _rules = new(_sql);
        _scope = scope;
        _inMigration = inMigration;
    }

    /// <exception cref="CommandRefusedException">The command does what no tenant's command may, whatever it
    /// names, or isn't SQL as PostgreSQL's grammar has it.</exception>
    /// <param name="sql">The command's text.</param>
    /// <param name="inMigration">Whether a migration has it: then it may have DO blocks.</param>
    public static NameUse[] Names(string sql, bool inMigration = false)
    {
        var reader = new StatementReader(sql, scope: null, inMigration);
        reader.Read();
        return reader._names.Count == 0 ? [] : [.. reader._names.Distinct()];
    }

    /// <summary>
    /// The statements of a migration's command, those in the bodies of its routines and DO blocks included.
    /// </summary>
    /// <exception cref="CommandRefusedException">As <see cref="Names(string, bool)"/>.</exception>
    public static IReadOnlyList<SqlStatement> Statements(string sql)
    {
        var found = new List<SqlStatement>();
        new StatementReader(sql, scope: null, inMigration: true, found).Read();
        return found;
    }

    private void Read()
    {
        while (_at < _sql.Count)
        {
            if (Take(';'))
            {
                continue;
            }

            var start = _at;
            ReadStatement();
            EndStatement();
            _found?.Add(new(_sql[start.._at], _scope?.Level ?? 0));
            if (_at < _sql.Count && !Current().Is(';'))
            {
                Unexplained("the end of the statement");
            }
        }
    }

    private void ReadStatement()
    {
        _frames?.Clear();
        _frame = new();
        if (Current().Is("do") && (_inMigration || _scope is not null))
        {
            ReadBlock();
            return;
        }

        _verb = _rules.Verb(ref _at);
        if (StartsQuery() || StartsWrite() || Current().Is('('))
        {
            ReadQueryOrWrite();
            return;
        }

        switch (_verb)
        {
            case "call":
                _at++;
                ReadNamed();
                return;
            case "set" when !Next(1).Is("constraints"):
                // The rules have seen the setting's name; what follows is its value.
                while (_at < _sql.Count && !Current().Is(';'))
                {
                    _at++;
                }

                return;
            case "declare":
                ReadCursor();
                return;
            case "alter" or "analyze" or "analyse" or "close" or "cluster" or "comment" or "copy" or "create" or "drop"
                or "fetch" or "grant" or "lock" or "move" or "notify" or "refresh" or "reindex" or "release" or "revoke"
                or "rollback" or "savepoint" or "set" or "show" or "truncate" or "vacuum":
                var start = _at;
                BeginDefinition();
                ReadDefinition();
                if (_verb is "create" or "alter" && _kind is "function" or "procedure" or "routine")
                {
                    ReadRoutine(start);
                }

                return;
            default:
                Unexplained("a statement that a tenant may send");
                return;
        }
    }

    private void EndStatement()
    {
        if (Depth == 0 && _frame.Expects is Expecting.Target or Expecting.Schema)
        {
            throw SessionRules.NamesNothing(_verb);
        }

        // x.y in an expression is a column of the alias x; or else x is a schema.
        foreach (var name in _qualified)
        {
            if (!_aliases.Contains(name.Schema!) && !IsBuiltInAlias(name.Schema!)
                && _scope?.Variables.Contains(name.Schema!) != true)
            {
                AddUse(name);
            }
        }

        _qualified.Clear();
        _aliases.Clear();
    }

    /// <summary>Of ON CONFLICT and of RETURNING; in an expression no table is read by them.</summary>
    private static bool IsBuiltInAlias(string name) => name is "excluded" or "new" or "old";

    /// <summary>DECLARE name [BINARY] [INSENSITIVE] [[NO] SCROLL] CURSOR [WITHOUT HOLD] FOR query.</summary>
    private void ReadCursor()
    {
        Need("declare");
        NeedName();
        while (TakeAny("binary", "insensitive", "asensitive", "no", "scroll"))
        {
        }

        Need("cursor");
        if (Take("with", "hold"))
        {
            throw SessionRules.CursorWithHold();
        }

        _ = Take("without", "hold");
        Need("for");
        ReadQuery();
    }

    private void AddUse(NameUse name)
    {
        // What is in the tenant's own schema passes any list; the schema itself doesn't.
        if ((name.Schema != TenantPlaceholder.Schema || name.Role == NameRole.Schema) && _scope?.IsOwn(name) != true)
        {
            _names.Add(name);
        }
    }

    private void AddPossibleCall(string name)
    {
        // Any list refuses the same, so what is harmless needn't be kept.
        if (FunctionRules.KnownHarm(name) is not null)
        {
            _names.Add(new(NameRole.PossibleCall, null, name));
        }
    }

    private Lexeme Previous() => At(_at - 1);

    private Lexeme Current() => At(_at);

    private Lexeme Next(int ahead) => At(_at + ahead);

    private Lexeme At(int at) => at >= 0 && at < _sql.Count ? _sql[at] : default;
}
