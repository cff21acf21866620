namespace Tenancy.Sql;

/// <summary>The simpler statements, SQL with its INTO, and EXECUTE.</summary>
internal sealed partial class PlpgsqlReader
{
    private void ReadExit()
    {
        _at++;
        if (!Current().Is("when"))
        {
            TakeName();
        }

        if (Take("when"))
        {
            Add($"SELECT {Until()}");
        }

        End();
    }

    private void ReadReturn()
    {
        _at++;
        if (Take("query"))
        {
            if (Current().Is("execute"))
            {
                ReadExecute();
            }
            else
            {
                Add(Until());
            }
        }
        else
        {
            _ = Take("next");
            if (!Current().Is(';'))
            {
                Add($"SELECT {Until()}");
            }
        }

        End();
    }

    /// <summary>RAISE [level] ['format' [, expression ...]] [USING option = expression, ...]; ASSERT.</summary>
    private void ReadRaise()
    {
        _at++;
        // A level, a condition's name, SQLSTATE.
        while (Current().Kind == LexemeKind.Word && !Current().Is("using")
            && (Next(1).Is(';') || Next(1).Is("using") || Next(1).Kind is LexemeKind.Literal
                || Next(1).Kind == LexemeKind.Word && Previous().Is("raise")))
        {
            _at++;
        }

        if (!Current().Is(';') && !Current().Is("using"))
        {
            Add($"SELECT {Until("using")}");
        }

        if (Take("using"))
        {
            do
            {
                NeedName();
                _ = Take(':');
                Need('=');
                Add($"SELECT {Until(",")}");
            }
            while (Take(','));
        }

        End();
    }

    /// <summary>GET [CURRENT | STACKED] DIAGNOSTICS variable = item, ...</summary>
    private void ReadDiagnostics()
    {
        while (!Current().Is(';'))
        {
            if (!Current().IsIdentifier && !Current().Is('=') && !Current().Is(':') && !Current().Is(',')
                && !Current().Is('.'))
            {
                Unexplained("GET DIAGNOSTICS variable = item");
            }

            _at++;
        }

        End();
    }

    /// <summary>variable, record.field, array[index], ...</summary>
    /// <param name="declares">Whether a loop makes the variable.</param>
    private void ReadTargets(bool declares = false)
    {
        do
        {
            var name = Current().Kind == LexemeKind.Parameter ? _tokens[_at++].Text : NeedName();
            if (declares)
            {
                _variables.Add(name);
            }

            while (Current().Is('.') || Current().Is('['))
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
        }
        while (Take(','));
    }

    /// <summary>
    /// A statement of SQL's. INTO, with a target, is PL/pgSQL's; INSERT INTO and MERGE INTO are SQL's.
    /// </summary>
    private void ReadSql()
    {
        var from = _at;
        var before = "";
        while (Current().Kind != LexemeKind.End && !Current().Is(';'))
        {
            if (Current().Is("into") && !Previous().Is("insert") && !Previous().Is("merge"))
            {
                before += _tokens.Text(from, _at) + " ";
                _at++;
                _ = Take("strict");
                ReadTargets();
                from = _at;
            }
            else
            {
                _at++;
            }
        }

        Add(before + _tokens.Text(from, _at));
        End();
    }

    /// <summary>EXECUTE text [INTO target] [USING expression, ...]</summary>
    private void ReadExecute(string end = ";")
    {
        _at++;
        var from = _at;
        _ = Until("into", "using", end);
        _executed.Add(Executed(from, _at));
        while (Current().Is("into") || Current().Is("using"))
        {
            if (Take("into"))
            {
                _ = Take("strict");
                ReadTargets();
            }
            else
            {
                Need("using");
                Add($"SELECT {Until("into", end)}");
            }
        }
    }

    /// <summary>
    /// The text of one literal, or of format('literal', ...) whose places take identifiers and literals.
    /// </summary>
    private string Executed(int from, int to)
    {
        string? text = null;
        if (to == from + 1 && _tokens[from].Kind == LexemeKind.Literal)
        {
            text = BodyText.Of(_tokens[from].Text);
        }
        else if (_tokens[from].Is("format") && _tokens[from + 1].Is('(')
            && _tokens[from + 2].Kind == LexemeKind.Literal && _tokens[to - 1].Is(')')
            && BodyText.Of(_tokens[from + 2].Text) is { } format)
        {
            var back = _at;
            var arguments = new List<string>();
            for (_at = from + 3; Take(',');)
            {
                arguments.Add(Until(",", ")"));
                Add($"SELECT {arguments[^1]}");
            }

            text = _at == to - 1
                ? BodyText.OfFormat(format, [.. arguments.Select(argument => argument.ToLowerInvariant())])
                : null;
            _at = back;
        }

        return text ?? throw Hidden(
            "EXECUTE runs a text that is put together, so nobody can say beforehand what it names. Write the " +
            "statement out, in which a variable is a parameter; or EXECUTE one literal, or format('...', ...) with " +
            $"no place but %I and %L, and \"{TenantPlaceholder.Schema}\" in front of its tables");
    }
}
