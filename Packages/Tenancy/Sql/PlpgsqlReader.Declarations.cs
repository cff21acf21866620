namespace Tenancy.Sql;

/// <summary>DECLARE: variables, aliases and cursors.</summary>
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
}
