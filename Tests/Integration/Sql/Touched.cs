using Npgsql;

namespace Tests.Integration.Sql;

/// <summary>What a statement touched outside the tenant's schema: read, use or change, and what.</summary>
internal sealed record Touched(string[] What)
{
    /// <summary>The server refused the statement.</summary>
    public static Touched Nothing(PostgresException error) => new(["error", error.SqlState, error.MessageText]);

    /// <summary>Whether the server carried the statement out.</summary>
    public bool IsValid => What is not ["error", ..];

    /// <summary>
    /// Whether a tenant may: it reads what is shared, and uses functions, types and the like of the shared schema.
    /// </summary>
    public bool IsAllowed =>
        What.All(what =>
            what is "read public.shared" or "read public.shared_pkey"
                || what.StartsWith("use public.", StringComparison.Ordinal));

    public override string ToString() => string.Join(", ", What);
}
