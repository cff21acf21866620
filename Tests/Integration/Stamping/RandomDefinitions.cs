namespace Tests.Integration.Stamping;

/// <summary>
/// Random statements that make, alter, drop, describe and maintain objects, over the objects of <see cref="TouchedObjects"/>: mostly the tenant's, now and
/// then another's, or such that are named without a schema. New objects and columns bear the schemas' own names, which could lead the guard astray.
/// </summary>
internal sealed class RandomDefinitions(int seed, string[] roles)
{
    private static readonly string[] Names = ["x", "y", "other", "public", "\"__Tenant__\"", "mood", "only", "type", "\"from\"", "new", "z"];
    private static readonly string[] Columns = ["x", "y", "other", "public", "type", "\"from\"", "\"__Tenant__\"", "value"];
    private static readonly string[] Tables = ["a", "b", "a", "b", "other", "public"];

    private readonly Random _random = new(seed);

    public string Statement() => Chance(12) ? $"{One()}; {One()}" : One();

    private string One() => _random.Next(32) switch
    {
        0 or 1 or 2 or 3 => CreateTable(),
        4 or 5 or 6 or 7 => AlterTable(),
        8 => Alter(),
        9 => Alter(),
        10 or 11 => CreateIndex(),
        12 or 13 => CreateView(),
        14 => CreateSequence(),
        15 or 16 => CreateTrigger(),
        17 => CreatePolicy(),
        18 or 19 or 20 => CreateFunction(),
        21 or 22 => CreateType(),
        23 => CreateOther(),
        24 => Comment(),
        25 or 26 => Drop(),
        27 => $"TRUNCATE {Pick(["", "TABLE "])}{Listed()}{Pick(["", " CASCADE", " RESTART IDENTITY"])}",
        28 => Grant(),
        29 => $"LOCK {Pick(["", "TABLE "])}{Listed()}{Pick(["", " IN SHARE MODE", " IN ACCESS SHARE MODE", " NOWAIT"])}",
        30 => CreateSchema(),
        _ => Maintain(),
    };

    private string CreateTable()
    {
        var name = New(out var bare);
        var head = $"CREATE {Pick(["", "", "UNLOGGED "])}TABLE {Pick(["", "", "IF NOT EXISTS "])}{name}";
        return _random.Next(9) switch
        {
            0 => $"{head} AS {Query()}{Pick(["", " WITH NO DATA"])}",
            1 => $"{head}{Pick(["", " (x, y, z)"])} AS {Pick([$"TABLE {Relation()}", $"(TABLE {Relation()})", $"SELECT 1, 2, 't' UNION ALL TABLE {Relation()}"])}",
            2 => $"{head} PARTITION OF {Of("parts")} {Pick(["DEFAULT", "FOR VALUES IN (2, 3)", "(CHECK (id > 0)) FOR VALUES IN (5)"])}",
            3 => $"{head} OF {Of("pair")}{Pick(["", " (PRIMARY KEY (id))"])}",
            4 => $"{head} ({Element(bare)}) INHERITS ({Inherited()})",
            5 => $"{head} (id int, {Columned(bare)}) PARTITION BY {Pick(["LIST", "RANGE", "HASH"])} ({Pick(["id", $"({Call("id")})", "id int4_ops"])})",
            _ => $"{head} (id int{Constraint(bare)}, {Element(bare)}{(Chance(2) ? $", {Element(bare)}" : "")}){Pick(["", "", " WITH (fillfactor = 70)"])}",
        };
    }

    private string Inherited() => Chance(3) ? $"{Relation()}, {Relation()}" : Relation();

    private string Element(string table) => _random.Next(8) switch
    {
        0 => $"LIKE {Relation()}{Pick(["", " INCLUDING ALL", " INCLUDING DEFAULTS EXCLUDING INDEXES"])}",
        1 => TableConstraint(table, "id"),
        _ => Columned(table),
    };

    private string Columned(string table)
    {
        var column = Pick(Columns);
        return _random.Next(4) switch
        {
            0 => $"{column} {Type(out var literal)} DEFAULT {literal}",
            1 => $"{column} text COLLATE {Of("c")}",
            2 => $"{column} int{Constraint(table)}",
            _ => $"{column} {Type(out _)}{Pick(["", " NOT NULL", " NULL", "[]"])}",
        };
    }

    private string Constraint(string table) => _random.Next(9) switch
    {
        0 => $" CHECK ({Condition(table, "id")})",
        1 => $" REFERENCES {Relation()}{Pick(["", " (id)"])}{Pick(["", " ON DELETE CASCADE", " ON UPDATE SET NULL ON DELETE RESTRICT", " MATCH FULL DEFERRABLE"])}",
        2 => $" GENERATED ALWAYS AS ({Pick(["1", Call("1"), $"{Call("2")} + 1"])}) STORED",
        3 => $" GENERATED {Pick(["ALWAYS", "BY DEFAULT"])} AS IDENTITY{Pick(["", " (START 5)", $" (SEQUENCE NAME {Fresh()})"])}",
        4 => $" DEFAULT {Call("1")}",
        5 => $" CONSTRAINT {Pick(Names)} UNIQUE",
        _ => "",
    };

    private string TableConstraint(string table, string column) => (Chance(2) ? $"CONSTRAINT {Pick(Names)} " : "") + _random.Next(4) switch
    {
        0 => $"FOREIGN KEY ({column}) REFERENCES {Relation()} (id){Pick(["", " ON DELETE CASCADE", " ON DELETE SET NULL ON UPDATE CASCADE", " DEFERRABLE INITIALLY DEFERRED"])}",
        1 => $"UNIQUE ({column}){Pick(["", $" INCLUDE ({column})"])}",
        2 => $"EXCLUDE USING btree ({column} WITH {Pick(["=", "pg_catalog.=", "OPERATOR(pg_catalog.=)", $"{Of("===")}"])})",
        _ => $"CHECK ({Condition(table, column)})",
    };

    private string AlterTable()
    {
        if (Chance(6))
        {
            return $"ALTER TABLE {Of("parts")} {Pick([$"DETACH PARTITION {Of("one")}", $"ATTACH PARTITION {Relation()} FOR VALUES IN (7)", $"ATTACH PARTITION {Relation()} DEFAULT"])}";
        }

        var table = Relation();
        return $"ALTER TABLE {Pick(["", "", "IF EXISTS "])}{Wrapped(table)} " + _random.Next(5) switch
        {
            0 => $"RENAME {Pick(["", "COLUMN "])}n TO {Pick(Columns)}",
            1 => Pick(["RENAME TO x", "SET SCHEMA \"__Tenant__\"", "SET SCHEMA other", "SET SCHEMA public", "RENAME CONSTRAINT a_pkey TO other"]),
            _ => Action(table) + (Chance(3) ? $", {Action(table)}" : ""),
        };
    }

    private string Action(string table)
    {
        var bare = table[(table.LastIndexOf('.') + 1)..];
        return _random.Next(15) switch
        {
            0 or 1 => $"ADD {Pick(["", "COLUMN ", "COLUMN IF NOT EXISTS "])}{Columned(bare)}",
            2 => $"DROP {Pick(["", "COLUMN "])}t{Pick(["", " CASCADE"])}",
            3 => $"ALTER n TYPE {Pick(["bigint", "int"])} USING {Pick(["n", "n::int", Call("n"), $"{bare}.n"])}",
            4 => $"ALTER COLUMN t TYPE {Type(out _)} USING NULL",
            5 => $"ALTER n SET DEFAULT {Call("2")}",
            6 => $"ALTER COLUMN n {Pick(["SET NOT NULL", "DROP NOT NULL", "DROP DEFAULT", "SET STATISTICS 5"])}",
            7 or 8 => $"ADD {TableConstraint(bare, "n")}{Pick(["", " NOT VALID"])}",
            9 => $"{Pick(["", "NO "])}INHERIT {Relation()}",
            10 => $"OWNER TO {roles[0]}",
            11 => Pick(["ENABLE ROW LEVEL SECURITY", "DISABLE TRIGGER ALL", "SET (fillfactor = 70)", "REPLICA IDENTITY FULL", "SET UNLOGGED", "REPLICA IDENTITY USING INDEX a_pkey"]),
            12 => "CLUSTER ON a_pkey",
            13 => $"OF {Of("pair")}",
            _ => $"ADD {Columned(bare)}",
        };
    }

    private string Alter() => _random.Next(22) switch
    {
        0 => $"ALTER VIEW {Of("v")} {Pick(["RENAME TO x", "SET SCHEMA other", $"OWNER TO {roles[0]}", "ALTER COLUMN n SET DEFAULT 1"])}",
        1 => $"ALTER MATERIALIZED VIEW {Of("m")} {Pick(["RENAME TO x", "SET SCHEMA \"__Tenant__\"", $"OWNER TO {roles[0]}"])}",
        2 => $"ALTER SEQUENCE {Of("s")} {Pick(["RESTART", $"OWNED BY {Relation()}.n", "OWNED BY NONE", "INCREMENT BY 2", "SET SCHEMA public", "AS bigint"])}",
        3 => $"ALTER INDEX {Of("ix")} {Pick(["RENAME TO x", "SET (fillfactor = 70)"])}",
        4 => $"ALTER TYPE {Of("mood")} {Pick(["ADD VALUE 'y'", "RENAME TO x", "RENAME VALUE 'ok' TO 'fine'", "SET SCHEMA other"])}",
        5 => $"ALTER TYPE {Of("pair")} {Pick(["ADD", "DROP", "ALTER"]) switch { "ADD" => $"ADD ATTRIBUTE {Pick(Columns)} {Type(out _)}", "DROP" => "DROP ATTRIBUTE n", _ => $"ALTER ATTRIBUTE t TYPE {Type(out _)}" }}",
        6 => $"ALTER DOMAIN {Of("d")} {Pick(["SET NOT NULL", "SET DEFAULT 'x'", $"ADD CONSTRAINT {Pick(Names)} CHECK (value <> '' AND {Call("1")} > 0)", "SET SCHEMA public"])}",
        7 => $"ALTER FUNCTION {Of("f")}(int) {Pick(["STABLE", "RENAME TO x", "SET SCHEMA other", $"OWNER TO {roles[0]}", "STRICT"])}",
        8 => $"ALTER {Pick(["PROCEDURE", "ROUTINE"])} {Of("pr")}(int) {Pick(["SECURITY DEFINER", "RENAME TO x", "SET SCHEMA other"])}",
        9 => $"ALTER AGGREGATE {Of("agg")}(int) {Pick(["RENAME TO x", "SET SCHEMA other"])}",
        10 => $"ALTER OPERATOR {Of("===")} (int, int) {Pick(["SET SCHEMA \"__Tenant__\"", $"OWNER TO {roles[0]}", "SET SCHEMA other"])}",
        11 => $"ALTER COLLATION {Of("c")} {Pick(["RENAME TO x", "SET SCHEMA other"])}",
        12 => $"ALTER STATISTICS {Of("st")} {Pick(["RENAME TO x", "SET STATISTICS 5"])}",
        13 => $"ALTER TRIGGER g ON {Of("a")} RENAME TO {Pick(Names)}",
        14 => $"ALTER POLICY g ON {Of("a")} {Pick(["RENAME TO x", $"USING ({Condition("a", "id")})", $"USING (id IN ({Query()}))"])}",
        15 => $"ALTER TEXT SEARCH {Pick([$"CONFIGURATION {Of("conf")}", $"DICTIONARY {Of("dict")}"])} {Pick(["RENAME TO x", "SET SCHEMA other"])}",
        16 => $"ALTER TEXT SEARCH CONFIGURATION {Of("conf")} ADD MAPPING FOR word WITH {Of("dict")}",
        17 => $"ALTER CONVERSION {Of("conv")} {Pick(["RENAME TO x", "SET SCHEMA other"])}",
        18 => $"ALTER SCHEMA {Pick(["\"__Tenant__\"", "\"__Tenant__\"", "other", "public"])} {Pick(["RENAME TO x", $"OWNER TO {roles[0]}"])}",
        19 => $"ALTER FOREIGN TABLE {Relation()} {Pick(["RENAME TO x", "ADD x int"])}",
        20 => DefaultPrivileges(),
        _ => $"ALTER TABLE {Of("v")} RENAME TO x",
    };

    private string DefaultPrivileges()
    {
        var schemas = Pick(["\"__Tenant__\"", "\"__Tenant__\"", "other", "\"__Tenant__\", other", "public"]);
        return $"ALTER DEFAULT PRIVILEGES {Pick(["", $"FOR ROLE {roles[0]} "])}IN SCHEMA {schemas} {Pick(["GRANT SELECT ON TABLES TO", "GRANT EXECUTE ON FUNCTIONS TO", "REVOKE ALL ON SEQUENCES FROM", "GRANT USAGE ON TYPES TO"])} {roles[1]}";
    }

    private string CreateIndex()
    {
        var relation = Relation();
        var bare = relation[(relation.LastIndexOf('.') + 1)..];
        var key = _random.Next(6) switch
        {
            0 => $"({Condition(bare, "n")})",
            1 => Call("n"),
            2 => $"t COLLATE {Of("c")} DESC NULLS LAST, n",
            3 => $"n {Pick(["int4_ops", "pg_catalog.int4_ops", "other.int4_ops"])}",
            4 => $"lower({bare}.t), n",
            _ => "n",
        };
        return $"CREATE {Pick(["", "UNIQUE "])}INDEX {Pick(["", $"{Pick(Names)} ", $"IF NOT EXISTS {Pick(Names)} "])}ON {Wrapped(relation)} {Pick(["", "USING btree "])}({key}){Pick(["", " INCLUDE (t)"])}{Pick(["", $" WHERE {Condition(bare, "n")}"])}";
    }

    private string CreateView()
    {
        var options = Pick(["", "", " WITH (security_barrier)"]);
        return _random.Next(5) switch
        {
            0 => $"CREATE MATERIALIZED VIEW {Pick(["", "IF NOT EXISTS "])}{New(out _)} AS {Query()}{Pick(["", " WITH NO DATA"])}",
            1 => $"CREATE RECURSIVE VIEW {New(out _)} (id) AS SELECT 1 UNION ALL SELECT {Pick(["r.id", "1"])} FROM {Relation()} AS r",
            2 => $"CREATE VIEW {New(out _)}{options} AS TABLE {Relation()}",
            3 => $"SELECT * INTO {Pick(["", "TABLE ", "UNLOGGED "])}{New(out _)} FROM {Relation()}",
            _ => $"CREATE {Pick(["", "OR REPLACE "])}VIEW {New(out _)}{Pick(["", " (id)"])}{options} AS {Query()}",
        };
    }

    private string CreateSequence() => $"CREATE {Pick(["", "UNLOGGED "])}SEQUENCE {Pick(["", "IF NOT EXISTS "])}{New(out _)}{Pick(["", " AS int"])}{Pick(["", " START 5", " INCREMENT BY 2 CACHE 3"])}{Pick(["", $" OWNED BY {Relation()}.n", " OWNED BY NONE"])}";

    private string CreateTrigger()
    {
        var (relation, function) = (Relation(), $"EXECUTE {Pick(["FUNCTION", "PROCEDURE"])} {Of("tf")}({Pick(["", "'other.a'", "1"])})");
        return _random.Next(4) switch
        {
            0 => $"CREATE CONSTRAINT TRIGGER {Pick(Names)} AFTER {Pick(["INSERT", "DELETE OR UPDATE"])} ON {relation} {Pick(["", $"FROM {Relation()} "])}{Pick(["", "DEFERRABLE INITIALLY DEFERRED "])}FOR EACH ROW {function}",
            1 => $"CREATE TRIGGER {Pick(Names)} AFTER UPDATE ON {relation} REFERENCING OLD TABLE AS {Pick(["x", "other"])} NEW TABLE AS y FOR EACH STATEMENT {function}",
            2 => $"CREATE TRIGGER {Pick(Names)} INSTEAD OF {Pick(["INSERT", "UPDATE", "DELETE"])} ON {Of("v")} FOR EACH ROW {function}",
            _ => $"CREATE {Pick(["", "OR REPLACE "])}TRIGGER {Pick(Names)} {Pick(["BEFORE", "AFTER"])} {Pick(["UPDATE", "UPDATE OF n, t"])} ON {relation} FOR EACH ROW {Pick(["", $"WHEN (old.n IS DISTINCT FROM new.n AND {Condition("new", "n")}) "])}{function}",
        };
    }

    private string CreatePolicy()
    {
        var relation = Relation();
        var bare = relation[(relation.LastIndexOf('.') + 1)..];
        return $"CREATE POLICY {Pick(Names)} ON {relation} {Pick(["", "AS RESTRICTIVE "])}{Pick(["", "FOR ALL ", "FOR UPDATE "])}{Pick(["", $"TO {roles[0]} "])}"
            + $"USING ({Pick([Condition(bare, "id"), $"EXISTS ({Query()})", $"{bare}.id IN ({Query()})"])}){Pick(["", $" WITH CHECK ({Condition(bare, "n")})"])}";
    }

    private string CreateFunction()
    {
        var type = Type(out _);
        var arguments = $"({_random.Next(5) switch { 0 => "", 1 => Type(out _), 2 => $"{Pick(Columns)} {Type(out _)}, OUT z int", 3 => $"INOUT {Pick(Columns)} int DEFAULT {Call("3")}", _ => $"x int, VARIADIC {Pick(Columns)} {Type(out _)}[]" }})";
        return _random.Next(8) switch
        {
            0 => $"CREATE FUNCTION {New(out _)}(x int) RETURNS {type} LANGUAGE sql AS $$ SELECT NULL::{type} $$",
            1 => $"CREATE FUNCTION {New(out _)}({Type(out _)}) RETURNS SETOF {type} LANGUAGE plpgsql STABLE AS 'BEGIN RETURN; END'",
            2 => $"CREATE OR REPLACE FUNCTION {New(out _)}() RETURNS TABLE ({Pick(Columns)} {type}, z int) LANGUAGE plpgsql AS $$ BEGIN RETURN; /* other.a */ END $$",
            3 => $"CREATE FUNCTION {New(out _)}(x int) RETURNS int LANGUAGE sql RETURN {Pick([Call("x"), $"(SELECT count(*)::int FROM {Relation()})", "x + 1"])}",
            4 => $"CREATE PROCEDURE {New(out _)}{arguments} LANGUAGE plpgsql AS 'BEGIN END'",
            5 => $"CREATE FUNCTION {New(out _)}() RETURNS void LANGUAGE sql BEGIN ATOMIC {Body()}; {Body()}; END",
            _ => $"CREATE {Pick(["", "OR REPLACE "])}FUNCTION {New(out _)}() RETURNS void {Pick(["", "VOLATILE "])}LANGUAGE sql BEGIN ATOMIC {Body()}; END",
        };
    }

    private string Body() => Chance(3)
        ? Pick([$"DELETE FROM {Relation()}", $"INSERT INTO {Relation()} VALUES (1)", $"UPDATE {Wrapped(Relation())} SET n = 1", $"DELETE FROM {Wrapped(Relation())}"])
        : new RandomStatements(_random.Next()).Statement();

    private string CreateType() => _random.Next(6) switch
    {
        0 => $"CREATE TYPE {New(out _)} AS ENUM ('other.a', 'y')",
        1 => $"CREATE TYPE {New(out _)} AS ({Pick(Columns)} {Type(out _)}, z text COLLATE {Of("c")})",
        2 => $"CREATE TYPE {New(out _)} AS RANGE (subtype = {Pick(["int", "int4", Of("mood")])})",
        3 => $"CREATE TYPE {New(out _)}",
        _ => $"CREATE DOMAIN {New(out _)} {Pick(["", "AS "])}{Type(out var literal)}{Pick(["", $" DEFAULT {literal}"])}{Pick(["", $" CONSTRAINT {Pick(Names)} NOT NULL"])}{Pick(["", $" CHECK (value IS NOT NULL AND {Call("1")} > 0)"])}",
    };

    private string CreateOther() => _random.Next(9) switch
    {
        0 => $"CREATE STATISTICS {Pick(["", "IF NOT EXISTS "])}{New(out _)} {Pick(["", "(ndistinct) "])}ON n, t FROM {Relation()}",
        1 => $"CREATE COLLATION {New(out _)} {Pick(["(LOCALE = 'C')", $"FROM {Of("c")}"])}",
        2 => $"CREATE AGGREGATE {New(out _)}({Pick(["int", "x int"])}) (SFUNC = {Of("add")}, STYPE = int)",
        3 => $"CREATE OPERATOR {Schema()}<+> (LEFTARG = int, RIGHTARG = int, {Pick(["FUNCTION", "PROCEDURE"])} = {Of("add")})",
        4 => $"CREATE TEXT SEARCH CONFIGURATION {New(out _)} ({Pick(["PARSER = pg_catalog.\"default\"", $"COPY = {Of("conf")}"])})",
        5 => $"CREATE TEXT SEARCH DICTIONARY {New(out _)} (TEMPLATE = pg_catalog.simple)",
        6 => $"CREATE CONVERSION {New(out _)} FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
        7 => $"CREATE CAST ({Of("mood")} AS int) WITH INOUT",
        _ => $"CREATE AGGREGATE {New(out _)}({Type(out _)}) (SFUNC = {Of("add")}, STYPE = int)",
    };

    private string Comment() => $"COMMENT ON {_random.Next(23) switch
    {
        0 => $"TABLE {Relation()}",
        1 => $"COLUMN {Relation()}.n",
        2 => $"VIEW {Of("v")}",
        3 => $"MATERIALIZED VIEW {Of("m")}",
        4 => $"INDEX {Of("ix")}",
        5 => $"SEQUENCE {Of("s")}",
        6 => $"TYPE {Of("mood")}",
        7 => $"DOMAIN {Of("d")}",
        8 => $"FUNCTION {Of("f")}({Pick(["int", "x int"])})",
        9 => $"PROCEDURE {Of("pr")}(int)",
        10 => $"AGGREGATE {Of("agg")}(int)",
        11 => $"OPERATOR {Of("===")} (int, int)",
        12 => $"COLLATION {Of("c")}",
        13 => $"STATISTICS {Of("st")}",
        14 => $"TRIGGER g ON {Of("a")}",
        15 => $"POLICY g ON {Of("a")}",
        16 => $"CONSTRAINT a_pkey ON {Of("a")}",
        17 => $"TEXT SEARCH CONFIGURATION {Of("conf")}",
        18 => $"SCHEMA {Pick(["\"__Tenant__\"", "other", "public"])}",
        19 => $"ROLE {roles[0]}",
        20 => "LANGUAGE plpgsql",
        21 => $"CONVERSION {Of("conv")}",
        _ => $"COLUMN {Of("v")}.id",
    }} IS {Pick(["'x'", "'other.a'", "NULL"])}";

    private string Drop()
    {
        var exists = Pick(["", "IF EXISTS "]);
        var behaviour = Pick(["", " CASCADE", " RESTRICT"]);
        return "DROP " + _random.Next(18) switch
        {
            0 or 1 => $"TABLE {exists}{Listed("a", "b", "other")}",
            2 => $"VIEW {exists}{Listed("v")}",
            3 => $"MATERIALIZED VIEW {exists}{Listed("m")}",
            4 => $"INDEX {exists}{Listed("ix")}",
            5 => $"SEQUENCE {exists}{Listed("s")}",
            6 => $"TYPE {exists}{Listed("mood", "pair")}",
            7 => $"DOMAIN {exists}{Listed("d")}",
            8 => $"FUNCTION {exists}{Of("f")}(int){Pick(["", $", {Of("add")}(int, int)"])}",
            9 => $"{Pick(["PROCEDURE", "ROUTINE"])} {exists}{Of("pr")}",
            10 => $"AGGREGATE {exists}{Of("agg")}(int)",
            11 => $"OPERATOR {exists}{Of("===")} (int, int)",
            12 => $"COLLATION {exists}{Of("c")}",
            13 => $"STATISTICS {exists}{Listed("st")}",
            14 => $"{Pick(["TRIGGER", "POLICY"])} {exists}g ON {Of("a")}",
            15 => $"TEXT SEARCH {Pick([$"CONFIGURATION {exists}{Of("conf")}", $"DICTIONARY {exists}{Of("dict")}"])}",
            16 => $"SCHEMA {exists}{Pick(["\"__Tenant__\"", "other", "\"__Tenant__\", other"])}",
            _ => $"CONVERSION {exists}{Of("conv")}",
        } + behaviour;
    }

    private string Grant()
    {
        var (verb, to) = Pick(["GRANT", "REVOKE"]) is "GRANT" and var grant ? (grant, "TO") : ("REVOKE", "FROM");
        var what = _random.Next(10) switch
        {
            0 or 1 => $"SELECT, INSERT, UPDATE, DELETE ON {Pick(["", "TABLE "])}{Listed()}",
            2 => $"SELECT (n), UPDATE (t, n) ON {Relation()}",
            3 => $"ALL ON ALL {Pick(["TABLES", "SEQUENCES", "FUNCTIONS", "ROUTINES", "PROCEDURES"])} IN SCHEMA {Pick(["\"__Tenant__\"", "other", "\"__Tenant__\", other"])}",
            4 => $"USAGE ON SCHEMA {Pick(["\"__Tenant__\"", "other", "public", "\"__Tenant__\", public"])}",
            5 => $"EXECUTE ON {Pick(["FUNCTION", "ROUTINE"])} {Of("f")}(int)",
            6 => $"USAGE ON SEQUENCE {Listed("s")}",
            7 => $"USAGE ON {Pick([$"TYPE {Of("mood")}", $"DOMAIN {Of("d")}"])}",
            8 => roles[Chance(2) ? 0 : 1],
            _ => $"EXECUTE ON PROCEDURE {Of("pr")}(int)",
        };
        return $"{verb} {what} {to} {roles[1]}{Pick(["", $", {roles[0]}"])}";
    }

    private string CreateSchema() => $"CREATE SCHEMA {Pick(["", "IF NOT EXISTS "])}{Pick(["\"__Tenant__\"", "x", "other"])}{Pick(["", " CREATE TABLE x (id int)", $" AUTHORIZATION {roles[0]}"])}";

    private string Maintain() => _random.Next(8) switch
    {
        0 or 1 => $"ANALYZE{Pick(["", " VERBOSE", " (VERBOSE)"])} {Relation()}{Pick(["", " (n)", $", {Relation()}"])}",
        2 => "ANALYZE",
        3 => $"REINDEX {Pick(["", "(VERBOSE) "])}{Pick([$"TABLE {Relation()}", $"INDEX {Of("ix")}"])}",
        4 => $"CLUSTER {Pick(["", "VERBOSE ", "(VERBOSE) "])}{Of("a")} USING a_pkey",
        5 => "CLUSTER",
        _ => $"REFRESH MATERIALIZED VIEW {Of("m")}{Pick(["", " WITH NO DATA"])}",
    };

    private string Condition(string table, string column) => _random.Next(9) switch
    {
        0 => $"{table}.{column} > 0",
        1 => $"{Call(column)} > 0",
        2 => $"'ok'::{Of("mood")} IS NOT NULL",
        3 => $"CAST('ok' AS {Of("mood")}) IS NOT NULL",
        4 => $"{Of("mood")} 'ok' IS NOT NULL",
        5 => $"'a' COLLATE {Of("c")} > 'b'",
        6 => $"{column} OPERATOR({Of("===")}) 1",
        7 => $"{column} BETWEEN {table}.{column} AND 5 OR {column} IS DISTINCT FROM {table}.{column}",
        _ => $"{column} > 0",
    };

    private string Call(string argument) => $"{Of("f")}({argument})";

    private string Type(out string literal)
    {
        var name = Pick(["mood", "mood", "d", "int", "text", "numeric(9, 2)", "pair"]);
        literal = name is "int" or "numeric(9, 2)" ? "1" : name == "pair" ? "NULL" : "'ok'";
        return name is "mood" or "d" or "pair" ? Of(name) : name;
    }

    private string Query() => new RandomStatements(_random.Next()).Query();

    private string Listed() => Wrapped(Relation()) + (Chance(3) ? $", {Wrapped(Relation())}" : "");

    private string Listed(params string[] names) => Of(Pick(names)) + (Chance(4) ? $", {Of(Pick(names))}" : "");

    /// <summary>ONLY takes its table in parentheses, too.</summary>
    private string Wrapped(string relation) => _random.Next(8) switch { 0 => $"ONLY ({relation})", 1 => $"ONLY {relation}", _ => relation };

    private string Relation() => _random.Next(12) switch
    {
        0 => "public.shared",
        1 => Pick(["other.a", "OTHER.b", "\"other\".a", "public.a", "\"public\" . b", "a", "b", "shared"]),
        _ => $"\"__Tenant__\"{Pick([".", ".", " . ", "/* other.a */."])}{Pick(Tables)}",
    };

    /// <summary>An existing object's name.</summary>
    private string Of(string name) => Schema() + name;

    private string Fresh() => New(out _);

    private string New(out string bare) => Schema() + (bare = Pick(Names));

    private string Schema() => _random.Next(14) switch { 0 => "other.", 1 => "public.", 2 => Pick(["", "OTHER . ", "\"public\"."]), _ => "\"__Tenant__\"." };

    private T Pick<T>(T[] of) => of[_random.Next(of.Length)];

    private bool Chance(int of) => _random.Next(of) == 0;
}
