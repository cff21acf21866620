using System.Collections.Frozen;

namespace Tenancy.Sql;

/// <summary>
/// The uses that PostgreSQL's grammar allows for each key word (<c>pg_get_keywords()</c> of 15, and what 18 reserves
/// since): a word in none of these sets may be any name.
/// </summary>
internal static class KeyWords
{
    /// <summary>Never a name without quotes, except as a label after AS or after a dot.</summary>
    public static FrozenSet<string> Reserved { get; } = FrozenSet.Create(
        StringComparer.Ordinal,
        "all", "analyse", "analyze", "and", "any", "array", "as", "asc", "asymmetric", "both", "case", "cast",
        "check", "collate", "column", "constraint", "create", "current_catalog", "current_date", "current_role",
        "current_time", "current_timestamp", "current_user", "default", "deferrable", "desc", "distinct", "do",
        "else", "end", "except", "false", "fetch", "for", "foreign", "from", "grant", "group", "having", "in",
        "initially", "intersect", "into", "lateral", "leading", "limit", "localtime", "localtimestamp", "not",
        "null", "offset", "on", "only", "or", "order", "placing", "primary", "references", "returning", "select",
        "session_user", "some", "symmetric", "system_user", "table", "then", "to", "trailing", "true", "union",
        "unique", "user", "using", "variadic", "when", "where", "window", "with");

    /// <summary>The name of a function or a type, never of a table or a column.</summary>
    public static FrozenSet<string> FunctionOrType { get; } = FrozenSet.Create(
        StringComparer.Ordinal,
        "authorization", "binary", "collation", "concurrently", "cross", "current_schema", "freeze", "full", "ilike",
        "inner", "is", "isnull", "join", "left", "like", "natural", "notnull", "outer", "overlaps", "right",
        "similar", "tablesample", "verbose");

    /// <summary>No label of a column without AS.</summary>
    public static FrozenSet<string> NeedsAs { get; } = FrozenSet.Create(
        StringComparer.Ordinal,
        "array", "as", "char", "character", "create", "day", "except", "fetch", "filter", "for", "from", "grant",
        "group", "having", "hour", "intersect", "into", "isnull", "limit", "minute", "month", "notnull", "offset",
        "on", "order", "over", "overlaps", "precision", "returning", "second", "to", "union", "varying", "where",
        "window", "with", "within", "without", "year");

    /// <summary>The name of a table, a column or an alias.</summary>
    public static bool IsName(Lexeme lexeme) => lexeme.Kind == LexemeKind.Quoted
        || lexeme.Kind == LexemeKind.Word && !Reserved.Contains(lexeme.Text) && !FunctionOrType.Contains(lexeme.Text);

    /// <summary>A column's label without AS.</summary>
    public static bool IsBareLabel(Lexeme lexeme) => lexeme.Kind == LexemeKind.Quoted
        || lexeme.Kind == LexemeKind.Word && !NeedsAs.Contains(lexeme.Text);
}
