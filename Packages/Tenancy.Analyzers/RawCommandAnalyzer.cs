using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Tenancy.Sql;

namespace Tenancy.Analyzers;

/// <summary>
/// TEN004: a command on a data source or a connection, in a class or a method that has a tenant context. Its text
/// is left alone where it names no table, or is made with a <c>SchemaName</c>.
/// </summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class RawCommandAnalyzer : TenantAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Rules.RawCommand];

    private protected override void Register(CompilationStartAnalysisContext start, TenantCode tenants)
    {
        start.RegisterOperationAction(operation =>
        {
            var call = (IInvocationOperation)operation.Operation;
            if (call.Instance is { } source && IsRaw(source.Type)
                && call.TargetMethod.Name is "CreateCommand" or "BeginBinaryImport" or "BeginBinaryImportAsync"
                    or "BeginBinaryExport" or "BeginBinaryExportAsync" or "BeginTextImport" or "BeginTextImportAsync"
                    or "BeginTextExport" or "BeginTextExportAsync" or "BeginRawBinaryCopy" or "BeginRawBinaryCopyAsync")
            {
                Check(operation, call, call.Arguments.FirstOrDefault()?.Value, tenants);
            }
        }, OperationKind.Invocation);
        start.RegisterOperationAction(operation =>
        {
            var made = (IObjectCreationOperation)operation.Operation;
            if (made.Type?.ToDisplayString() is "Npgsql.NpgsqlCommand" or "Npgsql.NpgsqlBatchCommand")
            {
                Check(operation, made, made.Arguments.FirstOrDefault(argument =>
                    argument.Parameter?.Type.SpecialType == SpecialType.System_String)?.Value, tenants);
            }
        }, OperationKind.ObjectCreation);
    }

    private static bool IsRaw(ITypeSymbol? type) =>
        type?.ToDisplayString() is "Npgsql.NpgsqlDataSource" or "Npgsql.NpgsqlConnection"
            or "System.Data.Common.DbDataSource" or "System.Data.Common.DbConnection";

    private static void Check(
        OperationAnalysisContext context, IOperation command, IOperation? text, TenantCode tenants)
    {
        if (!IsTenantCode(context.ContainingSymbol, command, tenants))
        {
            return;
        }

        IOperation[] texts = text is null ? [.. TextsSetLater(command)] : [text];
        if (texts.Length == 0 || !texts.All(IsHarmless))
        {
            context.ReportDiagnostic(Diagnostic.Create(
                Rules.RawCommand, command.Syntax.GetLocation(),
                "This command is sent past the tenant's context: the guard doesn't see it, and nothing puts the " +
                "tenant's schema in. Write db.CreateTenantCommand(sql) with \"__Tenant__\".table in the SQL; or use " +
                "a class without a tenant context for what isn't a tenant's."));
        }
    }

    /// <summary>Whether a tenant context is at hand: in the method, or in the class.</summary>
    private static bool IsTenantCode(ISymbol symbol, IOperation command, TenantCode tenants)
    {
        var type = symbol.ContainingType;
        return symbol is IMethodSymbol method
                && method.Parameters.Any(parameter => tenants.ServesTenant(parameter.Type))
            || type is not null && (
                type.InstanceConstructors.SelectMany(constructor => constructor.Parameters)
                    .Any(parameter => tenants.ServesTenant(parameter.Type))
                || type.GetMembers().OfType<IFieldSymbol>().Any(field => tenants.ServesTenant(field.Type)))
            || Enclosing(command).Any(function =>
                function.Symbol.Parameters.Any(parameter => tenants.ServesTenant(parameter.Type)));
    }

    /// <summary>The lambdas around an operation: an endpoint's handler is one.</summary>
    private static IEnumerable<IAnonymousFunctionOperation> Enclosing(IOperation operation)
    {
        for (var one = operation.Parent; one is not null; one = one.Parent)
        {
            if (one is IAnonymousFunctionOperation function)
            {
                yield return function;
            }
        }
    }

    /// <summary>The values assigned to <c>CommandText</c> of the command's variable.</summary>
    private static IEnumerable<IOperation> TextsSetLater(IOperation command)
    {
        if (command.Parent
            is not IVariableInitializerOperation { Parent: IVariableDeclaratorOperation { Symbol: var local } })
        {
            return [];
        }

        return Code.BodyOf(command).Descendants().OfType<ISimpleAssignmentOperation>()
            .Where(set => set.Target is IPropertyReferenceOperation
            {
                Property.Name: "CommandText", Instance: ILocalReferenceOperation { Local: var owner },
            } && SymbolEqualityComparer.Default.Equals(owner, local))
            .Select(set => set.Value);
    }

    private static bool IsHarmless(IOperation text)
    {
        if (SqlText.Of(text, hasFormat: false) is not { } sql)
        {
            return NamesSchema(text)
                || text is ILocalReferenceOperation { Local: var local }
                    && Code.InitializerOf(local, Code.BodyOf(text).Descendants()) is { } initial
                    && NamesSchema(initial);
        }

        try
        {
            foreach (var name in StatementReader.Names(sql))
            {
                name.Check(AllowList.Nothing);
            }

            return !sql.Contains(TenantPlaceholder.Schema, StringComparison.Ordinal);
        }
        catch (CommandRefusedException)
        {
            return false;
        }
    }

    private static bool NamesSchema(IOperation text) =>
        text.DescendantsAndSelf().Any(part => part.Type?.ToDisplayString() == "Tenancy.SchemaName");
}
