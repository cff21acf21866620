extern alias analyzers;

using System.Collections.Immutable;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Microsoft.CodeAnalysis.CSharp.Testing;
using Microsoft.CodeAnalysis.Diagnostics;
using Microsoft.CodeAnalysis.Testing;
using Rules = analyzers::Tenancy.Analyzers;
using Xunit;

namespace Tests.Unit.Analyzers;

/// <summary>
/// Compiles code against the library, EF and ASP.NET Core, with all of the package's analyzers. What they warn of is
/// marked in the code, <c>{|TEN001:"..."|}</c>; any other warning, and any error, fails the test.
/// </summary>
internal static class AnalyzedCode
{
    private const string Usings =
        """
        using System;
        using System.Collections.Generic;
        using System.Linq;
        using System.Threading;
        using System.Threading.Tasks;
        using Microsoft.AspNetCore.Builder;
        using Microsoft.EntityFrameworkCore;
        using Microsoft.EntityFrameworkCore.Infrastructure;
        using Microsoft.EntityFrameworkCore.Migrations;
        using Microsoft.Extensions.DependencyInjection;
        using Microsoft.Extensions.Hosting;
        using Npgsql;
        using Tenancy;
        using Tenancy.AspNetCore;

        """;

    /// <summary>A tenant's context, as an application has it.</summary>
    public const string Shop =
        """
        public class ShopContext(DbContextOptions<ShopContext> options) : DbContext(options)
        {
            public DbSet<Order> Orders => Set<Order>();

            protected override void OnModelCreating(ModelBuilder model) =>
                model.HasDefaultSchema(TenantPlaceholder.Schema).Entity<Currency>().ToTable(
                    "currencies", "public", table => table.ExcludeFromMigrations());
        }

        public class Order { public int Id { get; set; } }

        public class Currency { public int Id { get; set; } }

        """;

    private static readonly ImmutableArray<MetadataReference> s_references =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("Tenancy.Analyzers", StringComparison.Ordinal))
            .Select(path => (MetadataReference)MetadataReference.CreateFromFile(path)),
    ];

    /// <param name="code">Behind <see cref="Usings"/>.</param>
    /// <param name="settings">Lines of an <c>.editorconfig</c>.</param>
    public static Task CheckAsync(string code, string? settings = null) =>
        Test(code, settings).RunAsync(TestContext.Current.CancellationToken);

    /// <summary>Of all analyzers.</summary>
    public static IEnumerable<string> RuleIds =>
        All().SelectMany(analyzer => analyzer.SupportedDiagnostics).Select(rule => rule.Id).Distinct();

    /// <summary>All warnings, in the order of the code.</summary>
    public static async Task<IReadOnlyList<Diagnostic>> WarningsAsync(string code)
    {
        var compilation = CSharpCompilation.Create(
            "code", [CSharpSyntaxTree.ParseText(Usings + code)], s_references,
            new(OutputKind.DynamicallyLinkedLibrary));
        Assert.Empty(compilation.GetDiagnostics(TestContext.Current.CancellationToken)
            .Where(diagnostic => diagnostic.Severity == DiagnosticSeverity.Error));
        var warnings = await compilation.WithAnalyzers([.. All()])
            .GetAnalyzerDiagnosticsAsync(TestContext.Current.CancellationToken);
        return [.. warnings.OrderBy(warning => warning.Location.SourceSpan.Start)];
    }

    private static AllAnalyzersTest Test(string code, string? settings)
    {
        var test = new AllAnalyzersTest { TestCode = Usings + code };
        test.TestState.AdditionalReferences.AddRange(s_references);
        if (settings is not null)
        {
            test.TestState.AnalyzerConfigFiles.Add(("/.editorconfig", $"root = true\n[*.cs]\n{settings}\n"));
        }

        return test;
    }

    private static IEnumerable<DiagnosticAnalyzer> All() =>
    [
        new Rules::RefusedSqlAnalyzer(), new Rules::KeptContextAnalyzer(), new Rules::EscapedContextAnalyzer(),
        new Rules::LiteralSchemaAnalyzer(), new Rules::RawCommandAnalyzer(), new Rules::MigrationAnalyzer(),
        new Rules::PipelineAnalyzer(),
    ];

    private sealed class AllAnalyzersTest : CSharpAnalyzerTest<Rules::RefusedSqlAnalyzer, DefaultVerifier>
    {
        public AllAnalyzersTest()
        {
            // What isn't in a package isn't fetched: the references are the tests' own.
            ReferenceAssemblies = new("net10.0");
            // Two analyzers share TEN002, and its one descriptor.
            MarkupOptions = MarkupOptions.UseFirstDescriptor;
        }

        protected override IEnumerable<DiagnosticAnalyzer> GetDiagnosticAnalyzers() => All();

        protected override ParseOptions CreateParseOptions() => new CSharpParseOptions(LanguageVersion.Latest);
    }
}
