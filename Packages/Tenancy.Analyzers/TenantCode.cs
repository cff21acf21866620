using System.Runtime.CompilerServices;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Syntax;

namespace Tenancy.Analyzers;

/// <summary>
/// The tenant contexts of a compilation, and the schemas and tables that tenants share. They are searched for when a
/// rule first asks: most compilations have nothing that a rule asks about.
/// </summary>
internal sealed class TenantCode
{
    private const string ContextType = "Microsoft.EntityFrameworkCore.DbContext";

    // The library's types and methods whose type arguments are tenant contexts.
    private static readonly HashSet<string> s_namingContexts =
        ["AddContext", "AddTenancy", "SeedNew", "TenantContextFactory", "TenantContextBuilder", "AcrossTenants"];

    // All analyzers of a compilation ask the same.
    private static readonly ConditionalWeakTable<Compilation, TenantCode> s_known = new();

    private readonly Compilation _compilation;
    private readonly INamedTypeSymbol? _currentTenant;
    private readonly Lazy<Findings> _found;
    private readonly Lazy<HashSet<ITypeSymbol>> _entities;

    private TenantCode(Compilation compilation)
    {
        _compilation = compilation;
        _currentTenant = compilation.GetTypeByMetadataName("Tenancy.CurrentTenant");
        _found = new(Find);
        _entities = new(FindEntities);
    }

    /// <summary>The way out, for a message: what to do instead of keeping a context.</summary>
    public const string OwnScope =
        "take Tenants, and get the context of each tenant from a scope of its own: await tenants.ServeAsync(slug).";

    /// <summary>Whether a type serves one tenant: a tenant context, or <c>CurrentTenant</c>.</summary>
    public bool ServesTenant(ITypeSymbol? type) => type is not null
        && (IsTenantContext(type) || SymbolEqualityComparer.Default.Equals(type, _currentTenant));

    /// <summary>Null where the compilation doesn't use the library with EF.</summary>
    public static TenantCode? Of(Compilation compilation) =>
        compilation.GetTypeByMetadataName("Tenancy.TenantPlaceholder") is not null
            && compilation.GetTypeByMetadataName(ContextType) is not null
                ? s_known.GetValue(compilation, static one => new(one))
                : null;

    /// <summary>Whether a type is a context that serves a tenant, as far as this compilation says so.</summary>
    public bool IsTenantContext(ITypeSymbol? type)
    {
        for (; type is not null; type = type.BaseType)
        {
            if (_found.Value.Contexts.Contains(type.OriginalDefinition))
            {
                return true;
            }
        }

        return false;
    }

    /// <summary>Whether a class is a migration of a tenant context's.</summary>
    public bool IsTenantMigration(INamedTypeSymbol? type)
    {
        if (type is null || !Derives(type, "Microsoft.EntityFrameworkCore.Migrations.Migration"))
        {
            return false;
        }

        // In an assembly of its own, a migration still names the placeholder.
        return IsTenantContext(ContextOf(type)) || NamesPlaceholder(type);
    }

    /// <summary>
    /// Whether a tenant's migration was made when its context was a tenant's already. One from before names no
    /// placeholder, and every build that serves tenants has it.
    /// </summary>
    public bool IsMadeForTenants(INamedTypeSymbol migration) =>
        NamesPlaceholder(migration)
            || ContextOf(migration) is { } context && _found.Value.Named.Contains(context.OriginalDefinition);

    private static ITypeSymbol? ContextOf(INamedTypeSymbol migration) =>
        migration.GetAttributes().FirstOrDefault(attribute => attribute.AttributeClass?.Name == "DbContextAttribute")
            ?.ConstructorArguments is [{ Value: ITypeSymbol named }] ? named : null;

    /// <summary>
    /// Whether the model of a context is in this compilation, and with it the names of what tenants share.
    /// </summary>
    public static bool HasModelOf(ITypeSymbol? context) =>
        context is not null && context.DeclaringSyntaxReferences.Length > 0;

    /// <summary>Whether the application is configured here, and with it the names of its functions.</summary>
    public bool HasRegistration => _found.Value.HasRegistration;

    /// <summary>Schemas that the application's old migrations named, which are the tenant's.</summary>
    public bool IsReplaced(string schema) => _found.Value.Replaced.Contains(schema);

    public IEnumerable<string> SharedTables => _found.Value.Tables;

    public IEnumerable<string> SharedSchemas => _found.Value.Schemas;

    public IEnumerable<string> SharedFunctions => _found.Value.Functions;

    /// <summary>Classes that are registered to live as long as the application.</summary>
    public bool IsRegisteredAsSingleton(INamedTypeSymbol type) =>
        _found.Value.Singletons.Contains(type.OriginalDefinition);

    public static bool IsSingletonRegistration(string method) => method is
        "AddSingleton" or "TryAddSingleton" or "AddKeyedSingleton" or "TryAddKeyedSingleton" or "AddHostedService";

    /// <summary>
    /// Whether a class is the row of a table in a tenant context and in no other, as far as the contexts here have
    /// sets.
    /// </summary>
    public bool IsTenantEntity(ITypeSymbol entity) => _entities.Value.Contains(entity);

    public static bool Derives(ITypeSymbol? type, string from)
    {
        for (var one = type?.BaseType; one is not null; one = one.BaseType)
        {
            if (one.ToDisplayString() == from)
            {
                return true;
            }
        }

        return false;
    }

    private Findings Find()
    {
        var found = new Findings();
        foreach (var tree in _compilation.SyntaxTrees)
        {
            SemanticModel? model = null;
            foreach (var node in tree.GetRoot().DescendantNodes())
            {
                switch (node)
                {
                    case GenericNameSyntax generic:
                        Find(generic, () => model ??= _compilation.GetSemanticModel(tree), found);
                        break;
                    case InvocationExpressionSyntax call:
                        Find(call, () => model ??= _compilation.GetSemanticModel(tree), found);
                        break;
                    case IdentifierNameSyntax { Identifier.ValueText: "SharedTables" } name:
                        found.Tables.UnionWith(Constants(name));
                        break;
                    case IdentifierNameSyntax { Identifier.ValueText: "SharedSchemas" } name:
                        found.Schemas.UnionWith(Constants(name));
                        break;
                    case IdentifierNameSyntax { Identifier.ValueText: "SharedFunctions" } name:
                        found.Functions.UnionWith(Constants(name));
                        break;
                }
            }
        }

        return found;
    }

    private HashSet<ITypeSymbol> FindEntities()
    {
        var contexts = _compilation.SyntaxTrees
            .SelectMany(tree => tree.GetRoot().DescendantNodes().OfType<ClassDeclarationSyntax>()
                .Select(type => _compilation.GetSemanticModel(tree).GetDeclaredSymbol(type)))
            .OfType<INamedTypeSymbol>().Where(type => Derives(type, ContextType))
            .ToLookup(IsTenantContext, type => type.GetMembers().OfType<IPropertySymbol>()
                .Select(property => property.Type).OfType<INamedTypeSymbol>()
                .Where(type => type is { Name: "DbSet", TypeArguments.Length: 1 }).Select(set => set.TypeArguments[0]));
        return contexts[true].SelectMany(sets => sets).Except(contexts[false].SelectMany(sets => sets),
            SymbolEqualityComparer.Default).Cast<ITypeSymbol>().ToHashSet<ITypeSymbol>(SymbolEqualityComparer.Default);
    }

    private static void Find(GenericNameSyntax generic, Func<SemanticModel> model, Findings found)
    {
        var name = generic.Identifier.ValueText;
        if (s_namingContexts.Contains(name))
        {
            found.HasRegistration |= name is "AddContext" or "AddTenancy";
            foreach (var argument in generic.TypeArgumentList.Arguments)
            {
                if (model().GetTypeInfo(argument).Type is { } type
                    && Derives(type, ContextType) && IsLibrarys(model().GetSymbolInfo(generic)))
                {
                    found.Contexts.Add(type.OriginalDefinition);
                }
            }
        }
    }

    private static void Find(InvocationExpressionSyntax call, Func<SemanticModel> model, Findings found)
    {
        var name = call.Expression switch
        {
            MemberAccessExpressionSyntax member => member.Name.Identifier.ValueText,
            _ => "",
        };
        switch (name)
        {
            case var _ when IsSingletonRegistration(name):
                FindSingleton(call, model(), found);
                break;
            case "HasDefaultSchema" when call.ArgumentList.Arguments is [{ Expression: var schema }]
                && model().GetConstantValue(schema).Value is TenantPlaceholder.Schema:
                if (call.FirstAncestorOrSelf<ClassDeclarationSyntax>() is { } type
                    && model().GetDeclaredSymbol(type) is { } context && Derives(context, ContextType))
                {
                    found.Contexts.Add(context.OriginalDefinition);
                    found.Named.Add(context.OriginalDefinition);
                }

                break;
            case "ToTable" or "ToView"
                when call.ArgumentList.Arguments is [{ Expression: var table }, { Expression: var where }, ..]
                && model().GetConstantValue(table).Value is string tableName
                && model().GetConstantValue(where).Value is string schemaName:
                found.Tables.Add($"{schemaName}.{tableName}");
                break;
            case "ReplaceSchema" when call.ArgumentList.Arguments is [{ Expression: var replaced }]
                && model().GetConstantValue(replaced).Value is string old:
                found.Replaced.Add(old);
                break;
            case "AddTenancy":
                found.HasRegistration = true;
                break;
        }
    }

    private static void FindSingleton(InvocationExpressionSyntax call, SemanticModel model, Findings found)
    {
        // The last type is the class: AddSingleton<IPrices, Prices>(), AddSingleton(typeof(Prices)).
        if (model.GetSymbolInfo(call).Symbol is IMethodSymbol { TypeArguments: [.., var service] })
        {
            found.Singletons.Add(service.OriginalDefinition);
        }
        else if (call.ArgumentList.Arguments.Select(argument => argument.Expression).OfType<TypeOfExpressionSyntax>()
            .LastOrDefault() is { } named && model.GetTypeInfo(named.Type).Type is { } type)
        {
            found.Singletons.Add(type.OriginalDefinition);
        }
    }

    private static bool IsLibrarys(SymbolInfo info) =>
        (info.Symbol ?? info.CandidateSymbols.FirstOrDefault())?.ContainingNamespace?.ToDisplayString()
            .StartsWith("Tenancy", StringComparison.Ordinal) is true;

    /// <summary>The strings in the statement that sets a list of what tenants share.</summary>
    private static IEnumerable<string> Constants(IdentifierNameSyntax list)
    {
        SyntaxNode statement = list;
        while (statement.Parent is ExpressionSyntax or ArgumentSyntax or ArgumentListSyntax)
        {
            statement = statement.Parent;
        }

        return statement.DescendantNodes().OfType<LiteralExpressionSyntax>()
            .Where(literal => literal.IsKind(SyntaxKind.StringLiteralExpression))
            .Select(literal => literal.Token.ValueText);
    }

    private static bool NamesPlaceholder(INamedTypeSymbol type) =>
        type.DeclaringSyntaxReferences.Any(part => NamesPlaceholder(part.GetSyntax()));

    private static bool NamesPlaceholder(SyntaxNode node) =>
        node.DescendantTokens().Any(token =>
            token.ValueText is TenantPlaceholder.Schema or nameof(TenantPlaceholder)
                || token.ValueText.Contains($"\"{TenantPlaceholder.Schema}\"", StringComparison.Ordinal));

    private sealed class Findings
    {
        public HashSet<ISymbol> Contexts { get; } = new(SymbolEqualityComparer.Default);

        /// <summary>Those whose model names the placeholder.</summary>
        public HashSet<ISymbol> Named { get; } = new(SymbolEqualityComparer.Default);

        public HashSet<ISymbol> Singletons { get; } = new(SymbolEqualityComparer.Default);

        public HashSet<string> Tables { get; } = [];

        public HashSet<string> Schemas { get; } = [];

        public HashSet<string> Functions { get; } = [];

        public HashSet<string> Replaced { get; } = [];

        public bool HasRegistration { get; set; }
    }
}
