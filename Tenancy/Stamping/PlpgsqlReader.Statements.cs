namespace Tenancy.Stamping;

/// <summary>Declarations, the simpler statements, SQL with its INTO, and EXECUTE.</summary>
internal sealed partial class PlpgsqlReader
{
    /// <summary>name [CONSTANT] type [COLLATE x] [NOT NULL] [:= expression]; an alias; a cursor.</summary>
    private void ReadDeclaration()
    {
        _variables.Add(NeedName());
        if (Take("alias"))
        {
            _ = Until();
            End();
            return;
        }

        _ = Take("constant");
        if (Current().Is("cursor") || Next(1).Is("cursor") && Current() is { Kind: LexemeKind.Word,
            Text: "no" or "scroll" } || Next(2).Is("cursor") && Current().Is("no"))
        {
            ReadCursor();
            return;
        }

        ReadType();
        _ = Until("default", ":", "=");
        if (Current().Is(':') ? Next(1).Is('=') : Current().Is("default") || Current().Is('='))
        {
            _at += Current().Is(':') ? 2 : 1;
            Add($"SELECT {Until()}");
        }

        End();
    }

    /// <summary>A type's name; schema.table%ROWTYPE and schema.table.column%TYPE read a table's definition.</summary>
    private void ReadType()
    {
        var from = _at;
        while (!Current().Is(';') && !Current().Is('=') && Current().Kind != LexemeKind.End
            && !(Current().Is(':') && Next(1).Is('=')) && Current() is not { Kind: LexemeKind.Word,
                Text: "collate" or "not" or "default" })
        {
            _at++;
        }

        var percent = Enumerable.Range(from, _at - from).FirstOrDefault(at => _tokens[at].Is('%'), -1);
        if (percent < 0)
        {
            Add($"SELECT CAST(NULL AS {_tokens.Text(from, _at)})");
            return;
        }

        string[] parts = [.. Enumerable.Range(from, percent - from)
            .Where(at => _tokens[at].IsIdentifier).Select(at => _tokens[at].Text)];
        var isRow = _tokens[percent + 1].Is("rowtype");
        // Without a table's name it is the type of a variable, or of its field.
        if (isRow || parts.Length > 2 || parts.Length == 2 && !_variables.Contains(parts[0]))
        {
            var hasSchema = parts.Length > (isRow ? 1 : 2);
            _rowTypes.Add(new(NameRole.Read, hasSchema ? parts[0] : null, parts[hasSchema ? 1 : 0]));
        }
    }

    /// <summary>[[NO] SCROLL] CURSOR [(arguments)] FOR query</summary>
    private void ReadCursor()
    {
        while (!Take("cursor"))
        {
            _at++;
        }

        if (Take('('))
        {
            do
            {
                _variables.Add(NeedName());
                Add($"SELECT CAST(NULL AS {Until(",", ")")})");
            }
            while (Take(','));

            Need(')');
        }

        if (!Take("for"))
        {
            Need("is");
        }

        Add(Until());
        End();
    }

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
