using Tenancy.Sql;

namespace Tenancy.Citus;

/// <summary>ALTER TABLE: Citus has a list of the subcommands that it knows, and refuses the others.</summary>
internal static partial class CitusRules
{
    private const string Separately = "Write an ALTER TABLE of its own for it.";

    private static readonly CitusRefusal Identity = new(
        "Citus refuses to give a table that exists an identity or a serial column, and to change one.",
        "Make a new table with it by CREATE TABLE, move the rows, drop the old one and rename the new one; or use a " +
        "uuid.");

    private static IEnumerable<CitusRefusal> OfAlterTable(
        TableStatement table, KnownTables known, bool unsafeTriggers)
    {
        foreach (var part in table.Parts)
        {
            if (OfSubcommand(part, table, known, unsafeTriggers) is { } refusal)
            {
                yield return refusal;
            }
        }
    }

    private static CitusRefusal? OfSubcommand(
        IReadOnlyList<Lexeme> part, TableStatement table, KnownTables known, bool unsafeTriggers)
    {
        var alone = table.Parts.Count == 1;
        var words = new WordReader(part);
        if (words.Take("add"))
        {
            return OfAdd(words, alone);
        }

        if (words.Take("alter"))
        {
            return OfColumn(words, table.Name, known, alone);
        }

        if (words.IsAny("enable", "disable"))
        {
            words.Skip("enable", "disable", "always", "replica");
            return words.IsAny("trigger") ? unsafeTriggers ? null : Trigger
                : words.IsAny("row") ? null
                : Unknown(part);
        }

        if (words.Take("attach") || words.Take("detach"))
        {
            return words.Take("partition") && WordReader.Has(words.Rest, "concurrently")
                    || WordReader.Has(words.Rest, "finalize")
                ? new("Citus refuses to detach a partition CONCURRENTLY.", "Leave CONCURRENTLY and FINALIZE out.")
                : alone ? null
                : new("Citus refuses ATTACH and DETACH PARTITION beside other subcommands.", Separately);
        }

        return IsKnown(part) ? null : Unknown(part);
    }

    private static CitusRefusal? OfAdd(WordReader words, bool alone)
    {
        if (TableStatement.IsConstraint(words.Rest))
        {
            return alone ? null
                : new("Citus refuses to add a constraint beside other subcommands of one ALTER TABLE.", Separately);
        }

        words.Skip("column", "if", "not", "exists");
        var column = new ColumnDefinition(words.Rest);
        if (column.IsIdentity || column.IsSerial)
        {
            return Identity;
        }

        if (column.TakesNextValue)
        {
            return new(
                "Citus refuses to add a column with DEFAULT nextval(...) to a table that has rows.",
                "Add the column without a default, then ALTER COLUMN ... SET DEFAULT nextval(...) in another " +
                "statement.");
        }

        // Citus names a foreign key where it is all that the ALTER TABLE does.
        return column.HasUnnamedConstraint || (column.HasUnnamedReference && !alone)
            ? new("Citus refuses a constraint without a name in ADD COLUMN.",
                "Add the column, then ADD CONSTRAINT name in another ALTER TABLE.")
            : null;
    }

    private static CitusRefusal? OfColumn(WordReader words, string table, KnownTables known, bool alone)
    {
        if (words.Take("constraint"))
        {
            return new("Citus refuses ALTER CONSTRAINT.", "Drop the constraint and add it again, in two statements.");
        }

        words.Skip("column");
        var column = words.TakeName();
        if (words.Take("type") || words.Take("set", "data", "type"))
        {
            return known.HasSequence(table, column)
                ? new(
                    $"Citus refuses another type for '{column}', whose values come from a sequence.", Identity.Instead)
                : null;
        }

        if (words.Take("set", "default"))
        {
            return alone || !WordReader.Calls(words.Rest, "nextval") ? null
                : new("Citus refuses SET DEFAULT nextval(...) beside other subcommands.", Separately);
        }

        if (words.Take("drop", "default") || words.Take("set", "not", "null") || words.Take("drop", "not", "null")
            || words.Take("set", "compression"))
        {
            return null;
        }

        return words.Take("add", "generated") || words.Take("set", "generated") || words.Take("drop", "identity")
            || words.Take("restart") || words.IsAny("set") && words.At(1) is
            {
                Kind: LexemeKind.Word, Text: "increment" or "minvalue" or "maxvalue" or "no" or "cache" or "cycle"
                    or "start",
            }
                ? Identity
                : Unknown(words.Rest);
    }

    /// <summary>The subcommands that Citus passes on, besides ADD, ALTER and what is looked at closely.</summary>
    private static bool IsKnown(IReadOnlyList<Lexeme> part)
    {
        var words = new WordReader(part);
        if (words.Take("rename"))
        {
            return !words.IsAny("constraint");
        }

        if (words.Take("set"))
        {
            return words.Current.Is('(') || words.IsAny("logged", "unlogged")
                || words.Take("access", "method") && !words.IsAny("default");
        }

        return words.IsAny("drop", "validate", "owner") || words.Take("replica", "identity")
            || words.Take("reset") && words.Current.Is('(')
            || words.Take("force", "row") || words.Take("no", "force");
    }

    private static CitusRefusal Unknown(IReadOnlyList<Lexeme> part) => new(
        "Citus refuses the subcommand " +
        $"'{string.Join(' ', part.Take(3).Select(word => word.Text)).ToUpperInvariant()}' of ALTER TABLE.",
        "Leave it out, or make a new table as it should be, move the rows, drop the old one and rename the new one.");
}
