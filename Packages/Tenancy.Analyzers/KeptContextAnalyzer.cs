using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Tenancy.Analyzers;

/// <summary>TEN002: a tenant context that a singleton, or a static, keeps.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class KeptContextAnalyzer : TenantAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Rules.KeptContext];

    private protected override void Register(CompilationStartAnalysisContext start, TenantCode tenants)
    {
        start.RegisterSymbolAction(
            symbol => CheckType(symbol, (INamedTypeSymbol)symbol.Symbol, tenants), SymbolKind.NamedType);
        start.RegisterOperationAction(
            operation => CheckFactory(operation, (IInvocationOperation)operation.Operation, tenants),
            OperationKind.Invocation);
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
            if (kept is not null && tenants.ServesTenant(kept))
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
            .Where(parameter => tenants.ServesTenant(parameter.Type)))
        {
            Report(context, parameter,
                $"{type.Name} {lifetime}, and a {parameter.Type.Name} serves the tenant of one scope. Instead, "
                    + TenantCode.OwnScope);
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
    /// <c>AddSingleton(services => new Prices(services.GetRequiredService&lt;ShopContext&gt;()))</c>.
    /// </summary>
    private static void CheckFactory(OperationAnalysisContext context, IInvocationOperation call, TenantCode tenants)
    {
        if (!TenantCode.IsSingletonRegistration(call.TargetMethod.Name))
        {
            return;
        }

        foreach (var resolve in call.Descendants().OfType<IInvocationOperation>().Where(inner =>
            inner.TargetMethod.Name is "GetRequiredService" or "GetService" && tenants.ServesTenant(inner.Type)))
        {
            Report(context, resolve, $"A singleton is made with a {resolve.Type!.Name}, which serves the tenant of " +
                $"one scope. Instead, {TenantCode.OwnScope}");
        }
    }

    private static void Report(SymbolAnalysisContext context, ISymbol symbol, string message) =>
        context.ReportDiagnostic(Diagnostic.Create(Rules.KeptContext, symbol.Locations[0], message));

    private static void Report(OperationAnalysisContext context, IOperation operation, string message) =>
        context.ReportDiagnostic(Diagnostic.Create(Rules.KeptContext, operation.Syntax.GetLocation(), message));
}
