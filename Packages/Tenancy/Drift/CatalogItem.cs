namespace Tenancy.Drift;

/// <summary>One thing in a schema, or one right: an item of <see cref="CatalogQuery"/>.</summary>
/// <param name="Kind">E.g. <c>column</c>.</param>
/// <param name="Of">What it is part of; for a grant, what it is on. Empty where it is the schema's own.</param>
/// <param name="Name">Its name; for a grant, to whom and what.</param>
/// <param name="Facts">Label and value.</param>
internal sealed record CatalogItem(
    string Kind, string Of, string Name, IReadOnlyList<KeyValuePair<string, string>> Facts)
{
    public static CatalogItem Parse(string item)
    {
        var parts = item.Split(CatalogQuery.Part);
        return new(parts[0], parts[1], parts[2],
            [.. parts.Skip(3)
                .Select(fact =>
                    fact.Split(CatalogQuery.Is, 2) is [var label, var value]
                        ? KeyValuePair.Create(label, value)
                        : new("", fact))]);
    }

    /// <summary>The value of a fact; null where it has none.</summary>
    public string? this[string label] => Facts.FirstOrDefault(fact => fact.Key == label).Value;

    public override string ToString() => (Kind, Of) switch
    {
        ("column", _) => $"column {Of}.{Name}",
        (_, "") => $"{Kind} {Name}",
        _ => $"{Kind} {Name} of {Of}",
    };
}
