using System.Diagnostics;
using Tests.Unit.Docs;
using Xunit;

namespace Tests.Integration.Contract;

/// <summary>What others make of the OpenAPI document: a linter, and a generator of TypeScript clients.</summary>
public sealed class DocumentPeersTests(App app)
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Spectral_finds_nothing_and_a_generated_TypeScript_client_compiles()
    {
        Assert.SkipUnless(TestDepth.IsFull, "It fetches programs by npm: at full depth only.");
        var folder = Directory.CreateTempSubdirectory("document-peers-");
        try
        {
            foreach (var file in Directory.EnumerateFiles(
                Path.Combine(DocPages.Root, "Tests", "Integration", "Contract", "node")))
            {
                File.Copy(file, Path.Combine(folder.FullName, Path.GetFileName(file)));
            }

            using var client = app.Client();
            await File.WriteAllTextAsync(Path.Combine(folder.FullName, "openapi.json"),
                await client.GetStringAsync("/openapi/v1.json", Ct), Ct);

            await RunAsync(folder.FullName, "ci", "--no-audit", "--no-fund", "--ignore-scripts");
            await RunAsync(folder.FullName,
                "exec", "--", "spectral", "lint", "openapi.json", "--ruleset", "spectral.yaml", "--fail-severity", "hint");
            await RunAsync(folder.FullName, "exec", "--", "openapi-typescript", "openapi.json", "-o", "client.d.ts");
            await RunAsync(folder.FullName, "exec", "--", "tsc", "--noEmit", "--strict", "--target", "es2022",
                "--module", "esnext", "--moduleResolution", "bundler", "use.ts", "client.d.ts");
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    private static async Task RunAsync(string folder, params string[] arguments)
    {
        using var npm = Process.Start(new ProcessStartInfo(OperatingSystem.IsWindows() ? "npm.cmd" : "npm", arguments)
        {
            WorkingDirectory = folder, RedirectStandardOutput = true, RedirectStandardError = true,
        })!;
        var output = await Task.WhenAll(npm.StandardOutput.ReadToEndAsync(Ct), npm.StandardError.ReadToEndAsync(Ct));
        await npm.WaitForExitAsync(Ct);
        Assert.True(npm.ExitCode == 0, string.Concat(output));
    }
}
