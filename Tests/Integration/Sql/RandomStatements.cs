namespace Tests.Integration.Sql;

/// <summary>
/// Random statements over the tenant's tables, another's, shared and private ones in public, with aliases and common
/// table expressions that bear the schemas' and tables' own names: what could lead the guard astray. Every relation has
/// the column id, so many are valid.
/// </summary>
internal sealed class RandomStatements(int seed)
{
    private static readonly string[] Names = ["x", "y", "other", "public", "a", "b", "\"__Tenant__\"", "set",
        "\"from\"", "values", "shared", "type", "update", "schema", "rows", "index", "partition"];
    private static readonly string[] Relations =
        ["\"__Tenant__\".a", "\"__Tenant__\".b", "\"__Tenant__\" . a", "\"__Tenant__\"/**/.b", "public.shared",
            "\"public\".\"shared\"", "other.a", "OTHER.b", "\"other\".a", "public.a", "a", "b", "shared"];

    private readonly Random _random = new(seed);
    private readonly List<string> _common = [];
    private int _depth;

    public string Statement() => _random.Next(8) switch
    {
        0 => $"INSERT INTO {Relation()}{Alias(out _)} (id) {Query()}",
        1 => Update(),
        2 => Delete(),
        3 =>
            $"MERGE INTO {Relation()} AS m USING {Source(out var source)} ON m.id = {source}.id WHEN MATCHED THEN " +
            $"UPDATE SET id = {source}.id WHEN NOT MATCHED THEN INSERT (id) VALUES ({source}.id)",
        _ => Query(),
    };

    private string Update()
    {
        var target = $"{Relation()} AS t";
        var from = Chance(2)
            ? $" FROM {Source(out var name)} WHERE {name}.id = t.id"
            : " WHERE t.id IS DISTINCT FROM 1";
        return $"UPDATE {target} SET id = t.id{from}";
    }

    private string Delete()
    {
        var target = $"{Relation()} AS t";
        var from = Chance(2) ? $" USING {Source(out var name)} WHERE {name}.id = t.id" : $" WHERE {Condition("t")}";
        return $"DELETE FROM {target}{from}";
    }

    public string Query()
    {
        if (_depth > 2)
        {
            return Chance(2) ? "SELECT 1 AS id" : "VALUES (1)";
        }

        _depth++;
        var known = _common.Count;
        var with = Chance(4) ? With() : "";
        var body = _random.Next(10) switch
        {
            0 => $"TABLE {Relation()}",
            1 => $"(SELECT {Columns()} FROM {Source(out _)}) UNION ALL ({Query()})",
            2 => $"SELECT 1 AS from FROM {Source(out _)}",
            _ => Select(),
        };
        _common.RemoveRange(known, _common.Count - known);
        _depth--;
        return with + body;
    }

    private string With()
    {
        var recursive = Chance(3);
        var parts = new List<string>();
        for (var i = _random.Next(1, 3); i > 0; i--)
        {
            var name = Pick(Names);
            parts.Add(
                $"{name}{(Chance(3) ? " (id)" : "")} AS {Pick(["", "MATERIALIZED ", "NOT MATERIALIZED "])}({Query()})");
            _common.Add(name);
        }

        return $"WITH {(recursive ? "RECURSIVE " : "")}{string.Join(", ", parts)} ";
    }

    private string Select()
    {
        var from = Source(out var first);
        for (var more = _random.Next(3); more > 0; more--)
        {
            from += _random.Next(5) switch
            {
                0 => $", {Source(out _)}",
                1 => $" CROSS JOIN {Source(out _)}",
                2 => $" JOIN {Source(out _)} USING (id)",
                3 => $" LEFT JOIN {Source(out var joined)} ON {joined}.id = {first}.id",
                _ => $", LATERAL (SELECT {first}.id FROM {Source(out _)}) AS l{_random.Next(99)}",
            };
        }

        var where = Chance(2) ? $" WHERE {Condition(first)}" : "";
        return $"SELECT {(Chance(5) ? "DISTINCT " : "")}{first}.id FROM " +
            $"{from}{where}{Pick(["", "", " LIMIT 1", " ORDER BY 1", " FOR UPDATE"])}";
    }

    private string Condition(string name) => _random.Next(6) switch
    {
        0 => $"EXISTS ({Query()})",
        1 => $"{name}.id IN ({Query()})",
        2 => $"{name}.id IS NOT DISTINCT FROM {name}.id",
        3 => $"substring('abc' FROM {name}.id) = 'a' AND extract(year FROM now()) > 1",
        4 => $"{name}.id = {Pick(["\"__Tenant__\".f", "other.f", "OTHER . f", "public.f"])}(1)",
        _ => $"{name}.id = 1",
    };

    private string Source(out string name)
    {
        switch (_random.Next(8))
        {
            case 0:
                return $"({Query()}) AS {name = Pick(Names)} (id)";
            case 1:
                return $"generate_series(1, 2) AS {name = Pick(Names)}(id)";
            case 2:
                return $"({Source(out name)} CROSS JOIN {Source(out _)})";
            case 3 when _common.Count > 0:
                return name = Pick([.. _common]);
            default:
                var relation = Relation();
                var alias = Alias(out var given);
                name = given ?? relation[(relation.LastIndexOf('.') + 1)..].Trim();
                return relation + alias;
        }
    }

    private string Alias(out string? name)
    {
        name = Chance(2) ? Pick(Names) : null;
        return name is null ? "" : Chance(2) ? $" AS {name}" : $" {name}";
    }

    private string Columns() => Chance(2) ? "*" : "1 AS id";

    // Mostly allowed, or hardly any statement would be.
    private string Relation() => Relations[Chance(3) ? _random.Next(Relations.Length) : _random.Next(6)];

    private T Pick<T>(T[] of) => of[_random.Next(of.Length)];

    private bool Chance(int of) => _random.Next(of) == 0;
}
