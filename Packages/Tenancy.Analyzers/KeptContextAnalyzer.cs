using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Tenancy.Analyzers;

/// <summary>TEN002: a tenant context that a singleton keeps, or that is used when its scope has ended.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class KeptContextAnalyzer : TenantAnalyzer
{
    private const string Instead =
        "take Tenants, and get the context of each tenant from a scope of its own: await tenants.ServeAsync(slug).";

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Rules.KeptContext];

    private protected override void Register(CompilationStartAnalysisContext start, TenantCode tenants)
    {
        start.RegisterSymbolAction(
            symbol => CheckType(symbol, (INamedTypeSymbol)symbol.Symbol, tenants), SymbolKind.NamedType);
        start.RegisterOperationAction(
            operation => CheckReturn(operation, ((IReturnOperation)operation.Operation).ReturnedValue, tenants),
            OperationKind.Return);
        start.RegisterOperationAction(
            operation => CheckAssignment(operation, (ISimpleAssignmentOperation)operation.Operation, tenants),
            OperationKind.SimpleAssignment);
        start.RegisterOperationAction(operation =>
        {
            var call = (IInvocationOperation)operation.Operation;
            CheckLeft(operation, call, tenants);
            CheckFactory(operation, call, tenants);
        }, OperationKind.Invocation);
    }

    private static void CheckType(SymbolAnalysisContext context, INamedTypeSymbol type, TenantCode tenants)
    {
        foreach (var member in type.GetMembers())
        {
            var kept = member switch
            {
                IFieldSymbol { IsStatic: true, AssociatedSymbol: null } field => field.Type,
                IPropertySymbol { IsStatic: true } property when IsStored(type, property) => property.Type,
                _ => null,
            };
            if (kept is not null && IsTenants(kept, tenants))
            {
                Report(context, member, $"{type.Name}.{member.Name} is static, so every tenant's work would use one " +
                    $"tenant's {kept.Name}. Pass it as a parameter instead.");
            }
        }

        if (Lifetime(type, tenants) is not { } lifetime)
        {
            return;
        }

        foreach (var parameter in type.InstanceConstructors.Where(constructor => !constructor.IsImplicitlyDeclared)
            .SelectMany(constructor => constructor.Parameters)
            .Where(parameter => IsTenants(parameter.Type, tenants)))
        {
            Report(context, parameter,
                $"{type.Name} {lifetime}, and a {parameter.Type.Name} serves the tenant of one scope. Instead, " + Instead);
        }
    }

    /// <summary>Why one instance of a class serves all requests; null where it doesn't.</summary>
    private static string? Lifetime(INamedTypeSymbol type, TenantCode tenants)
    {
        if (type.TypeKind != TypeKind.Class || type.IsAbstract)
        {
            return null;
        }

        if (type.AllInterfaces.Any(one => one.ToDisplayString() == "Microsoft.Extensions.Hosting.IHostedService"))
        {
            return "is a hosted service, of which there is one";
        }

        if (tenants.IsRegisteredAsSingleton(type))
        {
            return "is registered as a singleton";
        }

        var isMiddleware = type.GetMembers().OfType<IMethodSymbol>()
                .Any(method => method.Name is "Invoke" or "InvokeAsync")
            && type.InstanceConstructors.Any(constructor => constructor.Parameters.Any(parameter =>
                parameter.Type.ToDisplayString() == "Microsoft.AspNetCore.Http.RequestDelegate"));
        return isMiddleware ? "is middleware, which is made once (parameters of InvokeAsync are each request's)" : null;
    }

    private static bool IsStored(INamedTypeSymbol type, IPropertySymbol property) =>
        type.GetMembers().OfType<IFieldSymbol>()
            .Any(field => SymbolEqualityComparer.Default.Equals(field.AssociatedSymbol, property));

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
        var gone = IsTenants(returned.Type, tenants)
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
            || !IsTenants(assignment.Value.Type, tenants))
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
            ILocalReferenceOperation local => IsTenants(local.Type, tenants) && !IsWithin(local.Local, body),
            IParameterReferenceOperation parameter => IsTenants(parameter.Type, tenants)
                && !IsWithin(parameter.Parameter, body),
            IFieldReferenceOperation field => IsTenants(field.Type, tenants),
            _ => false,
        });
        if (captured is not null)
        {
            Report(context, captured, $"Nobody awaits this work, so the scope of {captured.Syntax} may end before " +
                $"it. In it, {Instead}");
        }
    }

    /// <summary>
    /// <c>AddSingleton(services => new Prices(services.GetRequiredService&lt;ShopContext&gt;()))</c>.
    /// </summary>
    private static void CheckFactory(OperationAnalysisContext context, IInvocationOperation call, TenantCode tenants)
    {
        if (!TenantCode.IsSingletonRegistration(call.TargetMethod.Name))
        {
            return;
        }

        foreach (var resolve in call.Descendants().OfType<IInvocationOperation>().Where(inner =>
            inner.TargetMethod.Name is "GetRequiredService" or "GetService" && IsTenants(inner.Type, tenants)))
        {
            Report(context, resolve, $"A singleton is made with a {resolve.Type!.Name}, which serves the tenant of " +
                $"one scope. Instead, {Instead}");
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
        if (!IsTenants(value.Type, tenants))
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

    private static bool IsTenants(ITypeSymbol? type, TenantCode tenants) =>
        type is not null
            && (tenants.IsTenantContext(type) || SymbolEqualityComparer.Default.Equals(type, tenants.CurrentTenant));

    private static void Report(SymbolAnalysisContext context, ISymbol symbol, string message) =>
        context.ReportDiagnostic(Diagnostic.Create(Rules.KeptContext, symbol.Locations[0], message));

    private static void Report(OperationAnalysisContext context, IOperation operation, string message) =>
        context.ReportDiagnostic(Diagnostic.Create(Rules.KeptContext, operation.Syntax.GetLocation(), message));
}
