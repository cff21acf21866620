namespace Tenancy.Sql;

/// <summary>One statement's operation and the table that it is about.</summary>
internal readonly record struct StatementShape(string Operation, string? Table, string? Schema)
{
    public string Words => Table is null ? Operation : $"{Operation} {Table}";
}

/// <summary>
/// Finds the operation by its first word and the table by the key word in front of it. What it doesn't know has no
/// table.
/// </summary>
internal struct StatementShapeReader
{
    private const int LongestVerb = 20;

    private Looking _for;
    private string? _operation;
    private string? _table;
    private string? _schema;
    private (string? Table, string? Schema) _deeper;
    private int _depth;
    private int _own;
    private bool _isOwn;
    private bool _with;
    private bool _distinct;

    private enum Looking
    {
        Verb,
        Kind,
        TableAfterKeyWord,
        Table,
        NamePart,
        EndOfName,
        Nothing,
    }

    public void Read(SqlToken kind, ReadOnlySpan<char> token)
    {
        var isName = kind == SqlToken.QuotedIdentifier || char.IsLetter(token[0]) || token[0] == '_';
        _depth += token is "(" ? 1 : token is ")" ? -1 : 0;
        switch (_for)
        {
            case Looking.Verb when isName:
                ReadVerb(token);
                break;
            case Looking.Kind when isName:
                ReadKind(token);
                break;
            case Looking.TableAfterKeyWord when isName:
                // IS DISTINCT FROM compares.
                _for = Is(token, "from", "into") && !_distinct ? Looking.Table : Looking.TableAfterKeyWord;
                _isOwn = _depth == _own;
                _distinct = Is(token, "distinct");
                break;
            case Looking.Table when isName && Is(token, "only", "table", "if", "not", "exists", "lateral"):
                break;
            case Looking.Table or Looking.NamePart when isName:
                _table = kind == SqlToken.QuotedIdentifier ? token.Trim('"').ToString() : token.ToString();
                _for = Looking.EndOfName;
                break;
            case Looking.Table when token is "(":
                // A subquery: its table is the statement's.
                (_own, _for) = (_isOwn ? _depth : _own, Looking.TableAfterKeyWord);
                break;
            case Looking.EndOfName when token is ".":
                (_schema, _for) = (_table, Looking.NamePart);
                break;
            case Looking.EndOfName when token is "(" && _operation == "SELECT":
                // A function: FROM unnest(...), or extract(epoch FROM now()).
                (_schema, _table, _for) = (null, null, Looking.TableAfterKeyWord);
                break;
            case Looking.EndOfName when !_isOwn:
                // A subquery's among the columns: it counts where the statement has no table of its own.
                _deeper = _deeper.Table is null ? (_table, _schema) : _deeper;
                (_schema, _table, _for) = (null, null, Looking.TableAfterKeyWord);
                break;
            case Looking.EndOfName:
                _for = Looking.Nothing;
                break;
        }
    }

    /// <summary>Ends the statement and is ready for the next.</summary>
    /// <returns>Null where there was none.</returns>
    public StatementShape? End()
    {
        var (table, schema) = _table is null ? _deeper : (_table, _schema);
        StatementShape? shape = _operation is null ? null : new(_operation, table, schema);
        this = default;
        return shape;
    }

    private void ReadVerb(ReadOnlySpan<char> word)
    {
        if (_with && !Is(word, "select", "insert", "update", "delete", "merge"))
        {
            return;
        }

        if (Is(word, "with"))
        {
            // The first of the queries that it names says what is done.
            _with = true;
            return;
        }

        _operation = Upper(word);
        (_own, _isOwn) = (_depth, true);
        _for = _operation switch
        {
            "SELECT" or "DELETE" or "INSERT" or "MERGE" => Looking.TableAfterKeyWord,
            "UPDATE" or "COPY" or "LOCK" or "TRUNCATE" => Looking.Table,
            "CREATE" or "ALTER" or "DROP" => Looking.Kind,
            _ => Looking.Nothing,
        };
    }

    private void ReadKind(ReadOnlySpan<char> word)
    {
        if (Is(word, "unique", "or", "replace", "temporary", "temp", "unlogged", "materialized"))
        {
            return;
        }

        // The name of a schema, a role or an index stays out: it may be one tenant's.
        _for = Is(word, "table", "view") ? Looking.Table : Looking.Nothing;
        _operation = $"{_operation} {Upper(word)}";
    }

    private static string Upper(ReadOnlySpan<char> word) => word[..Math.Min(word.Length, LongestVerb)] switch
    {
        var verb when Is(verb, "select") => "SELECT",
        var verb when Is(verb, "insert") => "INSERT",
        var verb when Is(verb, "update") => "UPDATE",
        var verb when Is(verb, "delete") => "DELETE",
        var verb => verb.ToString().ToUpperInvariant(),
    };

    private static bool Is(ReadOnlySpan<char> token, params ReadOnlySpan<string> words)
    {
        foreach (var word in words)
        {
            if (token.Equals(word, StringComparison.OrdinalIgnoreCase))
            {
                return true;
            }
        }

        return false;
    }
}
