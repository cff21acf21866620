using System.Text.RegularExpressions;
using Microsoft.Playwright;

namespace Tests.Journeys;

/// <summary>
/// Waits for a page's address by asking again. Playwright's own waits for an address wait for the document's load
/// event, too, and miss one that came just before.
/// </summary>
internal static class Addresses
{
    /// <param name="page">The page.</param>
    /// <param name="pattern">The whole address; <c>**</c> stands for anything, <c>*</c> for all but a slash.</param>
    public static Task ToBeAtAsync(this IPage page, string pattern)
    {
        var regex = Regex.Escape(pattern).Replace(@"\*\*", ".*", StringComparison.Ordinal)
            .Replace(@"\*", "[^/]*", StringComparison.Ordinal);
        return Assertions.Expect(page).ToHaveURLAsync(new Regex($"^{regex}$"));
    }

    /// <summary>Waits until the address has no longer this part in it.</summary>
    public static Task ToHaveLeftAsync(this IPage page, string part) =>
        Assertions.Expect(page).Not.ToHaveURLAsync(new Regex(Regex.Escape(part)));
}
