using System.Buffers;
using System.Buffers.Text;
using System.Text;
using System.Text.Json;

namespace Tenancy.Registries;

/// <summary>A place in a list of tenants: the last row of the page before.</summary>
/// <param name="Order">The list's order; a place in one order is none in another.</param>
/// <param name="Key">The row's key in that order, as text.</param>
/// <param name="Slug">Its slug.</param>
internal sealed record TenantPlace(string Order, string Key, string Slug)
{
    // A name has at most 200 characters, of at most four bytes each.
    private const int Longest = 4000;

    /// <summary>The order's name, e.g. <c>created-</c>.</summary>
    public static string OrderOf(TenantQuery query) =>
        $"{query.Sort.ToString().ToLowerInvariant()}{(query.Descending ? "-" : "")}";

    /// <summary>As clients carry it: they needn't understand it.</summary>
    public override string ToString() =>
        Base64Url.EncodeToString(JsonSerializer.SerializeToUtf8Bytes<string[]>([Order, Key, Slug]));

    /// <exception cref="FormatException">It isn't a place in a list of that order.</exception>
    public static TenantPlace Parse(string text, TenantQuery query)
    {
        if (text.Length is 0 or > Longest || !Base64Url.IsValid(text))
        {
            throw Wrong();
        }

        try
        {
            var parts = JsonSerializer.Deserialize<string[]>(Base64Url.DecodeFromChars(text));
            return parts is [var order, var key, var slug]
                && order == OrderOf(query) && key is not null && IsText(key) && slug is not null && IsText(slug)
                && (query.Sort is TenantSort.Slug or TenantSort.Name || long.TryParse(key, out _))
                    ? new(order, key, slug)
                    : throw Wrong();
        }
        catch (JsonException)
        {
            throw Wrong();
        }
    }

    /// <summary>PostgreSQL takes neither a zero nor half a character.</summary>
    private static bool IsText(string text)
    {
        var left = text.AsSpan();
        while (!left.IsEmpty)
        {
            if (Rune.DecodeFromUtf16(left, out var rune, out var length) != OperationStatus.Done || rune.Value == 0)
            {
                return false;
            }

            left = left[length..];
        }

        return true;
    }

    private static FormatException Wrong() =>
        new("It isn't the end of a page of this list in this order: begin again with the first page.");
}
