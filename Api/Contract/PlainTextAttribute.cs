using System.ComponentModel.DataAnnotations;
using System.Globalization;

namespace Api.Contract;

/// <summary>
/// Text for people: no control characters, which break lines and logs, and none that change the direction of writing,
/// which let a name look like another one. Null and empty text pass.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class PlainTextAttribute : ValidationAttribute
{
    /// <summary>Whether line breaks and tabs pass.</summary>
    public bool AllowLines { get; init; }

    /// <summary>Whether text of spaces alone passes.</summary>
    public bool AllowBlank { get; init; } = true;

    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext)
    {
        if (value is not string text)
        {
            return ValidationResult.Success;
        }

        if (!AllowBlank && string.IsNullOrWhiteSpace(text))
        {
            return new("Text can't be blank.", [validationContext.MemberName ?? ""]);
        }

        foreach (var rune in text.EnumerateRunes())
        {
            // U+FFFD stands for half a surrogate pair, too.
            if (rune.Value == 0xFFFD || IsDirection(rune.Value) || IsInvisible(rune.Value)
                || CharUnicodeInfo.GetUnicodeCategory(rune.Value) == UnicodeCategory.Control)
            {
                if (AllowLines && rune.Value is '\n' or '\r' or '\t')
                {
                    continue;
                }

                return new(
                    $"Text can't contain the character U+{rune.Value:X4}.", [validationContext.MemberName ?? ""]);
            }
        }

        return ValidationResult.Success;
    }

    /// <summary>Unicode's marks, embeddings, overrides and isolates of direction (UAX 9).</summary>
    private static bool IsDirection(int code) =>
        code is 0x061C or 0x200E or 0x200F or (>= 0x202A and <= 0x202E) or (>= 0x2066 and <= 0x2069);

    /// <summary>Line and paragraph separators, and characters that nobody sees.</summary>
    private static bool IsInvisible(int code) => code is 0x2028 or 0x2029 or 0x200B or 0x2060 or 0xFEFF;
}
