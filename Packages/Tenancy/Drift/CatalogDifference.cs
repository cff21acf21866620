using System.Text.RegularExpressions;

namespace Tenancy.Drift;

/// <summary>Says in words what parts a schema from the reference.</summary>
internal static partial class CatalogDifference
{
    /// <returns>Sentences in a fixed order; none where both have the same items.</returns>
    public static IReadOnlyList<string> Between(IEnumerable<string> schema, IEnumerable<string> reference)
    {
        var has = schema.ToHashSet(StringComparer.Ordinal);
        var wants = reference.ToHashSet(StringComparer.Ordinal);
        var extra = Group(has.Except(wants));
        var missing = Group(wants.Except(has));

        // What is gone or was added as a whole is told once, without its parts.
        var wholes = extra.Keys.Except(missing.Keys).Concat(missing.Keys.Except(extra.Keys))
            .Where(key => key.Kind != "grant").ToHashSet();
        return
        [
            .. extra.Keys.Union(missing.Keys).Where(key => !IsPart(key, wholes))
                .SelectMany(key => Say(extra.GetValueOrDefault(key), missing.GetValueOrDefault(key)))
                .Distinct().Order(StringComparer.Ordinal),
        ];
    }

    private static Dictionary<Key, CatalogItem> Group(IEnumerable<string> items) =>
        items.Order(StringComparer.Ordinal).Select(CatalogItem.Parse)
            .GroupBy(item => new Key(item.Kind, item.Of, item.Name))
            .ToDictionary(group => group.Key, group => group.First());

    private static bool IsPart(Key key, HashSet<Key> wholes) => key.Kind == "grant"
        ? wholes.Any(whole =>
            key.Of == (whole.Kind == "column" ? $"column {whole.Of}.{whole.Name}" : $"{whole.Kind} {whole.Name}")
                || IsColumnOf(key.Of, whole))
        : key.Of.Length > 0
            && wholes.Any(whole => whole.Of.Length == 0 && whole.Name == key.Of && HasColumns(whole.Kind));

    private static bool HasColumns(string kind) =>
        kind is "table" or "view" or "materialized view" or "foreign table" or "composite type";

    private static bool IsColumnOf(string on, Key whole) =>
        HasColumns(whole.Kind) && on.StartsWith($"column {whole.Name}.", StringComparison.Ordinal);

    private static IEnumerable<string> Say(CatalogItem? has, CatalogItem? wants) => (has, wants) switch
    {
        ({ Kind: "grant" }, _) => [$"{Grant(has, "may")}, and the migrations don't grant that"],
        (_, { Kind: "grant" }) => [$"{Grant(wants, "may not")}, and the migrations grant that"],
        ({ Kind: "disabled" }, null) => [$"constraint {has.Name}: its trigger on table {has.Of} is {has[""]}"],
        (null, { Kind: "disabled" }) =>
            [$"constraint {wants.Name}: its trigger on table {wants.Of} is enabled, and the migrations make it " +
                $"{wants[""]}"],
        ({ Kind: "unvalidated" }, null) =>
            [$"column {has.Of}.{has.Name}: NOT NULL isn't validated, so the column may hold nulls"],
        (null, { Kind: "unvalidated" }) =>
            [$"column {wants.Of}.{wants.Name}: NOT NULL is validated, and the migrations leave it NOT VALID"],
        ({ } extra, null) =>
            [$"{extra} is in no migration",
                .. extra["invalid"] is null ? Array.Empty<string>() : [$"{extra} is invalid"]],
        (null, { } missing) => [$"{missing} is missing"],
        ({ } one, { } other) => one.Facts.Select(fact => fact.Key).Union(other.Facts.Select(fact => fact.Key))
            .Where(label => one[label] != other[label]).Select(label => Say(one, label, one[label], other[label])),
        _ => [],
    };

    private static string Say(CatalogItem item, string label, string? has, string? wants) => (label, has, wants) switch
    {
        ("invalid", _, null) => $"{item} is invalid",
        ("owner", not null, null) => $"{item} belongs to {has}, and not to the schema's owner",
        ("", not null, not null) => $"{item}: {OnOneLine(has)}, and the migrations make it {OnOneLine(wants)}",
        (_, null, _) => $"{item}: no {label}, and the migrations give it {OnOneLine(wants!)}",
        (_, _, null) => $"{item}: {label} {OnOneLine(has)}, and the migrations give it none",
        _ => $"{item}: {label} {OnOneLine(has)}, and the migrations make it {OnOneLine(wants)}",
    };

    private static string Grant(CatalogItem grant, string may) =>
        grant.Name.Split(CatalogQuery.Is) is [var grantee, var right]
            ? $"{grantee} {may} {right} on {grant.Of}"
            : grant.Name;

    private static string OnOneLine(string text) => Spaces().Replace(text, " ").Trim();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Spaces();

    private readonly record struct Key(string Kind, string Of, string Name);
}
