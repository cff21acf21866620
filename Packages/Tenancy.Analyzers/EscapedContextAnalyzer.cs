using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Tenancy.Analyzers;

/// <summary>TEN002: a tenant context that is used when its scope has ended.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class EscapedContextAnalyzer : TenantAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Rules.KeptContext];

    private protected override void Register(CompilationStartAnalysisContext start, TenantCode tenants)
    {
        start.RegisterOperationAction(
            operation => CheckReturn(operation, ((IReturnOperation)operation.Operation).ReturnedValue, tenants),
            OperationKind.Return);
        start.RegisterOperationAction(
            operation => CheckAssignment(operation, (ISimpleAssignmentOperation)operation.Operation, tenants),
            OperationKind.SimpleAssignment);
        start.RegisterOperationAction(
            operation => CheckLeft(operation, (IInvocationOperation)operation.Operation, tenants),
            OperationKind.Invocation);
    }

    /// <summary>
    /// A context, a query on one, or work with one that isn't awaited here: the caller gets it when the scope has
    /// ended.
    /// </summary>
    private static void CheckReturn(OperationAnalysisContext context, IOperation? value, TenantCode tenants)
    {
        if (value is null || Code.Unconverted(value) is var returned && returned is IAnonymousFunctionOperation)
        {
            return;
        }

        var isLater = IsQuery(returned.Type)
            || returned.Type?.Name is "Task" or "ValueTask" && value is not IAwaitOperation && !IsAsync(value, context);
        var gone = tenants.ServesTenant(returned.Type)
            ? ScopeOf(returned, tenants)
            : isLater
                ? returned.Descendants().Select(part => ScopeOf(part, tenants)).FirstOrDefault(one => one is not null)
                : null;
        if (gone is not null)
        {
            Report(context, value, $"The context ends with {gone.Name}, which is disposed of before the caller can " +
                "use what is returned here. Let the caller make the scope; or await, and return what was read.");
        }
    }

    private static bool IsQuery(ITypeSymbol? type) =>
        type is not null
            && type.AllInterfaces.Append(type).Any(one => one.ToDisplayString() == "System.Linq.IQueryable");

    private static bool IsAsync(IOperation value, OperationAnalysisContext context)
    {
        for (var one = value.Parent; one is not null; one = one.Parent)
        {
            switch (one)
            {
                case IAnonymousFunctionOperation function:
                    return function.Symbol.IsAsync;
                case ILocalFunctionOperation function:
                    return function.Symbol.IsAsync;
            }
        }

        return context.ContainingSymbol is IMethodSymbol { IsAsync: true };
    }

    private static void CheckAssignment(
        OperationAnalysisContext context, ISimpleAssignmentOperation assignment, TenantCode tenants)
    {
        if (assignment.Target
                is not (IFieldReferenceOperation or IPropertyReferenceOperation or ILocalReferenceOperation)
            || !tenants.ServesTenant(assignment.Value.Type))
        {
            return;
        }

        if (ScopeOf(assignment.Value, tenants) is not { } scope)
        {
            return;
        }

        var outlives = assignment.Target is not ILocalReferenceOperation { Local: var target }
            || IsDeclaredOutside(target, scope);
        if (outlives)
        {
            Report(context, assignment, $"{assignment.Target.Syntax} outlives the scope that its context comes from, " +
                "and the context ends with it. Use it inside the scope, or keep what was read.");
        }
    }

    /// <summary>Work that nobody awaits, with a context of a scope that ends meanwhile.</summary>
    private static void CheckLeft(OperationAnalysisContext context, IInvocationOperation call, TenantCode tenants)
    {
        var starts = (call.TargetMethod.ContainingType.ToDisplayString(), call.TargetMethod.Name) is
            ("System.Threading.Tasks.Task", "Run") or ("System.Threading.Tasks.TaskFactory", "StartNew")
            or ("System.Threading.ThreadPool", "QueueUserWorkItem");
        if (!starts || call.TargetMethod.ContainingType.Name != "ThreadPool" && !IsLeft(call))
        {
            return;
        }

        var work = call.Arguments.SelectMany(argument => argument.Descendants()).ToList();
        var body = work.OfType<IAnonymousFunctionOperation>().FirstOrDefault();
        if (body is null)
        {
            return;
        }

        var captured = body.Descendants().FirstOrDefault(operation => operation switch
        {
            ILocalReferenceOperation local => tenants.ServesTenant(local.Type) && !IsWithin(local.Local, body),
            IParameterReferenceOperation parameter => tenants.ServesTenant(parameter.Type)
                && !IsWithin(parameter.Parameter, body),
            IFieldReferenceOperation field => tenants.ServesTenant(field.Type),
            _ => false,
        });
        if (captured is not null)
        {
            Report(context, captured, $"Nobody awaits this work, so the scope of {captured.Syntax} may end before " +
                $"it. In it, {TenantCode.OwnScope}");
        }
    }

    private static bool IsLeft(IInvocationOperation call) => call.Parent switch
    {
        IExpressionStatementOperation => true,
        ISimpleAssignmentOperation { Target: IDiscardOperation } => true,
        _ => false,
    };

    /// <summary>
    /// The scope that a context was resolved from, <c>scope.ServiceProvider.GetRequiredService&lt;T&gt;()</c>, if a
    /// <c>using</c> ends it; null for any other value.
    /// </summary>
    private static ILocalSymbol? ScopeOf(IOperation value, TenantCode tenants)
    {
        value = Code.Unconverted(value);
        if (!tenants.ServesTenant(value.Type))
        {
            return null;
        }

        var body = Code.BodyOf(value).Descendants().ToList();
        if (value is ILocalReferenceOperation { Local: var local })
        {
            return Code.InitializerOf(local, body) is { } initializer ? ScopeOf(initializer, tenants) : null;
        }

        if (value is not IInvocationOperation { TargetMethod.Name: "GetRequiredService" or "GetService" } resolve)
        {
            return null;
        }

        var receiver = resolve.Instance ?? (resolve.Arguments.Length > 0 ? resolve.Arguments[0].Value : resolve);
        return Code.Unconverted(receiver) is IPropertyReferenceOperation
            {
                Instance: ILocalReferenceOperation { Local: var scope },
            } && body.Any(operation => operation switch
            {
                IUsingDeclarationOperation declaration => Declares(declaration.DeclarationGroup, scope),
                IUsingOperation block => Declares(block.Resources, scope),
                _ => false,
            }) ? scope : null;
    }

    private static bool Declares(IOperation resources, ILocalSymbol local) =>
        resources is IVariableDeclarationGroupOperation group
            && group.Declarations.SelectMany(declaration => declaration.Declarators)
                .Any(declarator => SymbolEqualityComparer.Default.Equals(declarator.Symbol, local));

    /// <summary>Whether a local lives in a block around the scope's.</summary>
    private static bool IsDeclaredOutside(ILocalSymbol local, ILocalSymbol scope)
    {
        var declared = local.DeclaringSyntaxReferences[0].Span.Start;
        var block = scope.DeclaringSyntaxReferences[0].GetSyntax().Ancestors()
            .FirstOrDefault(node => node is Microsoft.CodeAnalysis.CSharp.Syntax.UsingStatementSyntax
                or Microsoft.CodeAnalysis.CSharp.Syntax.BlockSyntax);
        return block is not null && !block.Span.Contains(declared);
    }

    private static bool IsWithin(ISymbol symbol, IAnonymousFunctionOperation body) =>
        symbol.DeclaringSyntaxReferences.Any(part => body.Syntax.Span.Contains(part.Span));

    private static void Report(OperationAnalysisContext context, IOperation operation, string message) =>
        context.ReportDiagnostic(Diagnostic.Create(Rules.KeptContext, operation.Syntax.GetLocation(), message));
}
