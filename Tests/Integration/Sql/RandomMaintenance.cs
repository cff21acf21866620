namespace Tests.Integration.Sql;

/// <summary>Random statements that run in no transaction, over the objects of <see cref="TouchedObjects"/>.</summary>
internal sealed class RandomMaintenance(int seed)
{
    /// <summary>Of the index that one of them may have made, to be dropped before the next.</summary>
    public const string Leftovers = "DROP INDEX IF EXISTS \"__Tenant__\".zz, other.zz, public.zz";

    private readonly Random _random = new(seed);

    public string Statement() => _random.Next(9) switch
    {
        0 or 1 =>
            $"VACUUM {Pick(["", "ANALYZE ", "FULL ", "VERBOSE ", "FREEZE ", "(ANALYZE, VERBOSE) ", "FULL FREEZE VERBOSE ANALYZE ", "(FULL, INDEX_CLEANUP auto) "])}{Relation()}{Pick(["", $", {Relation()}"])}",
        2 => Pick(
            ["VACUUM", "VACUUM (ANALYZE)", "VACUUM FULL", "CLUSTER", "REINDEX SCHEMA other", "REINDEX SCHEMA public"]),
        3 => $"REINDEX SCHEMA {Pick(["\"__Tenant__\"", "CONCURRENTLY \"__Tenant__\""])}",
        4 or 5 =>
            $"CREATE {Pick(["", "UNIQUE "])}INDEX CONCURRENTLY {Pick(["", "IF NOT EXISTS "])}zz ON {Relation()} " +
            $"{Pick(["", "USING btree "])}({Pick(["n", "lower(t)", "\"__Tenant__\".f(n)", "n int4_ops"])}){Pick(["", " WHERE n > 0"])}",
        6 => $"DROP INDEX CONCURRENTLY IF EXISTS {Pick(["\"__Tenant__\".none", "other.ix", "public.ix", "ix"])}",
        7 =>
            "REINDEX INDEX CONCURRENTLY " +
            $"{Pick(["\"__Tenant__\".ix", "\"__Tenant__\".a_pkey", "other.ix", "public.a_pkey", "public.shared_pkey", "a_pkey"])}",
        _ => $"REINDEX {Pick(["", "(VERBOSE) "])}TABLE CONCURRENTLY {Relation()}",
    };

    private string Relation() => _random.Next(5) switch
    {
        0 => Pick(["other.a", "public.a", "public.shared", "b", "\"other\" . b", "shared"]),
        _ => $"\"__Tenant__\".{Pick(["a", "b", "other", "public", "m"])}",
    };

    private T Pick<T>(T[] of) => of[_random.Next(of.Length)];
}
