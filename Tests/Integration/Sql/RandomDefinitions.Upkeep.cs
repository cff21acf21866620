namespace Tests.Integration.Sql;

/// <summary>What exists is altered, described, dropped, granted, maintained.</summary>
internal sealed partial class RandomDefinitions
{
    private string Alter() => _random.Next(22) switch
    {
        0 =>
            $"ALTER VIEW {Of("v")} " +
            $"{Pick(["RENAME TO x", "SET SCHEMA other", $"OWNER TO {roles[0]}", "ALTER COLUMN n SET DEFAULT 1"])}",
        1 =>
            $"ALTER MATERIALIZED VIEW {Of("m")} " +
            $"{Pick(["RENAME TO x", "SET SCHEMA \"__Tenant__\"", $"OWNER TO {roles[0]}"])}",
        2 =>
            $"ALTER SEQUENCE {Of("s")} " +
            $"{Pick(["RESTART", $"OWNED BY {Relation()}.n", "OWNED BY NONE", "INCREMENT BY 2", "SET SCHEMA public", "AS bigint"])}",
        3 => $"ALTER INDEX {Of("ix")} {Pick(["RENAME TO x", "SET (fillfactor = 70)"])}",
        4 =>
            $"ALTER TYPE {Of("mood")} " +
            $"{Pick(["ADD VALUE 'y'", "RENAME TO x", "RENAME VALUE 'ok' TO 'fine'", "SET SCHEMA other"])}",
        5 =>
            $"ALTER TYPE {Of("pair")} " +
            $"{Pick(["ADD", "DROP", "ALTER"]) switch { "ADD" => $"ADD ATTRIBUTE {Pick(Columns)} {Type(out _)}", "DROP" => "DROP ATTRIBUTE n", _ => $"ALTER ATTRIBUTE t TYPE {Type(out _)}" }}",
        6 =>
            $"ALTER DOMAIN {Of("d")} " +
            $"{Pick(["SET NOT NULL", "SET DEFAULT 'x'", $"ADD CONSTRAINT {Pick(Names)} CHECK (value <> '' AND {Call("1")} > 0)", "SET SCHEMA public"])}",
        7 =>
            $"ALTER FUNCTION {Of("f")}(int) " +
            $"{Pick(["STABLE", "RENAME TO x", "SET SCHEMA other", $"OWNER TO {roles[0]}", "STRICT"])}",
        8 =>
            $"ALTER {Pick(["PROCEDURE", "ROUTINE"])} {Of("pr")}(int) " +
            $"{Pick(["SECURITY DEFINER", "RENAME TO x", "SET SCHEMA other"])}",
        9 => $"ALTER AGGREGATE {Of("agg")}(int) {Pick(["RENAME TO x", "SET SCHEMA other"])}",
        10 =>
            $"ALTER OPERATOR {Of("===")} (int, int) " +
            $"{Pick(["SET SCHEMA \"__Tenant__\"", $"OWNER TO {roles[0]}", "SET SCHEMA other"])}",
        11 => $"ALTER COLLATION {Of("c")} {Pick(["RENAME TO x", "SET SCHEMA other"])}",
        12 => $"ALTER STATISTICS {Of("st")} {Pick(["RENAME TO x", "SET STATISTICS 5"])}",
        13 => $"ALTER TRIGGER g ON {Of("a")} RENAME TO {Pick(Names)}",
        14 =>
            $"ALTER POLICY g ON {Of("a")} " +
            $"{Pick(["RENAME TO x", $"USING ({Condition("a", "id")})", $"USING (id IN ({Query()}))"])}",
        15 =>
            $"ALTER TEXT SEARCH {Pick([$"CONFIGURATION {Of("conf")}", $"DICTIONARY {Of("dict")}"])} " +
            $"{Pick(["RENAME TO x", "SET SCHEMA other"])}",
        16 => $"ALTER TEXT SEARCH CONFIGURATION {Of("conf")} ADD MAPPING FOR word WITH {Of("dict")}",
        17 => $"ALTER CONVERSION {Of("conv")} {Pick(["RENAME TO x", "SET SCHEMA other"])}",
        18 =>
            $"ALTER SCHEMA {Pick(["\"__Tenant__\"", "\"__Tenant__\"", "other", "public"])} " +
            $"{Pick(["RENAME TO x", $"OWNER TO {roles[0]}"])}",
        19 => $"DROP FOREIGN TABLE IF EXISTS {Relation()}",
        20 => DefaultPrivileges(),
        _ => $"ALTER TABLE {Of("v")} RENAME TO x",
    };

    private string DefaultPrivileges()
    {
        var schemas = Pick(["\"__Tenant__\"", "\"__Tenant__\"", "other", "\"__Tenant__\", other", "public"]);
        return $"ALTER DEFAULT PRIVILEGES {Pick(["", $"FOR ROLE {roles[0]} "])}IN SCHEMA {schemas} " +
            $"{Pick(["GRANT SELECT ON TABLES TO", "GRANT EXECUTE ON FUNCTIONS TO", "REVOKE ALL ON SEQUENCES FROM", "GRANT USAGE ON TYPES TO"])} {roles[1]}";
    }

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
            3 =>
                $"ALL ON ALL {Pick(["TABLES", "SEQUENCES", "FUNCTIONS", "ROUTINES", "PROCEDURES"])} IN SCHEMA " +
                $"{Pick(["\"__Tenant__\"", "other", "\"__Tenant__\", other"])}",
            4 => $"USAGE ON SCHEMA {Pick(["\"__Tenant__\"", "other", "public", "\"__Tenant__\", public"])}",
            5 => $"EXECUTE ON {Pick(["FUNCTION", "ROUTINE"])} {Of("f")}(int)",
            6 => $"USAGE ON SEQUENCE {Listed("s")}",
            7 => $"USAGE ON {Pick([$"TYPE {Of("mood")}", $"DOMAIN {Of("d")}"])}",
            8 => roles[Chance(2) ? 0 : 1],
            _ => $"EXECUTE ON PROCEDURE {Of("pr")}(int)",
        };
        return $"{verb} {what} {to} {roles[1]}{Pick(["", $", {roles[0]}"])}";
    }

    private string Maintain() => _random.Next(8) switch
    {
        0 or 1 => $"ANALYZE{Pick(["", " VERBOSE", " (VERBOSE)"])} {Relation()}{Pick(["", " (n)", $", {Relation()}"])}",
        2 => "ANALYZE",
        3 => $"REINDEX {Pick(["", "(VERBOSE) "])}{Pick([$"TABLE {Relation()}", $"INDEX {Of("ix")}"])}",
        4 => $"CLUSTER {Pick(["", "VERBOSE ", "(VERBOSE) "])}{Of("a")} USING a_pkey",
        5 => "CLUSTER",
        _ => $"REFRESH MATERIALIZED VIEW {Of("m")}{Pick(["", " WITH NO DATA"])}",
    };
}
