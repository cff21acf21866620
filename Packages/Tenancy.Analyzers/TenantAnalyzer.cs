using Microsoft.CodeAnalysis.Diagnostics;

namespace Tenancy.Analyzers;

/// <summary>The analyzers' base: they look at compilations that use the library, migrations included.</summary>
public abstract class TenantAnalyzer : DiagnosticAnalyzer
{
    /// <inheritdoc/>
    public sealed override void Initialize(AnalysisContext context)
    {
        ArgumentNullException.ThrowIfNull(context);
        // An application may call its migrations generated code, and that is where some rules have to look.
        context.ConfigureGeneratedCodeAnalysis(
            GeneratedCodeAnalysisFlags.Analyze | GeneratedCodeAnalysisFlags.ReportDiagnostics);
        context.EnableConcurrentExecution();
        context.RegisterCompilationStartAction(start =>
        {
            if (TenantCode.Of(start.Compilation) is { } tenants)
            {
                Register(start, tenants);
            }
        });
    }

    private protected abstract void Register(CompilationStartAnalysisContext start, TenantCode tenants);
}
