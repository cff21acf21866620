using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Api;

/// <summary>
/// Which page of a list is asked for: by its number, or by where the page before ended. The latter reads no row of the
/// pages before.
/// </summary>
public sealed class KeysetPaging
{
    private const int LongestCursor = 2048;

    /// <summary>1 is the first, and the default. Not together with <c>after</c>.</summary>
    [FromQuery(Name = "page"), Range(1, 1_000_000)]
    public int? Page { get; init; }

    /// <summary>How many items a page has, 1 to 200. Default 25.</summary>
    [FromQuery(Name = "pageSize"), Range(1, 200)]
    public int? PageSize { get; init; }

    /// <summary>
    /// The <c>next</c> of the page before, for the page that follows it. The sort and the filters have to be the same.
    /// </summary>
    [FromQuery(Name = "after"), StringLength(LongestCursor, ErrorMessage = NoCursor)]
    public string? After { get; init; }

    private const string NoCursor = "Send next of the page before as it was answered, with the same sort.";

    /// <param name="rows">All rows of the list, in any order.</param>
    /// <param name="order">Their order.</param>
    /// <param name="show">What the list shows of them. It keeps their order, and has one item for each row.</param>
    /// <param name="ct">Gives up waiting.</param>
    internal async Task<Results<Ok<KeysetPage<TItem>>, ValidationProblem>> OfAsync<TRow, TItem>(
        IQueryable<TRow> rows, Keyset<TRow, TItem> order, Func<IQueryable<TRow>, IQueryable<TItem>> show,
        CancellationToken ct)
    {
        var size = PageSize ?? 25;
        if (After is null)
        {
            var page = Page ?? 1;
            var total = await show(rows).CountAsync(ct);
            return await ReadAsync(show(order.Sort(rows)).Skip((page - 1) * size), page, total);
        }

        if (Page is not null)
        {
            return Refuse("page", "Leave page out: after says where the page begins.");
        }

        return order.After(rows, After) is { } rest
            ? await ReadAsync(show(order.Sort(rest)), null, null)
            : Refuse("after", NoCursor);

        async Task<Ok<KeysetPage<TItem>>> ReadAsync(IQueryable<TItem> from, int? number, int? total)
        {
            // One more than the page has tells whether there is another page.
            var items = await from.Take(size + 1).ToListAsync(ct);
            var hasNext = items.Count > size;
            if (hasNext)
            {
                items.RemoveAt(size);
            }

            return TypedResults.Ok(new KeysetPage<TItem>(
                items, number, size, total, hasNext ? order.CursorOf(items[^1]) : null));
        }

        static ValidationProblem Refuse(string parameter, string words) =>
            TypedResults.ValidationProblem(new Dictionary<string, string[]> { [parameter] = [words] });
    }
}

/// <summary>A page of a list.</summary>
/// <param name="Items">The page's items, in the list's order.</param>
/// <param name="Number">1 is the first; null where <c>after</c> was given.</param>
/// <param name="PageSize">How many items a page has.</param>
/// <param name="Total">
/// How many items the whole list has; null where <c>after</c> was given. To count them reads the whole list.
/// </param>
/// <param name="Next">For <c>after</c>; null on the last page.</param>
public sealed record KeysetPage<T>(
    IReadOnlyList<T> Items, [property: JsonPropertyName("page")] int? Number, int PageSize, int? Total, string? Next);
