namespace Tenancy.Sql;

/// <summary>
/// Finds the SQL in a PL/pgSQL body: each expression as a SELECT of it, each statement as it is, each text that EXECUTE
/// runs as far as it can be known. Follows PL/pgSQL's grammar (PostgreSQL's manual, chapter "PL/pgSQL"); what that
/// doesn't explain is refused.
/// </summary>
internal sealed partial class PlpgsqlReader
{
    /// <summary>People nest some five blocks.</summary>
    private const int MostLevels = 100;

    /// <summary>Words that no variable may have as its name: a statement that begins so assigns nothing.</summary>
    private static readonly HashSet<string> Reserved =
        ["begin", "by", "case", "declare", "else", "end", "execute", "for", "foreach", "from", "if", "in", "into",
            "loop", "null", "or", "strict", "then", "to", "using", "when", "while"];

    private readonly PlpgsqlTokens _tokens;
    private readonly HashSet<string> _variables;
    private readonly List<string> _sql = [];
    private readonly List<string> _executed = [];
    private readonly List<NameUse> _rowTypes = [];
    private int _at;
    private int _level;

    private PlpgsqlReader(string body, IEnumerable<string> variables)
    {
        _tokens = new(body);
        _variables = [.. variables];
    }

    /// <exception cref="CommandRefusedException">The body does what no tenant's command may, or can't be
    /// read.</exception>
    public static IEnumerable<NameUse> Names(string body, BodyScope scope)
    {
        var reader = new PlpgsqlReader(body, scope.Variables);
        reader.ReadBody();
        var inside = scope with { Variables = reader._variables };
        // What EXECUTE runs sees no variable.
        var outside = scope with { Variables = new HashSet<string>() };
        return
        [
            .. reader._rowTypes.Where(name => !scope.IsOwn(name)),
            .. reader._sql.SelectMany(sql => StatementReader.Names(sql, inside)),
            .. reader._executed.SelectMany(sql => StatementReader.Names(sql, outside)),
        ];
    }

    private void ReadBody()
    {
        // #variable_conflict use_column, and two like it.
        while (Current().Is('#'))
        {
            _at += 3;
        }

        ReadLabel();
        ReadBlock();
        _ = Take(';');
        if (_at < _tokens.Count)
        {
            Unexplained("the body's end");
        }
    }

    private void ReadLabel()
    {
        if (Current().Is('<') && Next(1).Is('<'))
        {
            _at += 2;
            _variables.Add(NeedName());
            Need('>');
            Need('>');
        }
    }

    /// <summary>[DECLARE ...] BEGIN ... [EXCEPTION WHEN ... THEN ...] END [label]</summary>
    private void ReadBlock()
    {
        while (Take("declare"))
        {
            while (!Current().Is("begin") && !Current().Is("declare"))
            {
                ReadDeclaration();
            }
        }

        Need("begin");
        ReadStatements();
        if (Take("exception"))
        {
            while (Take("when"))
            {
                // Names of conditions, and SQLSTATE 'x'.
                _ = Until("then");
                Need("then");
                ReadStatements();
            }
        }

        Need("end");
        TakeName();
    }

    private void ReadStatements()
    {
        if (++_level > MostLevels)
        {
            throw Hidden("The body nests its statements too deeply to be read");
        }

        while (!EndsStatements(Current()))
        {
            ReadStatement();
        }

        _level--;
    }

    private static bool EndsStatements(PlpgsqlToken token) =>
        token.Kind == LexemeKind.End
            || token is { Kind: LexemeKind.Word,
                Text: "end" or "exception" or "else" or "elsif" or "elseif" or "when" };

    private void ReadStatement()
    {
        ReadLabel();
        if (IsAssignment())
        {
            ReadAssignment();
            return;
        }

        var word = Current().Kind == LexemeKind.Word ? Current().Text : "";
        switch (word)
        {
            case "declare" or "begin":
                ReadBlock();
                End();
                break;
            case "if":
                ReadIf();
                break;
            case "case":
                ReadCase();
                break;
            case "loop" or "while" or "for" or "foreach":
                ReadLoop(word);
                break;
            default:
                ReadSimple(word);
                break;
        }
    }

    /// <summary>A statement that holds no others.</summary>
    private void ReadSimple(string word)
    {
        switch (word)
        {
            case "exit" or "continue":
                ReadExit();
                break;
            case "return":
                ReadReturn();
                break;
            case "raise" or "assert":
                ReadRaise();
                break;
            case "perform":
                _at++;
                Add($"SELECT {Until()}");
                End();
                break;
            case "execute":
                ReadExecute();
                End();
                break;
            case "get":
                ReadDiagnostics();
                break;
            case "open":
                ReadOpen();
                break;
            case "fetch" or "move" or "close":
                ReadCursorStatement();
                break;
            case "null":
                _at++;
                End();
                break;
            default:
                ReadSql();
                break;
        }
    }

    private bool IsAssignment() =>
        Current().Kind is LexemeKind.Quoted or LexemeKind.Parameter
            || Current().Kind == LexemeKind.Word && !Reserved.Contains(Current().Text)
                && (Next(1).Is(':') && Next(2).Is('=') || Next(1).Is('=') || Next(1).Is('[') || Next(1).Is('.'));

    /// <summary>target := expression. What the target's brackets hold are expressions too.</summary>
    private void ReadAssignment()
    {
        _at++;
        while (!Current().Is('=') && !(Current().Is(':') && Next(1).Is('=')))
        {
            if (Take('.'))
            {
                NeedName();
                continue;
            }

            Need('[');
            Add($"SELECT subscripted[{Bracketed()}]");
            Need(']');
        }

        _ = Take(':');
        Need('=');
        Add($"SELECT {Until()}");
        End();
    }
}
