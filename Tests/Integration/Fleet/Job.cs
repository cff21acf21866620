using System.Diagnostics;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>The migration job, run as a process.</summary>
internal static class Job
{
    /// <summary>
    /// Where the build puts it, beside this project's output: the copy among the tests' own files lacks what it needs
    /// to run.
    /// </summary>
    private static string Path { get; } = System.IO.Path.GetFullPath(System.IO.Path.Combine(
        AppContext.BaseDirectory, "..", "..", "MigrationService",
        System.IO.Path.GetFileName(System.IO.Path.TrimEndingDirectorySeparator(AppContext.BaseDirectory)),
        "MigrationService.dll"));

    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>With one login, the owner's.</summary>
    public static Task<(int ExitCode, string Output)> RunAsync(
        string database, string environment, params string[] arguments) =>
            StartAsync(database, "", environment, arguments);

    /// <summary>With a login that serves customers, in Development.</summary>
    public static Task<(int ExitCode, string Output)> RunWithLoginAsync(string database, string tenants) =>
        StartAsync(database, tenants, "Development", []);

    /// <summary>The process itself, for who wants to disturb it; its output is for nobody.</summary>
    public static Process Start(string database, params string[] arguments)
    {
        var job = Process.Start(Command(database, "", "Production", arguments))!;
        job.BeginOutputReadLine();
        job.BeginErrorReadLine();
        return job;
    }

    private static async Task<(int ExitCode, string Output)> StartAsync(
        string database, string tenants, string environment, string[] arguments)
    {
        using var job = Process.Start(Command(database, tenants, environment, arguments))!;
        var output = Task.WhenAll(job.StandardOutput.ReadToEndAsync(Ct), job.StandardError.ReadToEndAsync(Ct));
        await job.WaitForExitAsync(Ct);
        return (job.ExitCode, string.Concat(await output));
    }

    private static ProcessStartInfo Command(string database, string tenants, string environment, string[] arguments)
    {
        var start = new ProcessStartInfo(
            Environment.ProcessPath is { } path && System.IO.Path.GetFileNameWithoutExtension(path) == "dotnet"
                ? path
                : "dotnet")
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["ConnectionStrings__tenants"] = database, ["ConnectionStrings__tenantsApi"] = tenants,
                ["DOTNET_ENVIRONMENT"] = environment },
        };
        start.ArgumentList.Add(Path);
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }
}
