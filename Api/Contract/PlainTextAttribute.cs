using System.ComponentModel.DataAnnotations;
using Tenancy;

namespace Api.Contract;

/// <summary>
/// Text for people, by the rule of <see cref="TenantName.IsPlain"/>: a name can't break a line or a log, or look like
/// another one. Null and empty text pass.
/// </summary>
[AttributeUsage(AttributeTargets.Property | AttributeTargets.Parameter)]
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
            if (!TenantName.IsPlain(rune) && !(AllowLines && rune.Value is ('\n' or '\r' or '\t')))
            {
                return new(
                    $"Text can't contain the character U+{rune.Value:X4}.", [validationContext.MemberName ?? ""]);
            }
        }

        return ValidationResult.Success;
    }
}
