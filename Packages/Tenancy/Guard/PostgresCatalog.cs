using System.Collections.Frozen;

namespace Tenancy.Guard;

/// <summary>
/// The allow-lists of <c>pg_catalog</c>: a name that no list has is refused. Names are
/// as PostgreSQL folds them: <c>NOW()</c> is <c>now</c>. PostgreSQL 15 to 18.
/// </summary>
internal static class PostgresCatalog
{
    private static readonly FrozenSet<string> Readable = Set([CatalogRelations.Readable]);

    private static readonly FrozenDictionary<string, string> UnreadableReasons =
        NameGroup.Reasons(CatalogRelations.Refused);

    private static readonly FrozenSet<string> Callable = Set(
        [ImmutableFunctions.Names, AllowedFunctions.Syntax, .. AllowedFunctions.Groups.Select(group => group.Names)]);

    private static readonly FrozenDictionary<string, string> UncallableReasons =
        NameGroup.Reasons(RefusedFunctions.Groups);

    // Each turns a number or a text into any object's or role's name. regconfig and regdictionary name only what text
    // search uses.
    private static readonly FrozenSet<string> RefusedTypes = Set([
        """
        aclitem regclass regcollation regnamespace regoper regoperator regproc regprocedure regrole regtype
        _aclitem _regclass _regcollation _regnamespace _regoper _regoperator _regproc _regprocedure _regrole _regtype
        """]);

    /// <summary>Whether a tenant's command may read the relation <c>pg_catalog.{relation}</c>.</summary>
    public static bool MayRead(string relation) => Readable.Contains(relation);

    /// <summary>
    /// Whether a tenant's command may call <c>pg_catalog.{function}</c>. Overloads share a name: it is allowed if all
    /// are harmless. True for what only looks like a call, too: <c>coalesce</c>, <c>xmlelement</c>.
    /// </summary>
    /// <remarks>
    /// <c>set_config</c> is allowed here; <see cref="SettingRules"/> decide about its arguments.
    /// </remarks>
    public static bool MayCall(string function) => Callable.Contains(function);

    /// <summary>
    /// Whether a tenant's command may name the type, without a schema or with <c>pg_catalog</c>, in a cast, a column
    /// definition, or like a function: <c>regclass('x')</c>.
    /// </summary>
    public static bool MayUseType(string type) => !RefusedTypes.Contains(type);

    /// <summary>Why <see cref="MayRead"/> is false: a sentence without full stop; null if it is true.</summary>
    public static string? WhyNotRead(string relation) =>
        MayRead(relation) ? null
        : UnreadableReasons.TryGetValue(relation, out var reason) ? $"pg_catalog.{relation} {reason}"
        : CatalogRelations.StatisticsPrefixes.Any(prefix => relation.StartsWith(prefix, StringComparison.Ordinal))
            ? $"pg_catalog.{relation} {RefusedFunctions.StatisticsReason}"
        : $"pg_catalog.{relation} isn't on the list of what a tenant's command may read";

    /// <summary>Why <see cref="MayCall"/> is false: a sentence without full stop; null if it is true.</summary>
    public static string? WhyNotCall(string function) =>
        MayCall(function) ? null
        : KnownHarm(function) is { } reason ? $"{function} {reason}"
        : $"pg_catalog.{function} isn't on the list of what a tenant's command may call";

    /// <summary>
    /// Why <see cref="MayUseType"/> is false: a sentence without full stop; null if it is true.
    /// </summary>
    public static string? WhyNotUse(string type) =>
        MayUseType(type) ? null : $"{type} turns a number or a text into the name of any tenant's object";

    /// <summary>The reason against a function that is refused by name; null for a function that isn't listed.</summary>
    internal static string? KnownHarm(string function) =>
        UncallableReasons.TryGetValue(function, out var reason) ? reason
        : function.StartsWith(RefusedFunctions.StatisticsPrefix, StringComparison.Ordinal)
            ? RefusedFunctions.StatisticsReason
        : null;

    private static FrozenSet<string> Set(IEnumerable<string> lists) =>
        lists.SelectMany(NameGroup.Split).ToFrozenSet(StringComparer.Ordinal);
}
