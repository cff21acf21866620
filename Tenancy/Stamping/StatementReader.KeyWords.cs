namespace Tenancy.Stamping;

/// <summary>
/// What each key word says of the names that follow it. Words that PostgreSQL doesn't reserve may be names themselves:
/// the conditions tell.
/// </summary>
internal sealed partial class StatementReader
{
    /// <returns>False where the word is a name.</returns>
    private bool ReadKeyWord(string word, Lexeme previous)
    {
        switch (word)
        {
            case "select" when _verb is not ("grant" or "revoke"):
                _frame.HasQuery = true;
                return Expect(Expecting.Expression);
            case "from" when _verb == "create" && _kind is "trigger" or "statistics" && _frames.Count == 0:
                return Expect(Expecting.Target);
            case "from" or "to" when _verb is "grant" or "revoke" && _frames.Count == 0:
                return Expect(Expecting.Expression);
            case "from" when _frame.HasQuery && !IsDistinctFrom(previous):
                var deletes = _frame.Deletes;
                _frame.Deletes = false;
                return Expect(deletes ? Expecting.Target : Expecting.Table);
            case "from":
                return true;
            case "join":
                return Expect(Expecting.Table);
            case "table" or "index" or "materialized" or "view" or "verbose" or "full" or "freeze" or "analyze"
                when _frame.Expects == Expecting.Target && IsMaintenance:
                return true;
            case "table" when !StartsQuery(previous)
                && _verb is "create" or "alter" or "drop" or "comment" or "truncate" or "lock" or "grant" or "revoke"
                    || previous.Is("into"):
                return _frame.Expects == Expecting.Target || _frames.Count > 0 || _kind != "table"
                    || Expect(Expecting.Target);
            case "table":
                _frame.HasQuery = true;
                return Expect(Expecting.Table);
            case "only" or "lateral" when _frame.Expects is Expecting.Table or Expecting.Target:
                return true;
            case "rows" when _frame.Expects == Expecting.Table && Current().Is("from"):
                _at++;
                return true;
            case "if" when Current().Is("not") || Current().Is("exists"):
            case "not" or "exists" when previous.Is("if") || previous.Is("not"):
            case "concurrently"
                when _frame.Expects == Expecting.Target || _frame.Expects == Expecting.Schema && _verb == "reindex":
            case "unlogged" when previous.Is("into"):
                return true;
            case "on" when IsDefinition && _kind is not ("table" or "statistics") && _frames.Count == 0
                && !previous.Is("distinct")
                && _frame.Expects is Expecting.Expression or Expecting.AfterTarget or Expecting.AfterSchema:
                return ReadOn();
            case "on":
                return Expect(_frame.Expects == Expecting.AfterTable ? Expecting.JoinCondition : Expecting.Expression);
            case "using" when _frame.UsingNamesTable:
                _frame.UsingNamesTable = false;
                return Expect(Expecting.Table);
            case "using":
                return _frame.Expects != Expecting.AfterTable || Expect(Expecting.JoinCondition);
            case "where" or "group" or "having" or "window" or "order" or "limit" or "offset" or "fetch" or "for"
                or "union" or "intersect" or "except" or "returning" or "when":
                return Expect(Expecting.Expression);
            case "values" when Current().Is('(')
                && (_frame.Expects is Expecting.Expression or Expecting.AfterTarget or Expecting.AfterCommonTable
                    || (_frame.Expects == Expecting.Table && previous.Is('('))):
                return Expect(Expecting.Expression);
            case "set" when Current().Is("schema") && _verb == "alter":
                _at++;
                return Expect(Expecting.Schema);
            case "set" when _frame.Updates && _frame.Expects == Expecting.AfterTarget:
                _frame.Updates = false;
                return Expect(Expecting.Expression);
            case "into":
                _rules.RefuseTemporary(_at);
                return Expect(Expecting.Target);
            case "insert" when IsStatementStart(previous):
                return Expect(Expecting.Expression);
            case "update" when IsStatementStart(previous):
                _frame.HasQuery = _frame.Updates = true;
                return Expect(Expecting.Target);
            case "delete" when IsStatementStart(previous):
                _frame.HasQuery = _frame.Deletes = _frame.UsingNamesTable = true;
                return true;
            case "merge" when IsStatementStart(previous):
                _frame.HasQuery = _frame.UsingNamesTable = true;
                return true;
            case "with" when StartsCommonTables():
                if (Current().Is("recursive"))
                {
                    _at++;
                    KnowRecursive(_at);
                }

                return Expect(Expecting.CommonTable);
            case "references":
                _frame.Role = NameRole.Reference;
                return Expect(Expecting.Target);
            case "inherits" when IsDefinition && Current().Is('('):
            case "inherit" when _verb == "alter" && _kind == "table" && _frames.Count == 0:
                // Not to read: the parent has the child's rows, and is locked and altered.
                return Expect(Expecting.Target);
            case "atomic" when previous.Is("begin") && _verb == "create":
                // The body's first statement.
                EndStatement();
                BeginStatement();
                return true;
            case "like" when _verb == "create" && (previous.Is('(') || previous.Is(',')):
                _frame.Role = NameRole.Read;
                return Expect(Expecting.Target);
            case "schema" when _kind == "schema" || _verb is "grant" or "revoke" or "reindex" || previous.Is("in"):
                return _frame.Expects == Expecting.Schema || Expect(Expecting.Schema);
            case "to" when previous.Is("rename") && _verb == "alter" && _kind == "schema":
                return Expect(Expecting.Schema);
            case "configuration" or "dictionary" or "parser" or "template"
                when IsDefinition && _kind == "text" && _frames.Count == 0 && previous.Is("search"):
                return Expect(Expecting.Target);
            case "class" or "family" when _kind == "operator" && previous.Is("operator"):
                return true;
            case "view" or "sequence" or "index" or "type" or "domain" or "function" or "procedure" or "routine"
                or "aggregate" or "operator" or "collation" or "conversion" or "statistics" or "column"
                when IsDefinition && _frames.Count == 0 && _frame.Expects == Expecting.Expression && _kind == word:
                // An index has its table's schema and is named without one.
                return word == "index" && _verb == "create" || Expect(Expecting.Target);
            case "partition" when _verb == "alter" && (previous.Is("attach") || previous.Is("detach")):
                return Expect(Expecting.Target);
            case "of" when _verb == "create" && previous.Is("partition"):
                return Expect(Expecting.Target);
            case "as" or "and" or "or" or "in" or "is" or "cross" or "left" or "right" or "inner" or "outer" or "full"
                or "natural" or "tablesample" or "default" or "all" or "distinct":
                if (word == "as" && _frame.Expects == Expecting.AfterCommonTable)
                {
                    _frame.Expects = Expecting.CommonTableBody;
                }

                return true;
            case "not" or "materialized" when _frame.Expects == Expecting.CommonTableBody:
                return true;
            default:
                return false;
        }
    }

    /// <summary>AS TABLE x, (TABLE x), UNION ALL TABLE x: a query, even inside CREATE VIEW.</summary>
    private static bool StartsQuery(Lexeme previous) =>
        previous.Is('(') || previous.Is(')')
            || previous is { Kind: LexemeKind.Word,
                Text: "as" or "union" or "intersect" or "except" or "all" or "distinct" };

    private bool StartsCommonTables()
    {
        var at = Current().Is("recursive") ? 1 : 0;
        return Next(at).IsIdentifier
            && (Next(at + 1).Is('(')
                || Next(at + 1).Is("as")
                    && (Next(at + 2).Is('(') || Next(at + 2).Is("not") || Next(at + 2).Is("materialized")));
    }

    /// <summary>In WITH RECURSIVE each knows all, those after it too.</summary>
    private void KnowRecursive(int at)
    {
        while (At(at).IsIdentifier)
        {
            _frame.CommonTables.Add(At(at).Text);
            at = At(at + 1).Is('(') ? _rules.Closing(at + 1) + 1 : at + 1;
            while (At(at).Is("as") || At(at).Is("not") || At(at).Is("materialized"))
            {
                at++;
            }

            at = _rules.Closing(at) + 1;
            if (!At(at).Is(','))
            {
                return;
            }

            at++;
        }
    }

    private bool IsDistinctFrom(Lexeme previous) =>
        previous.Is("distinct") && _at >= 3 && (_sql[_at - 3].Is("is") || _sql[_at - 3].Is("not"));

    /// <summary>
    /// Not FOR UPDATE, ON DELETE, DO UPDATE, BEFORE INSERT OR UPDATE, THEN DELETE, GRANT SELECT, UPDATE.
    /// </summary>
    private bool IsStatementStart(Lexeme previous) =>
        _verb is not ("grant" or "revoke") && _frame.Expects is Expecting.Expression or Expecting.AfterCommonTable
            && previous is not { Kind: LexemeKind.Word,
                Text: "for" or "key" or "on" or "do" or "then" or "before" or "after" or "or" or "of" };
}
