namespace Tests.Integration.Sql;

/// <summary>What else is made.</summary>
internal sealed partial class RandomDefinitions
{
    private string CreateView()
    {
        var options = Pick(["", "", " WITH (security_barrier)"]);
        return _random.Next(5) switch
        {
            0 =>
                $"CREATE MATERIALIZED VIEW {Pick(["", "IF NOT EXISTS "])}{New(out _)} AS " +
                $"{Query()}{Pick(["", " WITH NO DATA"])}",
            1 =>
                $"CREATE RECURSIVE VIEW {New(out _)} (id) AS SELECT 1 UNION ALL SELECT {Pick(["r.id", "1"])} FROM " +
                $"{Relation()} AS r",
            2 => $"CREATE VIEW {New(out _)}{options} AS TABLE {Relation()}",
            3 => $"SELECT * INTO {Pick(["", "TABLE ", "UNLOGGED "])}{New(out _)} FROM {Relation()}",
            _ => $"CREATE {Pick(["", "OR REPLACE "])}VIEW {New(out _)}{Pick(["", " (id)"])}{options} AS {Query()}",
        };
    }

    private string CreateSequence() =>
        $"CREATE {Pick(["", "UNLOGGED "])}SEQUENCE " +
        $"{Pick(["", "IF NOT EXISTS "])}{New(out _)}{Pick(["", " AS int"])}{Pick(["", " START 5", " INCREMENT BY 2 CACHE 3"])}{Pick(["", $" OWNED BY {Relation()}.n", " OWNED BY NONE"])}";

    private string CreateTrigger()
    {
        var (relation, function) = (
            Relation(), $"EXECUTE {Pick(["FUNCTION", "PROCEDURE"])} {Of("tf")}({Pick(["", "'other.a'", "1"])})");
        return _random.Next(4) switch
        {
            0 =>
                $"CREATE CONSTRAINT TRIGGER {Pick(Names)} AFTER {Pick(["INSERT", "DELETE OR UPDATE"])} ON {relation} " +
                $"{Pick(["", $"FROM {Relation()} "])}{Pick(["", "DEFERRABLE INITIALLY DEFERRED "])}FOR EACH " +
                $"ROW {function}",
            1 =>
                $"CREATE TRIGGER {Pick(Names)} AFTER UPDATE ON {relation} REFERENCING OLD TABLE AS " +
                $"{Pick(["x", "other"])} NEW TABLE AS y FOR EACH STATEMENT {function}",
            2 =>
                $"CREATE TRIGGER {Pick(Names)} INSTEAD OF {Pick(["INSERT", "UPDATE", "DELETE"])} ON {Of("v")} FOR " +
                $"EACH ROW {function}",
            _ =>
                $"CREATE {Pick(["", "OR REPLACE "])}TRIGGER {Pick(Names)} {Pick(["BEFORE", "AFTER"])} " +
                $"{Pick(["UPDATE", "UPDATE OF n, t"])} ON {relation} FOR EACH ROW " +
                $"{Pick(["", $"WHEN (old.n IS DISTINCT FROM new.n AND {Condition("new", "n")}) "])}{function}",
        };
    }

    private string CreatePolicy()
    {
        var relation = Relation();
        var bare = relation[(relation.LastIndexOf('.') + 1)..];
        return $"CREATE POLICY {Pick(Names)} ON {relation} " +
            $"{Pick(["", "AS RESTRICTIVE "])}{Pick(["", "FOR ALL ", "FOR UPDATE "])}{Pick(["", $"TO {roles[0]} "])}"
            + $"USING ({Pick([Condition(bare, "id"), $"EXISTS ({Query()})", $"{bare}.id IN ({Query()})"])}){Pick(["", $" WITH CHECK ({Condition(bare, "n")})"])}";
    }

    private string CreateFunction()
    {
        var type = Type(out _);
        var arguments =
            $"({_random.Next(5) switch { 0 => "", 1 => Type(out _), 2 => $"{Pick(Columns)} {Type(out _)}, OUT z int", 3 => $"INOUT {Pick(Columns)} int DEFAULT {Call("3")}", _ => $"x int, VARIADIC {Pick(Columns)} {Type(out _)}[]" }})";
        return _random.Next(8) switch
        {
            0 => $"CREATE FUNCTION {New(out _)}(x int) RETURNS {type} LANGUAGE sql AS $$ SELECT NULL::{type} $$",
            1 =>
                $"CREATE FUNCTION {New(out _)}({Type(out _)}) RETURNS SETOF {type} LANGUAGE plpgsql STABLE AS 'BEGIN " +
                "RETURN; END'",
            2 =>
                $"CREATE OR REPLACE FUNCTION {New(out _)}() RETURNS TABLE ({Pick(Columns)} {type}, z int) LANGUAGE " +
                "plpgsql AS $$ BEGIN RETURN; /* other.a */ END $$",
            3 =>
                $"CREATE FUNCTION {New(out _)}(x int) RETURNS int LANGUAGE sql RETURN " +
                $"{Pick([Call("x"), $"(SELECT count(*)::int FROM {Relation()})", "x + 1"])}",
            4 => $"CREATE PROCEDURE {New(out _)}{arguments} LANGUAGE plpgsql AS 'BEGIN END'",
            5 => $"CREATE FUNCTION {New(out _)}() RETURNS void LANGUAGE sql BEGIN ATOMIC {Body()}; {Body()}; END",
            _ =>
                $"CREATE {Pick(["", "OR REPLACE "])}FUNCTION {New(out _)}() RETURNS void " +
                $"{Pick(["", "VOLATILE "])}LANGUAGE sql BEGIN ATOMIC {Body()}; END",
        };
    }

    private string Body() => Chance(3)
        ? Pick(
            [$"DELETE FROM {Relation()}", $"INSERT INTO {Relation()} VALUES (1)",
                $"UPDATE {Wrapped(Relation())} SET n = 1", $"DELETE FROM {Wrapped(Relation())}"])
        : new RandomStatements(_random.Next()).Statement();

    private string CreateType() => _random.Next(6) switch
    {
        0 => $"CREATE TYPE {New(out _)} AS ENUM ('other.a', 'y')",
        1 => $"CREATE TYPE {New(out _)} AS ({Pick(Columns)} {Type(out _)}, z text COLLATE {Of("c")})",
        2 => $"CREATE TYPE {New(out _)} AS RANGE (subtype = {Pick(["int", "int4", Of("mood")])})",
        3 => $"CREATE TYPE {New(out _)}",
        _ =>
            $"CREATE DOMAIN {New(out _)} " +
            $"{Pick(["", "AS "])}{Type(out var literal)}{Pick(["", $" DEFAULT {literal}"])}{Pick(["", $" CONSTRAINT {Pick(Names)} NOT NULL"])}{Pick(["", $" CHECK (value IS NOT NULL AND {Call("1")} > 0)"])}",
    };

    private string CreateOther() => _random.Next(9) switch
    {
        0 =>
            $"CREATE STATISTICS {Pick(["", "IF NOT EXISTS "])}{New(out _)} {Pick(["", "(ndistinct) "])}ON n, t FROM " +
            $"{Relation()}",
        1 => $"CREATE COLLATION {New(out _)} {Pick(["(LOCALE = 'C')", $"FROM {Of("c")}"])}",
        2 => $"CREATE AGGREGATE {New(out _)}({Pick(["int", "x int"])}) (SFUNC = {Of("add")}, STYPE = int)",
        3 =>
            $"CREATE OPERATOR {Schema()}<+> (LEFTARG = int, RIGHTARG = int, {Pick(["FUNCTION", "PROCEDURE"])} = " +
            $"{Of("add")})",
        4 =>
            $"CREATE TEXT SEARCH CONFIGURATION {New(out _)} " +
            $"({Pick(["PARSER = pg_catalog.\"default\"", $"COPY = {Of("conf")}"])})",
        5 => $"CREATE TEXT SEARCH DICTIONARY {New(out _)} (TEMPLATE = pg_catalog.simple)",
        6 => $"CREATE CONVERSION {New(out _)} FOR 'LATIN1' TO 'UTF8' FROM iso8859_1_to_utf8",
        7 => $"CREATE CAST ({Of("mood")} AS int) WITH INOUT",
        _ => $"CREATE AGGREGATE {New(out _)}({Type(out _)}) (SFUNC = {Of("add")}, STYPE = int)",
    };

    private string CreateSchema() =>
        $"CREATE SCHEMA {Pick(["", "IF NOT EXISTS "])}{Pick(["\"__Tenant__\"", "x", "other"])}{Pick(["", " CREATE TABLE x (id int)", $" AUTHORIZATION {roles[0]}"])}";
}
