namespace Tenancy.Sql;

/// <summary>IF, CASE and the loops.</summary>
internal sealed partial class PlpgsqlReader
{
    private void ReadIf()
    {
        do
        {
            _at++;
            Add($"SELECT {Until("then")}");
            Need("then");
            ReadStatements();
        }
        while (Current().Is("elsif") || Current().Is("elseif"));

        EndWithElse("if");
    }

    private void ReadCase()
    {
        _at++;
        if (!Current().Is("when"))
        {
            Add($"SELECT {Until("when")}");
        }

        while (Take("when"))
        {
            Add($"SELECT {Until("then")}");
            Need("then");
            ReadStatements();
        }

        EndWithElse("case");
    }

    private void EndWithElse(string what)
    {
        if (Take("else"))
        {
            ReadStatements();
        }

        Need("end");
        Need(what);
        End();
    }

    /// <summary>LOOP, WHILE condition LOOP, FOR ... LOOP, FOREACH ... LOOP; statements; END LOOP [label].</summary>
    private void ReadLoop(string word)
    {
        _at++;
        switch (word)
        {
            case "while":
                Add($"SELECT {Until("loop")}");
                break;
            case "for":
                ReadTargets(declares: true);
                Need("in");
                ReadRange();
                break;
            case "foreach":
                ReadTargets(declares: true);
                _ = Until("in");
                Need("in");
                Need("array");
                Add($"SELECT {Until("loop")}");
                break;
        }

        if (word != "loop")
        {
            Need("loop");
        }

        ReadStatements();
        Need("end");
        Need("loop");
        TakeName();
        End();
    }

    /// <summary>[REVERSE] from .. to [BY step]; EXECUTE text; cursor; query.</summary>
    private void ReadRange()
    {
        if (Current().Is("execute"))
        {
            ReadExecute("loop");
            return;
        }

        _ = Take("reverse");
        var from = _at;
        var range = Until("loop", "..");
        if (Take('.'))
        {
            Add($"SELECT {range}, {Until("by", "loop")}");
            if (Take("by"))
            {
                Add($"SELECT {Until("loop")}");
            }
        }
        else if (StartsQuery(_tokens[from]))
        {
            Add(range);
        }
        else
        {
            _at = from;
            ReadOpenedCursor();
        }
    }

    private static bool StartsQuery(PlpgsqlToken first) =>
        first.Is('(') || first is { Kind: LexemeKind.Word,
            Text: "select" or "with" or "values" or "table" or "explain" or "show"
                or "insert" or "update" or "delete" or "merge" };
}
