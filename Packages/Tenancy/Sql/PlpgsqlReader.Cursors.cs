namespace Tenancy.Sql;

/// <summary>OPEN, FETCH, MOVE and CLOSE.</summary>
internal sealed partial class PlpgsqlReader
{
    /// <summary>OPEN cursor [[NO] SCROLL] FOR query, or FOR EXECUTE text; OPEN cursor [(arguments)].</summary>
    private void ReadOpen()
    {
        _at++;
        if (!Next(1).Is("for") && !Next(1).Is("no") && !Next(1).Is("scroll"))
        {
            ReadOpenedCursor();
        }
        else
        {
            _ = Until("for");
            Need("for");
            if (Current().Is("execute"))
            {
                ReadExecute();
            }
            else
            {
                Add(Until());
            }
        }

        End();
    }

    /// <summary>cursor [(argument, name := argument, ...)]</summary>
    private void ReadOpenedCursor()
    {
        NeedName();
        if (!Take('('))
        {
            return;
        }

        do
        {
            if (Current().IsIdentifier && Next(2).Is(Next(1).Is(':') ? '=' : '>'))
            {
                _at += 3;
            }

            Add($"SELECT {Until(",", ")")}");
        }
        while (Take(','));

        Need(')');
    }

    /// <summary>FETCH [direction [count] FROM] cursor INTO target; MOVE; CLOSE.</summary>
    private void ReadCursorStatement()
    {
        _at++;
        var from = _at;
        _ = Until("into");
        for (var at = from; at < _at; at++)
        {
            if (!_tokens[at].IsIdentifier && _tokens[at].Kind != LexemeKind.Number && !_tokens[at].Is('-'))
            {
                throw Hidden("A cursor is moved by a computed number of rows: write the number");
            }
        }

        if (Take("into"))
        {
            ReadTargets();
        }

        End();
    }
}
