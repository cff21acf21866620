using System.Text;
using Tenancy;
using Tenancy.Sql;
using Xunit;

namespace Tests.Unit.Sql;

/// <summary>The guard reads a statement by PostgreSQL's grammar: no expression ends a FROM list for it.</summary>
public sealed class GuardGrammarTests
{
    // What PostgreSQL lets be the name of a table or a column, and never of a function or a type.
    private static readonly string[] ColumnWords =
    [
        "between", "bigint", "bit", "boolean", "char", "character", "coalesce", "dec", "decimal", "exists",
        "extract", "float", "greatest", "grouping", "inout", "int", "integer", "interval", "least", "national",
        "nchar", "none", "normalize", "nullif", "numeric", "out", "overlay", "position", "precision", "real", "row",
        "setof", "smallint", "substring", "time", "timestamp", "treat", "trim", "values", "varchar", "xmlattributes",
        "xmlconcat", "xmlelement", "xmlexists", "xmlforest", "xmlnamespaces", "xmlparse", "xmlpi", "xmlroot",
        "xmlserialize", "xmltable",
    ];

    private static readonly AllowList Shared = new(["public.currencies"], ["public"], []);

    [Theory]
    // A table behind an expression that is made to look like the end of the FROM list, with an alias as its excuse.
    [InlineData("SELECT * FROM T.a g JOIN T.b other ON CASE WHEN true THEN true END, other.contacts")]
    [InlineData("SELECT * FROM T.a other JOIN T.b ON (CASE WHEN true THEN 1 ELSE 2 END) = 1 JOIN other.contacts ON true")]
    [InlineData("SELECT * FROM T.a other JOIN T.b JOIN T.c ON true ON true, other.contacts")]
    [InlineData("SELECT * FROM T.a other JOIN T.b ON 1 = 1e1, other.contacts")]
    [InlineData("SELECT * FROM T.a other JOIN T.b ON 1. = .5, other.contacts")]
    [InlineData("SELECT * FROM T.a other JOIN T.b ON @when = 1, other.contacts")]
    [InlineData("SELECT * FROM T.a other JOIN T.b ON :where = 1, other.contacts")]
    [InlineData("SELECT * FROM T.a other JOIN T.b ON x[1:2] = ARRAY[1, 2], other.contacts")]
    [InlineData("SELECT * FROM T.a other JOIN T.b ON x IS DISTINCT FROM y, other.contacts")]
    [InlineData("SELECT * FROM T.a other JOIN T.b ON x BETWEEN 1 AND 2 AND y, other.contacts")]
    [InlineData("SELECT * FROM T.a other JOIN T.b ON count(*) FILTER (WHERE true) OVER (ORDER BY 1) > 0, other.contacts")]
    [InlineData("SELECT * FROM T.a other JOIN T.b ON x > ALL (SELECT 1 ORDER BY 1), other.contacts")]
    [InlineData("SELECT * FROM T.a other JOIN T.b ON x::int[] = '{}', other.contacts")]
    [InlineData("SELECT * FROM T.a other JOIN T.b ON x AT TIME ZONE 'a' = y, other.contacts")]
    [InlineData("SELECT * FROM T.a other JOIN T.b ON trim(both 'x' from y) = '', other.contacts")]
    [InlineData("SELECT * FROM T.a other JOIN T.b USING (id) AS j, other.contacts")]
    [InlineData("SELECT * FROM T.a other TABLESAMPLE system (1) REPEATABLE (2), other.contacts")]
    [InlineData("SELECT * FROM T.a other, LATERAL (SELECT 1) x (y), other.contacts")]
    [InlineData("SELECT * FROM T.a other, T.f() WITH ORDINALITY AS g (a, b), other.contacts")]
    [InlineData("SELECT * FROM T.a other, T.f() AS g (a int, b text), other.contacts")]
    [InlineData("SELECT * FROM T.a other, ((T.b x CROSS JOIN T.c) CROSS JOIN other.contacts)")]
    [InlineData("SELECT * FROM T.a other, ((SELECT 1) x CROSS JOIN other.contacts)")]
    [InlineData("SELECT 1 AS from, 2 in, 3 is, 4 between FROM T.a other, other.contacts")]
    [InlineData("SELECT true and FROM T.a other, other.contacts")]
    [InlineData("SELECT (((SELECT 1) UNION SELECT 2) UNION TABLE other.contacts) FROM T.a other")]
    [InlineData("SELECT 1 FROM T.a other WHERE EXISTS ((SELECT 1) UNION (TABLE other.contacts))")]
    [InlineData("SELECT ARRAY(TABLE other.contacts) FROM T.a other")]
    [InlineData("SELECT JSON_ARRAY(SELECT x FROM other.contacts RETURNING jsonb) FROM T.a other")]
    [InlineData("SELECT @array(TABLE other.contacts) FROM T.a other")]
    [InlineData("SELECT x[(SELECT 1 FROM other.contacts)] FROM T.a other")]
    [InlineData("SELECT sum(x) OVER (ORDER BY (SELECT 1 FROM other.contacts)) FROM T.a other")]
    [InlineData("SELECT 1 FROM T.a other ORDER BY (SELECT 1 FROM other.contacts)")]
    [InlineData("SELECT 1 FROM T.a other LIMIT (SELECT 1 FROM other.contacts)")]
    [InlineData("SELECT 1 FROM T.a other FETCH FIRST (SELECT 1 FROM other.contacts) ROWS ONLY")]
    [InlineData("SELECT 1 FROM T.a other GROUP BY GROUPING SETS ((), (SELECT 1 FROM other.contacts))")]
    [InlineData("INSERT INTO T.a AS other (x) VALUES ((SELECT 1 FROM other.contacts))")]
    [InlineData("INSERT INTO T.a AS other (x) (SELECT 1) ON CONFLICT (x) DO UPDATE SET x = (SELECT 1 FROM other.contacts)")]
    [InlineData("UPDATE T.a other SET (x, y) = (SELECT 1, 2 FROM other.contacts)")]
    [InlineData("UPDATE T.a other SET x[1] = 1, y.z = (TABLE other.contacts) WHERE CURRENT OF c")]
    [InlineData("DELETE FROM T.a other USING T.b x JOIN T.c ON CASE WHEN true THEN true END, other.contacts")]
    [InlineData("MERGE INTO T.a other USING (T.b x JOIN other.contacts ON true) ON true WHEN MATCHED THEN DELETE")]
    [InlineData("MERGE INTO T.a other USING T.b ON true WHEN NOT MATCHED BY SOURCE AND EXISTS (TABLE other.contacts) THEN DELETE")]
    [InlineData("WITH RECURSIVE x(a) AS (SELECT 1) SEARCH DEPTH FIRST BY a SET o, y AS (TABLE other.contacts) SELECT 1 FROM T.a other")]
    [InlineData("EXPLAIN (SELECT * FROM T.a other, other.contacts)")]
    [InlineData("EXPLAIN (COSTS OFF) SELECT * FROM T.a other, other.contacts")]
    [InlineData("DECLARE c CURSOR FOR SELECT * FROM T.a other, other.contacts")]
    [InlineData("CREATE TABLE T.other AS SELECT * FROM T.a JOIN T.b ON CASE WHEN true THEN true END, other.contacts")]
    [InlineData("CREATE TABLE T.other (x int CHECK (x IN ((SELECT 1) UNION TABLE other.contacts)))")]
    [InlineData("CREATE FUNCTION T.other() RETURNS int BEGIN ATOMIC SELECT 1 FROM T.a other, other.contacts; END")]
    [InlineData("CREATE FUNCTION T.other() RETURNS int RETURN (SELECT 1 FROM T.a other, other.contacts)")]
    [InlineData("SELECT * FROM \"__Tenant__\".other.contacts")]
    [InlineData("SELECT * FROM XMLTABLE('/x' PASSING (SELECT x FROM other.contacts) COLUMNS a int PATH 'a')")]
    [InlineData("SELECT * FROM JSON_TABLE((SELECT x FROM other.contacts), '$' COLUMNS (a int PATH '$.a'))")]
    [InlineData("SELECT * FROM T.a other, XMLTABLE('/x' PASSING x COLUMNS a other.mood)")]
    [InlineData("SELECT * FROM T.a other, JSON_TABLE(x, '$' COLUMNS (NESTED '$' COLUMNS (a other.mood)))")]
    [InlineData("SELECT JSON_VALUE(x, '$' RETURNING other.mood) FROM T.a other")]
    [InlineData("SELECT CAST(x AS other.mood[]) FROM T.a other")]
    [InlineData("SELECT 1 FROM T.a other ORDER BY x USING other.<")]
    [InlineData("SELECT other.mood(3) 'x' FROM T.a other")]
    [InlineData("SELECT * FROM T.a TABLESAMPLE other.system(1)")]
    public void No_expression_hides_another_schema(string sql) =>
        Assert.Equal(CommandRule.ForeignSchema, Refused(sql).Rule);

    [Theory]
    [InlineData("SELECT * FROM T.a JOIN T.b ON CASE WHEN true THEN true END, secrets")]
    [InlineData("WITH RECURSIVE x(a) AS (SELECT 1) SEARCH DEPTH FIRST BY a, secrets SET o, y AS (TABLE secrets) TABLE y")]
    [InlineData("WITH x AS (SELECT 1) SELECT (WITH secrets AS (SELECT 1) TABLE x) FROM secrets")]
    public void No_expression_hides_a_table_without_a_schema(string sql) =>
        Assert.Equal(CommandRule.MissingSchema, Refused(sql).Rule);

    [Theory]
    [InlineData("SELECT (123).pg_terminate_backend")]
    [InlineData("SELECT g.pg_terminate_backend FROM generate_series(1, 9) g")]
    [InlineData("SELECT ('x'::text).regclass")]
    [InlineData("SELECT (x[1]).pg_ls_dir FROM T.a")]
    [InlineData("SELECT $1.pg_terminate_backend")]
    [InlineData("CREATE TABLE T.a (x int DEFAULT ((123).pg_terminate_backend::int))")]
    [InlineData("SELECT * FROM pg_stats")]
    [InlineData("TABLE pg_catalog.pg_sequences")]
    [InlineData("SELECT * FROM pg_stat_get_activity(NULL)")]
    [InlineData("SELECT pg_terminate_backend(1)")]
    [InlineData("SELECT \"pg_terminate_backend\"(1)")]
    [InlineData("CALL pg_terminate_backend(1)")]
    [InlineData("SELECT @pg_terminate_backend(1)")]
    [InlineData("SELECT lo_get(1)")]
    [InlineData("SELECT lastval()")]
    [InlineData("SELECT setseed(0.5)")]
    [InlineData("SELECT set_limit(0.1)")]
    [InlineData("SELECT unheard_of(1)")]
    [InlineData("SELECT '1'::regclass")]
    [InlineData("SELECT regnamespace 'x'")]
    [InlineData("SELECT regclass('x')")]
    public void What_the_server_keeps_for_all_is_refused(string sql) =>
        Assert.Equal(CommandRule.ServerObject, Refused(sql).Rule);

    [Theory]
    [InlineData("SELECT set_config($$search_path$$, 'x', true)")]
    [InlineData("SELECT set_config(E'search_path', 'x', true)")]
    [InlineData("SELECT set_config(U&'search_path', 'x', true)")]
    [InlineData("SELECT set_config('search' || '_path', 'x', true)")]
    [InlineData("SELECT set_config('client_encoding', 'sjis', true)")]
    [InlineData("SET LOCAL client_encoding = 'sjis'")]
    [InlineData("SET LOCAL NAMES 'sjis'")]
    [InlineData("SET LOCAL \"search_path\" = 'x'")]
    [InlineData("SET LOCAL SCHEMA 'x'")]
    [InlineData("SET LOCAL SESSION AUTHORIZATION x")]
    [InlineData("COMMIT")]
    [InlineData("SELECT 1; ROLLBACK; SELECT 2")]
    [InlineData("START TRANSACTION")]
    [InlineData("CREATE TABLE T.a AS EXECUTE _p1")]
    public void What_changes_a_texts_meaning_or_stays_is_refused(string sql) =>
        Assert.Equal(CommandRule.SessionState, Refused(sql).Rule);

    [Theory]
    [InlineData("SET LOCAL TIME ZONE 'UTC'; SET LOCAL statement_timeout TO '1s'; SET LOCAL app.user_id = 'x'")]
    [InlineData("SELECT set_config('app.user_id', $1, true)")]
    [InlineData("SELECT CASE x WHEN 1 THEN 2 ELSE 3 END, NOT NOT x, - + - y, x OPERATOR(pg_catalog.+) 1 FROM T.a")]
    [InlineData("SELECT x AT TIME ZONE 'UTC', x AT LOCAL, x COLLATE \"C\", x IS NOT NFC NORMALIZED, x IS JSON OBJECT WITH UNIQUE KEYS FROM T.a")]
    [InlineData("SELECT x ISNULL, x NOT LIKE 'a' ESCAPE 'b', x NOT BETWEEN SYMMETRIC 1 AND 2, x SIMILAR TO 'a' FROM T.a")]
    [InlineData("SELECT (x).y, (x[1]).z, a.x[1:2], a.x[:], a.x[1:], (a.y).*, a.* FROM T.a")]
    [InlineData("SELECT x[@n:@m], x[1:y], x[1::int], x[a.y:a.z] FROM T.a")]
    [InlineData("SELECT double precision '1', timestamp(3) with time zone 'now', interval '1' day to second(2), interval(3) '1', numeric(3, 1) '1', char varying(3) 'x'")]
    [InlineData("SELECT x::timestamp without time zone, x::bit varying(3)[], x::interval hour to minute, x::national character varying(3) FROM T.a")]
    [InlineData("SELECT extract(year FROM x), position('a' IN x), substring(x FROM 1 FOR 2), substring(x SIMILAR 'a' ESCAPE 'b'), overlay(x PLACING 'a' FROM 1 FOR 2), trim(LEADING FROM x) FROM T.a")]
    [InlineData("SELECT normalize(x, NFC), collation for (x), treat(x AS text), cast(x AS varchar(3)), nullif(x, y), greatest(x, y), coalesce(x, y) FROM T.a")]
    [InlineData("SELECT percentile_cont(0.5) WITHIN GROUP (ORDER BY x DESC) FILTER (WHERE x > 1), string_agg(DISTINCT x, ',' ORDER BY x), count(*), max(VARIADIC ARRAY[1]) FROM T.a")]
    [InlineData("SELECT make_interval(days => 1, hours := 2), row_number() OVER (PARTITION BY x ORDER BY y ROWS BETWEEN 1 PRECEDING AND UNBOUNDED FOLLOWING EXCLUDE TIES), sum(x) OVER w FROM T.a WINDOW w AS (ORDER BY x)")]
    [InlineData("SELECT XMLELEMENT(NAME x, XMLATTRIBUTES(y AS z), y), XMLFOREST(x AS y, z), XMLPI(NAME x, 'a'), XMLROOT(x, VERSION '1', STANDALONE YES), XMLSERIALIZE(CONTENT x AS text INDENT), XMLPARSE(DOCUMENT x PRESERVE WHITESPACE), XMLEXISTS('a' PASSING BY REF x BY REF) FROM T.a")]
    [InlineData("SELECT JSON_OBJECT('a': x, KEY 'b' VALUE y FORMAT JSON NULL ON NULL WITH UNIQUE KEYS RETURNING jsonb), JSON_OBJECT('k' :x), JSON_ARRAY(x, y ABSENT ON NULL RETURNING text), JSON_ARRAY(SELECT x FROM T.a ORDER BY 1) FROM T.a")]
    [InlineData("SELECT JSON_VALUE(x, '$.a' PASSING y AS z RETURNING int DEFAULT 1 ON EMPTY ERROR ON ERROR), JSON_QUERY(x, '$' WITH CONDITIONAL ARRAY WRAPPER KEEP QUOTES ON SCALAR STRING), JSON_EXISTS(x, '$' FALSE ON ERROR), JSON_SCALAR(1), JSON('1' WITH UNIQUE), JSON_SERIALIZE(x RETURNING text), JSON_ARRAYAGG(x ORDER BY y NULL ON NULL), JSON_OBJECTAGG(x: y) FROM T.a")]
    [InlineData("SELECT * FROM JSON_TABLE(@x, '$' AS p PASSING 1 AS a COLUMNS (i FOR ORDINALITY, x int PATH '$' DEFAULT 1 ON EMPTY, y jsonb FORMAT JSON WITH WRAPPER, z int EXISTS PATH '$', NESTED PATH '$' AS q COLUMNS (w int))) AS j")]
    [InlineData("SELECT * FROM XMLTABLE(XMLNAMESPACES('a' AS b, DEFAULT 'c'), '/x' PASSING BY REF $1 COLUMNS i FOR ORDINALITY, x int PATH 'a' DEFAULT 1 NOT NULL) AS t (a, b)")]
    [InlineData("SELECT * FROM ROWS FROM (generate_series(1, 2), jsonb_to_record($1) AS (a int, b text)) WITH ORDINALITY AS t (a, b, c, d), current_date AS d, CAST(1 AS int) AS c")]
    [InlineData("SELECT * FROM ONLY T.a, T.b *, ONLY (T.c) AS x, ((T.d CROSS JOIN T.e) AS y LEFT JOIN LATERAL (SELECT 1) z ON true), (SELECT 1) w, ((SELECT 1) UNION SELECT 2) v, (VALUES (1)) u(a)")]
    [InlineData("SELECT DISTINCT ON (a, b) * FROM T.a NATURAL LEFT OUTER JOIN T.b FULL JOIN T.c USING (id) AS j RIGHT JOIN T.d ON true WHERE j.id = 1 GROUP BY DISTINCT ROLLUP (a, b), CUBE (c), GROUPING SETS ((a), ()), d HAVING true ORDER BY a USING <, b ASC NULLS LAST OFFSET 1 ROW FETCH NEXT 2 ROWS WITH TIES FOR NO KEY UPDATE OF a NOWAIT FOR KEY SHARE")]
    [InlineData("WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT n + 1 FROM t, u) SEARCH BREADTH FIRST BY n SET o CYCLE n SET c TO true DEFAULT false USING p, u AS NOT MATERIALIZED (TABLE t) SELECT * FROM t, u")]
    [InlineData("WITH x AS (UPDATE T.a SET b = DEFAULT RETURNING WITH (OLD AS o, NEW AS n) o.b, n.b) INSERT INTO T.c AS d (a, b.c, e[1]) OVERRIDING USER VALUE SELECT * FROM x ON CONFLICT (lower(a) COLLATE \"C\" text_ops) WHERE true DO UPDATE SET a = excluded.a, (b, c) = ROW (1, 2) WHERE d.a > 1 RETURNING *, d.a AS select")]
    [InlineData("INSERT INTO T.a DEFAULT VALUES; INSERT INTO T.a ((SELECT 1) UNION SELECT 2); INSERT INTO T.a TABLE T.b ON CONFLICT ON CONSTRAINT c DO NOTHING")]
    [InlineData("MERGE INTO ONLY T.a AS t USING T.b ON true WHEN MATCHED AND true THEN UPDATE SET x = 1 WHEN NOT MATCHED BY SOURCE THEN DELETE WHEN NOT MATCHED BY TARGET THEN INSERT (a) OVERRIDING SYSTEM VALUE VALUES (DEFAULT) WHEN NOT MATCHED THEN DO NOTHING RETURNING merge_action(), t.*")]
    [InlineData("SELECT 0x1F, 0b11, 0o17, 1_000, 1., .5, 1e-5, 1.e3, $1, $$a$$, $t$b$t$, E'\\'', U&'a' UESCAPE '!', B'1', X'F', N'a'")]
    [InlineData("SELECT a.x @> @p, a.x <@ :q, a.x ? 'k', a.x ?| $1, @ a.x, @a.x, !!a.x, |/ 4, a.x -> 'b' ->> 1, a.x #>> '{a}' FROM T.a")]
    [InlineData("SELECT; SELECT FROM T.a; TABLE T.a LIMIT ALL; VALUES (1), (2) ORDER BY 1; ((SELECT 1)) LIMIT 1")]
    [InlineData("CALL T.p(1, x => 2); EXPLAIN (ANALYZE, COSTS OFF) SELECT 1; EXPLAIN ANALYZE VERBOSE DELETE FROM T.a; EXPLAIN (SELECT 1)")]
    [InlineData("DECLARE c NO SCROLL CURSOR WITHOUT HOLD FOR SELECT 1 FROM T.a; FETCH 10 FROM c; MOVE c; CLOSE c; SAVEPOINT s; ROLLBACK TO s; RELEASE s")]
    [InlineData("CREATE FUNCTION T.f(x int) RETURNS int LANGUAGE sql BEGIN ATOMIC INSERT INTO T.a VALUES (x); SELECT x FROM T.a; END; SELECT 1")]
    [InlineData("CREATE FUNCTION T.f(x int) RETURNS int LANGUAGE sql RETURN (SELECT x FROM T.a)")]
    public void Every_construct_is_understood(string sql) => Guard(sql);

    [Fact]
    public void Every_keyword_may_be_a_parameter()
    {
        foreach (var word in KeyWords.Reserved.Concat(KeyWords.FunctionOrType).Concat(ColumnWords)
            .Append("update").Append("operator").Append("set").Append("key"))
        {
            Guard($"SELECT a.id, @{word} FROM T.a WHERE a.id >= @{word} AND a.id = :{word} LIMIT @{word}");
            Guard($"INSERT INTO T.a (id) VALUES (@{word}) ON CONFLICT DO NOTHING RETURNING id");
            Guard($"SELECT a.\"{word}\" AS \"{word}\", a.{word}, 1 AS {word} FROM T.\"{word}\" AS a, T.{word} AS b");
            Guard($"UPDATE T.\"{word}\" AS \"{word}\" SET \"{word}\" = @{word} WHERE \"{word}\".\"{word}\" = 1");
        }
    }

    [Theory]
    [InlineData("(", "", ")")]
    [InlineData("(SELECT ", "1", ")")]
    [InlineData("CASE WHEN true THEN ", "1", " END")]
    [InlineData("NOT ", "true", "")]
    [InlineData("ARRAY[", "1", "]")]
    [InlineData("abs(", "1", ")")]
    [InlineData("x[", "1", "]")]
    [InlineData("abs(1) FILTER (WHERE ", "true", ")")]
    [InlineData("x::numeric(", "1", ")")]
    public void Depth_is_bounded(string open, string middle, string close)
    {
        var deep = "SELECT " + Repeated(open, 20_000) + middle + Repeated(close, 20_000);

        Assert.Equal(CommandRule.UnknownSyntax, Refused(deep).Rule);
        Guard("SELECT " + Repeated(open, 100) + (middle.Length == 0 ? "1" : middle) + Repeated(close, 100));
    }

    [Theory]
    [InlineData("SELECT * FROM ", "(", "T.a CROSS JOIN T.b", ")")]
    [InlineData("", "(", "SELECT 1", ")")]
    [InlineData("SELECT * FROM T.a ", "JOIN T.b ", "", "ON true ")]
    [InlineData("", "WITH x AS (", "SELECT 1", ") SELECT 1")]
    [InlineData("SELECT 1 GROUP BY ", "GROUPING SETS (", "a", ")")]
    public void Depth_of_tables_and_queries_is_bounded(string start, string open, string middle, string close)
    {
        Assert.Equal(
            CommandRule.UnknownSyntax,
            Refused(start + Repeated(open, 20_000) + middle + Repeated(close, 20_000)).Rule);
        Guard(start + Repeated(open, 100) + middle + Repeated(close, 100));
    }

    [Fact]
    public void What_is_only_long_is_read()
    {
        Guard("SELECT 1" + Repeated(" + 1", 100_000));
        Guard("SELECT 1" + Repeated(", 1", 100_000));
        Guard("SELECT * FROM T.a" + Repeated(" CROSS JOIN T.a", 20_000));
        Guard("SELECT * FROM T.a" + Repeated(", T.a", 20_000));
        Guard("SELECT 1" + Repeated(" UNION SELECT 1", 20_000));
        Guard(string.Concat(Enumerable.Repeat("SELECT 1 FROM T.a;", 20_000)));
        Guard("WITH x0 AS (SELECT 1)" + string.Concat(
            Enumerable.Range(1, 20_000).Select(i => $", x{i} AS (TABLE x{i - 1})")) + " TABLE x20000");
    }

    /// <summary>The guard refuses, or it passes: nothing else comes of a text that ends too early.</summary>
    [Fact]
    public void A_text_that_is_cut_off_anywhere_is_refused_as_the_guard_refuses()
    {
        foreach (var sql in GetType().GetMethods()
            .SelectMany(method => method.GetCustomAttributes(typeof(InlineDataAttribute), false))
            .Select(data => (string)((InlineDataAttribute)data).Data[0]!)
            .Where(sql => sql.Contains(' ', StringComparison.Ordinal)))
        {
            for (var length = 0; length <= sql.Length; length++)
            {
                foreach (var text in new[] { sql[..length], sql[length..], sql[..length] + ")", sql[..length] + ";" })
                {
                    try
                    {
                        Guard(text);
                    }
                    catch (CommandRefusedException)
                    {
                    }
                }
            }
        }
    }

    [Theory]
    [InlineData("SELECT 'x")]
    [InlineData("SELECT \"x")]
    [InlineData("SELECT $$x")]
    [InlineData("SELECT 1 /* x")]
    [InlineData("SELECT 1\0 FROM T.a")]
    [InlineData("SELECT 1 +")]
    [InlineData("SELECT (1")]
    [InlineData("SELECT 1)")]
    [InlineData("SELECT 1 FROM")]
    [InlineData("SELECT 1 FROM T.a JOIN T.b")]
    [InlineData("SELECT CASE WHEN 1 THEN 2")]
    [InlineData("INSERT INTO T.a")]
    [InlineData("UPDATE T.a SET")]
    [InlineData("WITH x AS (SELECT 1)")]
    [InlineData("MERGE INTO T.a USING T.b ON true")]
    [InlineData("SELECT 1 2")]
    [InlineData("SELECT 12abc")]
    [InlineData("FROB T.a")]
    [InlineData("123")]
    public void What_the_grammar_does_not_explain_is_refused(string sql) =>
        Assert.Equal(CommandRule.UnknownSyntax, Refused(sql).Rule);

    private static string Repeated(string text, int times) => new StringBuilder().Insert(0, text, times).ToString();

    private static void Guard(string sql) =>
        SqlTemplate.Of(System.Text.RegularExpressions.Regex.Replace(sql, "\\bT(?=[.; ]|$)", "\"__Tenant__\""))
            .Guard(Shared);

    private static CommandRefusedException Refused(string sql) =>
        Assert.Throws<CommandRefusedException>(() => Guard(sql));
}
