using System.Text.Json.Nodes;
using Tenancy.Postgres.Cluster;
using Xunit;

namespace Tests.EndToEnd;

/// <summary>What the manifest tells a deployment tool.</summary>
public sealed class ManifestTests
{
    private static readonly string AppHost = BuiltProgram.Of("AppHost");

    [Fact]
    public void The_API_gets_the_two_logins_and_never_the_owners_password()
    {
        var resources = Manifest();

        Assert.Equal(
            ["ConnectionStrings__tenantsApi", "ConnectionStrings__tenantsRegistry"],
            Environment(resources, "api")
                .Where(setting => setting.Key.StartsWith("ConnectionStrings__", StringComparison.Ordinal))
                .Select(setting => setting.Key));
        Assert.DoesNotContain("postgres-password", Resolved(resources, "api"), StringComparison.Ordinal);
        Assert.DoesNotContain("postgres-password", Resolved(resources, "web"), StringComparison.Ordinal);
        Assert.Contains("postgres-password", Resolved(resources, "migrations"), StringComparison.Ordinal);
        Assert.Contains(
            "ConnectionStrings__tenants", Environment(resources, "migrations").Select(setting => setting.Key));
    }

    [Fact]
    public void The_migration_job_is_marked_as_a_job_that_ends_with_0()
    {
        var job = Manifest()["migrations"]!;

        Assert.Equal(0, (int)job["job"]!["succeedsWith"]!);
        Assert.Equal(["--on-failure", "isolate"], job["args"]!.AsArray().Select(argument => (string)argument!));
        Assert.EndsWith("MigrationService.csproj", (string)job["path"]!, StringComparison.Ordinal);
    }

    [Fact]
    public void From_outside_the_console_is_reached_by_https_alone()
    {
        var external = Manifest()
            .SelectMany(resource =>
                (resource.Value!["bindings"]?.AsObject() ?? [])
                    .Where(binding => (bool?)binding.Value!["external"] is true)
                    .Select(binding => $"{resource.Key} {(string)binding.Value!["scheme"]!}"));

        Assert.Equal(["web https"], external);
    }

    [Fact]
    public void The_container_makes_the_database_that_the_job_connects_to() =>
        Assert.Equal("tenants", (string)Environment(Manifest(), "postgres")["POSTGRES_DB"]!);

    [Fact]
    public void A_managed_database_needs_no_container_and_its_connection_strings_are_parameters()
    {
        var resources = Manifest("--Postgres:Use=connection");

        Assert.DoesNotContain("postgres", resources.Select(resource => resource.Key));
        Assert.All(["tenants", "tenantsApi", "tenantsRegistry"],
            name => Assert.Equal("parameter.v0", (string)resources[name]!["type"]!));
        Assert.DoesNotContain("{tenants.", Resolved(resources, "api"), StringComparison.Ordinal);
    }

    private static JsonObject Environment(JsonObject resources, string name) => resources[name]!["env"]!.AsObject();

    /// <summary>The settings of a project, with the connection strings that they name put in.</summary>
    private static string Resolved(JsonObject resources, string name)
    {
        var settings = Environment(resources, name).ToJsonString();
        for (var before = ""; before != settings;)
        {
            before = settings;
            foreach (var (other, resource) in resources)
            {
                settings = settings.Replace(
                    $"{{{other}.connectionString}}", (string?)resource!["connectionString"], StringComparison.Ordinal);
            }
        }

        return settings;
    }

    private static JsonObject Manifest(params string[] arguments)
    {
        var folder = Directory.CreateTempSubdirectory("manifest-");
        try
        {
            var file = Path.Combine(folder.FullName, "manifest.json");
            var run = Command.Run(
                TimeSpan.FromMinutes(2),
                ["dotnet", AppHost, "--operation", "publish", "--step", "publish-manifest", "--output-path", file,
                    .. arguments]);
            Assert.True(File.Exists(file), run.Output);
            return JsonNode.Parse(File.ReadAllText(file))!["resources"]!.AsObject();
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }
}
