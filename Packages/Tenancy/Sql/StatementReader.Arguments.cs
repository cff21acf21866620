using System.Collections.Frozen;

namespace Tenancy.Sql;

/// <summary>
/// The arguments of a call. The functions that SQL gives words of their own (EXTRACT, TRIM, CAST, XMLELEMENT,
/// JSON_VALUE) are read by one rule for all: expressions, and between them the words that one of these has there. No
/// table's name can stand in any of them except in a query.
/// </summary>
internal sealed partial class StatementReader
{
    /// <summary>The words that may stand after an argument, or before one.</summary>
    private static readonly FrozenSet<string> ArgumentWords = FrozenSet.Create(
        StringComparer.Ordinal,
        "absent", "array", "both", "by", "conditional", "content", "default", "document", "empty", "encoding", "error",
        "escape", "false", "for", "format", "from", "indent", "json", "keep", "key", "keys", "leading", "name", "no",
        "null",
        "object", "omit", "on", "passing", "placing", "preserve", "quotes", "ref", "scalar", "similar", "standalone",
        "string", "strip", "trailing", "true", "unconditional", "unique", "unknown", "using", "utf8", "value",
        "version",
        "whitespace", "with", "without", "wrapper", "yes");

    /// <summary>These of them are reserved, so they stand for no column.</summary>
    private static readonly FrozenSet<string> ReservedArgumentWords = FrozenSet.Create(
        StringComparer.Ordinal,
        "both", "default", "for", "from", "leading", "on", "placing", "trailing", "unique", "using", "with");

    /// <summary>The whole of (...).</summary>
    /// <param name="function">The function's name, if it is one word without quotes.</param>
    private void ReadArguments(string function)
    {
        Need('(');
        Enter();
        if (StartsQuery())
        {
            ReadQuery();
        }

        ReadFirstWords(function);
        var complete = false;
        while (!Current().Is(')'))
        {
            complete = complete ? ReadAfterArgument(function) : ReadArgument(function);
        }

        Need(')');
        _level--;
    }

    /// <summary>The words that the function has to begin with, so that they are no names.</summary>
    private void ReadFirstWords(string function)
    {
        switch (function)
        {
            case "xmlparse" or "xmlserialize":
                _ = TakeAny("document", "content");
                return;
            case "xmlelement" or "xmlpi" when Take("name"):
                NeedLabel();
                return;
            case "grouping" or "row" or "exists" or "array" or "any" or "some" or "all":
                return;
            default:
                _ = TakeAny("all", "distinct", "variadic");
                return;
        }
    }

    /// <returns>True after a whole argument.</returns>
    private bool ReadArgument(string function)
    {
        if (Take(',') || Take("variadic"))
        {
            return false;
        }

        if (Current().Is('*') && Next(1).Is(')'))
        {
            _at++;
            return true;
        }

        if (Current().Is("order") && Next(1).Is("by") || Current().Is("as") || Current().Is("returning"))
        {
            return ReadAfterArgument(function);
        }

        if (Current().Kind == LexemeKind.Word
            && (ReservedArgumentWords.Contains(Current().Text) || IsWordBeforeArgument(function)))
        {
            _at++;
            return false;
        }

        if (Current().IsIdentifier && (Next(1).Is(':') && Next(2).Is('=') || Next(1).Is('=') && Next(2).Is('>')))
        {
            // name := value, name => value.
            _at += 3;
        }

        ReadExpression();
        return true;
    }

    private bool IsWordBeforeArgument(string function) => function switch
    {
        "json_object" or "json_objectagg" => Current().Is("key") && IsFollowedByAnother(),
        "xmlroot" => Current().Is("version") || Current().Is("standalone"),
        _ => Current().Is("array") && Next(1).Is("wrapper"),
    };

    private bool IsFollowedByAnother() =>
        Next(1) is { Kind: LexemeKind.Literal or LexemeKind.Quoted or LexemeKind.Number }
            or { Kind: LexemeKind.Parameter }
            || Next(1) is { Kind: LexemeKind.Word } word && StartsOperand(word) && word.Text is not ("value" or "and"
                or "or" or "not" or "is" or "in" or "like" or "ilike" or "between" or "similar" or "isnull" or "notnull"
                or "at" or "collate" or "overlaps" or "operator" or "format" or "null" or "absent" or "returning");

    /// <returns>False before another argument.</returns>
    private bool ReadAfterArgument(string function)
    {
        if (function is "exists" or "array" or "any" or "some" or "all" or "json_array" && GoesOnAsQuery())
        {
            // EXISTS ((SELECT 1) UNION (SELECT 2)).
            ReadRestOfQuery();
            return true;
        }

        if (Take("order", "by"))
        {
            Listed(ReadSort);
            return true;
        }

        if (Take("returning"))
        {
            ReadType();
            return true;
        }

        if (Take("as"))
        {
            if (function is "cast" or "treat" or "xmlserialize")
            {
                ReadType();
            }
            else
            {
                NeedLabel();
            }

            return true;
        }

        if (Take(',') || Take(':') || Current().Kind == LexemeKind.Parameter && Current().Text[0] == ':')
        {
            // JSON_OBJECT('key' :value): the colon and a name.
            return false;
        }

        if (Current().Kind == LexemeKind.Word && ArgumentWords.Contains(Current().Text))
        {
            _at++;
            return false;
        }

        Unexplained("',' or ')'");
        return false;
    }
}
