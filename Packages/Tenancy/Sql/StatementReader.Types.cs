namespace Tenancy.Sql;

/// <summary>The names of types (gram.y, Typename).</summary>
internal sealed partial class StatementReader
{
    private void ReadType()
    {
        _ = Take("setof");
        var first = Current();
        if (!first.IsIdentifier || first.Kind == LexemeKind.Word && KeyWords.Reserved.Contains(first.Text))
        {
            Unexplained("a type");
        }

        var quoted = first.Kind == LexemeKind.Quoted;
        if (quoted || !ReadTypeOfWords(first.Text))
        {
            var (schema, name) = ReadQualified(NeedLabel());
            AddUse(new(NameRole.Type, schema, name));
            ReadModifiers();
        }

        if (!quoted && first.Text is "time" or "timestamp")
        {
            ReadTimeZone();
        }

        ReadArrayOfType();
    }

    /// <summary>The types of SQL that have more than one word.</summary>
    private bool ReadTypeOfWords(string first)
    {
        switch (first)
        {
            case "double" when Next(1).Is("precision"):
                _at += 2;
                return true;
            case "national" when Next(1).Is("character") || Next(1).Is("char"):
                _at += 2;
                _ = Take("varying");
                ReadModifiers();
                return true;
            case "bit" or "char" or "character" or "nchar" when Next(1).Is("varying"):
                _at += 2;
                ReadModifiers();
                return true;
            case "interval" when !Next(1).Is('.'):
                _at++;
                ReadModifiers();
                ReadIntervalFields();
                return true;
            default:
                return false;
        }
    }

    private void ReadModifiers()
    {
        if (Current().Is('('))
        {
            InParentheses(() => Listed(ReadExpression));
        }
    }

    private void ReadTimeZone()
    {
        if ((Current().Is("with") || Current().Is("without")) && Next(1).Is("time") && Next(2).Is("zone"))
        {
            _at += 3;
        }
    }

    /// <summary>[], [3], ARRAY, ARRAY[3].</summary>
    private void ReadArrayOfType()
    {
        _ = Take("array");
        while (Take('['))
        {
            if (Current().Kind == LexemeKind.Number)
            {
                _at++;
            }

            Need(']');
        }
    }
}
