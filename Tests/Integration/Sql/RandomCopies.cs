namespace Tests.Integration.Sql;

/// <summary>Random COPY commands over the objects of <see cref="TouchedObjects"/>, from and to the client.</summary>
internal sealed class RandomCopies(int seed)
{
    private static readonly string[] Options =
        ["", "", " CSV HEADER", " WITH (FORMAT csv)", " (FORMAT csv, HEADER)", " WITH NULL 'from'", " DELIMITER ';'",
            " WITH (FORMAT csv, NULL 'other.a', DELIMITER ';')", " (ENCODING 'UTF8')"];

    private readonly Random _random = new(seed);

    /// <summary>One command, and whether it takes rows from the client.</summary>
    public Copy Next() => _random.Next(5) switch
    {
        0 => new($"COPY ({new RandomStatements(_random.Next()).Query()}) TO STDOUT{Pick(Options)}", Writes: false),
        1 => new($"COPY ({Writing()} RETURNING 1) TO {Pick(["STDOUT", "stdout"])}{Pick(Options)}", Writes: false),
        2 or 3 => new(
            $"COPY {Relation()}{Columns()} FROM " +
            $"{Pick(["STDIN", "stdin"])}{Pick(Options)}{Pick(["", "", $" WHERE {Condition()}"])}", Writes: true),
        _ => new(
            $"COPY {Relation()}{Columns()} TO " +
            $"STDOUT{Pick([.. Options, " (FORMAT csv, FORCE_QUOTE (n))", " CSV FORCE QUOTE n"])}", Writes: false),
    };

    private string Writing() => _random.Next(4) switch
    {
        0 => $"INSERT INTO {Relation()} AS other (id) SELECT id FROM {Relation()}",
        1 => $"UPDATE {Pick(["", "ONLY "])}{Relation()} AS public SET n = 1",
        2 => $"DELETE FROM ONLY ({Relation()}) AS other WHERE other.id > 0",
        _ =>
            $"WITH other AS (DELETE FROM {Relation()} RETURNING id) INSERT INTO {Relation()} (id) SELECT " +
            "other.id FROM other",
    };

    private string Columns() => Pick(["", " (id)", " (id, n)", "(t,id)", " ( \"id\" )", " (t)"]);

    private string Condition() =>
        Pick(
            ["id > 0", "\"__Tenant__\".f(id) > 0", "other.f(id) > 0", "'ok'::\"__Tenant__\".mood IS NOT NULL",
                "'ok'::other.mood IS NOT NULL", "public.f(id) IS DISTINCT FROM 1"]);

    private string Relation() => _random.Next(10) switch
    {
        0 => "public.shared",
        1 => Pick(["other.a", "OTHER . b", "\"other\".a", "public.a", "a", "shared", "public.other"]),
        2 => Pick(["\"__Tenant__\".parts", "\"__Tenant__\".m", "\"__Tenant__\" /* other.a */ . b"]),
        _ => $"\"__Tenant__\".{Pick(["a", "b", "other", "public", "shared"])}",
    };

    private T Pick<T>(T[] of) => of[_random.Next(of.Length)];

    /// <summary>A command, and which way the rows go.</summary>
    internal sealed record Copy(string Sql, bool Writes);
}
