using System.ComponentModel.DataAnnotations;
using Data.Customers;

namespace Api.Contract;

/// <summary>
/// A selection of customers. Null passes, for all; a selection of nobody is a mistake of whoever made it.
/// </summary>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class SlugsAttribute : ValidationAttribute
{
    private const int Most = 200;

    protected override ValidationResult? IsValid(object? value, ValidationContext validationContext) =>
        value is not IReadOnlyCollection<string> slugs
            || slugs.Count is > 0 and <= Most && slugs.All(CustomerSlug.IsValid)
                ? ValidationResult.Success
                : new($"Name 1 to {Most} customers, or leave it out for all. A slug has {CustomerSlug.Rule}.",
                    [validationContext.MemberName ?? ""]);
}
