using System.Text.RegularExpressions;
using Microsoft.CodeAnalysis;
using Microsoft.CodeAnalysis.CSharp;
using Xunit;

namespace Tests.Unit.Docs;

/// <summary>
/// Compiles the C# blocks of the pages: a whole file, or statements, or a chain that goes on from
/// <c>AddTenancy</c>. What the blocks talk about stands in <see cref="Prelude"/>. The tutorial adopt.md and the README
/// files of two packages are built outside the repository besides, see PackagesTests; the pages of the analyzer's rules
/// have a test of their own, RulePagesTests.
/// </summary>
public sealed partial class CodeBlocksTests
{
    private const string Usings =
        """
        global using System;
        global using System.Collections.Generic;
        global using System.IO;
        global using System.Linq;
        global using System.Net.Http;
        global using System.Net.Http.Json;
        global using System.Threading;
        global using System.Threading.Channels;
        global using System.Threading.Tasks;
        global using Aspire.Hosting;
        global using Data.Invoicing;
        global using Microsoft.AspNetCore.Authentication;
        global using Microsoft.AspNetCore.Builder;
        global using Microsoft.AspNetCore.Components.Web;
        global using Microsoft.AspNetCore.Http;
        global using Microsoft.AspNetCore.Identity;
        global using Microsoft.AspNetCore.Routing;
        global using Microsoft.EntityFrameworkCore;
        global using Microsoft.EntityFrameworkCore.Infrastructure;
        global using Microsoft.EntityFrameworkCore.Migrations;
        global using Microsoft.EntityFrameworkCore.Storage;
        global using Microsoft.Extensions.Configuration;
        global using Microsoft.Extensions.DependencyInjection;
        global using Microsoft.Extensions.Hosting;
        global using Microsoft.Extensions.Logging;
        global using Npgsql;
        global using Npgsql.EntityFrameworkCore.PostgreSQL.Infrastructure;
        global using OpenTelemetry.Metrics;
        global using OpenTelemetry.Trace;
        global using Ordering;
        global using Tenancy;
        global using Tenancy.AspNetCore;
        global using Tenancy.Cli;
        global using Tenancy.Postgres;
        global using Tenancy.Testing;
        global using Xunit;
        """;

    private const string Prelude =
        """
        namespace Ordering
        {
            public class OrderingContext(DbContextOptions<OrderingContext> options) : DbContext(options)
            {
                public DbSet<Order> Orders => Set<Order>();

                public Task AddStandardProductsAsync(CancellationToken ct) => Task.CompletedTask;
            }

            public class OrdersContext(DbContextOptions<OrdersContext> options) : DbContext(options)
            {
                public DbSet<Order> Orders => Set<Order>();
            }

            public class TicketsContext(DbContextOptions<TicketsContext> options) : DbContext(options);

            public class AccountsContext(DbContextOptions<AccountsContext> options)
                : Microsoft.AspNetCore.Identity.EntityFrameworkCore.IdentityDbContext(options);

            public class Order
            {
                public Guid Id { get; set; }
                public string Buyer { get; set; } = "";
            }

            public class Category
            {
                public int Id { get; set; }
                public string Name { get; set; } = "";
            }

            public enum OrderState
            {
                Open,
            }

            public class CurrentUser
            {
                public Microsoft.EntityFrameworkCore.Diagnostics.IInterceptor Interceptor => null!;
            }

            public class OrdersHub : Microsoft.AspNetCore.SignalR.Hub;

            public class App : Microsoft.AspNetCore.Components.ComponentBase;

            public static class Endpoints
            {
                public static void MapOrders(this RouteGroupBuilder orders) => orders.MapGet("/", () => "");
            }

            public class NameBuyers : TenantTask
            {
                public override string Name => "";

                public override Task RunAsync(TenantTaskContext context, CancellationToken ct) => Task.CompletedTask;
            }

            public class InvoiceReminders
            {
                public Task SendAsync(CancellationToken ct) => Task.CompletedTask;

                public static Task SendAsync(InvoicingContext db, Guid invoice, CancellationToken ct) => Task.CompletedTask;
            }
        }

        namespace Shop
        {
            public class Any;
        }

        namespace Projects
        {
            public class Shop_Job : IProjectMetadata { public string ProjectPath => ""; }

            public class Shop_Api : IProjectMetadata { public string ProjectPath => ""; }
        }
        """;

    private static readonly CSharpParseOptions s_language = new(LanguageVersion.Latest);

    private static readonly SyntaxTree[] s_around =
        [CSharpSyntaxTree.ParseText(Usings, s_language), CSharpSyntaxTree.ParseText(Prelude, s_language)];

    private static readonly MetadataReference[] s_references =
    [
        .. ((string)AppContext.GetData("TRUSTED_PLATFORM_ASSEMBLIES")!).Split(Path.PathSeparator)
            .Where(path => !Path.GetFileName(path).StartsWith("Tenancy.Analyzers", StringComparison.Ordinal))
            .Select(path => MetadataReference.CreateFromFile(path)),
    ];

    public static TheoryData<string> Pages => [.. DocPages.All.Where(page =>
        CSharp().IsMatch(DocPages.Text(page)) && !page.StartsWith("docs/rules/", StringComparison.Ordinal))];

    [Theory]
    [MemberData(nameof(Pages))]
    public void Each_block_of_a_page_compiles(string page)
    {
        foreach (Match block in CSharp().Matches(DocPages.Text(page)))
        {
            var code = block.Groups[1].Value;
            string[][] tries =
            [
                Errors(code, OutputKind.ConsoleApplication), Errors(code, OutputKind.DynamicallyLinkedLibrary),
                Errors(Statements(code), OutputKind.DynamicallyLinkedLibrary),
                Errors(Statements($"_ = tenancy{code.TrimEnd()};"), OutputKind.DynamicallyLinkedLibrary),
            ];
            Assert.True(tries.Any(errors => errors.Length == 0),
                $"{code}\n{string.Join('\n', tries.MinBy(errors => errors.Length)!)}");
        }
    }

    /// <summary>What a page's statements find around them.</summary>
    private static string Statements(string code) =>
        $$"""
        public static class Page
        {
            public static async Task Run(
                WebApplicationBuilder builder, WebApplication app, TenancyBuilder tenancy, Tenants tenants, Tenant tenant,
                OrderingContext db, TicketsContext tickets, ModelBuilder model, MigrationBuilder migrationBuilder,
                NpgsqlConnection connection, Guid id, string name, SchemaName? last, ILogger log,
                CancellationToken ct)
            {
                await Task.CompletedTask;
                {{code}}
            }
        }
        """;

    private static string[] Errors(string code, OutputKind kind) =>
    [
        .. CSharpCompilation.Create("page", [.. s_around, CSharpSyntaxTree.ParseText(code, s_language)], s_references,
                new(kind, nullableContextOptions: NullableContextOptions.Enable))
            .GetDiagnostics(TestContext.Current.CancellationToken)
            .Where(problem => problem.Severity == DiagnosticSeverity.Error).Select(problem => $"{problem}"),
    ];

    [GeneratedRegex("```csharp\n(.*?)```", RegexOptions.Singleline)]
    private static partial Regex CSharp();
}
