using System.Globalization;
using System.Text;

namespace Tenancy;

/// <summary>The rule for a tenant's name, which people read: it can't break a line, a log or a page.</summary>
public static class TenantName
{
    /// <summary>The longest name, characters.</summary>
    public const int Longest = 200;

    /// <summary>The rule, in words.</summary>
    public const string Rule =
        "1 to 200 characters, none of them a control character, invisible, or one that changes the direction of writing";

    /// <summary>Whether a name follows the <see cref="Rule"/>.</summary>
    public static bool IsValid(string? name) =>
        name is { Length: > 0 and <= Longest } && !string.IsNullOrWhiteSpace(name)
            && name.EnumerateRunes().All(IsPlain);

    /// <exception cref="FormatException">It doesn't.</exception>
    internal static void Check(string? name)
    {
        if (name is not null && !IsValid(name))
        {
            throw new FormatException($"That can't be a tenant's name: use {Rule}.");
        }
    }

    /// <summary>
    /// Whether a character is one that people read. None are: controls, line and paragraph separators, what changes the
    /// direction of writing (Unicode's marks, embeddings, overrides and isolates, UAX 9), what nobody sees (zero-width
    /// space, word joiner, byte order mark), and U+FFFD, which stands for half a surrogate pair, too.
    /// </summary>
    /// <param name="rune">The character.</param>
    public static bool IsPlain(Rune rune) => Rune.GetUnicodeCategory(rune) is not (UnicodeCategory.Control
            or UnicodeCategory.LineSeparator or UnicodeCategory.ParagraphSeparator)
        && rune.Value is not (0xFFFD or 0x061C or 0x200B or 0x200E or 0x200F or 0x2060 or 0xFEFF
            or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069));
}
