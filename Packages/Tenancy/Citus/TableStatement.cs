using Tenancy.Sql;

namespace Tenancy.Citus;

/// <summary>What a <see cref="TableStatement"/> does.</summary>
internal enum TableVerb
{
    Create,
    Alter,
    Drop,
}

/// <summary>CREATE TABLE, SELECT INTO, ALTER TABLE or DROP TABLE.</summary>
/// <param name="Verb">Which.</param>
/// <param name="Tables">The tables' names, without their schema.</param>
/// <param name="Parts">Columns and constraints of CREATE TABLE, subcommands of ALTER TABLE.</param>
/// <param name="Rest">What follows the parts.</param>
internal sealed record TableStatement(
    TableVerb Verb, IReadOnlyList<string> Tables, IReadOnlyList<IReadOnlyList<Lexeme>> Parts,
    IReadOnlyList<Lexeme> Rest)
{
    public string Name => Tables is [var first, ..] ? first : "";

    /// <summary>The table that it is a partition of, if it is.</summary>
    public string? PartitionOf => Verb == TableVerb.Create && Rest is [{ Text: "partition" }, { Text: "of" }, ..]
        ? new WordReader([.. Rest.Skip(2)]).TakeName()
        : null;

    /// <returns>Null where it is none of them.</returns>
    public static TableStatement? Of(IReadOnlyList<Lexeme> statement)
    {
        var words = new WordReader(statement);
        if (words.Take("create"))
        {
            words.Skip("unlogged");
            return words.Take("table") ? Create(words) : null;
        }

        if (words.Take("alter", "table"))
        {
            words.Skip("if", "exists", "only");
            return new(TableVerb.Alter, [words.TakeName() ?? ""], WordReader.Listed(words.Rest), []);
        }

        if (words.Take("drop", "table"))
        {
            words.Skip("if", "exists");
            return new(TableVerb.Drop,
                [.. WordReader.Listed(words.Rest).Select(name => new WordReader(name).TakeName() ?? "")], [], []);
        }

        return Into(statement) is { } into ? new(TableVerb.Create, [into], [], []) : null;
    }

    /// <summary>A constraint of a table, not a column: <c>exclude</c> may be a column's name.</summary>
    public static bool IsConstraint(IReadOnlyList<Lexeme> part) => part switch
    {
        [{ Kind: LexemeKind.Word, Text: "constraint" or "primary" or "unique" or "check" or "foreign" or "not" }, ..] =>
            true,
        [{ Kind: LexemeKind.Word, Text: "exclude" }, var next, ..] => next.Is("using") || next.Is('('),
        _ => false,
    };

    private static TableStatement Create(WordReader words)
    {
        words.Skip("if", "not", "exists");
        var name = words.TakeName() ?? "";
        var parts = words.TakeList();
        return new(TableVerb.Create, [name], parts, words.Rest);
    }

    /// <summary>SELECT ... INTO table</summary>
    private static string? Into(IReadOnlyList<Lexeme> statement)
    {
        if (statement is not [{ Kind: LexemeKind.Word, Text: "select" or "with" }, ..]
            || WordReader.Outside(statement).Any(word => word.Word.Is("insert") || word.Word.Is("merge")))
        {
            return null;
        }

        foreach (var (word, at) in WordReader.Outside(statement))
        {
            if (word.Is("into"))
            {
                var words = new WordReader([.. statement.Skip(at + 1)]);
                words.Skip("unlogged", "table");
                return words.TakeName();
            }
        }

        return null;
    }
}
