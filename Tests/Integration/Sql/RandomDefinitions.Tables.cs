namespace Tests.Integration.Sql;

/// <summary>Tables and their indexes.</summary>
internal sealed partial class RandomDefinitions
{
    private string CreateTable()
    {
        var name = New(out var bare);
        var head = $"CREATE {Pick(["", "", "UNLOGGED "])}TABLE {Pick(["", "", "IF NOT EXISTS "])}{name}";
        return _random.Next(9) switch
        {
            0 => $"{head} AS {Query()}{Pick(["", " WITH NO DATA"])}",
            1 =>
                $"{head}{Pick(["", " (x, y, z)"])} AS " +
                $"{Pick([$"TABLE {Relation()}", $"(TABLE {Relation()})", $"SELECT 1, 2, 't' UNION ALL TABLE {Relation()}"])}",
            2 =>
                $"{head} PARTITION OF {Of("parts")} " +
                $"{Pick(["DEFAULT", "FOR VALUES IN (2, 3)", "(CHECK (id > 0)) FOR VALUES IN (5)"])}",
            3 => $"{head} OF {Of("pair")}{Pick(["", " (PRIMARY KEY (id))"])}",
            4 => $"{head} ({Element(bare)}) INHERITS ({Inherited()})",
            5 =>
                $"{head} (id int, {Columned(bare)}) PARTITION BY {Pick(["LIST", "RANGE", "HASH"])} " +
                $"({Pick(["id", $"({Call("id")})", "id int4_ops"])})",
            _ =>
                $"{head} (id int{Constraint(bare)}, " +
                $"{Element(bare)}{(Chance(2) ? $", {Element(bare)}" : "")}){Pick(["", "", " WITH (fillfactor = 70)"])}",
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
        1 =>
            $" REFERENCES {Relation()}{Pick(["", " (id)"])}{Pick(["", " ON DELETE CASCADE", " ON UPDATE SET NULL ON DELETE RESTRICT", " MATCH FULL DEFERRABLE"])}",
        2 => $" GENERATED ALWAYS AS ({Pick(["1", Call("1"), $"{Call("2")} + 1"])}) STORED",
        3 =>
            $" GENERATED {Pick(["ALWAYS", "BY DEFAULT"])} AS " +
            $"IDENTITY{Pick(["", " (START 5)", $" (SEQUENCE NAME {Fresh()})"])}",
        4 => $" DEFAULT {Call("1")}",
        5 => $" CONSTRAINT {Pick(Names)} UNIQUE",
        _ => "",
    };

    private string TableConstraint(string table, string column) =>
        (Chance(2) ? $"CONSTRAINT {Pick(Names)} " : "") + _random.Next(4) switch
        {
            0 =>
                $"FOREIGN KEY ({column}) REFERENCES {Relation()} " +
                $"(id){Pick(["", " ON DELETE CASCADE", " ON DELETE SET NULL ON UPDATE CASCADE", " DEFERRABLE INITIALLY DEFERRED"])}",
            1 => $"UNIQUE ({column}){Pick(["", $" INCLUDE ({column})"])}",
            2 =>
                $"EXCLUDE USING btree ({column} WITH " +
                $"{Pick(["=", "pg_catalog.=", "OPERATOR(pg_catalog.=)", $"{Of("===")}"])})",
            _ => $"CHECK ({Condition(table, column)})",
        };

    private string AlterTable()
    {
        if (Chance(6))
        {
            return $"ALTER TABLE {Of("parts")} " +
                $"{Pick([$"DETACH PARTITION {Of("one")}", $"ATTACH PARTITION {Relation()} FOR VALUES IN (7)", $"ATTACH PARTITION {Relation()} DEFAULT"])}";
        }

        var table = Relation();
        return $"ALTER TABLE {Pick(["", "", "IF EXISTS "])}{Wrapped(table)} " + _random.Next(5) switch
        {
            0 => $"RENAME {Pick(["", "COLUMN "])}n TO {Pick(Columns)}",
            1 => Pick(
                ["RENAME TO x", "SET SCHEMA \"__Tenant__\"", "SET SCHEMA other", "SET SCHEMA public",
                    "RENAME CONSTRAINT a_pkey TO other"]),
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
            11 => Pick(
                ["ENABLE ROW LEVEL SECURITY", "DISABLE TRIGGER ALL", "SET (fillfactor = 70)", "REPLICA IDENTITY FULL",
                    "SET UNLOGGED", "REPLICA IDENTITY USING INDEX a_pkey"]),
            12 => "CLUSTER ON a_pkey",
            13 => $"OF {Of("pair")}",
            _ => $"ADD {Columned(bare)}",
        };
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
        return $"CREATE {Pick(["", "UNIQUE "])}INDEX " +
            $"{Pick(["", $"{Pick(Names)} ", $"IF NOT EXISTS {Pick(Names)} "])}ON {Wrapped(relation)} " +
            $"{Pick(["", "USING btree "])}({key}){Pick(["", " INCLUDE (t)"])}{Pick(["", $" WHERE {Condition(bare, "n")}"])}";
    }
}
