using Tenancy.Sql;

namespace Tenancy.Migrations;

/// <summary>A command that can't run in a transaction, in the forms it takes besides its own.</summary>
/// <param name="InTransaction">The same end in a transaction, where nobody is there to be kept waiting: without
/// CONCURRENTLY.</param>
/// <param name="Again">
/// For a schema in which it was interrupted: nobody knows how far it came. An index that was begun is there, valid or
/// not, and goes first; one that was to go may be gone.
/// Each is sent alone: what is sent together is a transaction, too.
/// </param>
internal sealed record ConcurrentCommand(string InTransaction, IReadOnlyList<string> Again)
{
    /// <exception cref="FormatException">It is none of those that have such forms.</exception>
    public static ConcurrentCommand Of(string command)
    {
        if (Lexeme.Of(command.TrimEnd().TrimEnd(';')).Any(lexeme => lexeme.Is(';')))
        {
            throw new FormatException(
                "it is more than one statement, and statements that are sent together are a transaction: give each a " +
                "migration of its own");
        }

        var words = Words(command);
        var at = words.FindIndex(word => Is(word, "CONCURRENTLY"));
        var first = words is [var verb, ..] ? command[verb].ToUpperInvariant() : "";
        if (first is "VACUUM" or "ANALYZE")
        {
            // A new schema has nothing to clean up or to count.
            return new("", [command]);
        }

        if (at < 0)
        {
            throw new FormatException(
                "it can't run in a transaction, but a new customer's schema is made in one: of such commands only those " +
                "with CONCURRENTLY, VACUUM and ANALYZE can be done without");
        }

        var concurrently = words[at];
        var inTransaction = command.Remove(concurrently.Start.Value, concurrently.End.Value - concurrently.Start.Value);
        var after = at + 1;
        if (first == "DROP")
        {
            return new(inTransaction, [Is(words[after], "IF") ? command : command.Insert(concurrently.End.Value, " IF EXISTS")]);
        }

        if (first != "CREATE")
        {
            return new(inTransaction, [command]);
        }

        if (Is(words[after], "IF"))
        {
            // IF NOT EXISTS
            after += 3;
        }

        return Is(words[after], "ON")
            ? throw new FormatException("the index has no name, so one that was interrupted could not be found again: name it")
            : new(inTransaction, [$"DROP INDEX CONCURRENTLY IF EXISTS \"{TenantPlaceholder.Schema}\".{command[words[after]]}", command]);

        bool Is(Range word, string upper) => command[word].Equals(upper, StringComparison.OrdinalIgnoreCase);
    }

    /// <summary>Words and quoted names, in order.</summary>
    private static List<Range> Words(string command)
    {
        var words = new List<Range>();
        var tokens = new SqlTokens(command);
        while (tokens.Next(out var kind, out var start, out var end))
        {
            if (kind == SqlToken.QuotedIdentifier || (kind == SqlToken.Other && (char.IsAsciiLetter(command[start]) || command[start] == '_')))
            {
                words.Add(start..end);
            }
        }

        return words;
    }
}
