using Tenancy.Sql;

namespace Tenancy.Citus;

/// <summary>
/// What Citus refuses of a statement about tables of a distributed schema: read in the sources of Citus 13.2
/// (<c>ErrorIfUnsupportedAlterTableStmt</c> and its neighbours), and tried there, each by a test. Foreign keys out of
/// the schema are not among these: the guard refuses them for every engine.
/// </summary>
internal static partial class CitusRules
{
    private static readonly CitusRefusal InBody = new(
        "Citus distributes a table only where CREATE TABLE is a statement of its own. One that is made in a DO " +
        "block or in a routine stays on the coordinator, without an error.",
        "Write CREATE TABLE outside.");

    private static readonly CitusRefusal Trigger = new(
        "Citus refuses triggers on a tenant's tables, unless citus.enable_unsafe_triggers is on.",
        "Let the application do it, or an identity, a default or a generated column; or switch that setting on for " +
        "the database, and check with --unsafe-triggers.");

    /// <summary>The reasons of one statement.</summary>
    /// <param name="statement">The guard has passed it.</param>
    /// <param name="known">What the statements before it made.</param>
    /// <param name="unsafeTriggers">Whether <c>citus.enable_unsafe_triggers</c> is on.</param>
    public static IEnumerable<CitusRefusal> Find(SqlStatement statement, KnownTables known, bool unsafeTriggers)
    {
        var words = statement.Words;
        if (IsAboutTrigger(words))
        {
            return unsafeTriggers ? [] : [Trigger];
        }

        return TableStatement.Of(words) switch
        {
            { Verb: TableVerb.Create } when statement.Level > 0 => [InBody],
            { Verb: TableVerb.Create } made => OfCreateTable(made),
            { Verb: TableVerb.Alter } changed => OfAlterTable(changed, known, unsafeTriggers),
            { Verb: TableVerb.Drop } => [],
            _ => OfOther(words, known).Concat(OfRows(words)),
        };
    }

    /// <summary>CREATE [OR REPLACE] [CONSTRAINT] TRIGGER, ALTER TRIGGER, DROP TRIGGER</summary>
    private static bool IsAboutTrigger(IReadOnlyList<Lexeme> statement)
    {
        var words = new WordReader(statement);
        if (!words.IsAny("create", "alter", "drop"))
        {
            return false;
        }

        words.Skip("create", "alter", "drop", "or", "replace", "constraint");
        return words.IsAny("trigger");
    }

    private static IEnumerable<CitusRefusal> OfCreateTable(TableStatement table)
    {
        var rest = table.Rest;
        if (rest is [{ Kind: LexemeKind.Word, Text: "of" }, ..])
        {
            yield return new("Citus refuses a table OF a type.", "List the columns.");
        }

        if (rest is [{ Kind: LexemeKind.Word, Text: "inherits" }, ..])
        {
            yield return new(
                "Citus refuses inheritance between tables.",
                "Use PARTITION BY, or one table with a column that tells.");
        }

        if (table.PartitionOf is not null && WordReader.Has(rest, "partition", "by"))
        {
            yield return new("Citus refuses a partition that has partitions itself.", "Partition by one level.");
        }
    }

    private static IEnumerable<CitusRefusal> OfOther(IReadOnlyList<Lexeme> statement, KnownTables known)
    {
        var words = new WordReader(statement);
        if (words.Take("create"))
        {
            words.Skip("unique", "or", "replace");
            return OfCreate(words);
        }

        if (words.Take("alter", "sequence"))
        {
            words.Skip("if", "exists");
            return known.IsUnused(words.TakeName()) || words.IsAny("owner", "rename") ? [] :
            [
                new("Citus refuses to alter a sequence that a table takes its values from.",
                    "Make another sequence and give the column its nextval for a default; setval moves one."),
            ];
        }

        if (words.Take("alter", "index") && WordReader.Has(words.Rest, "set", "tablespace"))
        {
            return [Tablespace];
        }

        return words.Take("alter", "policy") ? OfPolicy(words.Rest)
            : words.Take("drop", "index") && WordReader.Listed(words.Rest).Count > 1
                ? [new("Citus refuses to drop several indexes by one statement.", "Write a DROP INDEX for each.")]
                : [];
    }

    private static readonly CitusRefusal Tablespace = new(
        "Citus refuses an index's or a table's tablespace.", "Leave it out.");

    private static IEnumerable<CitusRefusal> OfCreate(WordReader words)
    {
        if (words.Take("index"))
        {
            return WordReader.Has(words.Rest, "tablespace") ? [Tablespace] : [];
        }

        if (words.Take("statistics"))
        {
            words.Skip("if", "not", "exists");
            return words.Current.Is("on") || words.Current.Is('(')
                ? [new("Citus refuses statistics without a name.", "Name them.")]
                : [];
        }

        if (words.Take("sequence"))
        {
            return WordReader.Has(words.Rest, "owned", "by") && !WordReader.Has(words.Rest, "owned", "by", "none")
                ? [new("Citus refuses a sequence that is OWNED BY a tenant's column.",
                    "Leave OWNED BY out, or make the column an identity where its table is created.")]
                : [];
        }

        return words.Take("policy") ? OfPolicy(words.Rest) : [];
    }

    private static IEnumerable<CitusRefusal> OfPolicy(IReadOnlyList<Lexeme> words) =>
        words.Any(word => word.Is("select"))
            ? [new("Citus refuses a policy with a subquery.", "Write it without one.")]
            : [];
}
