using System.Collections.Frozen;

namespace Tenancy.Guard;

/// <summary>
/// The functions of PostgreSQL's contrib extensions (those of 15 to 18) and of PostGIS. They stand in a schema that
/// tenants share. A harmful one is refused whatever schema is written before it; a harmless one may be called without
/// a schema, as EF's and Npgsql's translations do.
/// </summary>
internal static class ContribFunctions
{
    private static readonly FrozenDictionary<string, string> Harm = NameGroup.Reasons(ContribLists.Harmful);

    private static readonly FrozenSet<string> Harmless =
        ContribLists.Harmless.SelectMany(group => group.All).ToFrozenSet(StringComparer.Ordinal);

    /// <summary>Whether the function may be called without a schema.</summary>
    public static bool IsHarmless(string function) =>
        Harmless.Contains(function)
        || (ContribLists.PostGisPrefixes.Any(prefix => function.StartsWith(prefix, StringComparison.Ordinal))
            && WhyNot(function) is null);

    /// <summary>
    /// Why no tenant's command may call the function, in any schema but the tenant's own: a sentence without full
    /// stop. Null if this list has nothing against it.
    /// </summary>
    public static string? WhyNot(string function) =>
        Harm.TryGetValue(function, out var reason) ? $"{function} {reason}"
        : function == "dblink" || function.StartsWith("dblink_", StringComparison.Ordinal)
            ? $"{function} {ContribLists.DblinkReason}"
        : null;
}
