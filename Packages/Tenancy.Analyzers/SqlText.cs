using System.Text;
using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Operations;

namespace Tenancy.Analyzers;

/// <summary>A command's text, as far as the compiler knows it.</summary>
internal static partial class SqlText
{
    /// <param name="argument">A <c>string</c>, or the <c>FormattableString</c> of EF's methods.</param>
    /// <param name="hasFormat">Whether <c>{0}</c> in a constant stands for a parameter.</param>
    /// <returns>The text with parameters in place of values; null where it isn't constant.</returns>
    public static string? Of(IOperation argument, bool hasFormat)
    {
        if (argument.ConstantValue is { HasValue: true, Value: string constant })
        {
            return hasFormat ? Parameters().Replace(constant, "@p$1") : constant;
        }

        while (argument is IConversionOperation conversion)
        {
            argument = conversion.Operand;
        }

        if (Initial(argument) is { } initial)
        {
            return Of(initial, hasFormat);
        }

        // A string that is put together has a schema, or anything else, in its holes.
        return argument is IInterpolatedStringOperation interpolated && IsFormattable(argument)
            ? Of(interpolated)
            : null;
    }

    /// <summary>The initial value of a variable that is set once, or of a read-only field.</summary>
    private static IOperation? Initial(IOperation argument)
    {
        switch (argument)
        {
            case ILocalReferenceOperation { Local: var local } when !local.IsForEach:
                var body = Code.BodyOf(argument).Descendants().ToList();
                return body.OfType<IAssignmentOperation>().Any(set =>
                    set.Target is ILocalReferenceOperation { Local: var target }
                        && SymbolEqualityComparer.Default.Equals(target, local))
                    ? null
                    : Code.InitializerOf(local, body);
            case IFieldReferenceOperation { Field: { IsReadOnly: true } field }
                when field.DeclaringSyntaxReferences is [var declared]
                    && declared.GetSyntax() is VariableDeclaratorSyntax { Initializer.Value: { } value }
                    && argument.SemanticModel is { } model && model.SyntaxTree == value.SyntaxTree:
                return model.GetOperation(value);
            default:
                return null;
        }
    }

    private static bool IsFormattable(IOperation operation) =>
        operation.Parent is IConversionOperation { Type.Name: "FormattableString" };

    private static string Of(IInterpolatedStringOperation interpolated)
    {
        var text = new StringBuilder();
        var values = 0;
        foreach (var part in interpolated.Parts)
        {
            text.Append(part is IInterpolatedStringTextOperation { Text.ConstantValue.Value: string words }
                ? words
                : $"@p{values++}");
        }

        return text.ToString();
    }

    [GeneratedRegex(@"\{(\d+)(:[^}]*)?\}")]
    private static partial Regex Parameters();
}
