using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp.Syntax;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Tenancy.Analyzers;

/// <summary>TEN007: <c>UseTenants</c> behind <c>UseAuthentication</c>.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class PipelineAnalyzer : TenantAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Rules.TenantsAfterAuthentication];

    private protected override void Register(CompilationStartAnalysisContext start, TenantCode tenants) =>
        start.RegisterOperationBlockAction(block =>
        {
            var calls = block.OperationBlocks.SelectMany(part => part.Descendants()).OfType<IInvocationOperation>()
                .ToLookup(call => call.TargetMethod.Name);
            foreach (var tenantsCall in calls["UseTenants"].Where(call =>
                call.TargetMethod.ContainingNamespace.ToDisplayString() == "Tenancy.AspNetCore"))
            {
                var pipeline = Pipeline(tenantsCall);
                if (calls["UseAuthentication"].Any(call => Place(call) < Place(tenantsCall)
                    && SymbolEqualityComparer.Default.Equals(Pipeline(call), pipeline)))
                {
                    block.ReportDiagnostic(Diagnostic.Create(
                        Rules.TenantsAfterAuthentication, Name(tenantsCall).GetLocation(),
                        "UseAuthentication comes before UseTenants: a user store in a tenant's schema would be asked " +
                        "before the tenant is known. Remove UseAuthentication and UseAuthorization, UseTenants has " +
                        "both; or call them after it."));
                }
            }
        });

    private static int Place(IInvocationOperation call) => Name(call).SpanStart;

    private static SyntaxNode Name(IInvocationOperation call) =>
        call.Syntax is InvocationExpressionSyntax { Expression: MemberAccessExpressionSyntax member }
            ? member.Name
            : call.Syntax;

    /// <summary>The variable that the calls are chained on.</summary>
    private static ISymbol? Pipeline(IOperation call) => call switch
    {
        IInvocationOperation { Instance: { } instance } => Pipeline(instance),
        IInvocationOperation { Arguments: [{ Value: var first }, ..] } => Pipeline(first),
        IConversionOperation conversion => Pipeline(conversion.Operand),
        ILocalReferenceOperation local => local.Local,
        IParameterReferenceOperation parameter => parameter.Parameter,
        IFieldReferenceOperation field => field.Field,
        IPropertyReferenceOperation property => property.Property,
        _ => null,
    };
}
