using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Tenancy.Analyzers;

/// <summary>
/// TEN005: a command outside the transaction that has others beside it. TEN006: a change that builds without the
/// migration can't work with, and no mark that says so.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class MigrationAnalyzer : TenantAnalyzer
{
    private const string Concurrently = "Npgsql:CreatedConcurrently";

    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics =>
        [Rules.SuppressedTransaction, Rules.BreakingMigration];

    private protected override void Register(CompilationStartAnalysisContext start, TenantCode tenants) =>
        start.RegisterOperationBlockAction(block =>
        {
            if (block.OwningSymbol is not IMethodSymbol { Name: "Up" or "Down", IsOverride: true } method
                || !tenants.IsTenantMigration(method.ContainingType))
            {
                return;
            }

            IInvocationOperation[] commands =
            [
                .. block.OperationBlocks.SelectMany(part => part.Descendants()).OfType<IInvocationOperation>()
                    .Where(call => call.TargetMethod.ContainingType.Name == "MigrationBuilder"),
            ];
            CheckTransaction(block, commands);
            if (method.Name == "Up" && tenants.IsMadeForTenants(method.ContainingType))
            {
                CheckBreaking(block, commands, method.ContainingType);
            }
        });

    private static void CheckTransaction(OperationBlockAnalysisContext block, IInvocationOperation[] commands)
    {
        if (commands.Length < 2)
        {
            return;
        }

        foreach (var command in commands.Where(IsOutsideTransaction))
        {
            block.ReportDiagnostic(Diagnostic.Create(
                Rules.SuppressedTransaction, command.Syntax.GetLocation(),
                $"This command runs outside the transaction, and {block.OwningSymbol.Name} has {commands.Length} " +
                "commands. Interrupted, nobody could say which of them have run. Give it a migration of its own."));
        }
    }

    private static bool IsOutsideTransaction(IInvocationOperation command) =>
        command.Arguments.Any(argument => argument.Parameter?.Name == "suppressTransaction"
            && argument.Value.ConstantValue is { HasValue: true, Value: true })
        || Chained(command).Any(next => next.TargetMethod.Name == "Annotation"
            && next.Arguments is [{ Value.ConstantValue.Value: Concurrently }, { Value: var set }]
            && Code.Unconverted(set).ConstantValue is { HasValue: true, Value: true });

    /// <summary>The calls on what the command returns: <c>CreateIndex(...).Annotation(...)</c>.</summary>
    private static IEnumerable<IInvocationOperation> Chained(IInvocationOperation command)
    {
        for (var next = command.Parent; next is not null; next = next.Parent)
        {
            switch (next)
            {
                case IInvocationOperation call:
                    yield return call;
                    break;
                case IConversionOperation:
                    break;
                case IArgumentOperation:
                    break;
                default:
                    yield break;
            }
        }
    }

    private static void CheckBreaking(
        OperationBlockAnalysisContext block, IInvocationOperation[] commands, INamedTypeSymbol migration)
    {
        if (migration.GetAttributes().Any(attribute => attribute.AttributeClass?.Name == "BreaksOlderBuildsAttribute"))
        {
            return;
        }

        foreach (var command in commands)
        {
            // A renamed index breaks nobody: no query names it.
            var gone = command.TargetMethod.Name switch
            {
                "DropColumn" => "a column",
                "DropTable" => "a table",
                "RenameColumn" => "a column's name",
                "RenameTable" => "a table's name",
                "RenameSequence" => "a sequence's name",
                _ => null,
            };
            if (gone is not null)
            {
                block.ReportDiagnostic(Diagnostic.Create(
                    Rules.BreakingMigration, command.Syntax.GetLocation(),
                    $"{command.TargetMethod.Name} takes away {gone} that an older build may still read. Mark the " +
                    "migration with [BreaksOlderBuilds], or make it when no such build runs any more."));
            }
        }
    }
}
