using Npgsql;
using Tests.Integration.Fleet;
using Xunit;

namespace Tests.Integration.Lifecycle;

/// <summary>The same verbs as commands of the sample's job.</summary>
public sealed class LifecycleCommandsTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_customer_goes_into_a_file_out_of_it_and_to_its_end()
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        Assert.Equal(0, (await Job.RunAsync(database, "Development")).ExitCode);
        var folder = Directory.CreateTempSubdirectory("lifecycle-");
        try
        {
            var file = Path.Combine(folder.FullName, "acme.zip");
            Assert.Contains(
                "Exported acme, ", await DoneAsync(database, "export", "acme", file), StringComparison.Ordinal);
            Assert.Contains("exists", await RefusedAsync(database, "export", "acme", file), StringComparison.Ordinal);
            Assert.Contains("Imported restored, ",
                await DoneAsync(database, "import", file, "restored", "--name", "Restored"), StringComparison.Ordinal);
            Assert.Contains("Cloned sandbox, ",
                await DoneAsync(database, "clone", "acme", "sandbox"), StringComparison.Ordinal);
            Assert.Single(folder.EnumerateFiles());
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(file));
            }
        }
        finally
        {
            folder.Delete(recursive: true);
        }

        foreach (var made in new[] { "restored", "sandbox" })
        {
            Assert.Equal(await ScalarAsync(database, "SELECT count(*) FROM customer_acme.invoice_lines"),
                await ScalarAsync(database, $"SELECT count(*) FROM customer_{made}.invoice_lines"));
        }

        Assert.Contains(
            "'--confirm' is required", await RefusedAsync(database, "drop", "restored"), StringComparison.Ordinal);
        Assert.Contains("repeat the slug",
            await RefusedAsync(database, "drop", "restored", "--confirm", "acme"), StringComparison.Ordinal);
        await DoneAsync(database, "drop", "restored", "--confirm", "restored");
        var listed = System.Text.Json.Nodes.JsonNode.Parse(await DoneAsync(
            database, "list", "--search", "RESTOR", "--condition", "dropping", "--sort", "size", "--json"))!;
        Assert.Equal("restored", (string?)Assert.Single(listed["items"]!.AsArray())!["slug"]);
        Assert.Equal("archived", (string?)listed["items"]![0]!["status"]);
        Assert.Contains(
            "acme exists", await DoneAsync(database, "create", "acme", "--if-missing"), StringComparison.Ordinal);
        var page = await DoneAsync(database, "list", "--limit", "1");
        Assert.Contains("1 of", page, StringComparison.Ordinal);
        Assert.DoesNotContain("acme", await DoneAsync(
            database, "list", "--after", page.Split("--after ")[1].Trim()), StringComparison.Ordinal);
        await DoneAsync(database, "drop", "sandbox", "--confirm", "sandbox", "--grace-days", "0");
        Assert.Contains("Removed customer_sandbox.", await DoneAsync(database, "reconcile"), StringComparison.Ordinal);
        await DoneAsync(database, "resume", "restored");
        await DoneAsync(database, "drop", "restored", "--confirm", "restored", "--grace-days", "0");
        // A run does it, too.
        Assert.Contains(
            "Removed the schema customer_restored", await DoneAsync(database, "migrate"), StringComparison.Ordinal);
        Assert.Contains("Nothing is left", await DoneAsync(database, "reconcile"), StringComparison.Ordinal);
        Assert.Equal(0, (await Job.RunAsync(database, "Production", "verify")).ExitCode);
    }

    [Theory]
    [InlineData("No customer has the slug 'nobody'", "export", "nobody", "nobody.zip")]
    [InlineData("No customer has the slug 'nobody'", "clone", "nobody", "new")]
    [InlineData("No customer has the slug 'nobody'", "drop", "nobody", "--confirm", "nobody")]
    [InlineData("no-such-file.zip", "import", "no-such-file.zip", "new")]
    [InlineData("has to be from 0 to 3660", "drop", "nobody", "--confirm", "nobody", "--grace-days", "-1")]
    [InlineData("begin again with the first page", "list", "--after", "x")]
    [InlineData("has to be from 1 to 1000", "list", "--limit", "0")]
    [InlineData("has to be from 0 to 3660", "drop", "nobody", "--confirm", "nobody", "--grace-days", "NaN")]
    public async Task What_is_wrong_is_said_and_is_sixty_four(string says, params string[] arguments)
    {
        var database = await app.Server.ConnectionStringAsync(Ct);
        await Customers.CustomersDatabase.MigrateAsync(database);

        Assert.Contains(says, await RefusedAsync(database, arguments), StringComparison.Ordinal);
        Assert.False(File.Exists("nobody.zip") || File.Exists("nobody.zip.partial"));
    }

    private static async Task<string> DoneAsync(string database, params string[] arguments)
    {
        var (code, output) = await Job.RunAsync(database, "Production", arguments);
        Assert.True(code == 0, output);
        return output;
    }

    private static async Task<string> RefusedAsync(string database, params string[] arguments)
    {
        var (code, output) = await Job.RunAsync(database, "Production", arguments);
        Assert.True(code == 64, output);
        Assert.DoesNotContain("   at ", output, StringComparison.Ordinal);
        return output;
    }

    private static async Task<object?> ScalarAsync(string database, string sql)
    {
        await using var source = NpgsqlDataSource.Create($"{database};Pooling=false");
        await using var command = source.CreateCommand(sql);
        return await command.ExecuteScalarAsync(Ct);
    }
}
