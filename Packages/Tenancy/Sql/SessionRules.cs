using Tenancy.Guard;

namespace Tenancy.Sql;

/// <summary>
/// Refuses commands whatever they name: those that leave something in the session, which the pool hands to the next
/// tenant (and PgBouncer in transaction mode to anybody); change what all share; run SQL that can't be seen.
/// </summary>
internal sealed partial class SessionRules(List<Lexeme> sql)
{
    private static readonly HashSet<string> Global =
        ["extension", "role", "user", "group", "database", "tablespace", "publication", "subscription", "server",
            "foreign", "language", "trusted", "event", "access", "cast", "transform", "system", "owned", "large",
            "procedural", "rule"];

    private static readonly HashSet<string> SessionLocks =
        ["pg_advisory_lock", "pg_advisory_lock_shared", "pg_try_advisory_lock", "pg_try_advisory_lock_shared",
            "pg_advisory_unlock", "pg_advisory_unlock_shared", "pg_advisory_unlock_all"];

    private static readonly HashSet<string> RunText = ["ts_stat", "ts_rewrite", "dblink", "dblink_exec", "dblink_open",
        "dblink_send_query"];

    private static readonly HashSet<string> Sequences = ["nextval", "setval", "currval"];

    // PostgreSQL 18 has them, for whoever may MAINTAIN the table.
    private static readonly HashSet<string> Statistics = ["pg_restore_relation_stats", "pg_restore_attribute_stats",
        "pg_clear_relation_stats", "pg_clear_attribute_stats"];

    private int[]? _closings;

    /// <summary>The key word that a statement begins with, EXPLAIN left out, and where it stands.</summary>
    /// <exception cref="CommandRefusedException">No tenant's statement begins so.</exception>
    public string Verb(ref int at)
    {
        if (At(at).Is("explain"))
        {
            at = AfterExplain(at);
        }

        if (At(at).Kind != LexemeKind.Word)
        {
            return "";
        }

        var verb = At(at).Text;
        switch (verb)
        {
            case "set":
                RefuseSet(at + 1);
                break;
            case "reset" or "discard":
                throw Session($"{verb.ToUpperInvariant()} changes the session's settings");
            case "listen" or "unlisten":
                throw Session(
                    $"{verb.ToUpperInvariant()} belongs to the session: listen on a connection of your own, " +
                    "outside the pool");
            case "prepare" or "execute" or "deallocate":
                throw Session($"{verb.ToUpperInvariant()} keeps its statement, or its transaction, in the session");
            case "begin" or "start" or "commit" or "end" or "abort":
            case "rollback" when !FindInStatement(at, "to"):
                throw Session(
                    $"{verb.ToUpperInvariant()} in a text begins or ends a transaction that EF and Npgsql don't know " +
                    "of. Use BeginTransaction");
            case "load":
                throw Session("LOAD brings a library into the session");
            case "do":
                throw Hidden(
                    "A DO block belongs in a migration, where its body is read. Write plain statements");
            case "create" or "alter" or "drop" or "comment":
                RefuseTemporary(at + 1);
                RefuseGlobal(at);
                if (verb is "create" or "alter" && At(at + 1).Is("foreign"))
                {
                    throw ForeignTable();
                }

                break;
            case "grant" or "revoke" when !FindInStatement(at, "on"):
                throw GlobalObject($"{verb} of a role");
            case "copy":
                RefuseFile(at);
                break;
            case "reassign" or "import" or "security":
                throw GlobalObject(verb);
        }

        return verb;
    }

    /// <summary>Where the statement begins that EXPLAIN is about.</summary>
    private int AfterExplain(int at)
    {
        for (at++; At(at).Is("analyze") || At(at).Is("verbose"); at++)
        {
        }

        // EXPLAIN (SELECT ...) has no options.
        return At(at).Is('(') && !At(at + 1).Is('(') && At(at + 1) is not
        {
            Kind: LexemeKind.Word,
            Text: "select" or "with" or "table" or "values",
        } ? Closing(at) + 1 : at;
    }

    /// <summary>The kind of object that CREATE, ALTER, DROP or COMMENT ON is about: table, index, view...</summary>
    public string Kind(int verb)
    {
        for (var at = verb + 1; At(at).Kind == LexemeKind.Word; at++)
        {
            if (At(at).Text is not ("or" or "replace" or "unique" or "unlogged" or "materialized" or "recursive"
                or "constraint" or "on" or "force" or "foreign")
                || At(at).Is("constraint") && !At(at + 1).Is("trigger")
                || At(at).Is("foreign") && !At(at + 1).Is("table"))
            {
                return At(at).Text;
            }
        }

        return "";
    }

    /// <summary>Whether a COPY writes its table.</summary>
    public bool CopiesIn(int verb) => FindInStatement(verb, "from");

    /// <summary>CREATE TEMP TABLE; SELECT INTO TEMP.</summary>
    public void RefuseTemporary(int at)
    {
        while (At(at).Is("or") || At(at).Is("replace") || At(at).Is("local") || At(at).Is("global"))
        {
            at++;
        }

        if ((At(at).Is("temp") || At(at).Is("temporary")) && At(at + 1).IsIdentifier)
        {
            throw Session(
                "A temporary table lives as long as the session. Use a common table expression (WITH), or a table in " +
                "the tenant's schema");
        }
    }

    /// <param name="function">The called function's name, without its schema.</param>
    /// <param name="at">Where its arguments open.</param>
    public void RefuseCall(string function, int at)
    {
        if (SessionLocks.Contains(function))
        {
            throw Session(
                $"{function} locks for the session. Use pg_advisory_xact_lock, which ends with the transaction");
        }

        if (RunText.Contains(function) || function.Contains("_to_xml", StringComparison.Ordinal))
        {
            throw Hidden($"{function} runs SQL that stands in a text. Write the query itself");
        }

        if (Sequences.Contains(function))
        {
            throw Hidden(
                $"{function} names its sequence in a text that isn't the tenant's alone. Use an identity column, or " +
                $"nextval('\"{TenantPlaceholder.Schema}\".numbers'), with nothing else in the literal");
        }

        if (Statistics.Contains(function))
        {
            throw Hidden($"{function} names its table in a text, which is never rewritten. Use ANALYZE");
        }

        if (function == "set_config")
        {
            RefuseSetConfig(at);
        }
    }

    private void RefuseSetConfig(int at)
    {
        var name = At(at + 1).Kind == LexemeKind.Literal && At(at + 2).Is(',')
            ? SettingRules.PlainName(At(at + 1).Text)
            : null;
        if (name is null || !EndsInTrue(at))
        {
            throw Session(
                "set_config without a third argument that is plainly true, or with a name that isn't a plain " +
                "literal, may set for the session. Write set_config('name', value, true)");
        }

        RefuseSetting(name);
    }

    private void RefuseSet(int at)
    {
        if (At(at).Is("transaction") || At(at).Is("constraints"))
        {
            return;
        }

        if (!At(at).Is("local"))
        {
            throw Session("SET without LOCAL sets for the session");
        }

        RefuseSetting(SettingAt(at + 1));
    }

    /// <summary>SET LOCAL name, SET LOCAL a.b, and the settings that SQL gives words of their own.</summary>
    private string SettingAt(int at) => (At(at), At(at + 1)) switch
    {
        ({ Text: "time" }, { Text: "zone" }) => "TimeZone",
        ({ Kind: LexemeKind.Word, Text: "names" }, _) => "client_encoding",
        ({ Kind: LexemeKind.Word, Text: "schema" }, _) => "search_path",
        ({ Text: "session" }, _) => "session_authorization",
        ({ Text: "transaction" }, _) => "transaction_isolation",
        ({ Text: "xml" }, { Text: "option" }) => "xmloption",
        var (first, second) => second.Is('.') ? $"{first.Text}.{At(at + 2).Text}" : first.Text ?? "",
    };

    private static void RefuseSetting(string name)
    {
        if (SettingRules.WhyNotSet(name) is { } why)
        {
            throw Session(why, local: true);
        }
    }

    private void RefuseGlobal(int verb)
    {
        var kind = Kind(verb);
        if (Global.Contains(kind) || kind == "default" && !FindInStatement(verb, "schema"))
        {
            throw GlobalObject($"{At(verb).Text} {kind}");
        }
    }

    /// <summary>
    /// COPY from or to a file or a program of the server, which is everyone's; STDIN and STDOUT are the client's.
    /// </summary>
    private void RefuseFile(int verb)
    {
        for (var at = verb; at < sql.Count && !At(at).Is(';'); at++)
        {
            if ((At(at).Is("from") || At(at).Is("to"))
                && (At(at + 1).Kind == LexemeKind.Literal
                    || At(at + 1).Is("program") && At(at + 2).Kind == LexemeKind.Literal))
            {
                throw new CommandRefusedException(
                    CommandRule.GlobalObject,
                    "COPY reads or writes a file, or runs a program, of the server, which is no tenant's: use FROM " +
                    "STDIN or TO STDOUT.");
            }
        }
    }

    /// <summary>SET name of a routine: RESET follows by itself, but some settings change what a text means.</summary>
    public void RefuseSettingAt(int at) => RefuseSetting(SettingAt(at));

    private bool EndsInTrue(int open)
    {
        var close = Closing(open);
        return At(close - 1).Is("true") && At(close - 2).Is(',');
    }

    /// <summary>Where what opens at that place closes; that place itself where nothing opens.</summary>
    public int Closing(int open)
    {
        _closings ??= Closings();
        return open < sql.Count && At(open).Is('(') ? _closings[open] : open;
    }

    private int[] Closings()
    {
        var closings = new int[sql.Count];
        var open = new Stack<int>();
        for (var at = 0; at < sql.Count; at++)
        {
            if (At(at).Is('('))
            {
                closings[at] = sql.Count;
                open.Push(at);
            }
            else if (At(at).Is(')') && open.TryPop(out var opening))
            {
                closings[opening] = at;
            }
        }

        return closings;
    }

    private bool FindInStatement(int at, string word)
    {
        var depth = 0;
        for (; at < sql.Count && !At(at).Is(';'); at++)
        {
            depth += At(at).Is('(') ? 1 : At(at).Is(')') ? -1 : 0;
            if (depth == 0 && At(at).Is(word))
            {
                return true;
            }
        }

        return false;
    }

    private Lexeme At(int at) => at >= 0 && at < sql.Count ? sql[at] : default;
}
