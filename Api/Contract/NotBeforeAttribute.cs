using System.ComponentModel.DataAnnotations;

namespace Api.Contract;

/// <summary>A date that doesn't come before another one of the same object. Null passes.</summary>
/// <param name="other">The other property's name.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class NotBeforeAttribute(string other) : ValidationAttribute
{
    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext) =>
        value is DateOnly date
            && validationContext.ObjectType.GetProperty(other)?.GetValue(validationContext.ObjectInstance)
                is DateOnly first && date < first
            ? new(ErrorMessage, [validationContext.MemberName ?? ""])
            : ValidationResult.Success;
}
