using Tenancy.Sql;

namespace Tests.Oracle;

/// <summary>Whether the guard's reader saw each name that PostgreSQL's parse tree has.</summary>
internal static class SeenNames
{
    /// <returns>The names that the guard didn't see.</returns>
    public static List<ParsedName> Missing(IReadOnlyList<ParsedName> tree, NameUse[] seen) =>
        [.. tree.Where(name => !WasSeen(name, seen))];

    private static bool WasSeen(ParsedName name, NameUse[] seen) => name switch
    {
        // Types, operators, collations of pg_catalog's are anybody's.
        { Schema: "pg_catalog" } or { Schema: null, Role: 'T' or 'O' or 'U' } => true,
        // Of an operator the schema counts.
        _ when IsOperator(name.Name) => seen.Any(use => use.Schema == name.Schema),
        // table.column, without the table's schema: the guard takes the table for a schema, and refuses it.
        { Schema: null, Role: 'W' } when seen.Any(use => use.Schema == name.Name) => true,
        _ => seen.Any(use => use.Schema == name.Schema && use.Name == name.Name),
    };

    private static bool IsOperator(string name) =>
        !char.IsLetter(name[0]) && !name.Contains('_', StringComparison.Ordinal);
}
