using System.Diagnostics;
using System.Text.RegularExpressions;
using Data.Customers;
using Tenancy.Postgres.Cluster;
using Npgsql;
using Tests.Integration.Citus;
using Tests.Integration.Customers;
using Tests.Integration.Fleet;
using Tests.Integration.Roles;
using Xunit;

namespace Tests.Integration.Docs;

/// <summary>docs/restore.md, followed to the letter by a shell.</summary>
public sealed partial class RestorePageTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_customer_gets_the_backups_rows_and_this_releases_schema_back()
    {
        await using var database = await CustomersDatabase.CreateAsync(app);
        var application = database.Application();
        foreach (var slug in new[] { "acme", "globex" })
        {
            await CustomersDatabase.CreateAsync(application, slug, async db =>
            {
                db.Invoices.Add(Invoices.New());
                await db.SaveChangesAsync(Ct);
            });
        }

        // The backup is one migration older than the release.
        var before = await database.ScalarAsync<string>(
            """
            SELECT "MigrationId" FROM customer_acme."__EFMigrationsHistory" ORDER BY 1 DESC OFFSET 1 LIMIT 1
            """);
        var (down, output) = await Job.RunAsync(
            database.ConnectionString, "Development", "down", "--customer", "acme", "--to", before);
        Assert.True(down == 0, output);
        var folder = Directory.CreateTempSubdirectory("restore-");
        try
        {
            await FollowAsync(database, folder.FullName, "Back it up");
            await Job.RunAsync(database.ConnectionString, "Development");
            await database.ScalarAsync<object>("DELETE FROM customer_acme.invoices RETURNING 1");

            await FollowAsync(database, folder.FullName, "Restore it");
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        foreach (var slug in new[] { "acme", "globex" })
        {
            Assert.Equal(1L, await database.ScalarAsync<long>($"SELECT count(*) FROM customer_{slug}.invoices"));
        }

        Assert.Equal(
            0L, await database.ScalarAsync<long>("SELECT count(*) FROM pg_namespace WHERE nspname LIKE '%before'"));
        Assert.Equal(nameof(CustomerStatus.Active).ToLowerInvariant(),
            await database.ScalarAsync<string>("SELECT status FROM customers WHERE slug = 'acme'"));
        Assert.Equal("ready",
            await database.ScalarAsync<string>("SELECT state FROM tenancy.schemas WHERE schema = 'customer_acme'"));
    }

    private static async Task FollowAsync(CustomersDatabase database, string folder, string heading)
    {
        var page = await File.ReadAllTextAsync(Path.Combine(AppContext.BaseDirectory, "docs", "restore.md"), Ct);
        var section = page.Split("\n## ").Single(part => part.StartsWith(heading + "\n", StringComparison.Ordinal));
        var commands = string.Concat(Blocks().Matches(section).Select(block => block.Groups[1].Value))
            // What the page says of Citus.
            .Replace(
                "verify --customer", CitusCluster.IsConfigured ? "verify --mend --customer" : "verify --customer",
                StringComparison.Ordinal)
            .Replace("dotnet run --project MigrationService -- ",
                $"'{BuiltProgram.Host}' '{BuiltProgram.Of("MigrationService")}' ", StringComparison.Ordinal);
        var settings = new NpgsqlConnectionStringBuilder(database.ConnectionString);
        var start = new ProcessStartInfo("bash", ["-e", "-o", "pipefail", "-c", commands])
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["TENANTS"] = $"postgresql://{settings.Username}:{Uri.EscapeDataString(settings.Password ?? "")}@" +
                    $"{settings.Host}:{settings.Port}/{settings.Database}",
                ["ConnectionStrings__tenants"] = database.ConnectionString,
                ["PATH"] = $"{await ClientsAsync(database)}:{Environment.GetEnvironmentVariable("PATH")}",
            },
        };
        using var shell = Process.Start(start)!;
        var said = Task.WhenAll(shell.StandardOutput.ReadToEndAsync(Ct), shell.StandardError.ReadToEndAsync(Ct));
        await shell.WaitForExitAsync(Ct);
        Assert.True(shell.ExitCode == 0, string.Concat(await said));
    }

    /// <summary>A pg_dump reads servers of its own major version and older ones.</summary>
    private static async Task<string> ClientsAsync(CustomersDatabase database)
    {
        var major = await database.ScalarAsync<int>("SELECT current_setting('server_version_num')::int / 10000");
        var folder = PostgresBinaries.Installed()
            .Where(binaries => File.Exists(Path.Combine(binaries.Folder, "pg_dump")) && binaries.Major >= major)
            .Select(binaries => binaries.Folder).FirstOrDefault();
        Assert.SkipWhen(folder is null, $"There is no pg_dump for PostgreSQL {major}.");
        return folder;
    }

    [GeneratedRegex("^```sh\n(.*?)^```$", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Blocks();
}
