using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;
using Tenancy.Guard;
using Tenancy.Sql;

namespace Tenancy.Analyzers;

/// <summary>TEN001: constant SQL of a tenant context or a tenant migration that the guard would refuse.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class RefusedSqlAnalyzer : TenantAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Rules.RefusedSql];

    private protected override void Register(CompilationStartAnalysisContext start, TenantCode tenants) =>
        start.RegisterOperationAction(
            operation => Check(operation, (IInvocationOperation)operation.Operation, tenants),
            OperationKind.Invocation);

    private static void Check(OperationAnalysisContext context, IInvocationOperation call, TenantCode tenants)
    {
        if (TenantSql.Of(call, tenants) is not { } sql)
        {
            return;
        }

        var shared = new AllowList(
            [.. tenants.SharedTables, .. Setting("tenancy.shared_tables")],
            [.. tenants.SharedSchemas, .. Setting("tenancy.shared_schemas")],
            [.. tenants.SharedFunctions, .. Setting("tenancy.shared_functions")]);
        if (sql.WhyNot(shared, tenants) is { } refusal)
        {
            context.ReportDiagnostic(Diagnostic.Create(
                Rules.RefusedSql, sql.Argument.Syntax.GetLocation(), refusal));
        }

        // For what an assembly can't see because it is declared in another: a line of .editorconfig.
        string[] Setting(string name) =>
            context.Options.AnalyzerConfigOptionsProvider.GetOptions(call.Syntax.SyntaxTree)
                .TryGetValue(name, out var value)
                ? value.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
                : [];
    }
}

/// <summary>SQL that a tenant's context, migration or command sends.</summary>
/// <param name="Argument">Where it stands.</param>
/// <param name="Text">The SQL.</param>
/// <param name="Context">The context's type; null for a migration and for a command without context.</param>
/// <param name="InMigration">Whether a migration has it.</param>
internal sealed record TenantSql(IOperation Argument, string Text, ITypeSymbol? Context, bool InMigration)
{
    private const string EfNamespace = "Microsoft.EntityFrameworkCore";

    public static TenantSql? Of(IInvocationOperation call, TenantCode tenants)
    {
        var method = call.TargetMethod;
        var type = method.ContainingType;
        switch (type.Name, method.Name)
        {
            case ("MigrationBuilder", "Sql") when Parameter(call, "sql") is { } sql
                && SqlText.Of(sql, hasFormat: false) is { } text && tenants.IsTenantMigration(ContainingType(call)):
                return new(sql, text, null, InMigration: true);
            case ("TenantCommands", "CreateTenantCommand") when Parameter(call, "sql") is { } sql
                && SqlText.Of(sql, hasFormat: false) is { } text:
                return new(sql, text, ContextOf(call.Arguments[0].Value), InMigration: false);
            case ("RelationalDatabaseFacadeExtensions" or "RelationalQueryableExtensions",
                "ExecuteSqlRaw" or "ExecuteSqlRawAsync" or "ExecuteSql" or "ExecuteSqlAsync"
                or "ExecuteSqlInterpolated" or "ExecuteSqlInterpolatedAsync" or "SqlQuery" or "SqlQueryRaw"
                or "FromSql" or "FromSqlRaw" or "FromSqlInterpolated")
                when type.ContainingNamespace.ToDisplayString() == EfNamespace && Parameter(call, "sql") is { } sql
                && ContextOf(call.Arguments[0].Value) is { } context && tenants.IsTenantContext(context)
                && SqlText.Of(sql, hasFormat: true) is { } text:
                return new(sql, text, context, InMigration: false);
            default:
                return null;
        }
    }

    /// <summary>
    /// The guard's message; null where it lets the command pass, or where only the application's start can tell.
    /// </summary>
    public string? WhyNot(AllowList shared, TenantCode tenants)
    {
        try
        {
            foreach (var name in StatementReader.Names(Text, InMigration))
            {
                if (!DependsOnOthers(name, tenants))
                {
                    name.Check(shared);
                }
            }
        }
        catch (CommandRefusedException refusal)
        {
            return refusal.Message;
        }

        return null;
    }

    /// <summary>Whether what decides about a name is declared in another assembly.</summary>
    private bool DependsOnOthers(NameUse name, TenantCode tenants) => name switch
    {
        { Schema: { } schema } when InMigration && tenants.IsReplaced(schema) => true,
        { Role: NameRole.Schema } => InMigration && tenants.IsReplaced(name.Name),
        { Schema: null, Role: NameRole.Call } => !tenants.HasRegistration && FunctionRules.KnownHarm(name.Name) is null,
        // The placeholder without quotes is wrong wherever its tables are declared.
        { Schema: not null and not "pg_catalog" and not TenantPlaceholder.Schema } =>
            !name.Schema.Equals(TenantPlaceholder.Schema, StringComparison.OrdinalIgnoreCase)
                && !TenantCode.HasModelOf(Context) && !(InMigration && tenants.HasRegistration),
        _ => false,
    };

    /// <summary>
    /// The type of <c>db</c> in <c>db.Database</c>, <c>db.Invoices</c>, <c>db.Set&lt;T&gt;()</c> and <c>db</c>.
    /// </summary>
    public static ITypeSymbol? ContextOf(IOperation receiver)
    {
        while (receiver is IConversionOperation conversion)
        {
            receiver = conversion.Operand;
        }

        return receiver switch
        {
            IPropertyReferenceOperation { Instance: { } owner } when !IsContext(receiver.Type) => ContextOf(owner),
            IInvocationOperation { Instance: { } owner, TargetMethod.Name: "Set" } => ContextOf(owner),
            _ => IsContext(receiver.Type) ? receiver.Type : null,
        };
    }

    private static bool IsContext(ITypeSymbol? type) =>
        TenantCode.Derives(type, "Microsoft.EntityFrameworkCore.DbContext");

    private static IOperation? Parameter(IInvocationOperation call, string name) =>
        call.Arguments.FirstOrDefault(argument => argument.Parameter?.Name == name)?.Value;

    private static INamedTypeSymbol? ContainingType(IOperation operation) =>
        operation.SemanticModel?.GetEnclosingSymbol(operation.Syntax.SpanStart)?.ContainingType;
}
