using System.ComponentModel.DataAnnotations;

namespace Api.Contract;

/// <summary>
/// A number of at most so many decimals. The database would round another one without a word. Null passes.
/// </summary>
/// <param name="most">How many.</param>
[AttributeUsage(AttributeTargets.Property)]
internal sealed class DecimalsAttribute(int most) : ValidationAttribute
{
    public override bool IsValid(object? value) => value is not decimal number || decimal.Round(number, most) == number;
}
