namespace Tests.Integration.Sql;

/// <summary>What is in the database, and how it is asked.</summary>
internal sealed partial class TouchedObjects
{
    /// <summary>
    /// In the placeholder as it is, in another customer's schema, and in public, where only <c>shared</c> is a tenant's
    /// business.
    /// </summary>
    private const string Everything = """
        CREATE SCHEMA IF NOT EXISTS SCHEMA;
        CREATE TABLE SCHEMA.a (id int CONSTRAINT a_pkey PRIMARY KEY, n int, t text); CREATE INDEX ix ON SCHEMA.a (n);
        CREATE TABLE SCHEMA.b (id int PRIMARY KEY, n int, t text); CREATE TABLE SCHEMA.shared (id int PRIMARY KEY, n int, t text);
        ALTER TABLE SCHEMA.b CLUSTER ON b_pkey;
        CREATE TABLE SCHEMA.other (id int PRIMARY KEY, n int, t text); CREATE TABLE SCHEMA.public (id int PRIMARY KEY, n int, t text);
        CREATE TABLE SCHEMA.parts (id int, n int, t text) PARTITION BY LIST (id); CREATE TABLE SCHEMA.one PARTITION OF SCHEMA.parts FOR VALUES IN (1);
        CREATE TYPE SCHEMA.mood AS ENUM ('ok'); CREATE DOMAIN SCHEMA.d AS text; CREATE TYPE SCHEMA.pair AS (id int, n int, t text);
        CREATE FUNCTION SCHEMA.f(x int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
        CREATE FUNCTION SCHEMA.add(x int, y int) RETURNS int LANGUAGE sql IMMUTABLE AS 'SELECT 1';
        CREATE FUNCTION SCHEMA.same(x int, y int) RETURNS bool LANGUAGE sql IMMUTABLE AS 'SELECT true';
        CREATE FUNCTION SCHEMA.tf() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN new; END';
        CREATE PROCEDURE SCHEMA.pr(x int) LANGUAGE sql AS 'SELECT 1'; CREATE AGGREGATE SCHEMA.agg(int) (SFUNC = SCHEMA.add, STYPE = int);
        CREATE OPERATOR SCHEMA.=== (LEFTARG = int, RIGHTARG = int, FUNCTION = SCHEMA.same); CREATE COLLATION SCHEMA.c (LOCALE = 'C');
        CREATE SEQUENCE SCHEMA.s; CREATE VIEW SCHEMA.v AS SELECT id, n, t FROM SCHEMA.b; CREATE MATERIALIZED VIEW SCHEMA.m AS SELECT id, n, t FROM SCHEMA.b;
        CREATE STATISTICS SCHEMA.st ON id, n FROM SCHEMA.b; CREATE TRIGGER g BEFORE UPDATE ON SCHEMA.a FOR EACH ROW EXECUTE FUNCTION SCHEMA.tf();
        CREATE POLICY g ON SCHEMA.a USING (true); CREATE TEXT SEARCH CONFIGURATION SCHEMA.conf (PARSER = pg_catalog."default");
        CREATE TEXT SEARCH DICTIONARY SCHEMA.dict (TEMPLATE = pg_catalog.simple); CREATE CONVERSION SCHEMA.conv FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8;
        """;

    private const string Oracle = """
        CREATE SCHEMA oracle;
        CREATE TABLE oracle.known AS
            SELECT o.classid, o.objid, n.nspname::text AS home, o.name::text,
                CASE WHEN EXISTS (SELECT FROM pg_class c WHERE c.oid = o.objid AND relkind = 'c') THEN 'composite' ELSE o.classid::regclass::text END AS kind
            FROM (SELECT tableoid, oid, relnamespace, relname FROM pg_class UNION ALL SELECT tableoid, oid, pronamespace, proname FROM pg_proc
                UNION ALL SELECT tableoid, oid, typnamespace, typname FROM pg_type UNION ALL SELECT tableoid, oid, oprnamespace, oprname FROM pg_operator
                UNION ALL SELECT tableoid, oid, collnamespace, collname FROM pg_collation UNION ALL SELECT tableoid, oid, stxnamespace, stxname FROM pg_statistic_ext
                UNION ALL SELECT tableoid, oid, cfgnamespace, cfgname FROM pg_ts_config UNION ALL SELECT tableoid, oid, dictnamespace, dictname FROM pg_ts_dict
                UNION ALL SELECT tableoid, oid, connamespace, conname FROM pg_conversion UNION ALL SELECT tableoid, oid, oid, 'as such' FROM pg_namespace) AS o (classid, objid, namespace, name)
            JOIN pg_namespace n ON n.oid = o.namespace
            WHERE n.nspname NOT IN ('__Tenant__', 'information_schema', 'oracle') AND n.nspname NOT LIKE 'pg\_%';
        CREATE INDEX ON oracle.known (classid, objid); CREATE INDEX ON oracle.known (kind); ANALYZE oracle.known;
        CREATE TABLE oracle.needed AS SELECT d.classid, d.objid, d.refclassid, d.refobjid FROM pg_depend d JOIN oracle.known k ON (d.refclassid, d.refobjid) = (k.classid, k.objid);
        -- What locks and dependencies don't tell: rights, names and words, in other schemas and on the server.
        CREATE FUNCTION oracle.state() RETURNS text LANGUAGE plpgsql AS $$ BEGIN RETURN (
            SELECT string_agg(row, chr(10) ORDER BY row) FROM (
                SELECT c.oid || relname || relnamespace || relowner || coalesce(relacl::text, '') || relhassubclass FROM oracle.known k JOIN pg_class c ON c.oid = k.objid AND k.kind = 'pg_class'
                UNION ALL SELECT a::text FROM pg_attribute a JOIN oracle.known k ON k.objid = a.attrelid AND k.kind = 'pg_class' WHERE attacl IS NOT NULL
                UNION ALL SELECT p::text FROM pg_proc p JOIN oracle.known k ON k.objid = p.oid AND k.kind = 'pg_proc'
                UNION ALL SELECT t::text FROM pg_type t JOIN oracle.known k ON k.objid = t.oid AND k.kind = 'pg_type'
                UNION ALL SELECT c::text FROM pg_constraint c JOIN oracle.known k ON k.objid = c.contypid AND k.kind = 'pg_type'
                UNION ALL SELECT o::text FROM pg_operator o JOIN oracle.known k ON k.objid = o.oid AND k.kind = 'pg_operator'
                UNION ALL SELECT c::text FROM pg_collation c JOIN oracle.known k ON k.objid = c.oid AND k.kind = 'pg_collation'
                UNION ALL SELECT c::text FROM pg_conversion c JOIN oracle.known k ON k.objid = c.oid AND k.kind = 'pg_conversion'
                UNION ALL SELECT s::text FROM pg_statistic_ext s JOIN oracle.known k ON k.objid = s.oid AND k.kind = 'pg_statistic_ext'
                UNION ALL SELECT c::text FROM pg_ts_config c JOIN oracle.known k ON k.objid = c.oid AND k.kind = 'pg_ts_config'
                UNION ALL SELECT m::text FROM pg_ts_config_map m JOIN oracle.known k ON k.objid = m.mapcfg AND k.kind = 'pg_ts_config'
                UNION ALL SELECT d::text FROM pg_ts_dict d JOIN oracle.known k ON k.objid = d.oid AND k.kind = 'pg_ts_dict'
                UNION ALL SELECT n::text FROM pg_namespace n WHERE nspname <> '__Tenant__' AND nspname NOT LIKE 'pg\_%'
                UNION ALL SELECT d::text FROM pg_description d JOIN oracle.known k ON (k.classid, k.objid) = (d.classoid, d.objoid)
                UNION ALL SELECT a::text FROM pg_default_acl a WHERE defaclnamespace IS DISTINCT FROM (SELECT oid FROM pg_namespace WHERE nspname = '__Tenant__')
                UNION ALL SELECT m::text FROM pg_auth_members m WHERE roleid IN (SELECT oid FROM pg_roles WHERE rolname IN ('ROLE1', 'ROLE2'))
                UNION ALL SELECT rolname || rolcanlogin || rolcreatedb FROM pg_roles WHERE rolname IN ('ROLE1', 'ROLE2')
                UNION ALL SELECT d::text FROM pg_shdescription d WHERE objoid IN (SELECT oid FROM pg_roles WHERE rolname IN ('ROLE1', 'ROLE2') UNION ALL SELECT oid FROM pg_database WHERE datname = current_database())
                UNION ALL SELECT 'comment on a language' FROM pg_description WHERE classoid = 'pg_language'::regclass AND description = 'x'
                UNION ALL SELECT c::text FROM pg_cast c WHERE oid >= 16384 AND castmethod = 'i') AS rows (row)); END $$;
        CREATE TABLE oracle.before AS SELECT oracle.state() AS state;
        CREATE FUNCTION oracle.touched() RETURNS text[] LANGUAGE plpgsql AS $$ BEGIN RETURN (
            SELECT coalesce(array_agg(what ORDER BY what), '{}') FROM (
                SELECT concat(CASE WHEN l.mode NOT IN ('AccessShareLock', 'RowShareLock') OR k.kind = 'pg_namespace' THEN 'change ' WHEN k.kind = 'pg_class' THEN 'read ' ELSE 'use ' END, k.home, '.', k.name)
                FROM pg_locks l JOIN oracle.known k ON k.classid = coalesce(l.classid, 'pg_class'::regclass) AND k.objid = coalesce(l.objid, l.relation)
                WHERE l.pid = pg_backend_pid() AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())
                UNION
                SELECT concat(CASE k.kind WHEN 'pg_class' THEN 'read ' WHEN 'pg_namespace' THEN 'change ' ELSE 'use ' END, k.home, '.', k.name)
                FROM oracle.known k JOIN pg_depend d ON (d.refclassid, d.refobjid) = (k.classid, k.objid)
                WHERE NOT EXISTS (SELECT FROM oracle.needed n WHERE (n.classid, n.objid, n.refclassid, n.refobjid) = (d.classid, d.objid, d.refclassid, d.refobjid))
                UNION
                SELECT 'change elsewhere' WHERE (SELECT state FROM oracle.before) IS DISTINCT FROM oracle.state()) AS all_of (what)); END $$;
        -- Undoes what the statement did. An error is what the server refuses by itself.
        CREATE FUNCTION oracle.run(statement text) RETURNS text[] LANGUAGE plpgsql AS $$
            DECLARE
                found text[];
            BEGIN
                EXECUTE statement;
                found := oracle.touched();
                RAISE EXCEPTION USING ERRCODE = 'UNDO0';
            EXCEPTION
                WHEN SQLSTATE 'UNDO0' THEN RETURN found;
                WHEN OTHERS THEN RETURN ARRAY['error', SQLSTATE, SQLERRM];
            END $$;
        """;
}
