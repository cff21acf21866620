namespace Tests.Integration.Sql;

/// <summary>
/// Random statements that make, alter, drop, describe and maintain objects, over the objects of
/// <see cref="TouchedObjects"/>: mostly the tenant's, now and then another's, or such that are named without a schema.
/// New objects and columns bear the schemas' own names, which could lead the guard astray.
/// </summary>
internal sealed partial class RandomDefinitions(int seed, string[] roles)
{
    private static readonly string[] Names = ["x", "y", "other", "public", "\"__Tenant__\"", "mood", "only", "type",
        "\"from\"", "new", "z"];
    private static readonly string[] Columns = ["x", "y", "other", "public", "type", "\"from\"", "\"__Tenant__\"",
        "value", "key", "by"];
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
        29 =>
            $"LOCK {Pick(["", "TABLE "])}{Listed()}{Pick(["", " IN SHARE MODE", " IN ACCESS SHARE MODE", " NOWAIT"])}",
        30 => CreateSchema(),
        _ => Maintain(),
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
    private string Wrapped(string relation) =>
        _random.Next(8) switch { 0 => $"ONLY ({relation})", 1 => $"ONLY {relation}", _ => relation };

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

    private string Schema() =>
        _random.Next(14) switch { 0 => "other.", 1 => "public.", 2 => Pick(["", "OTHER . ", "\"public\"."]),
            _ => "\"__Tenant__\"." };

    private T Pick<T>(T[] of) => of[_random.Next(of.Length)];

    private bool Chance(int of) => _random.Next(of) == 0;
}
