namespace Web.Customers;

/// <summary>Which customers the list shows, in which order. It stands in the page's address.</summary>
public sealed record CustomerQuery
{
    /// <summary>How many rows a page may have.</summary>
    public static IReadOnlyList<int> Sizes { get; } = [25, 50, 100, 200];

    /// <summary>Part of a slug or a name; null for all.</summary>
    public string? Search { get; init; }

    /// <summary><c>active</c>, <c>suspended</c> or <c>archived</c>; null for all.</summary>
    public string? Status { get; init; }

    /// <summary><c>failed</c>, <c>behind</c> or <c>dropping</c>; null for all.</summary>
    public string? Condition { get; init; }

    /// <summary>Null for all.</summary>
    public int? Ring { get; init; }

    /// <summary>A version's short name, or the id of its last migration; null for all.</summary>
    public string? Version { get; init; }

    /// <summary>For example <c>name</c>, or <c>-created</c> from the other end; null for the order by slug.</summary>
    public string? Sort { get; init; }

    /// <summary>From 1.</summary>
    public int Page { get; init; } = 1;

    /// <summary>One of <see cref="Sizes"/>.</summary>
    public int PageSize { get; init; } = Sizes[0];

    /// <summary>What was begun on the page, and is shown until somebody closes it. The list is the same.</summary>
    public Guid? Operation { get; init; }

    /// <summary>Whether it leaves any customer out.</summary>
    public bool IsNarrow => (Search ?? Status ?? Condition ?? Version) is not null || Ring is not null;

    /// <summary>The page's address. What is as usual isn't in it.</summary>
    public string Address
    {
        get
        {
            var paging = $"{(Page > 1 ? $"&page={Page}" : "")}{(PageSize != Sizes[0] ? $"&pageSize={PageSize}" : "")}";
            var operation = Operation is { } begun ? $"&operation={begun}" : "";
            return $"{Narrowing}{paging}{operation}" is { Length: > 0 } parts
                ? $"/customers?{parts[1..]}"
                : "/customers";
        }
    }

    /// <summary>The request to the API.</summary>
    internal string Request => $"/customers?page={Page}&pageSize={PageSize}{Narrowing}";

    private string Narrowing => string.Concat(new (string Name, string? Value)[]
    {
        ("search", Search), ("status", Status), ("condition", Condition), ("ring", Ring?.ToString("D", null)),
        ("version", Version), ("sort", Sort),
    }.Where(part => !string.IsNullOrEmpty(part.Value))
        .Select(part => $"&{part.Name}={Uri.EscapeDataString(part.Value!)}"));

    /// <summary>The same customers in an order; a second time, from the other end. Begins at the first page.</summary>
    /// <param name="key">For example <c>name</c>.</param>
    /// <param name="isDownFirst">Whether the largest or the newest come first.</param>
    public CustomerQuery SortedBy(string key, bool isDownFirst = false)
    {
        var (first, second) = isDownFirst ? ($"-{key}", key) : (key, $"-{key}");
        return this with { Sort = (Sort ?? "slug") == first ? second : first, Page = 1 };
    }
}
