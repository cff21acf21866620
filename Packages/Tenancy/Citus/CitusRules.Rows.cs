using Tenancy.Sql;

namespace Tenancy.Citus;

/// <summary>Statements that change rows.</summary>
internal static partial class CitusRules
{
    private static IEnumerable<CitusRefusal> OfRows(IReadOnlyList<Lexeme> statement)
    {
        if (statement is not [{ Kind: LexemeKind.Word,
            Text: "with" or "insert" or "update" or "delete" or "merge" or "select" }, ..])
        {
            yield break;
        }

        if (Writes(statement, "merge") is { } merge)
        {
            foreach (var refusal in OfMerge(statement, merge))
            {
                yield return refusal;
            }
        }
        else if ((Writes(statement, "update") ?? Writes(statement, "delete")) is not null
            && CitusFunctions.FindVolatile(statement) is { } function)
        {
            yield return new(
                $"Citus refuses {function}, which is VOLATILE, in UPDATE and DELETE.",
                "Compute the values in a task of the application (AddTask), or let a column's default do it: ADD " +
                $"COLUMN ... DEFAULT {function}() fills the rows there are.");
        }

        foreach (var refusal in OfInsert(statement))
        {
            yield return refusal;
        }
    }

    /// <summary>Where a statement, or a query of its WITH, begins to write so. FOR UPDATE and ON UPDATE
    /// don't.</summary>
    private static int? Writes(IReadOnlyList<Lexeme> statement, string verb)
    {
        for (var at = 0; at < statement.Count; at++)
        {
            if (statement[at].Is(verb) && (at == 0 || statement[at - 1].Is('(') || statement[at - 1].Is(')')))
            {
                return at;
            }
        }

        return null;
    }

    private static IEnumerable<CitusRefusal> OfMerge(IReadOnlyList<Lexeme> statement, int merge)
    {
        if (!ReadsTable(statement, merge))
        {
            yield return new(
                "Citus refuses MERGE from rows that come from no table (VALUES, a function, a SELECT without FROM).",
                "Write INSERT ... ON CONFLICT.");
        }

        if (WordReader.Has(statement, "returning"))
        {
            yield return new("Citus refuses MERGE ... RETURNING.", "Leave RETURNING out.");
        }

        if (CitusFunctions.FindMutable(statement) is { } function)
        {
            yield return new(
                $"Citus refuses {function} in MERGE: only IMMUTABLE functions are allowed there.",
                "Write it as a value.");
        }
    }

    /// <summary>Whether the source, or a query that it takes from WITH, names a table.</summary>
    private static bool ReadsTable(IReadOnlyList<Lexeme> statement, int merge)
    {
        var common = statement.Where((word, at) => word.IsIdentifier && at + 2 < merge && statement[at + 1].Is("as")
            && (statement[at + 2].Is('(') || statement[at + 2].Is("materialized") || statement[at + 2].Is("not")))
            .Select(word => word.Text).ToHashSet(StringComparer.Ordinal);
        for (var at = 0; at + 1 < statement.Count; at++)
        {
            if (!(statement[at].Is("from") || statement[at].Is("join") || statement[at].Is("using") && at > merge))
            {
                continue;
            }

            var words = new WordReader([.. statement.Skip(at + 1)]);
            words.Skip("only", "lateral");
            var qualified = words.At(1).Is('.');
            if (!words.Current.Is('(') && words.TakeName() is { } name && !words.Current.Is('(')
                && (qualified || !common.Contains(name)))
            {
                return true;
            }
        }

        return false;
    }

    private static IEnumerable<CitusRefusal> OfInsert(IReadOnlyList<Lexeme> statement)
    {
        if (Writes(statement, "insert") is not { } insert)
        {
            yield break;
        }

        var words = new WordReader([.. statement.Skip(insert)]);
        words.Skip("insert", "into");
        _ = words.TakeName();
        if (words.Take("as"))
        {
            _ = words.TakeName();
        }

        if (!words.Current.Is('(') || words.At(1).IsIdentifier)
        {
            _ = words.TakeList();
        }

        words.Skip("overriding", "user", "system", "value");
        if (words.Take("values"))
        {
            var rows = words.Rest.TakeWhile(word => !word.Is("conflict") && !word.Is("returning"));
            if (rows.Any(word => word.Is("select")))
            {
                yield return new("Citus refuses a subquery in VALUES.", "Write INSERT ... SELECT.");
            }
        }

        var update = statement.Index().FirstOrDefault(word => word.Item.Is("update") && word.Index > 0
            && statement[word.Index - 1].Is("do")).Index;
        if (update > 0 && CitusFunctions.FindMutable([.. statement.Skip(update)]) is { } function)
        {
            yield return new(
                $"Citus refuses {function} in ON CONFLICT DO UPDATE: only IMMUTABLE functions are allowed there.",
                "Take the value from EXCLUDED.");
        }
    }
}
