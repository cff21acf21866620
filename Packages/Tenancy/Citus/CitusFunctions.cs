using System.Collections.Frozen;
using Tenancy.Sql;

namespace Tenancy.Citus;

/// <summary>
/// The functions that Citus refuses in statements that change rows: their result isn't the same each time, and Citus
/// sends the statement to the node, not the result. Those of PostgreSQL and of its own extensions, as far as a tenant's
/// statement may call them; of these no function of the same name is IMMUTABLE.
/// </summary>
internal static class CitusFunctions
{
    /// <summary>VOLATILE: refused in UPDATE and DELETE.</summary>
    public static FrozenSet<string> Volatile { get; } = FrozenSet.Create(
        StringComparer.Ordinal,
        "array_sample", "array_shuffle", "clock_timestamp", "gen_random_bytes", "gen_random_uuid", "gen_salt",
        "nextval", "pg_sleep", "pg_sleep_for", "pg_sleep_until", "random", "random_normal", "set_config", "setval",
        "timeofday", "uuid_generate_v1", "uuid_generate_v1mc", "uuid_generate_v4", "uuidv4", "uuidv7");

    /// <summary>STABLE: refused, besides those, in MERGE and in ON CONFLICT DO UPDATE.</summary>
    public static FrozenSet<string> Stable { get; } = FrozenSet.Create(
        StringComparer.Ordinal,
        "array_to_json", "array_to_string", "concat", "concat_ws", "current_setting", "format", "json_agg",
        "json_build_array", "json_build_object", "jsonb_agg", "jsonb_build_array", "jsonb_build_object", "now",
        "row_to_json", "statement_timestamp", "to_char", "to_date", "to_json", "to_jsonb", "to_number",
        "transaction_timestamp");

    /// <summary>The same without parentheses.</summary>
    private static readonly FrozenSet<string> StableWords = FrozenSet.Create(
        StringComparer.Ordinal, "current_date", "current_time", "current_timestamp", "localtime", "localtimestamp");

    /// <summary>The first VOLATILE function that is called; null for none.</summary>
    public static string? FindVolatile(IReadOnlyList<Lexeme> words) => Find(words, Volatile);

    /// <summary>The first function that isn't IMMUTABLE; null for none.</summary>
    public static string? FindMutable(IReadOnlyList<Lexeme> words) =>
        Find(words, Volatile) ?? Find(words, Stable)
            ?? words.FirstOrDefault(word => word.Kind == LexemeKind.Word && StableWords.Contains(word.Text)).Text;

    private static string? Find(IReadOnlyList<Lexeme> words, FrozenSet<string> functions) =>
        words.Where((word, at) => word.IsIdentifier && functions.Contains(word.Text)
            && at + 1 < words.Count && words[at + 1].Is('(')).FirstOrDefault().Text;
}
