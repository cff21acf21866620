using System.Diagnostics;
using Tests.Integration.Citus;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>The migration job, run as a process.</summary>
internal static class Job
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>With one login, the owner's.</summary>
    public static Task<(int ExitCode, string Output)> RunAsync(
        string database, string environment, params string[] arguments) =>
            StartAsync(database, "", environment, arguments);

    /// <summary>With a login that serves customers, in Development.</summary>
    /// <param name="database">The owner's connection string.</param>
    /// <param name="tenants">The login's.</param>
    /// <param name="settings">Environment variables.</param>
    public static Task<(int ExitCode, string Output)> RunWithLoginAsync(
        string database, string tenants, params (string Name, string Value)[] settings) =>
            StartAsync(database, tenants, "Development", [], settings);

    /// <summary>The process itself, for who wants to disturb it; its output is for nobody.</summary>
    public static Process Start(string database, params string[] arguments)
    {
        var job = Process.Start(Command(database, "", "Production", arguments))!;
        job.BeginOutputReadLine();
        job.BeginErrorReadLine();
        return job;
    }

    private static async Task<(int ExitCode, string Output)> StartAsync(
        string database, string tenants, string environment, string[] arguments,
        params (string Name, string Value)[] settings)
    {
        var command = Command(database, tenants, environment, arguments);
        foreach (var (name, value) in settings)
        {
            command.Environment[name] = value;
        }

        using var job = Process.Start(command)!;
        var output = Task.WhenAll(job.StandardOutput.ReadToEndAsync(Ct), job.StandardError.ReadToEndAsync(Ct));
        await job.WaitForExitAsync(Ct);
        return (job.ExitCode, string.Concat(await output));
    }

    private static ProcessStartInfo Command(string database, string tenants, string environment, string[] arguments)
    {
        var start = new ProcessStartInfo(BuiltProgram.Host)
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment = { ["ConnectionStrings__tenants"] = database, ["ConnectionStrings__tenantsApi"] = tenants,
                ["DOTNET_ENVIRONMENT"] = environment,
                ["Tenancy__CitusNodePasswords"] = $"{CitusCluster.IsConfigured}" },
        };
        start.ArgumentList.Add(BuiltProgram.Of("MigrationService"));
        foreach (var argument in arguments)
        {
            start.ArgumentList.Add(argument);
        }

        return start;
    }
}
