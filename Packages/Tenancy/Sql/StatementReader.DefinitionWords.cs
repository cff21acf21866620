namespace Tenancy.Sql;

/// <summary>
/// The meaning of each key word for the names behind it. Words that PostgreSQL doesn't reserve may be names themselves:
/// the conditions tell.
/// </summary>
internal sealed partial class StatementReader
{
    /// <returns>False where the word is a name.</returns>
    private bool ReadKeyWord(string word, Lexeme previous)
    {
        switch (word)
        {
            case "from" when _verb == "create" && _kind is "trigger" or "statistics" && Depth == 0:
                return Expect(Expecting.Target);
            case "from" or "to" when _verb is "grant" or "revoke" && Depth == 0:
                return Expect(Expecting.Expression);
            case "from":
                return true;
            case "table" or "index" or "materialized" or "view" or "verbose" or "full" or "freeze" or "analyze"
                when _frame.Expects == Expecting.Target && IsMaintenance:
                return true;
            case "table" when _verb is "create" or "alter" or "drop" or "comment" or "truncate" or "lock" or "grant"
                or "revoke":
                return _frame.Expects == Expecting.Target || Depth > 0 || _kind != "table"
                    || Expect(Expecting.Target);
            case "table":
                return true;
            case "only" when _frame.Expects == Expecting.Target:
                return true;
            case "if" when Current().Is("not") || Current().Is("exists"):
            case "not" or "exists" when previous.Is("if") || previous.Is("not"):
            case "concurrently"
                when _frame.Expects == Expecting.Target || _frame.Expects == Expecting.Schema && _verb == "reindex":
                return true;
            case "on" when IsDefinition && _kind is not ("table" or "statistics") && Depth == 0
                && !previous.Is("distinct")
                && _frame.Expects is Expecting.Expression or Expecting.AfterTarget or Expecting.AfterSchema:
                return ReadOn();
            case "on" or "where" or "group" or "order" or "for" or "when":
                return Expect(Expecting.Expression);
            case "using":
                return true;
            default:
                return ReadWordOfObject(word, previous);
        }
    }

    /// <summary>The words that say what kind of object comes, or whose it is.</summary>
    /// <returns>False where the word is a name.</returns>
    private bool ReadWordOfObject(string word, Lexeme previous)
    {
        switch (word)
        {
            case "set" when Current().Is("schema") && _verb == "alter":
                _at++;
                return Expect(Expecting.Schema);
            case "references" when _verb is not ("grant" or "revoke"):
                _frame.Role = NameRole.Reference;
                return Expect(Expecting.Target);
            case "inherits" when IsDefinition && Current().Is('('):
            case "inherit" when _verb == "alter" && _kind == "table" && Depth == 0 && KeyWords.IsName(Current()):
                // Not to read: the parent has the child's rows, and is locked and altered. CHECK (...) NO INHERIT names
                // none.
                return Expect(Expecting.Target);
            case "like" when _verb == "create" && (previous.Is('(') || previous.Is(',')):
                _frame.Role = NameRole.Read;
                return Expect(Expecting.Target);
            case "schema" when _kind == "schema" || _verb is "grant" or "revoke" or "reindex" || previous.Is("in"):
                return _frame.Expects == Expecting.Schema || Expect(Expecting.Schema);
            case "to" when previous.Is("rename") && _verb == "alter" && _kind == "schema":
                return Expect(Expecting.Schema);
            case "configuration" or "dictionary" or "parser" or "template"
                when IsDefinition && _kind == "text" && Depth == 0 && previous.Is("search"):
                return Expect(Expecting.Target);
            case "class" or "family" when _kind == "operator" && previous.Is("operator"):
                return true;
            case "view" or "sequence" or "index" or "type" or "domain" or "function" or "procedure" or "routine"
                or "aggregate" or "operator" or "collation" or "conversion" or "statistics" or "column"
                when IsDefinition && Depth == 0 && _frame.Expects == Expecting.Expression && _kind == word:
                // An index has its table's schema and is named without one.
                return word == "index" && _verb == "create" || Expect(Expecting.Target);
            case "partition" when _verb == "alter" && (previous.Is("attach") || previous.Is("detach")):
                return Expect(Expecting.Target);
            case "of" when _verb == "create" && previous.Is("partition"):
                return Expect(Expecting.Target);
            case "as" or "and" or "or" or "in" or "is" or "default" or "all" or "distinct":
                return true;
            default:
                return false;
        }
    }
}
