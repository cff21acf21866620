using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Operations;

namespace Tenancy.Analyzers;

/// <summary>Helpers of the rules, over operations.</summary>
internal static class Code
{
    /// <summary>The whole method, lambda or initializer that an operation is part of.</summary>
    public static IOperation BodyOf(IOperation operation)
    {
        while (operation.Parent is not null)
        {
            operation = operation.Parent;
        }

        return operation;
    }

    public static IOperation Unconverted(IOperation operation) => operation switch
    {
        IConversionOperation conversion => Unconverted(conversion.Operand),
        IAwaitOperation wait => Unconverted(wait.Operation),
        _ => operation,
    };

    /// <summary>A local's initializer; null without one.</summary>
    public static IOperation? InitializerOf(ILocalSymbol local, IEnumerable<IOperation> body) =>
        body.OfType<IVariableDeclaratorOperation>()
            .FirstOrDefault(declarator => SymbolEqualityComparer.Default.Equals(declarator.Symbol, local))
            ?.GetVariableInitializer()?.Value;
}
