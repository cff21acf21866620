using System.Diagnostics;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using MigrationService;
using Tests.Integration.Citus;
using Xunit;

namespace Tests.Integration.Fleet;

/// <summary>The migration job.</summary>
internal static class Job
{
    private static CancellationToken Ct => TestContext.Current.CancellationToken;

    /// <summary>With one login, the owner's.</summary>
    public static Task<(int ExitCode, string Output)> RunAsync(
        string database, string environment, params string[] arguments) =>
            RunAsync(arguments, environment, Settings(database, ""));

    /// <summary>With a login that serves customers, in Development.</summary>
    /// <param name="database">The owner's connection string.</param>
    /// <param name="tenants">The login's.</param>
    /// <param name="settings">Further ones, by their names in configuration.</param>
    public static Task<(int ExitCode, string Output)> RunWithLoginAsync(
        string database, string tenants, params (string Name, string Value)[] settings) =>
            RunAsync([], "Development", Settings(database, tenants, settings));

    /// <summary>The process itself, for who wants to disturb it; its output is for nobody.</summary>
    public static Process Start(string database, params string[] arguments)
    {
        var job = Process.Start(Command(arguments, "Production", Settings(database, "")))!;
        job.BeginOutputReadLine();
        job.BeginErrorReadLine();
        return job;
    }

    /// <summary>
    /// As a process at full depth. By default in the tests' own: a process takes seconds to compile the same code
    /// again.
    /// </summary>
    /// <param name="arguments">The command line.</param>
    /// <param name="environment">Of the host.</param>
    /// <param name="settings">By their names in configuration, with colons.</param>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string[] arguments, string environment, IEnumerable<KeyValuePair<string, string?>> settings)
    {
        if (!TestDepth.IsFull)
        {
            return await JobConsole.RunAsync(() => CustomerJob.RunAsync(arguments, Create));
        }

        using var job = Process.Start(Command(arguments, environment, settings))!;
        var output = Task.WhenAll(job.StandardOutput.ReadToEndAsync(Ct), job.StandardError.ReadToEndAsync(Ct));
        await job.WaitForExitAsync(Ct);
        return (job.ExitCode, string.Concat(await output));

        HostApplicationBuilder Create()
        {
            var builder = Host.CreateApplicationBuilder(new HostApplicationBuilderSettings
            {
                ContentRootPath = Path.GetDirectoryName(BuiltProgram.Of("MigrationService")),
                EnvironmentName = environment,
            });
            builder.Configuration.AddInMemoryCollection(settings);
            return builder;
        }
    }

    /// <summary>The process that runs the command, to be started, with its output for whoever reads it.</summary>
    /// <inheritdoc cref="RunAsync(string[], string, IEnumerable{KeyValuePair{string, string}})"/>
    public static ProcessStartInfo Command(
        string[] arguments, string environment, IEnumerable<KeyValuePair<string, string?>> settings)
    {
        var start = new ProcessStartInfo(BuiltProgram.Host, [BuiltProgram.Of("MigrationService"), .. arguments])
        {
            RedirectStandardOutput = true, RedirectStandardError = true,
            Environment = { ["DOTNET_ENVIRONMENT"] = environment },
        };
        foreach (var (name, value) in settings)
        {
            start.Environment[name.Replace(":", "__", StringComparison.Ordinal)] = value;
        }

        return start;
    }

    private static Dictionary<string, string?> Settings(
        string database, string tenants, params (string Name, string Value)[] further)
    {
        var settings = new Dictionary<string, string?>
        {
            ["ConnectionStrings:tenants"] = database, ["ConnectionStrings:tenantsApi"] = tenants,
            ["Tenancy:CitusNodePasswords"] = $"{CitusCluster.IsConfigured}",
        };
        foreach (var (name, value) in further)
        {
            settings[name] = value;
        }

        return settings;
    }
}
