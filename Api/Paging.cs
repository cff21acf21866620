using System.ComponentModel.DataAnnotations;
using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;

namespace Api;

/// <summary>Which page of a list is asked for.</summary>
public sealed class Paging
{
    /// <summary>1 is the first, and the default.</summary>
    [FromQuery(Name = "page"), Range(1, 1_000_000)]
    public int? Page { get; init; }

    /// <summary>How many items a page has, 1 to 200. Default 25.</summary>
    [FromQuery(Name = "pageSize"), Range(1, 200)]
    public int? PageSize { get; init; }

    internal async Task<Page<T>> OfAsync<T>(IQueryable<T> ordered, CancellationToken ct)
    {
        var (page, size) = (Page ?? 1, PageSize ?? 25);
        var total = await ordered.CountAsync(ct);
        var items = total == 0 ? [] : await ordered.Skip((page - 1) * size).Take(size).ToListAsync(ct);
        return new(items, page, size, total);
    }
}

/// <summary>A page of a list, and how many items the whole list has.</summary>
public sealed record Page<T>(
    IReadOnlyList<T> Items, [property: JsonPropertyName("page")] int Number, int PageSize, int Total);
