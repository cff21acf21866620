using Tenancy;
using Tenancy.Sql;
using Xunit;

namespace Tests.Unit.Sql;

public sealed class GuardTests
{
    // T stands for the placeholder, so that the statements can be read.
    private static readonly AllowList Shared = new(["public.currencies", "reference.*"], ["public"], []);

    [Theory]
    [InlineData("SELECT c.id FROM T.contacts AS c WHERE c.name = 'x'")]
    [InlineData("SELECT contacts.id, \"T\".x FROM T.contacts, T.invoices \"T\"")]
    [InlineData("SELECT i.number, c.code FROM T.invoices i JOIN public.currencies AS c ON i.currency_code = c.code")]
    [InlineData("SELECT * FROM reference.countries")]
    [InlineData(
        "SELECT count(*)::int FROM T.invoices AS i INNER JOIN public.currencies AS c ON i.x = c.code, LATERAL " +
        "(SELECT l.total FROM T.invoice_lines l WHERE l.invoice_id = i.id) AS t")]
    [InlineData(
        "SELECT i.id FROM T.invoices AS i LEFT JOIN LATERAL (SELECT l.total FROM T.invoice_lines AS l WHERE " +
        "l.invoice_id = i.id LIMIT 1) AS l0 ON TRUE ORDER BY i.id")]
    [InlineData("SELECT u.value FROM unnest(@ids) AS u(value)")]
    [InlineData("SELECT * FROM pg_timezone_names z, pg_catalog.pg_collation c WHERE c.collname = z.name")]
    [InlineData(
        "SELECT extract(year FROM i.issued_on), substring(i.a FROM 2), trim(BOTH 'x' FROM i.b), i.a IS DISTINCT FROM " +
        "i.b, i.a IS NOT DISTINCT FROM i.b FROM T.invoices i")]
    [InlineData(
        "SELECT public.similarity(c.name, 'x'), pg_catalog.now(), CAST('x' AS public.citext) FROM T.contacts c")]
    [InlineData("SELECT T.total(i.id) FROM T.invoices i")]
    [InlineData(
        "WITH late AS (SELECT i.id FROM T.invoices i), later AS MATERIALIZED (SELECT * FROM late) SELECT l.id FROM " +
        "later l JOIN late ON late.id = l.id")]
    [InlineData("WITH RECURSIVE t(n) AS (VALUES (1) UNION ALL SELECT t.n + 1 FROM t WHERE t.n < 9) SELECT t.n FROM t")]
    [InlineData(
        "WITH gone AS (DELETE FROM T.contacts c USING T.invoices i WHERE i.contact_id = c.id RETURNING c.id) SELECT " +
        "gone.id FROM gone")]
    [InlineData(
        "INSERT INTO T.contacts (id, name) VALUES (@p0, @p1) ON CONFLICT (id) DO UPDATE SET name = excluded.name " +
        "RETURNING id, xmin")]
    [InlineData(
        "INSERT INTO T.contacts AS c (id, name) SELECT u.id, u.code FROM public.currencies u ON CONFLICT DO NOTHING")]
    [InlineData(
        "UPDATE T.contacts AS c SET name = i.x FROM T.invoices AS i WHERE i.id = c.id; UPDATE T.invoices SET paid_on " +
        "= now() WHERE id = @p0 RETURNING xmin")]
    [InlineData("DELETE FROM T.contacts AS c WHERE c.id = 1; DELETE FROM T.invoices WHERE invoices.id = 2")]
    [InlineData(
        "MERGE INTO T.contacts AS c USING T.invoices AS i ON c.id = i.id WHEN MATCHED THEN UPDATE SET name = i.x " +
        "WHEN NOT MATCHED THEN INSERT (id) VALUES (i.id)")]
    [InlineData(
        "SELECT i.id FROM T.invoices i JOIN T.invoice_lines l USING (id), T.contacts c FOR UPDATE OF i SKIP LOCKED")]
    [InlineData(
        "SELECT sum(x.v) FILTER (WHERE x.v > 0) OVER w FROM (VALUES (1), (2)) AS x(v) WINDOW w AS (PARTITION BY x.v " +
        "ORDER BY x.v)")]
    [InlineData(
        "SELECT ARRAY(SELECT i.id FROM T.invoices i), (SELECT c.id FROM T.contacts c LIMIT 1), EXISTS (SELECT 1 FROM " +
        "T.contacts)")]
    [InlineData(
        "WITH values AS (SELECT 1 AS id) SELECT values.id FROM (values CROSS JOIN T.a) CROSS JOIN (VALUES (1)) AS b")]
    [InlineData("(SELECT a.id FROM T.invoices a) UNION ALL (SELECT b.id FROM T.contacts b) ORDER BY 1")]
    [InlineData("TABLE T.contacts")]
    [InlineData("SELECT 1e5, 1.5e3, .5, 1.e2, $1, a.b[1].c, (a.b).c, a.* FROM T.x AS a")]
    [InlineData(
        "SELECT 'customer_globex.contacts', $$customer_globex.contacts$$, 1 -- customer_globex.contacts\n/* FROM " +
        "customer_globex.contacts */")]
    [InlineData(
        "SET LOCAL lock_timeout = 5000; SELECT set_config('tenancy.reason', 'import', true); SELECT " +
        "pg_advisory_xact_lock(1)")]
    [InlineData(
        "SET TRANSACTION ISOLATION LEVEL SERIALIZABLE; SET CONSTRAINTS ALL DEFERRED; SAVEPOINT a; RELEASE SAVEPOINT " +
        "a; NOTIFY x")]
    [InlineData(
        "LOCK TABLE T.\"__EFMigrationsHistory\" IN ACCESS EXCLUSIVE MODE; TRUNCATE TABLE T.a, ONLY T.b CASCADE; " +
        "ANALYZE T.a")]
    [InlineData(
        "CREATE SCHEMA IF NOT EXISTS T; CREATE TABLE IF NOT EXISTS T.a (id uuid NOT NULL DEFAULT gen_random_uuid(), " +
        "n numeric(19,4), CONSTRAINT fk FOREIGN KEY (n) REFERENCES T.b (id) ON DELETE CASCADE ON UPDATE SET NULL, " +
        "CHECK (n > 0))")]
    [InlineData(
        "CREATE UNIQUE INDEX CONCURRENTLY IF NOT EXISTS ix ON ONLY T.a USING btree (lower(name)) WHERE paid_on IS " +
        "NULL; DROP INDEX T.ix; ALTER INDEX T.a RENAME TO b; REINDEX INDEX T.ix")]
    [InlineData(
        "ALTER TABLE T.a ADD COLUMN b int, ALTER COLUMN c TYPE text USING c::text, ADD CONSTRAINT d UNIQUE (b); " +
        "ALTER TABLE T.a RENAME COLUMN b TO c; ALTER TABLE IF EXISTS T.a RENAME TO d; DROP TABLE IF EXISTS T.a, " +
        "T.b CASCADE")]
    [InlineData(
        "CREATE TABLE T.a (LIKE T.b INCLUDING ALL, x int) INHERITS (T.c); CREATE TABLE T.d PARTITION OF T.a FOR " +
        "VALUES FROM (1) TO (2); ALTER TABLE T.a ATTACH PARTITION T.e FOR VALUES IN (3)")]
    [InlineData(
        "COPY public.currencies (code) TO STDOUT; COPY T.a (x) TO STDOUT; CREATE VIEW T.u AS TABLE T.a; CREATE VIEW " +
        "T.w AS SELECT DISTINCT ON (a.x) a.x FROM T.a AS a")]
    [InlineData(
        "CREATE OR REPLACE VIEW T.v AS SELECT a.x FROM T.a AS a; CREATE MATERIALIZED VIEW T.m AS SELECT 1; REFRESH " +
        "MATERIALIZED VIEW CONCURRENTLY T.m; DROP VIEW T.v; CREATE SEQUENCE T.s OWNED BY T.a.x")]
    [InlineData(
        "CREATE FUNCTION T.f(a int) RETURNS TABLE (b int) LANGUAGE sql AS $$ SELECT 1 $$; CREATE TRIGGER t BEFORE " +
        "INSERT OR UPDATE OF x ON T.a FOR EACH ROW EXECUTE FUNCTION T.f(); DROP TRIGGER t ON T.a; DROP " +
        "FUNCTION T.f(int)")]
    [InlineData(
        "COMMENT ON TABLE T.a IS 'x'; COMMENT ON COLUMN T.a.b IS 'x'; COMMENT ON CONSTRAINT c ON T.a IS 'x'; COMMENT " +
        "ON SCHEMA T IS 'x'")]
    [InlineData(
        "GRANT USAGE ON SCHEMA T TO r; GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA T TO r; REVOKE " +
        "ALL ON T.\"__EFMigrationsHistory\" FROM r; GRANT SELECT ON TABLE T.a, T.b TO r")]
    [InlineData(
        "ALTER DEFAULT PRIVILEGES IN SCHEMA T GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO r; ALTER DEFAULT " +
        "PRIVILEGES IN SCHEMA T REVOKE USAGE ON SEQUENCES FROM r")]
    [InlineData(
        "EXPLAIN (ANALYZE, BUFFERS) SELECT a.x FROM T.a AS a; COPY T.a (x) FROM STDIN; COPY (SELECT a.x FROM T.a AS " +
        "a) TO STDOUT")]
    [InlineData(
        "ALTER TABLE T.a ADD CONSTRAINT f FOREIGN KEY (b_id) REFERENCES T.b (id) ON DELETE CASCADE ON UPDATE SET " +
        "NULL; ALTER TABLE T.a CLUSTER ON ix, ADD CHECK (a.x > 0); TRUNCATE ONLY (T.a) RESTART IDENTITY")]
    [InlineData(
        "VACUUM (ANALYZE, VERBOSE) T.a; VACUUM FULL FREEZE VERBOSE ANALYZE T.a; ANALYZE VERBOSE T.a (x), T.b; " +
        "REINDEX (VERBOSE) TABLE CONCURRENTLY T.a; REINDEX SCHEMA CONCURRENTLY T; CLUSTER VERBOSE T.a USING ix")]
    [InlineData(
        "CREATE FUNCTION T.f() RETURNS void LANGUAGE sql BEGIN ATOMIC UPDATE T.a AS x SET n = x.n; MERGE INTO T.a AS " +
        "m USING T.b AS s ON m.id = s.id WHEN MATCHED THEN DELETE; END")]
    [InlineData(
        "CREATE STATISTICS T.st (ndistinct) ON x, y FROM T.a; COMMENT ON MATERIALIZED VIEW T.m IS 'x'; COMMENT ON " +
        "CONSTRAINT c ON DOMAIN T.d IS 'x'; SELECT a.x INTO UNLOGGED T.b FROM T.a AS a")]
    [InlineData(
        "CREATE TABLE T.b (y public.mood, z text COLLATE public.c) INHERITS (T.a, T.c); CREATE OPERATOR T.+ (LEFTARG " +
        "= int, RIGHTARG = int, FUNCTION = T.add); CREATE TEXT SEARCH CONFIGURATION T.x (PARSER = " +
        "pg_catalog.\"default\")")]
    [InlineData(
        "REVOKE ALL ON T.a FROM r, s; ALTER DEFAULT PRIVILEGES IN SCHEMA T GRANT SELECT, INSERT ON TABLES TO r, s; " +
        "DROP SCHEMA T")]
    [InlineData(
        "SELECT a.x COLLATE pg_catalog.\"C\", a.x AT TIME ZONE a.y, a.x BETWEEN SYMMETRIC a.y AND a.z, CASE a.x WHEN " +
        "a.y THEN a.z ELSE a.x END FROM T.x AS a WHERE a.x LIKE a.y ESCAPE a.z GROUP BY a.x ORDER BY a.y USING " +
        "OPERATOR(pg_catalog.<)")]
    [InlineData("")]
    public void What_stays_in_the_tenants_schema_passes(string sql) => Guard(sql);

    [Theory]
    [InlineData("SELECT * FROM customer_globex.contacts")]
    [InlineData("SELECT * FROM \"customer_globex\".contacts")]
    [InlineData("SELECT * FROM customer_globex /* here */ . /* and */ contacts")]
    [InlineData("SELECT * FROM CUSTOMER_GLOBEX.CONTACTS")]
    [InlineData("SELECT * FROM tenants.customer_globex.contacts")]
    [InlineData("SELECT * FROM T.contacts AS customer_globex, customer_globex.contacts")]
    [InlineData("SELECT * FROM T.contacts customer_globex JOIN customer_globex.contacts ON TRUE")]
    [InlineData(
        "SELECT * FROM T.contacts AS a JOIN (T.invoices AS b CROSS JOIN customer_globex.contacts AS " +
        "customer_globex) ON TRUE")]
    [InlineData("SELECT * FROM T.a AS x JOIN T.b AS y ON x.a = y.b, customer_globex.contacts AS customer_globex")]
    [InlineData("SELECT * FROM T.a AS x JOIN T.b AS y USING (id), customer_globex.contacts AS customer_globex")]
    [InlineData("SELECT 1 AS from, 2 AS where FROM customer_globex.contacts AS customer_globex")]
    [InlineData("SELECT * FROM T.a AS set, customer_globex.contacts AS customer_globex")]
    [InlineData("SELECT * FROM T.x AS customer_globex, T.a values, customer_globex.contacts")]
    [InlineData("CREATE VIEW T.v AS SELECT * FROM T.x AS customer_globex, T.a AS values, customer_globex.contacts")]
    [InlineData("SELECT (SELECT count(*) FROM customer_globex.contacts AS customer_globex)")]
    [InlineData("SELECT * FROM T.a WHERE id IN (TABLE customer_globex.contacts)")]
    [InlineData("SELECT customer_globex.total(1)")]
    [InlineData("SELECT customer_globex.total(1) FROM T.a AS customer_globex")]
    [InlineData("SELECT * FROM customer_globex.listing(1)")]
    [InlineData("SELECT * FROM ROWS FROM (customer_globex.listing(1), unnest(@p))")]
    [InlineData("SELECT 1 OPERATOR(customer_globex.+) 2")]
    [InlineData("SELECT '1'::customer_globex.mood")]
    [InlineData("SELECT customer_globex.contacts.id FROM T.contacts")]
    [InlineData("SELECT 1 UNION ALL SELECT id FROM customer_globex.contacts AS customer_globex")]
    [InlineData("SELECT 1; SELECT * FROM customer_globex.contacts AS customer_globex")]
    [InlineData("WITH a AS (SELECT * FROM customer_globex.contacts AS customer_globex) SELECT * FROM a")]
    [InlineData("INSERT INTO customer_globex.contacts AS customer_globex (id) VALUES (1)")]
    [InlineData("UPDATE customer_globex.contacts AS customer_globex SET name = ''")]
    [InlineData("UPDATE T.a SET x = 1 FROM customer_globex.contacts AS customer_globex")]
    [InlineData("DELETE FROM customer_globex.contacts AS customer_globex")]
    [InlineData("DELETE FROM T.a USING customer_globex.contacts AS customer_globex")]
    [InlineData("MERGE INTO T.a USING customer_globex.contacts AS customer_globex ON TRUE WHEN MATCHED THEN DELETE")]
    [InlineData("TRUNCATE T.a, customer_globex.contacts")]
    [InlineData("LOCK TABLE customer_globex.contacts")]
    [InlineData("COPY customer_globex.contacts FROM STDIN")]
    [InlineData("COPY (SELECT * FROM customer_globex.contacts) TO STDOUT")]
    [InlineData("COPY public.customers (name) TO STDOUT")]
    [InlineData("CREATE VIEW T.customer_globex AS TABLE customer_globex.contacts")]
    [InlineData("CREATE TABLE T.customer_globex AS (TABLE customer_globex.contacts)")]
    [InlineData("CREATE VIEW T.customer_globex AS SELECT 1 UNION ALL TABLE customer_globex.contacts")]
    [InlineData("CREATE VIEW T.customer_globex AS WITH a AS (SELECT 1) TABLE customer_globex.contacts")]
    [InlineData("CREATE TABLE customer_globex.a (x int)")]
    [InlineData("CREATE VIEW T.v AS SELECT * FROM customer_globex.contacts AS customer_globex")]
    [InlineData("CREATE INDEX i ON customer_globex.contacts (name)")]
    [InlineData("CREATE SCHEMA customer_globex")]
    [InlineData("DROP SCHEMA customer_globex CASCADE")]
    [InlineData("DROP TABLE T.a, customer_globex.contacts")]
    [InlineData("ALTER TABLE T.a SET SCHEMA customer_globex")]
    [InlineData("ALTER TABLE T.a ADD CONSTRAINT f FOREIGN KEY (x) REFERENCES customer_globex.contacts (id)")]
    [InlineData("CREATE TABLE T.a (LIKE customer_globex.contacts)")]
    [InlineData("GRANT SELECT ON ALL TABLES IN SCHEMA customer_globex TO r")]
    [InlineData("ALTER SCHEMA T RENAME TO customer_globex")]
    [InlineData("DROP SCHEMA T, customer_globex")]
    [InlineData("ALTER DEFAULT PRIVILEGES IN SCHEMA T, customer_globex GRANT SELECT ON TABLES TO r")]
    [InlineData("SELECT * FROM __Tenant__.contacts")]
    [InlineData("SELECT * FROM information_schema.tables")]
    [InlineData("SELECT * FROM pg_temp.a")]
    [InlineData("SELECT * FROM public.customers")]
    [InlineData("SELECT * FROM public.currencies c JOIN tenancy.schemas s ON TRUE")]
    public void Another_schema_is_refused_wherever_it_is_named(string sql) => Refused(CommandRule.ForeignSchema, sql);

    [Theory]
    [InlineData("SELECT '1'::g.mood FROM T.a AS g")]
    [InlineData("SELECT CAST('1' AS g.mood) FROM T.a AS g")]
    [InlineData("SELECT g.mood '1' FROM T.a AS g")]
    [InlineData("SELECT g.x COLLATE g.c FROM T.a AS g")]
    [InlineData("SELECT g.x OPERATOR(g.+) 1 FROM T.a AS g")]
    [InlineData("SELECT g.x OPERATOR(g.*) 1 FROM T.a AS g")]
    [InlineData("SELECT * FROM T.f() AS g (x g.mood)")]
    [InlineData("CREATE TABLE T.g (x g.mood)")]
    [InlineData("CREATE TABLE T.a (g int REFERENCES T.b, x g.mood)")]
    [InlineData("CREATE TABLE T.g (y int, key g.mood)")]
    [InlineData("ALTER TABLE T.g ADD COLUMN IF NOT EXISTS value g.mood")]
    [InlineData("SELECT * FROM T.f() AS g (by g.mood)")]
    [InlineData("CREATE TABLE T.g OF g.t")]
    [InlineData("ALTER TABLE T.g ADD x g.mood")]
    [InlineData("ALTER TABLE T.g ALTER COLUMN x TYPE g.mood")]
    [InlineData("CREATE INDEX i ON T.g (x g.ops)")]
    [InlineData("CREATE DOMAIN T.g AS g.mood")]
    [InlineData("CREATE COLLATION T.g FROM g.c")]
    [InlineData("CREATE FUNCTION T.g(g.mood) RETURNS g.mood LANGUAGE sql AS ''")]
    [InlineData("DROP FUNCTION T.g(g.mood)")]
    [InlineData("ALTER FUNCTION T.f(g.mood) RENAME TO g")]
    [InlineData("GRANT EXECUTE ON FUNCTION T.g(g.mood) TO r")]
    [InlineData("TRUNCATE T.g, ONLY (g.a)")]
    [InlineData("COPY (DELETE FROM ONLY (g.a) AS g RETURNING 1) TO STDOUT")]
    [InlineData("ALTER TABLE T.g INHERIT g.a")]
    public void An_alias_or_a_table_named_like_another_schema_is_no_excuse_for_its_types_and_operators(string sql) =>
        Refused(CommandRule.ForeignSchema, sql);

    [Theory]
    [InlineData("SELECT * FROM contacts")]
    [InlineData("SELECT * FROM T.a AS contacts, customers")]
    [InlineData("SELECT * FROM (customers CROSS JOIN T.a)")]
    [InlineData("WITH customers AS (SELECT * FROM customers) SELECT 1")]
    [InlineData("SELECT * FROM customers, (WITH customers AS (SELECT 1) SELECT * FROM customers) AS x")]
    [InlineData("INSERT INTO customers VALUES (1)")]
    [InlineData("INSERT INTO values (a) VALUES (1)")]
    [InlineData("SELECT * FROM values")]
    [InlineData("UPDATE set SET a = 1")]
    [InlineData("UPDATE customers SET name = ''")]
    [InlineData("DELETE FROM customers")]
    [InlineData("SELECT 1 INTO mine")]
    [InlineData("CREATE TABLE mine (x int)")]
    [InlineData("CREATE TABLE IF NOT EXISTS mine AS SELECT 1")]
    [InlineData("CREATE TABLE if (x int)")]
    [InlineData("CREATE VIEW mine AS SELECT 1")]
    [InlineData("CREATE SEQUENCE mine")]
    [InlineData("CREATE TYPE mine AS ENUM ('a')")]
    [InlineData("CREATE FUNCTION mine() RETURNS int LANGUAGE sql AS 'SELECT 1'")]
    [InlineData("CREATE INDEX i ON customers (name)")]
    [InlineData("ALTER TABLE customers ADD x int")]
    [InlineData("DROP TABLE T.a, customers")]
    [InlineData("TRUNCATE customers")]
    [InlineData("LOCK customers")]
    [InlineData("COPY customers TO STDOUT")]
    [InlineData("COPY customers (name) TO STDOUT")]
    [InlineData("CREATE VIEW T.v AS TABLE customers")]
    [InlineData("UPDATE ONLY (customers) SET name = ''")]
    [InlineData("DELETE FROM ONLY (customers)")]
    [InlineData("TRUNCATE ONLY (customers)")]
    [InlineData("ALTER TABLE T.a INHERIT customers")]
    [InlineData("CREATE TABLE T.a () INHERITS (customers)")]
    [InlineData("CREATE CONSTRAINT TRIGGER t AFTER DELETE ON T.a FROM customers FOR EACH ROW EXECUTE FUNCTION T.f()")]
    [InlineData("CREATE STATISTICS T.s ON x, y FROM customers")]
    [InlineData("CREATE FUNCTION T.f() RETURNS void LANGUAGE sql BEGIN ATOMIC UPDATE customers SET name = ''; END")]
    [InlineData("CREATE FUNCTION T.f() RETURNS void LANGUAGE sql BEGIN ATOMIC DELETE FROM customers; END")]
    [InlineData("CREATE OPERATOR <+> (LEFTARG = int, RIGHTARG = int, FUNCTION = T.add)")]
    [InlineData("CREATE CONVERSION mine FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8")]
    [InlineData("ALTER TEXT SEARCH CONFIGURATION mine RENAME TO x")]
    [InlineData("REINDEX TABLE view")]
    public void A_table_without_a_schema_would_be_looked_for_in_public_and_is_refused(string sql) =>
        Refused(CommandRule.MissingSchema, sql);

    [Theory]
    [InlineData("INSERT INTO public.currencies (code) VALUES ('XXX')")]
    [InlineData("UPDATE public.currencies AS c SET name = '' FROM T.a")]
    [InlineData("DELETE FROM public.currencies")]
    [InlineData("WITH x AS (UPDATE public.currencies SET name = '' RETURNING 1) SELECT * FROM x")]
    [InlineData("MERGE INTO public.currencies AS c USING T.a ON TRUE WHEN MATCHED THEN DELETE")]
    [InlineData("TRUNCATE T.a, reference.countries")]
    [InlineData("LOCK TABLE public.currencies")]
    [InlineData("ALTER TABLE public.currencies ADD x int")]
    [InlineData("DROP TABLE public.customers")]
    [InlineData("CREATE TABLE public.mine (x int)")]
    [InlineData("CREATE INDEX i ON public.currencies (name)")]
    [InlineData("CREATE TABLE T.a (x text REFERENCES public.currencies (code))")]
    [InlineData("DELETE FROM pg_catalog.pg_class")]
    [InlineData("UPDATE ONLY (public.currencies) SET name = ''")]
    [InlineData("DELETE FROM ONLY (public.currencies)")]
    [InlineData("REINDEX TABLE public.currencies")]
    [InlineData("CREATE TABLE T.a () INHERITS (public.currencies)")]
    [InlineData("ALTER TABLE T.a INHERIT public.currencies")]
    [InlineData(
        "CREATE FUNCTION T.f() RETURNS void LANGUAGE sql BEGIN ATOMIC UPDATE public.currencies SET name = ''; END")]
    [InlineData("DROP FOREIGN TABLE public.currencies")]
    [InlineData("DROP OPERATOR public.+ (int, int)")]
    [InlineData("DROP CONVERSION public.c")]
    [InlineData("CREATE TEXT SEARCH DICTIONARY public.d (TEMPLATE = pg_catalog.simple)")]
    public void What_all_share_is_read_only(string sql) => Refused(CommandRule.SharedTableIsReadOnly, sql);

    [Theory]
    [InlineData("SET search_path = customer_globex")]
    [InlineData("set SESSION statement_timeout = 1")]
    [InlineData("/* first */ SET ROLE postgres")]
    [InlineData("SELECT 1; SET TIME ZONE 'UTC'")]
    [InlineData("SET LOCAL search_path = customer_globex")]
    [InlineData("SET LOCAL \"search_path\" = customer_globex")]
    [InlineData("SET LOCAL SCHEMA 'customer_globex'")]
    [InlineData("SET LOCAL ROLE postgres")]
    [InlineData("SET LOCAL standard_conforming_strings = off")]
    [InlineData("RESET ALL")]
    [InlineData("DISCARD TEMP")]
    [InlineData("SELECT set_config('a.b', 'c', false)")]
    [InlineData("SELECT set_config('a.b', 'c', @local)")]
    [InlineData("SELECT set_config('search_path', 'customer_globex', true)")]
    [InlineData("SELECT pg_catalog.\"set_config\" ('a.b', 'c', false)")]
    [InlineData("CREATE TEMP TABLE a (x int)")]
    [InlineData("CREATE LOCAL TEMPORARY TABLE a AS SELECT 1")]
    [InlineData("CREATE OR REPLACE TEMP VIEW a AS SELECT 1")]
    [InlineData("SELECT 1 INTO TEMP TABLE a")]
    [InlineData("SELECT 1 INTO TEMPORARY a")]
    [InlineData("SELECT pg_advisory_lock(1)")]
    [InlineData("SELECT pg_try_advisory_lock_shared(1, 2)")]
    [InlineData("SELECT * FROM pg_catalog.pg_advisory_unlock_all()")]
    [InlineData("LISTEN invoices")]
    [InlineData("UNLISTEN *")]
    [InlineData("PREPARE p AS SELECT 1")]
    [InlineData("EXECUTE p")]
    [InlineData("DECLARE c CURSOR WITH HOLD FOR SELECT 1")]
    [InlineData("LOAD 'auto_explain'")]
    public void What_stays_in_the_session_is_refused(string sql) => Refused(CommandRule.SessionState, sql);

    [Theory]
    [InlineData("CREATE EXTENSION citext")]
    [InlineData("CREATE ROLE mine")]
    [InlineData("ALTER SYSTEM SET fsync = off")]
    [InlineData("ALTER DATABASE tenants SET search_path = customer_globex")]
    [InlineData("DROP OWNED BY mine")]
    [InlineData("ALTER DEFAULT PRIVILEGES GRANT SELECT ON TABLES TO mine")]
    [InlineData("GRANT tenancy_api TO mine")]
    [InlineData("REVOKE tenancy_api FROM mine")]
    [InlineData("COMMENT ON ROLE mine IS 'x'")]
    [InlineData("COMMENT ON PROCEDURAL LANGUAGE plpgsql IS 'x'")]
    [InlineData("CREATE RULE r AS ON INSERT TO T.a DO INSTEAD NOTHING")]
    public void What_belongs_to_all_is_made_once_and_not_by_a_tenant(string sql) =>
        Refused(CommandRule.GlobalObject, sql);

    [Theory]
    [InlineData("VACUUM")]
    [InlineData("VACUUM (FULL, ANALYZE)")]
    [InlineData("ANALYZE VERBOSE; SELECT 1")]
    [InlineData("CLUSTER")]
    public void Maintenance_without_a_table_would_take_everyones_and_is_refused(string sql) =>
        Refused(CommandRule.MissingSchema, sql);

    [Theory]
    [InlineData("COPY T.a FROM '/tmp/a'")]
    [InlineData("COPY T.a (x) TO E'/tmp/a' CSV")]
    [InlineData("COPY (SELECT 1) TO PROGRAM 'cat'")]
    [InlineData("COPY T.a FROM PROGRAM 'cat'")]
    public void A_copy_that_uses_the_servers_files_or_programs_is_refused(string sql) =>
        Refused(CommandRule.GlobalObject, sql);

    [Theory]
    [InlineData("DO $$ BEGIN PERFORM 1; END $$")]
    [InlineData("SELECT query_to_xml('SELECT * FROM customer_globex.contacts', true, true, '')")]
    [InlineData("SELECT * FROM ts_stat('SELECT v FROM customer_globex.contacts')")]
    [InlineData("SELECT nextval('customer_globex.s')")]
    [InlineData("SELECT pg_clear_relation_stats('customer_globex', 'contacts')")]
    [InlineData(
        "SELECT pg_catalog.pg_restore_relation_stats('schemaname', 'customer_globex', 'relname', 'contacts', " +
        "'reltuples', 7::real)")]
    [InlineData("SELECT * FROM U&\"customer\\005fglobex\".contacts")]
    public void Sql_that_cannot_be_seen_is_refused(string sql) => Refused(CommandRule.HiddenSql, sql);

    [Fact]
    public void A_refusal_says_what_to_write_instead()
    {
        Assert.Contains("\"__Tenant__\".contacts", Refused(CommandRule.MissingSchema, "SELECT * FROM contacts").Message,
            StringComparison.Ordinal);
        Assert.Contains("without quotes", Refused(CommandRule.ForeignSchema, "SELECT * FROM __Tenant__.a").Message,
            StringComparison.Ordinal);
        Assert.Contains("TenancyOptions.SharedTables",
            Refused(CommandRule.ForeignSchema, "SELECT * FROM public.customers").Message, StringComparison.Ordinal);
        Assert.Contains("pg_advisory_xact_lock",
            Refused(CommandRule.SessionState, "SELECT pg_advisory_lock(1)").Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_verdict_holds_for_its_list_only()
    {
        var template = SqlTemplate.Of("SELECT * FROM public.currencies");
        template.Guard(Shared);

        Assert.Throws<CommandRefusedException>(() => template.Guard(AllowList.Nothing));
        template.Guard(Shared);
    }

    private static void Guard(string sql) =>
        SqlTemplate.Of(System.Text.RegularExpressions.Regex.Replace(sql, "\\bT(?=[.; ]|$)", "\"__Tenant__\""))
            .Guard(Shared);

    private static CommandRefusedException Refused(CommandRule rule, string sql)
    {
        var refusal = Assert.Throws<CommandRefusedException>(() => Guard(sql));
        Assert.Equal(rule, refusal.Rule);
        return refusal;
    }
}
