namespace Tenancy.Sql;

/// <summary>
/// Functions, procedures and DO blocks: their bodies are text for PostgreSQL's grammar, and SQL for whoever calls them.
/// </summary>
internal sealed partial class StatementReader
{
    /// <summary>The names in a body's statement.</summary>
    internal static NameUse[] Names(string sql, BodyScope scope)
    {
        try
        {
            var reader = new StatementReader(sql, scope, inMigration: false);
            reader.Read();
            reader.RefusePlaceholderInLiterals();
            return [.. reader._names.Distinct()];
        }
        catch (CommandRefusedException refusal) when (!refusal.Message.StartsWith(InBody, StringComparison.Ordinal))
        {
            var line = sql.ReplaceLineEndings(" ").Trim();
            throw new CommandRefusedException(
                refusal.Rule,
                $"{InBody} {(line.Length > MostShown ? line[..MostShown] + "..." : line)}: {refusal.Message}");
        }
    }

    private const string InBody = "In a body, at";
    private const int MostShown = 80;

    private readonly HashSet<int> _bodies = [];

    /// <summary>DO [LANGUAGE name] body [LANGUAGE name]</summary>
    private void ReadBlock()
    {
        Need("do");
        var language = "plpgsql";
        ReadLanguage();
        var body = _at;
        if (Current().Kind != LexemeKind.Literal)
        {
            Unexplained("the block's body");
        }

        _at++;
        ReadLanguage();
        ReadBody(body, language, [], ownPath: false);

        void ReadLanguage()
        {
            if (Take("language"))
            {
                language = LanguageAt(_at++);
            }
        }
    }

    /// <summary>CREATE or ALTER FUNCTION or PROCEDURE, after its names were read: its settings, and its body.</summary>
    /// <param name="start">Where the statement starts.</param>
    private void ReadRoutine(int start)
    {
        string? language = null;
        int? body = null;
        var ownPath = false;
        var depth = 0;
        var arguments = new List<string>();
        // BEGIN and ATOMIC may be names: only outside of the arguments a body follows.
        for (var at = start; at < _at && !(depth == 0 && At(at).Is("begin") && At(at + 1).Is("atomic")); at++)
        {
            depth += At(at).Is('(') ? 1 : At(at).Is(')') ? -1 : 0;
            if (depth == 1 && (At(at).Is('(') || At(at).Is(',')))
            {
                arguments.Add(ArgumentAt(at + 1));
            }
            else if (depth > 0 || At(at - 1).Is('.') || At(at).Kind != LexemeKind.Word)
            {
                continue;
            }
            else if (At(at).Is("language"))
            {
                language = LanguageAt(at + 1);
            }
            else if (At(at).Is("set") && !At(at + 1).Is("schema"))
            {
                ownPath |= ReadSetting(at + 1);
            }
            else if (At(at).Is("reset") && (At(at + 1).Is("all") || At(at + 1).Is("search_path")))
            {
                throw SessionRules.ResetPath();
            }
            else if (At(at).Is("as") && At(at + 1).Kind == LexemeKind.Literal)
            {
                body = at + 1;
                if (At(at + 2).Is(','))
                {
                    language = "c";
                }
            }
        }

        if (body is { } found)
        {
            // A routine's name stands for it before its arguments: f.x.
            var open = Enumerable.Range(start, _at - start).FirstOrDefault(at => At(at).Is('('), start);
            ReadBody(found, language, [.. arguments, At(open - 1).Text ?? ""], ownPath);
        }
    }

    /// <summary>[mode] name type: the name; or, where there is none, whatever stands there.</summary>
    private string ArgumentAt(int at)
    {
        while (At(at) is { Kind: LexemeKind.Word, Text: "in" or "out" or "inout" or "variadic" })
        {
            at++;
        }

        return At(at).IsIdentifier && !At(at + 1).Is('.') ? At(at).Text : "";
    }

    private string LanguageAt(int at) => At(at).Kind == LexemeKind.Literal
        ? BodyText.Of(At(at).Text) ?? ""
        : At(at).Text ?? "";

    /// <summary>SET name = value of a routine, which holds while it runs.</summary>
    /// <returns>Whether it makes the tenant's schema the only one that tables are looked for in.</returns>
    private bool ReadSetting(int at)
    {
        if (!At(at).Is("search_path"))
        {
            _rules.RefuseSettingAt(at);
            return false;
        }

        var own = false;
        for (at++; At(at).Is('=') || At(at).Is("to") || At(at).Is(','); at += 2)
        {
            var name = At(at + 1) is { Kind: LexemeKind.Literal } literal
                ? BodyText.Of(literal.Text) ?? literal.Text
                : At(at + 1).Text ?? "";
            if (name is not (TenantPlaceholder.Schema or "pg_catalog" or "pg_temp" or ""))
            {
                throw SessionRules.ForeignPath(name);
            }

            own |= name == TenantPlaceholder.Schema;
        }

        return At(at).Is("from") ? throw SessionRules.ForeignPath("FROM CURRENT") : own;
    }

    private void ReadBody(int at, string? language, IEnumerable<string> variables, bool ownPath)
    {
        _bodies.Add(at);
        var level = (_scope?.Level ?? 0) + 1;
        if (level > BodyScope.MostLevels)
        {
            throw SessionRules.UnreadBody("bodies in bodies, too many to be read");
        }

        var text = BodyText.Of(At(at).Text)
            ?? throw SessionRules.UnreadBody("a body in escapes or in several pieces: write it between $$ and $$");
        var scope = new BodyScope(variables.ToHashSet(StringComparer.Ordinal), ownPath, level) { Found = _found };
        foreach (var name in language switch
        {
            "sql" => Names(text, scope),
            "plpgsql" => PlpgsqlReader.Names(text, scope),
            _ => throw SessionRules.UnreadBody(
                language is null ? "a body without LANGUAGE" : $"a body in the language {language}"),
        })
        {
            AddUse(name);
        }
    }

    /// <summary>In a body the rewriter reaches the placeholder wherever it stands.</summary>
    private void RefusePlaceholderInLiterals()
    {
        for (var at = 0; at < _sql.Count; at++)
        {
            if (At(at).Kind == LexemeKind.Literal && !_bodies.Contains(at)
                && At(at).Text.Contains(TenantPlaceholder.Schema, StringComparison.Ordinal))
            {
                throw SessionRules.PlaceholderInLiteral();
            }
        }
    }
}
