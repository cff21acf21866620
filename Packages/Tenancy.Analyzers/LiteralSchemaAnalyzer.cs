using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Operations;

namespace Tenancy.Analyzers;

/// <summary>TEN003: a tenant model that names a schema which isn't the placeholder.</summary>
[DiagnosticAnalyzer(LanguageNames.CSharp)]
public sealed class LiteralSchemaAnalyzer : TenantAnalyzer
{
    /// <inheritdoc/>
    public override ImmutableArray<DiagnosticDescriptor> SupportedDiagnostics => [Rules.LiteralSchema];

    private protected override void Register(CompilationStartAnalysisContext start, TenantCode tenants)
    {
        start.RegisterOperationAction(
            operation => Check(operation, (IInvocationOperation)operation.Operation, tenants),
            OperationKind.Invocation);
        start.RegisterSymbolAction(
            symbol => CheckAttributes(symbol, (INamedTypeSymbol)symbol.Symbol, tenants), SymbolKind.NamedType);
    }

    private static void Check(OperationAnalysisContext context, IInvocationOperation call, TenantCode tenants)
    {
        if (call.TargetMethod.Name
                is not ("HasDefaultSchema" or "ToTable" or "HasSequence" or "UseHiLo" or "UseSequence")
            || !IsTenantModel(context.ContainingSymbol.ContainingType, tenants)
            || call.Arguments.FirstOrDefault(argument => argument.Parameter?.Name == "schema") is not { } schema
            || schema.Value.ConstantValue is not { HasValue: true, Value: string name }
            || name == TenantPlaceholder.Schema || tenants.IsReplaced(name)
            // A shared table, which the tenant's model only reads.
            || call.Descendants().OfType<IInvocationOperation>()
                .Any(inner => inner.TargetMethod.Name == "ExcludeFromMigrations"))
        {
            return;
        }

        context.ReportDiagnostic(Diagnostic.Create(
            Rules.LiteralSchema, schema.Syntax.GetLocation(), call.TargetMethod.Name == "ToTable"
                ? $"A table in '{name}' is the same for all tenants, and each tenant's migrations would make it. " +
                    "Leave the schema out; or, for a table that the tenants share, write " +
                    $"ToTable(name, \"{name}\", table => table.ExcludeFromMigrations())."
                : $"What is in '{name}' is the same for all tenants. Leave the schema out; or, where the tables are " +
                    $"the tenants' but have had that schema until now, call ReplaceSchema(\"{name}\") on the context " +
                    "in AddTenancy."));
    }

    /// <summary>A tenant context, or the configuration of an entity that such a context has a set of.</summary>
    private static bool IsTenantModel(INamedTypeSymbol? type, TenantCode tenants) =>
        type is not null && (tenants.IsTenantContext(type)
            || type.AllInterfaces.Any(one => one is { Name: "IEntityTypeConfiguration", TypeArguments: [var entity] }
                && tenants.IsTenantEntity(entity)));

    /// <summary><c>[Table("orders", Schema = "sales")]</c> on what a tenant context has a set of.</summary>
    private static void CheckAttributes(SymbolAnalysisContext context, INamedTypeSymbol type, TenantCode tenants)
    {
        if (!tenants.IsTenantContext(type))
        {
            return;
        }

        foreach (var set in type.GetMembers().OfType<IPropertySymbol>()
            .Where(property => property.Type is INamedTypeSymbol { Name: "DbSet", TypeArguments.Length: 1 }))
        {
            var entity = ((INamedTypeSymbol)set.Type).TypeArguments[0];
            foreach (var attribute in entity.GetAttributes().Where(attribute =>
                attribute.AttributeClass?.Name == "TableAttribute"))
            {
                if (attribute.NamedArguments.FirstOrDefault(named => named.Key == "Schema").Value.Value is string name
                    && name != TenantPlaceholder.Schema && !tenants.IsReplaced(name))
                {
                    context.ReportDiagnostic(Diagnostic.Create(
                        Rules.LiteralSchema,
                        attribute.ApplicationSyntaxReference?.GetSyntax(context.CancellationToken).GetLocation()
                            ?? set.Locations[0],
                        $"{entity.Name} is mapped to a table in '{name}', which is the same for all tenants. Leave " +
                        "the schema out; or map a table that the tenants share in OnModelCreating, with " +
                        "ExcludeFromMigrations()."));
                }
            }
        }
    }
}
