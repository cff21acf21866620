using System.Text.RegularExpressions;
using static Tests.Integration.Migrations.Operation;

namespace Tests.Integration.Migrations;

/// <summary>
/// Functions, procedures, triggers and DO blocks, whose bodies are text for the catalog. T stands for the placeholder.
/// </summary>
internal static class RoutineOperations
{
    /// <summary>Without the schema on the search path: no connection of the product has it.</summary>
    private const string Call = "SELECT {0}.f()::text";

    private const string Count = "SELECT count(*) FROM T.things";

    private const string Codes = "SELECT string_agg(code, ',' ORDER BY code) FROM {0}.olds WHERE length(code) > 1";

    public static IEnumerable<Operation> All() =>
        [.. InSql(), .. InPlpgsql(), .. Triggers(), .. Blocks(), .. ForeignSql(), .. ForeignPlpgsql(), .. Unreadable()];

    private static IEnumerable<Operation> InSql() =>
    [
        Sql("a function in SQL", F("bigint", Count), Call, "2"),
        Sql("a function in SQL, in quotes",
            "CREATE FUNCTION T.f() RETURNS text LANGUAGE sql AS 'SELECT ''it''''s '' || name FROM T.things'",
            Call, "it's a"),
        Sql("a function in SQL with its own path",
            F("bigint", "SELECT count(*) FROM things", "sql SET search_path = T"), Call, "2"),
        Sql("a path with what comes first and last anyway",
            F("bigint", "SELECT count(*) FROM things", "sql SET search_path TO pg_catalog, T, pg_temp"), Call, "2"),
        Sql("a path set later", F("bigint", Count) + "; ALTER FUNCTION T.f() SET search_path = T", Call, "2"),
        Sql("a function whose body has statements",
            "CREATE FUNCTION T.f() RETURNS bigint LANGUAGE sql " +
            "BEGIN ATOMIC UPDATE T.things SET size = 3; SELECT sum(size) FROM T.things; END", Call, "6"),
        Sql("arguments are no schemas",
            "CREATE FUNCTION T.g(t T.things, n int) RETURNS text LANGUAGE sql " +
            "AS $$ SELECT t.name || g.n || (t).size $$; " +
            F("text", "SELECT T.g(t, 7) FROM T.things AS t ORDER BY id LIMIT 1"), Call, "a71"),
        Sql("a domain's default",
            "CREATE FUNCTION T.g() RETURNS int LANGUAGE sql AS 'SELECT 7'; " +
            "CREATE DOMAIN T.d AS int DEFAULT T.g(); CREATE TABLE T.made (a T.d); " +
            "INSERT INTO T.made DEFAULT VALUES", "SELECT a::text FROM {0}.made", "7"),
        Sql("a view", "CREATE VIEW T.v AS SELECT name FROM T.things", "SELECT min(name) FROM {0}.v", "a"),
    ];

    private static IEnumerable<Operation> InPlpgsql() =>
    [
        Sql("a function in PL/pgSQL",
            """
            CREATE FUNCTION T.f(OUT made text) LANGUAGE plpgsql AS $body$
            #variable_conflict use_column
            <<outside>>
            DECLARE
                total CONSTANT bigint NOT NULL := (SELECT count(*) FROM T.things);
                thing T.things%ROWTYPE;
                code T.things.name%TYPE DEFAULT 'none';
                same code%TYPE;
                many int[] = ARRAY[1, 2, 3];
                walk NO SCROLL CURSOR (least int) FOR SELECT t.* FROM T.things AS t WHERE t.size >= least;
                other refcursor;
                r record;
            BEGIN
                -- A comment's quote; and T.things in it.
                made := '';
                SELECT * INTO STRICT thing FROM T.things WHERE id = 1;
                INSERT INTO T.olds (code) VALUES (thing.name || '!') RETURNING olds.code INTO same;
                many[2:3] := ARRAY[5, many[1]];
                IF total = 2 AND NOT found THEN made := made || 'not found';
                ELSIF total = 2 THEN made := made || thing.name || same;
                ELSE RAISE 'none';
                END IF;
                FOR i IN REVERSE 3..1 BY 2 LOOP made := made || i; CONTINUE WHEN i > 1; EXIT; END LOOP;
                FOR r IN SELECT name, size FROM T.things ORDER BY id LOOP made := made || r.name; END LOOP;
                FOR r IN walk(least := 2) LOOP made := made || r.size; END LOOP;
                FOREACH code IN ARRAY ARRAY['x', 'y'] LOOP made := made || code; END LOOP;
                OPEN other FOR SELECT name FROM T.things ORDER BY id DESC;
                FETCH NEXT FROM other INTO outside.code;
                CLOSE other;
                made := made || code || many[2];
                BEGIN
                    PERFORM 1 / (t.size - t.size) FROM T.things AS t;
                EXCEPTION WHEN division_by_zero OR SQLSTATE '22013' THEN
                    GET STACKED DIAGNOSTICS code = RETURNED_SQLSTATE;
                    made := made || code;
                END;
                EXECUTE 'UPDATE T.things SET size = size + $1' USING many[1];
                EXECUTE format('SELECT sum(%I)::text || %L FROM T.%I', 'size', '''', 'things') INTO code;
                CASE code WHEN '5''' THEN made := made || code; ELSE NULL; END CASE;
                WHILE length(made) < 30 LOOP made := made || '.'; END LOOP;
                ASSERT total > 0, 'nothing';
                RAISE NOTICE 'made % of %', made, total USING HINT = 'none';
            END outside $body$;
            """, Call, "aa!31ab2xyb5220125'..........."),
        Sql("a procedure",
            "CREATE PROCEDURE T.p(n int) LANGUAGE plpgsql AS $$ BEGIN UPDATE T.things SET size = n; END $$; " +
            "CALL T.p(9)", "SELECT sum(size)::text FROM {0}.things", "18"),
    ];

    private static IEnumerable<Operation> Triggers() =>
    [
        Sql("a trigger", Trigger("INSERT INTO T.olds (code) VALUES (NEW.name || TG_OP);"), Codes, "aUPDATE"),
        Sql("a trigger that is told its schema",
            Trigger("EXECUTE format('INSERT INTO %I.olds (code) VALUES ($1.name || ''!'')', TG_TABLE_SCHEMA) USING NEW;"),
            Codes, "a!"),
    ];

    private static IEnumerable<Operation> Blocks() =>
    [
        Sql("a block",
            "DO $$ DECLARE t record; BEGIN FOR t IN SELECT * FROM T.things LOOP " +
            "INSERT INTO T.olds (code) VALUES (t.name || '!'); END LOOP; END $$", Codes, "a!,b!"),
        Sql("a block that runs text",
            "DO LANGUAGE plpgsql $x$ BEGIN EXECUTE 'CREATE TABLE T.made (a text DEFAULT ''x'')'; END $x$",
            "SELECT count(*)::text FROM {0}.made", "0"),
        Sql("a block that makes a function", $"DO $x$ BEGIN {F("bigint", Count)}; END $x$", Call, "2"),
    ];

    private static IEnumerable<Operation> ForeignSql() =>
    [
        No("a body without a schema", F("bigint", "SELECT count(*) FROM things"), "'things' is named without a schema"),
        No("a body that names another's", F("int", "SELECT size FROM customer_globex.things"), "'customer_globex'"),
        No("a path that is another's", F("int", "SELECT 1", "sql SET search_path = T, customer_globex"),
            "customer_globex"),
        No("a path that has public", "ALTER FUNCTION T.f() SET search_path TO T, public", "public"),
        No("a setting that changes texts", F("int", "SELECT 1", "sql SET standard_conforming_strings = off"),
            "standard_conforming_strings"),
        No("arguments that look like a body",
            "CREATE FUNCTION T.f(begin int, atomic int) RETURNS int LANGUAGE sql " +
            "AS $$ SELECT size FROM customer_globex.things $$", "customer_globex"),
        No("a block over another's", "DO $$ BEGIN DELETE FROM customer_globex.things; END $$", "customer_globex"),
        No("a trigger's argument",
            "CREATE TRIGGER t AFTER UPDATE ON T.things EXECUTE FUNCTION T.t('\"__Tenant__\"')", "literal"),
    ];

    private static IEnumerable<Operation> ForeignPlpgsql() =>
    [
        No("an unqualified insert", P("INSERT INTO things (name) VALUES ('x');"), "'things' is named without a schema"),
        No("a loop over another's", P("FOR r IN SELECT * FROM customer_globex.things LOOP NULL; END LOOP;"),
            "customer_globex"),
        No("a condition over another's", P("IF EXISTS (SELECT FROM customer_globex.things) THEN NULL; END IF;"),
            "customer_globex"),
        No("a query for a value", P("r := count(*) FROM customer_globex.things;"), "customer_globex"),
        No("a row type of another's", P("", "customer_globex.things%ROWTYPE"), "customer_globex"),
        No("a row type with the database's name", P("", "postgres.customer_globex.things.name%TYPE"), "'postgres'"),
        No("a column's type of nobody's", P("", "things.name%TYPE"), "'things'"),
        No("a cursor's query", P("", "CURSOR FOR SELECT * FROM things"), "'things'"),
        No("a name that looks like space", P("DELETE FROM T.things USING \u00a0 x;"), "'\u00a0'"),
        No("the schema as data in a body", P("PERFORM '\"__Tenant__\".things';"), "inside a literal of a routine's body"),
        No("text run that names nobody's", P("RETURN QUERY EXECUTE 'SELECT * FROM things';"), "'things'"),
        No("a schema from a variable", P("EXECUTE format('SELECT * FROM %I.things', name);"), "%I"),
    ];

    private static IEnumerable<Operation> Unreadable() =>
    [
        No("text that is put together", P("EXECUTE 'SELECT * FROM ' || name;"), "Write the statement out"),
        No("a format that isn't quoted", P("EXECUTE format('SELECT * FROM %s', name);"), "Write the statement out"),
        No("a loop over such text", P("FOR r IN EXECUTE name LOOP NULL; END LOOP;"), "Write the statement out"),
        No("a transaction's end", P("COMMIT;"), "COMMIT"),
        No("what changes the session", P("SET search_path = public;"), "SET"),
        No("another language", F("int", "return 1", "plpython3u"), "plpython3u"),
        No("a library", "CREATE FUNCTION T.f() RETURNS int LANGUAGE c AS 'library', 'symbol'", "shared migrations"),
        No("a body in escapes", "CREATE FUNCTION T.f() RETURNS int LANGUAGE sql AS E'SELECT 1'", "between $$ and $$"),
        No("a body that isn't PL/pgSQL", "DO $$ BEGIN IF true DELETE FROM T.things; END $$", "THEN"),
        No("a body that is never closed", "DO $$ BEGIN FOR r IN 1..", "never closed"),
        No("a loop that is cut off", "DO $$ BEGIN FOR r IN 1.. $$", "LOOP"),
    ];

    private static string F(string returns, string body, string language = "sql") =>
        $"CREATE FUNCTION T.f() RETURNS {returns} LANGUAGE {language} AS $$ {body} $$";

    private static string P(string statement, string type = "record") =>
        "CREATE FUNCTION T.f(name text) RETURNS SETOF int LANGUAGE plpgsql " +
        $"AS $$ DECLARE r {type}; BEGIN {statement} END $$";

    private static string Trigger(string statement) =>
        $"CREATE FUNCTION T.t() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {statement} RETURN NEW; END $$; " +
        "CREATE TRIGGER t AFTER UPDATE ON T.things FOR EACH ROW WHEN (NEW.id = 1) EXECUTE FUNCTION T.t(); " +
        "UPDATE T.things SET size = 5";

    private static Operation Sql(string name, string sql, string query, string answer) =>
        Works($"Sql: {name}", b => b.Sql(WithPlaceholder(sql)), query, answer);

    private static Operation No(string name, string sql, string refusal) =>
        Refused($"Sql: {name}", b => b.Sql(WithPlaceholder(sql)), refusal);

    private static string WithPlaceholder(string sql) =>
        Regex.Replace(sql, @"\bT\b", $"\"{Operations.Schema}\"", RegexOptions.None, TimeSpan.FromSeconds(1));
}
