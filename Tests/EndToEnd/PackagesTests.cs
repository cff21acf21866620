using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
using Tenancy.Postgres.Cluster;
using Tests.Integration;
using Xunit;

namespace Tests.EndToEnd;

/// <summary>
/// The packages, from a local feed, in applications outside the repository: the template's, the one that the packages'
/// README files show, and a console program.
/// </summary>
public sealed partial class PackagesTests(App app) : IAsyncLifetime
{
    private readonly string _folder = Directory.CreateTempSubdirectory("packages-").FullName;

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    private static string Repository { get; } =
        Path.GetDirectoryName(Projects.AppHost.ProjectPath)!;

    private static string Configuration { get; } =
        AppContext.BaseDirectory.TrimEnd('/').EndsWith("release", StringComparison.Ordinal) ? "Release" : "Debug";

    public async ValueTask InitializeAsync()
    {
        await RunAsync(Repository, "dotnet",
            ["pack", "Aspire.sln", "--no-build", "-c", Configuration, "-o", Path.Combine(_folder, "feed")]);
        await File.WriteAllTextAsync(Path.Combine(_folder, "nuget.config"),
            $"""
            <configuration>
              <packageSources><add key="packed" value="{_folder}/feed" /></packageSources>
            </configuration>
            """, Ct);
    }

    public ValueTask DisposeAsync()
    {
        Directory.Delete(_folder, recursive: true);
        return ValueTask.CompletedTask;
    }

    [Fact]
    public async Task The_templates_application_is_made_built_migrated_served_and_tested()
    {
        Assert.SkipUnless(TestDepth.IsFull, "It builds two programs from nothing: at full depth only.");
        var server = await app.Server.ConnectionStringAsync(Ct);
        await RunAsync(_folder, "dotnet",
            ["new", "install", Path.Combine(_folder, "feed", $"Tenancy.Templates.{Version()}.nupkg")]);
        await RunAsync(_folder, "dotnet", ["new", "tenancy", "-n", "Bakery"]);
        var bakery = Path.Combine(_folder, "Bakery");
        await RunAsync(bakery, "dotnet", ["build"]);

        // The job, with the API's services.
        (string, string)[] settings = [("ConnectionStrings__bakery", server), ("DOTNET_ENVIRONMENT", "Development")];
        var job = Built("Job");
        await RunAsync(bakery, "dotnet", [job, "migrate"], settings);
        Assert.Contains("Created acme, schema tenant_acme.",
            await RunAsync(bakery, "dotnet", [job, "create", "acme"], settings), StringComparison.Ordinal);
        Assert.Contains("1 schema compared", await RunAsync(bakery, "dotnet", [job, "verify"], settings),
            StringComparison.Ordinal);
        Assert.Contains("Nothing is pending for tenant_acme.",
            await RunAsync(bakery, "dotnet", [job, "script", "acme"], settings), StringComparison.Ordinal);

        Assert.Contains("acme is umbrella, Umbrella.",
            await RunAsync(bakery, "dotnet", [job, "rename", "acme", "--to", "umbrella", "--name", "Umbrella"], settings),
            StringComparison.Ordinal);
        Assert.Contains("umbrella is suspended.",
            await RunAsync(bakery, "dotnet", [job, "suspend", "umbrella"], settings), StringComparison.Ordinal);

        // All of it, by its AppHost.
        var (api, site) = (new Uri($"http://localhost:{DeployedFolder.FreeAddress().Port}"), DeployedFolder.FreeAddress());
        var profile = Path.Combine(bakery, "Bakery.Api", "Properties", "launchSettings.json");
        await File.WriteAllTextAsync(profile, (await File.ReadAllTextAsync(profile, Ct))
            .Replace("http://localhost:5080", $"{api}".TrimEnd('/'), StringComparison.Ordinal), Ct);
        // The server's user isn't let into this test's folder.
        var data = ThrowawayFolder.Make(ServerAccount.Current(), inMemory: false);
        using var host = Start(bakery, "dotnet",
            [Built("AppHost"), "--Postgres:Use=local", $"--Postgres:DataFolder={data}"],
            [("DOTNET_ENVIRONMENT", "Development"), ("ASPNETCORE_URLS", $"{site}"),
                ("ASPIRE_ALLOW_UNSECURED_TRANSPORT", "true"),
                ("ASPIRE_DASHBOARD_OTLP_ENDPOINT_URL", $"{DeployedFolder.FreeAddress()}"),
                ("ASPIRE_RESOURCE_SERVICE_ENDPOINT_URL", $"{DeployedFolder.FreeAddress()}")]);
        var said = Task.WhenAll(host.StandardOutput.ReadToEndAsync(Ct), host.StandardError.ReadToEndAsync(Ct));
        try
        {
            using var client = new HttpClient { BaseAddress = api };
            await Eventually.HoldsAsync(async () => host.HasExited || await IsHealthyAsync(client));
            Assert.False(host.HasExited, host.HasExited ? string.Concat(await said) : "");
            using var made = await client.PostAsJsonAsync("/tenants", new { slug = "acme" }, Ct);
            Assert.Equal(HttpStatusCode.Created, made.StatusCode);
            client.DefaultRequestHeaders.Add("X-Tenant", "acme");
            using var placed = await client.PostAsJsonAsync("/orders", new { buyer = "Ada" }, Ct);
            Assert.Equal(HttpStatusCode.Created, placed.StatusCode);
            Assert.Contains("\"buyer\":\"Ada\"", await client.GetStringAsync("/orders", Ct), StringComparison.Ordinal);
        }
        finally
        {
            Command.Run(TimeSpan.FromSeconds(5), "kill", "-TERM", $"{host.Id}");
            await host.WaitForExitAsync(Ct);
            Directory.Delete(data, recursive: true);
        }

        Assert.Contains("PostgreSQL: a local server", string.Concat(await said), StringComparison.Ordinal);

        // Its own test.
        await RunAsync(bakery, "dotnet", [Built("Tests")], [("TENANCY_TEST_SERVER", server)]);

        string Built(string project) =>
            Path.Combine(bakery, $"Bakery.{project}", "bin", "Debug", "net10.0", $"Bakery.{project}.dll");
    }

    [Theory]
    [InlineData("Tenancy", "Microsoft.NET.Sdk", "Packages/Tenancy/README.md")]
    [InlineData("Tenancy.AspNetCore", "Microsoft.NET.Sdk.Web", "Packages/Tenancy.AspNetCore/README.md")]
    [InlineData("Tenancy.AspNetCore", "Microsoft.NET.Sdk.Web", "README.md")]
    public async Task The_quick_start_of_a_readme_compiles(string package, string sdk, string file)
    {
        Assert.SkipUnless(
            TestDepth.IsFull || file == "README.md", "It builds a program from nothing: at full depth only.");
        var readme = await File.ReadAllTextAsync(Path.Combine(Repository, file), Ct);
        await ProjectAsync("Quick", sdk, CSharp().Match(readme).Groups[1].Value,
            $"""
            <PackageReference Include="{package}" />
            <PackageReference Include="Microsoft.Extensions.Hosting" />
            """);
        if (file == "README.md")
        {
            await File.WriteAllTextAsync(Path.Combine(_folder, "Quick", "Shop.cs"), Shop, Ct);
        }

        await RunAsync(Path.Combine(_folder, "Quick"), "dotnet", ["build"]);
    }

    /// <summary>It comes along with the packages that need <c>Tenancy</c>, too.</summary>
    [Fact]
    public async Task A_package_brings_the_analyzer()
    {
        Assert.SkipUnless(TestDepth.IsFull, "It builds a program from nothing: at full depth only.");
        await ProjectAsync("Warned", "Microsoft.NET.Sdk.Web",
            """
            using Microsoft.EntityFrameworkCore;
            using Tenancy;

            new OrdersContext(new()).Database.ExecuteSqlRaw("DELETE FROM orders");

            public sealed class OrdersContext(DbContextOptions<OrdersContext> options) : DbContext(options)
            {
                protected override void OnModelCreating(ModelBuilder model) => model.HasDefaultSchema(TenantPlaceholder.Schema);
            }
            """, """<PackageReference Include="Tenancy.AspNetCore" />""");

        Assert.Contains("warning TEN001: 'orders' is named without a schema",
            await RunAsync(Path.Combine(_folder, "Warned"), "dotnet", ["build"]), StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_tutorials_code_compiles()
    {
        Assert.SkipUnless(TestDepth.IsFull, "It builds a program from nothing: at full depth only.");
        var page = await File.ReadAllTextAsync(Path.Combine(Repository, "docs", "adopt.md"), Ct);
        if (CSharp().Matches(page).Select(block => block.Groups[1].Value).ToList() is not [var api, var job, var test])
        {
            throw new InvalidOperationException("The page has other blocks.");
        }

        await ProjectAsync("Api", "Microsoft.NET.Sdk.Web", api, """<PackageReference Include="Tenancy.AspNetCore" />""");
        await File.WriteAllTextAsync(Path.Combine(_folder, "Api", "Ordering.cs"), Ordering, Ct);
        const string Application = """<ProjectReference Include="../Api/Api.csproj" />""";
        await ProjectAsync(
            "Job", "Microsoft.NET.Sdk", job, """<PackageReference Include="Tenancy.Cli" />""" + Application);
        await ProjectAsync(
            "Test", "Microsoft.NET.Sdk", test, """<PackageReference Include="Tenancy.Testing" />""" + Application);

        await RunAsync(Path.Combine(_folder, "Job"), "dotnet", ["build"]);
        await RunAsync(Path.Combine(_folder, "Test"), "dotnet", ["build"]);
    }

    /// <summary>What the README's application has besides.</summary>
    private const string Shop =
        """
        using Microsoft.EntityFrameworkCore;

        namespace Shop;

        public sealed class OrdersContext(DbContextOptions<OrdersContext> options) : DbContext(options)
        {
            public DbSet<Order> Orders => Set<Order>();
        }

        public sealed record Order(Guid Id, string Buyer);
        """;

    /// <summary>What the tutorial's application has besides.</summary>
    private const string Ordering =
        """
        using Microsoft.EntityFrameworkCore;
        using Microsoft.EntityFrameworkCore.Diagnostics;

        namespace Ordering;

        public sealed class OrderingContext(DbContextOptions<OrderingContext> options) : DbContext(options)
        {
            public Task AddStandardProductsAsync(CancellationToken ct) => Task.CompletedTask;
        }

        public sealed class TicketsContext(DbContextOptions<TicketsContext> options, CurrentUser user) : DbContext(options)
        {
            public CurrentUser User => user;
        }

        public sealed class CurrentUser
        {
            public IInterceptor Interceptor { get; } = new SaveChangesObserver();

            private sealed class SaveChangesObserver : SaveChangesInterceptor;
        }

        public static class OrdersEndpoints
        {
            public static void MapOrders(this RouteGroupBuilder orders) => orders.MapGet("/", () => "");
        }
        """;

    /// <summary>An application that pins older versions of what the packages need isn't made to change them.</summary>
    [Fact]
    public async Task A_console_program_with_its_own_pins_creates_migrates_queries_and_verifies()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await ProjectAsync("Console", "Microsoft.NET.Sdk", ConsoleProgram,
            """
            <PackageReference Include="Tenancy" />
            <PackageReference Include="Microsoft.EntityFrameworkCore.Relational" />
            <PackageReference Include="Microsoft.Extensions.Hosting" />
            """);
        var folder = Path.Combine(_folder, "Console");
        await RunAsync(folder, "dotnet", ["build"]);

        Assert.Equal("acme: Ada; globex: ; clean",
            (await RunAsync(folder, "dotnet", [Path.Combine("bin", "Debug", "net10.0", "Console.dll")],
                [("ConnectionStrings__shop", database)])).Trim());
    }

    private const string ConsoleProgram =
        """
        using Microsoft.EntityFrameworkCore;
        using Microsoft.EntityFrameworkCore.Infrastructure;
        using Microsoft.EntityFrameworkCore.Migrations;
        using Microsoft.Extensions.DependencyInjection;
        using Microsoft.Extensions.Hosting;
        using Microsoft.Extensions.Logging;
        using Tenancy;

        var builder = Host.CreateApplicationBuilder(args);
        builder.Logging.ClearProviders();
        builder.AddTenancy("shop", tenancy => tenancy.UseBuiltInRegistry().AddContext<OrdersContext>());
        using var host = builder.Build();
        var tenants = host.Services.GetRequiredService<Tenants>();
        await tenants.MigrateAsync();
        foreach (var slug in new[] { "acme", "globex" })
        {
            await tenants.CreateAsync(slug);
        }

        await using (var scope = await tenants.ServeAsync("acme"))
        {
            var db = scope.Services.GetRequiredService<OrdersContext>();
            db.Orders.Add(new(Guid.NewGuid(), "Ada"));
            await db.SaveChangesAsync();
        }

        var report = await tenants.ForEachAsync(async (scope, ct) =>
        {
            var db = scope.Services.GetRequiredService<OrdersContext>();
            var buyers = await db.Orders.Select(order => order.Buyer).ToListAsync(ct);
            Console.Write($"{scope.Tenant.Slug}: {string.Join(", ", buyers)}; ");
        }, new() { Parallel = 1 });
        var drift = await host.Services.GetRequiredService<FleetVerifier>().VerifyAsync();
        Console.WriteLine(drift.IsClean && drift.Checked == 2 ? "clean" : "not clean");

        public sealed class OrdersContext(DbContextOptions<OrdersContext> options) : DbContext(options)
        {
            public DbSet<Order> Orders => Set<Order>();
        }

        public sealed record Order(Guid Id, string Buyer);

        [DbContext(typeof(OrdersContext))]
        [Migration("20260101000000_Initial")]
        public sealed class Initial : Migration
        {
            protected override void Up(MigrationBuilder migration) => migration.CreateTable("Orders", table => new
            {
                Id = table.Column<Guid>(nullable: false), Buyer = table.Column<string>(nullable: false),
            }, constraints: table => table.PrimaryKey("PK_Orders", order => order.Id));
        }
        """;

    /// <summary>A project with central versions, the oldest that the packages take.</summary>
    private async Task ProjectAsync(string name, string sdk, string program, string references)
    {
        var folder = Directory.CreateDirectory(Path.Combine(_folder, name)).FullName;
        await File.WriteAllTextAsync(Path.Combine(folder, "Directory.Packages.props"),
            $"""
            <Project>
              <PropertyGroup>
                <ManagePackageVersionsCentrally>true</ManagePackageVersionsCentrally>
                <CentralPackageTransitivePinningEnabled>true</CentralPackageTransitivePinningEnabled>
              </PropertyGroup>
              <ItemGroup>
                <PackageVersion Include="Tenancy" Version="{Version()}" />
                <PackageVersion Include="Tenancy.AspNetCore" Version="{Version()}" />
                <PackageVersion Include="Tenancy.Cli" Version="{Version()}" />
                <PackageVersion Include="Tenancy.Testing" Version="{Version()}" />
                <PackageVersion Include="Microsoft.EntityFrameworkCore.Relational" Version="10.0.1" />
                <PackageVersion Include="Microsoft.Extensions.Hosting" Version="10.0.1" />
              </ItemGroup>
            </Project>
            """, Ct);
        await File.WriteAllTextAsync(Path.Combine(folder, $"{name}.csproj"),
            $"""
            <Project Sdk="{sdk}">
              <PropertyGroup>
                <TargetFramework>net10.0</TargetFramework>
                <OutputType>Exe</OutputType>
                <Nullable>enable</Nullable>
                <ImplicitUsings>enable</ImplicitUsings>
                <WarningsAsErrors>nullable;NU1605;NU1608</WarningsAsErrors>
              </PropertyGroup>
              <ItemGroup>
                {references}
              </ItemGroup>
            </Project>
            """, Ct);
        await File.WriteAllTextAsync(Path.Combine(folder, "Program.cs"), program, Ct);
    }

    private string Version() => PackageFile().Match(
        Directory.EnumerateFiles(Path.Combine(_folder, "feed"), "Tenancy.Templates.*.nupkg").Single()).Groups[1].Value;

    private static async Task<bool> IsHealthyAsync(HttpClient client)
    {
        try
        {
            using var answer = await client.GetAsync("/health", Ct);
            return answer.IsSuccessStatusCode;
        }
        catch (HttpRequestException)
        {
            return false;
        }
    }

    private async Task<string> RunAsync(
        string folder, string program, string[] arguments, params (string Name, string Value)[] settings)
    {
        using var run = Start(folder, program, arguments, settings);
        var said = Task.WhenAll(run.StandardOutput.ReadToEndAsync(Ct), run.StandardError.ReadToEndAsync(Ct));
        await run.WaitForExitAsync(Ct);
        var output = await said;
        Assert.True(run.ExitCode == 0, $"{string.Join(' ', arguments)}: {string.Concat(output)}");
        return output[0];
    }

    private Process Start(
        string folder, string program, string[] arguments, (string Name, string Value)[] settings)
    {
        var start = new ProcessStartInfo(program, arguments)
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
        };
        // A template's hive and a package cache of its own: what an earlier run has left of the same version is no
        // measure. What isn't ours comes from the usual cache.
        start.Environment["DOTNET_CLI_HOME"] = Path.Combine(_folder, "home");
        start.Environment["DOTNET_NOLOGO"] = start.Environment["DOTNET_CLI_TELEMETRY_OPTOUT"] = "1";
        start.Environment["NUGET_FALLBACK_PACKAGES"] = Environment.GetEnvironmentVariable("NUGET_PACKAGES")
            ?? Path.Combine(Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".nuget", "packages");
        start.Environment["NUGET_PACKAGES"] = Path.Combine(_folder, "cache");
        start.Environment.Remove("ConnectionStrings__tenants");
        foreach (var (name, value) in settings)
        {
            start.Environment[name] = value;
        }

        return Process.Start(start)!;
    }

    [GeneratedRegex("^```csharp\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex CSharp();

    [GeneratedRegex(@"Tenancy\.Templates\.(.+)\.nupkg$")]
    private static partial Regex PackageFile();
}
